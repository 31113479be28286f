"""Planned work: on its day the ticket opens, and a delivery that is overdue is told. In hours of the desk only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from mailgate.core import promise
from mailgate.core.absence import Gone
from mailgate.core.address import DESK_ITSELF
from mailgate.core.choose import Choice, placed
from mailgate.core.contract.consequences import to_staff
from mailgate.core.desk import Desk
from mailgate.core.mail import Notice
from mailgate.core.model import Status, Ticket
from mailgate.service.jobs import absences
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
    away = absences.who_is_away(tx, office.desk, now) if starting else {}
    for ticket in starting:
        _start(tx, office, ticket, away.get(ticket.technician or ""), now)
    return len(starting) + tell(tx, office, "overdue", due.undelivered(tx, today), now)


def _start(tx: Connection, office: Office, ticket: Ticket, gone: Gone | None, now: datetime) -> None:
    """Open a ticket; where its technician is away it waits for them or goes to another, as any other of theirs."""
    desk = office.desk
    before = replace(ticket, status=Status.OPEN)
    choice = absences.chosen_anew(tx, desk, before, now) if gone else None
    opened = promise.clocked(placed(before, choice) if choice else before, desk, now)
    tickets.update(tx, opened)
    if gone:
        absences.note_look(tx, desk, ticket, gone, now)  # what a person decides after this stays
    number = events.record(tx, "start", ticket.client, f"{ticket.id}/{ticket.planned_start}", now)
    if number is not None:
        balance = entries.balance(tx, ticket.client)
        moved = _without(desk, before, opened, choice, balance) if choice else [_starts(desk, opened, balance)]
        post(tx, office, list(moved), now, f"x{number}")


def _without(desk: Desk, before: Ticket, opened: Ticket, choice: Choice, balance: int) -> Iterator[Notice]:
    """What is told of work whose technician is not there on its day."""
    yield from absences.told(desk, before, opened, choice, balance)
    values = {
        "client_name": desk.client_name(opened.client),
        "ticket": opened,
        "ticket_tag": desk.tag(opened.id),
        "away_name": desk.staff_name(before.technician),
        "technician_name": desk.staff_name(opened.technician),
        "back_at": choice.back_at,
    }
    yield to_staff(desk, None, "starts_without", values, DESK_ITSELF)


def _starts(desk: Desk, ticket: Ticket, balance: int) -> Notice:
    values = {
        "client_name": desk.client_name(ticket.client),
        "ticket": ticket,
        "ticket_tag": desk.tag(ticket.id),
        "balance": balance,
    }
    return to_staff(desk, ticket.technician, "start_today", values, ticket.id)
