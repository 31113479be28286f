"""Which tickets somebody should look at: each question by an index, none reads what is done with."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from mailgate.core.model import Ticket
from mailgate.store import tickets
from mailgate.store.connection import Connection
from mailgate.store.tickets import Only
from mailgate.store.times import stamp


def opened_since(tx: Connection, since: datetime) -> list[Ticket]:
    """Tickets that came since then and are not closed, oldest first."""
    return tickets.under(tx, "t.opened_at > :since and t.status <> 'closed' order by t.opened_at", since=stamp(since))


def due_before(tx: Connection, until: datetime) -> list[Ticket]:
    """Tickets that are owed an answer before then, the earliest first."""
    return tickets.under(tx, "t.answer_due_at < :until order by t.answer_due_at", until=stamp(until))


def starting(tx: Connection, day: date) -> list[Ticket]:
    """Work that is planned to start on a day, whether its ticket was opened for it already or not."""
    today = "t.planned_start = :day and t.status in ('scheduled', 'new', 'open') order by t.id"
    return tickets.under(tx, today, day=day.isoformat())


def to_deliver(tx: Connection, until: date) -> list[Ticket]:
    """Work that is planned to be delivered by a day, that day included, and is not closed."""
    planned = "t.planned_delivery <= :until and t.status <> 'closed' order by t.planned_delivery, t.id"
    return tickets.under(tx, planned, until=until.isoformat())


def held(tx: Connection) -> list[Ticket]:
    """Tickets that wait for something else than the client, oldest first."""
    return tickets.under(tx, "t.status = 'held' order by t.id")


Section = Literal["late", "due", "overdue", "planned", "held"]
_SECTIONS: dict[Section, tuple[str, str]] = {
    "late": ("t.answer_due_at < :now", "t.answer_due_at"),
    "due": ("t.answer_due_at >= :now", "t.answer_due_at"),
    "overdue": ("t.planned_delivery <= :today and t.status <> 'closed'", "t.planned_delivery"),
    "planned": ("t.status = 'scheduled'", "t.planned_start"),
    "held": ("t.status = 'held'", "t.id"),
}


def page(tx: Connection, section: Section, only: Only, now: datetime, today: date, most: int) -> list[Ticket]:
    """The first tickets of one section of the director's board, of those that they chose."""
    where, values = only.where(of_few=True)
    condition, order = _SECTIONS[section]
    given = {"now": stamp(now), "today": today.isoformat()}
    used = {name: value for name, value in given.items() if f":{name}" in condition}
    return tickets.under(tx, f"{condition}{where} order by {order} limit :most", **values, **used, most=most)


def load(tx: Connection) -> dict[str, int]:
    """How many tickets wait for each technician; those of nobody under ""."""
    rows = tx.rows(
        "select technician, count(*) as waiting from ticket where status in ('new', 'open') group by technician"
    )
    return {row["technician"] or "": int(row["waiting"]) for row in rows}
