"""Technicians go and come back: tickets of who is away wait or go to somebody else, and go on once they are there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime

from mailgate.core import absence, promise
from mailgate.core.absence import Gone
from mailgate.core.address import DESK_ITSELF
from mailgate.core.assignment import handed_over, waits_for_technician
from mailgate.core.choose import Choice, choose, placed
from mailgate.core.contract.consequences import to_staff
from mailgate.core.desk import Desk
from mailgate.core.mail import Notice
from mailgate.core.model import Status, Ticket
from mailgate.service.letters import post
from mailgate.service.office import Office
from mailgate.store import Connection, absences, entries, events, tickets
from mailgate.store.facts import roster_for, yesterday

# Whom the rules no longer have does not come back.
_FOR_GOOD = Gone(None, short=False)


def who_is_away(tx: Connection, desk: Desk, now: datetime) -> dict[str, Gone]:
    """Those of the desk who are not there, by id."""
    return absence.all_gone(desk, absences.since(tx, yesterday(now)), now)


def run(tx: Connection, office: Office, now: datetime) -> int:
    """Move the tickets of who is away and give back those of who is there, in hours of the desk; how many that were."""
    desk = office.desk
    if not desk.calendar.is_open(now):
        return 0
    away = who_is_away(tx, desk, now)
    waiting = tickets.held_for_absence(tx)
    lost = {ticket.technician or "" for ticket in waiting} - desk.rules.technicians.keys()
    away |= dict.fromkeys(lost, _FOR_GOOD)
    moved = sum(_looked_to(tx, office, ticket, gone, now) for id_, gone in away.items() for ticket in _theirs(tx, id_))
    there = {ticket.technician or "" for ticket in waiting} - away.keys()
    return moved + sum(_back(tx, office, id_, now) for id_ in sorted(there))


def _theirs(tx: Connection, technician: str) -> Iterator[Ticket]:
    """What a technician has to do now; what is planned has its day, and a prospect is the director's."""
    for ticket in tickets.with_technician(tx, technician):
        if ticket.status is not Status.SCHEDULED and ticket.client:
            yield ticket


def _looked_to(tx: Connection, office: Office, ticket: Ticket, gone: Gone, now: datetime) -> bool:
    """Choose anew for a ticket, once for each absence: what a person decides after that stays. Whether it was moved."""
    desk = office.desk
    whose = _whose(ticket)
    before = events.latest_key(tx, "away", ticket.client, whose)
    number = note_look(tx, desk, ticket, gone, now)
    if number is None:
        return False
    choice = chosen_anew(tx, desk, ticket, now)
    after = placed(ticket, choice)
    # Somebody who stays away for longer: the client was told an earlier day.
    longer = before is not None and desk.local_day(now) <= _day_of(before, whose) and after.held_for == "away"
    if after == ticket and not longer:
        return False
    after = promise.clocked(after, desk, now)
    tickets.update(tx, after)
    balance = entries.balance(tx, ticket.client)
    post(tx, office, list(told(desk, ticket, after, choice, balance)), now, f"x{number}")
    return True


def note_look(tx: Connection, desk: Desk, ticket: Ticket, gone: Gone, now: datetime) -> int | None:
    """Note that a ticket is looked to because of this absence; the event's number, None where it was before."""
    until = desk.local_day(gone.back_at).isoformat() if gone.back_at else ""
    return events.record(tx, "away", ticket.client, _whose(ticket) + until, now)


def _whose(ticket: Ticket) -> str:
    """How the keys of a ticket's looks begin, for who has it."""
    return f"{ticket.id}/{ticket.technician}/"


def chosen_anew(tx: Connection, desk: Desk, ticket: Ticket, now: datetime) -> Choice:
    """Who does the ticket from now on, and why."""
    return choose(desk, ticket, roster_for(tx, ticket.client, desk.rules.technicians, now), now)


def _day_of(key: str, whose: str) -> date:
    day = key.removeprefix(whose)
    return date.fromisoformat(day) if day else date.min


def told(desk: Desk, before: Ticket, after: Ticket, choice: Choice, balance: int) -> Iterator[Notice]:
    """To who has the ticket now, or to the client who waits."""
    if after.technician != before.technician:
        yield handed_over(desk, after, choice, balance)
    elif choice.back_at:
        yield waits_for_technician(desk, after, choice.back_at)


def _back(tx: Connection, office: Office, technician: str, now: datetime) -> int:
    """What has waited for somebody goes on, and one mail tells them all of it."""
    desk = office.desk
    waited = [ticket for ticket in _theirs(tx, technician) if ticket.held_for == "away"]
    for ticket in waited:
        tickets.update(tx, promise.clocked(replace(ticket, status=Status.OPEN, held_for=""), desk, now))
    number = events.record(tx, "back_again", "", f"{technician} {now.isoformat()}", now)
    if waited and number is not None:
        items = [_item(office, ticket) for ticket in waited]
        post(tx, office, [to_staff(desk, technician, "back_again", {"tickets": items}, DESK_ITSELF)], now, f"x{number}")
    return len(waited)


def _item(office: Office, ticket: Ticket) -> dict[str, object]:
    desk = office.desk
    return {"ticket": ticket, "ticket_tag": desk.tag(ticket.id), "client_name": desk.client_name(ticket.client)}
