"""Work past the limit that a client set on a ticket: it waits for the client's word before it is booked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Literal

from mailgate.core import ledger
from mailgate.core.contract.consequences import to_client, to_staff
from mailgate.core.desk import Desk
from mailgate.core.mail import Notice
from mailgate.core.model import Entry, Kind, Matter, MatterKind, Ticket


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


def told(
    desk: Desk, ticket: Ticket, booked: Entry, entries: Iterable[Entry], balance: int, by: Literal["client", "desk"]
) -> Iterator[Notice]:
    """Both sides learn that work which waited is booked. entries: all of now. by: who let it through."""
    spent = ledger.spent(ticket, entries)
    values = {"ticket_tag": desk.tag(ticket.id), "minutes": -booked.minutes, "by": by, "balance": balance}
    yield to_client(desk, booked.client, "debit_booked", {**values, "spent": spent, "limit": ticket.limit}, ticket.id)
    story = {"client_name": desk.client_name(booked.client), "subject": ticket.subject}
    yield to_staff(desk, booked.technician, "debit_released", {**values, **story}, ticket.id)


def open_in(matters: Iterable[Matter], ticket: int, kind: MatterKind) -> tuple[Matter, ...]:
    """What is open of one kind in one ticket, oldest first."""
    return tuple(matter for matter in matters if matter.ticket == ticket and matter.kind is kind)
