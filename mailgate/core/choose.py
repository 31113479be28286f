"""Who does a ticket: whoever knows it best and is there; of those who know it equally, the least loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from mailgate.core import absence
from mailgate.core.absence import Gone
from mailgate.core.desk import Desk
from mailgate.core.model import Absence, Priority, Status, Ticket
from mailgate.core.writing.phrases import duration

Reason = Literal["ticket", "rule", "client", "on_client", "on_category", "category", "load", "only", "nobody"]
"""ticket: theirs already. rule: rules.toml assigns it. client: the client's own technician. on_client,
on_category: most minutes there. category: their area in rules.toml. load: fewest tickets in new and open.
only: nobody else is there. nobody: nobody is there at all."""


@dataclass(frozen=True, slots=True)
class Roster:
    """What the choice has to know, by technician.

    on_client: minutes worked for the client. on_category: minutes by area. load: tickets in new and open.
    absences: what they wrote themselves, as far as it is not over.
    """

    on_client: Mapping[str, int] = field(default_factory=dict)
    on_category: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    load: Mapping[str, int] = field(default_factory=dict)
    absences: Mapping[str, Sequence[Absence]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """Who does it, and why. minutes: behind on_client and on_category. rule: the name of the one that assigns.

    back_at: they are away for a short time, and the ticket waits for them until then. instead_of: who would
    have been first, but is away; "" for nobody.
    """

    technician: str
    reason: Reason
    minutes: int = 0
    rule: str = ""
    back_at: datetime | None = None
    instead_of: str = ""


def choose(desk: Desk, ticket: Ticket, roster: Roster, now: datetime, rule: str = "") -> Choice:
    """Choose for a ticket; never somebody who is away while anybody is there, or whom the rules do not know.

    rule: the name of the rule that has assigned the ticket, "" where its technician had it before.
    """
    away = absence.all_gone(desk, roster.absences, now)
    passed: list[Choice] = []
    for choice in _preferred(desk, ticket, roster, rule):
        gone = away.get(choice.technician)
        if gone and not (gone.short and ticket.priority is not Priority.URGENT):
            passed.append(choice)
            continue
        first = passed[0].technician if passed else ""
        return replace(choice, back_at=gone.back_at if gone else None, instead_of=first)
    return _by_load(desk, roster, away, passed)


def _preferred(desk: Desk, ticket: Ticket, roster: Roster, rule: str) -> Iterator[Choice]:
    """Those who have some claim to the ticket, the strongest first; somebody may be named twice."""
    client = desk.rules.client(ticket.client)
    on_category = roster.on_category.get(ticket.category or "", {})
    named = (
        Choice(ticket.technician or "", "rule" if rule else "ticket", rule=rule),
        Choice((client.technician if client else None) or "", "client"),
        *(Choice(id_, "on_client", minutes) for id_, minutes in _most(desk, roster.on_client)),
        *(Choice(id_, "on_category", minutes) for id_, minutes in _most(desk, on_category)),
        *(Choice(id_, "category") for id_ in _of_area(desk, ticket) if not on_category),
    )
    yield from (choice for choice in named if choice.technician in desk.rules.technicians)


def _most(desk: Desk, minutes: Mapping[str, int]) -> list[tuple[str, int]]:
    known = [(id_, minutes[id_]) for id_ in desk.rules.technicians if id_ in minutes]
    return sorted(known, key=lambda item: -item[1])


def _of_area(desk: Desk, ticket: Ticket) -> list[str]:
    return [id_ for id_, person in desk.rules.technicians.items() if ticket.category in person.categories]


def _by_load(desk: Desk, roster: Roster, away: Mapping[str, Gone], passed: Sequence[Choice]) -> Choice:
    """The least loaded of who is there, the director only if it is nobody else; in the order of the rules."""
    first = passed[0].technician if passed else ""
    there = [id_ for id_ in desk.rules.technicians if id_ not in away]
    if not there:
        return replace(passed[0], reason="nobody") if passed else Choice(desk.rules.desk.director, "nobody")
    pool = [id_ for id_ in there if id_ != desk.rules.desk.director] or there
    least = min(pool, key=lambda id_: roster.load.get(id_, 0))
    return Choice(least, "load" if len(pool) > 1 else "only", instead_of=first)


def placed(ticket: Ticket, choice: Choice) -> Ticket:
    """The ticket with who does it: held for them, or not held for anybody any more. Other holds stay."""
    ticket = replace(ticket, technician=choice.technician)
    if ticket.status not in (Status.NEW, Status.OPEN) and ticket.held_for != "away":
        return ticket
    if choice.back_at:
        return replace(ticket, status=Status.HELD, held_for="away")
    return replace(ticket, status=Status.OPEN, held_for="") if ticket.held_for else ticket


def handed_to(ticket: Ticket, technician: str) -> Ticket:
    """The ticket once somebody has given it to another: it does not wait for the first one any more."""
    waits = ticket.held_for == "away" and technician != ticket.technician
    ticket = replace(ticket, technician=technician)
    return replace(ticket, status=Status.OPEN, held_for="") if waits else ticket


def why(desk: Desk, choice: Choice, ticket: Ticket) -> str:
    """The choice in words, for the trail; mails have their own in templates/<language>/_ticket.txt."""
    words = {
        "ticket": "their ticket",
        "rule": f"assigned by rule {choice.rule}",
        "client": f"works for {desk.client_name(ticket.client)}",
        "on_client": f"{duration(choice.minutes)} on {desk.client_name(ticket.client)}",
        "on_category": f"{duration(choice.minutes)} on {ticket.category}",
        "category": f"does {ticket.category}",
        "load": "fewest open tickets",
        "only": "the one who is there",
        "nobody": "nobody is there",
    }
    told = f"{desk.staff_name(choice.technician)}: {words[choice.reason]}"
    told += f"; {desk.staff_name(choice.instead_of)} is away" if choice.instead_of else ""
    return f"{told}; away until {choice.back_at:%Y-%m-%d %H:%M} UTC, waits" if choice.back_at else told
