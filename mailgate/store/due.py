"""Which tickets the clock has come to, and nobody was told of yet: each question by an index."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from mailgate.core.model import Ticket
from mailgate.store import events, tickets
from mailgate.store.connection import Connection
from mailgate.store.times import stamp

Told = Literal["overdue", "promise_soon", "promise_broken"]


def to_start(tx: Connection, today: date) -> list[Ticket]:
    """Planned work whose day has come, or came while nobody looked; the earliest first."""
    planned = "t.status = 'scheduled' and t.planned_start <= :today order by t.planned_start, t.id"
    return tickets.under(tx, planned, today=today.isoformat())


def undelivered(tx: Connection, today: date) -> list[Ticket]:
    """Work that was to be delivered before today and is not closed; the earliest first."""
    over = f"t.planned_delivery < :today and t.status <> 'closed' and {_untold('overdue', 't.planned_delivery')}"
    return tickets.under(tx, f"{over} order by t.planned_delivery, t.id", today=today.isoformat())


def broken(tx: Connection, now: datetime) -> list[Ticket]:
    """Tickets whose answer was due by now; the earliest first."""
    late = f"t.answer_due_at <= :now and {_untold('promise_broken', 't.asked_at')}"
    return tickets.under(tx, f"{late} order by t.answer_due_at, t.id", now=stamp(now))


def soon(tx: Connection, now: datetime, until: datetime) -> list[Ticket]:
    """Tickets whose answer is due after now and not after `until`; the earliest first."""
    near = f"t.answer_due_at > :now and t.answer_due_at <= :until and {_untold('promise_soon', 't.asked_at')}"
    return tickets.under(tx, f"{near} order by t.answer_due_at, t.id", now=stamp(now), until=stamp(until))


def tell(tx: Connection, kind: Told, ticket: Ticket, now: datetime) -> int | None:
    """Note that this is told of a ticket now; the event's number, None where it was told before.

    A delivery is told of once per day that was planned, a promise once per asking, whatever pauses it had.
    """
    of = str(ticket.planned_delivery) if kind == "overdue" else stamp(ticket.asked_at or now)
    return events.record(tx, kind, ticket.client, f"{ticket.id}/{of}", now)


def _untold(kind: Told, of: str) -> str:
    """That no event of a kind is about a ticket `t` and this value of it."""
    key = f"t.id || '/' || {of}"
    return f"not exists (select 1 from event x where x.kind = '{kind}' and x.client = t.client and x.key = {key})"
