"""Promises that are about to break, and those that broke: told in hours of the desk only, once each."""

from __future__ import annotations

from datetime import datetime

from mailgate.core.desk import Desk
from mailgate.core.model import Ticket
from mailgate.service.jobs.told import tell
from mailgate.service.office import Office
from mailgate.store import Connection, due


def run(tx: Connection, office: Office, now: datetime) -> int:
    """Tell technicians and director; how many promises that were.

    One that broke while nobody looked is told as broken, never also as due soon.
    """
    desk = office.desk
    if not desk.calendar.is_open(now):
        return 0
    broken = tell(tx, office, "promise_broken", due.broken(tx, now), now)
    return broken + tell(tx, office, "promise_soon", _soon(tx, desk, now), now)


def _soon(tx: Connection, desk: Desk, now: datetime) -> list[Ticket]:
    """Tickets with `promise.warn_before` of desk time left, or less; none where no promise is longer than that."""
    terms = desk.rules.promise
    if terms.warn_before is None or terms.first_answer <= terms.warn_before:
        return []
    until = desk.calendar.add(now, terms.warn_before)
    return due.soon(tx, now, until) if until else []
