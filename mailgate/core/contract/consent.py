"""Work past the limit that a client set on a ticket: it waits for the client's word before it is booked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from mailgate.core import ledger
from mailgate.core.model import Entry, Kind, Matter, MatterKind


def waiting(entry: Entry) -> Matter:
    """The debit as a matter, with all that its entry will need."""
    return Matter(
        id=0,
        kind=MatterKind.DEBIT,
        client=entry.client,
        at=entry.at,
        ticket=entry.ticket,
        minutes=entry.worked,
        technician=entry.technician,
        day=entry.day,
        note=entry.note,
        phone=entry.phone,
        line=entry.line,
    )


def booked(matter: Matter, left: int, overdraft: str, now: datetime, today: date) -> Entry | None:
    """The entry of work that was agreed to; None where the rules refuse it for want of minutes.

    left: the client's minutes. It keeps message and line of the mail that booked it, so that no mail
    can ever book it a second time.
    """
    worked = matter.minutes or 0
    charged = ledger.charged(worked, left, overdraft)
    if charged is None:
        return None
    return Entry(
        id=0,
        client=matter.client,
        kind=Kind.DEBIT,
        minutes=-charged,
        worked=worked,
        at=now,
        day=matter.day or today,
        ticket=matter.ticket,
        technician=matter.technician,
        note=matter.note,
        message=matter.message,
        line=matter.line,
        phone=matter.phone,
    )


def open_in(matters: Iterable[Matter], ticket: int, kind: MatterKind) -> tuple[Matter, ...]:
    """What is open of one kind in one ticket, oldest first."""
    return tuple(matter for matter in matters if matter.ticket == ticket and matter.kind is kind)
