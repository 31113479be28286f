"""Planned work: on its day the ticket opens, and a delivery that is overdue is told. In hours of the desk only."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from mailgate.core import promise
from mailgate.core.contract.consequences import to_staff
from mailgate.core.desk import Desk
from mailgate.core.mail import Notice
from mailgate.core.model import Status, Ticket
from mailgate.service.jobs.told import tell
from mailgate.service.letters import post
from mailgate.service.office import Office
from mailgate.store import Connection, due, entries, events, tickets


def run(tx: Connection, office: Office, now: datetime) -> int:
    """Open what starts today, tell what is overdue; how many tickets that were."""
    if not office.desk.calendar.is_open(now):
        return 0
    today = office.desk.local_day(now)
    starting = due.to_start(tx, today)
    for ticket in starting:
        _start(tx, office, ticket, now)
    return len(starting) + tell(tx, office, "overdue", due.undelivered(tx, today), now)


def _start(tx: Connection, office: Office, ticket: Ticket, now: datetime) -> None:
    opened = promise.clocked(replace(ticket, status=Status.OPEN), office.desk, now)
    tickets.update(tx, opened)
    number = events.record(tx, "start", ticket.client, f"{ticket.id}/{ticket.planned_start}", now)
    if number is not None:
        balance = entries.balance(tx, ticket.client)
        post(tx, office, [_starts(office.desk, opened, balance)], now, f"x{number}")


def _starts(desk: Desk, ticket: Ticket, balance: int) -> Notice:
    values = {
        "client_name": desk.client_name(ticket.client),
        "ticket": ticket,
        "ticket_tag": desk.tag(ticket.id),
        "balance": balance,
    }
    return to_staff(desk, ticket.technician, "start_today", values, ticket.id)
