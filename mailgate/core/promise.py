"""The clocks of a promise: until when what a client wrote is to be answered, in hours of the desk.

An answer is owed from the client's message (`asked`) until the desk answers (`kept`). While the ball is
with the desk its clocks run; elsewhere they stand still, and the minutes that were left wait on the ticket.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from mailgate.core.desk import Desk
from mailgate.core.model import Status, Ticket

_WITH_DESK = (Status.NEW, Status.OPEN)
_WITH_CLIENT = (Status.WAITING, Status.CLOSED)


def asked(ticket: Ticket, desk: Desk, now: datetime) -> Ticket:
    """The ticket, as it stood before, with the promise that a client's message begins.

    Where an answer is owed already, the first message counts, unless the ball was with the client since.
    """
    if ticket.asked_at is not None and ticket.status not in _WITH_CLIENT:
        return ticket
    terms = desk.rules.promise
    quick = terms.quick_answer if terms.quick_answer < terms.first_answer and _in_time(desk, now) else None
    return replace(kept(ticket), asked_at=now, answer_left=terms.first_answer, quick_left=quick)


def _in_time(desk: Desk, at: datetime) -> bool:
    """Whether a message of this time is promised a quick answer."""
    last = desk.rules.hours.last_quick
    return desk.calendar.is_open(at) and at.astimezone(desk.rules.zone).time() <= last


def kept(ticket: Ticket) -> Ticket:
    """The ticket of which no answer is owed any more."""
    return replace(ticket, asked_at=None, answer_due_at=None, quick_due_at=None, answer_left=None, quick_left=None)


def clocked(ticket: Ticket, desk: Desk, now: datetime) -> Ticket:
    """The ticket with its clocks running or standing still, as its status has it. To do it twice changes nothing.

    Every change of a ticket ends here: of a mail's in the stage `run_clocks`, of others where they are made.
    """
    if ticket.asked_at is None or ticket.status is Status.CLOSED:
        return kept(ticket)
    if ticket.status in _WITH_DESK:
        answer = _due(ticket.answer_due_at, ticket.answer_left, desk, now)
        quick = _due(ticket.quick_due_at, ticket.quick_left, desk, now)
        quick = quick if quick and quick > now else None  # one that came too late is none any more
        return replace(ticket, answer_due_at=answer, quick_due_at=quick, answer_left=None, quick_left=None)
    left = _left(ticket.answer_due_at, ticket.answer_left, desk, now)
    quick_left = _left(ticket.quick_due_at, ticket.quick_left, desk, now) or None
    return replace(ticket, answer_due_at=None, quick_due_at=None, answer_left=left, quick_left=quick_left)


def _due(due: datetime | None, left: int | None, desk: Desk, now: datetime) -> datetime | None:
    """When a clock ends that runs from now on; None for none, or where the desk never opens again."""
    return due if left is None else desk.calendar.add(now, left)


def _left(due: datetime | None, left: int | None, desk: Desk, now: datetime) -> int | None:
    """What a clock has left that stands still from now on, in minutes; 0 where it was over."""
    return left if due is None else desk.calendar.between(now, due)
