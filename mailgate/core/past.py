"""What was known when a mail came, made of what is known now: to decide on it once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from mailgate.core import promise
from mailgate.core.facts import Facts, Repute
from mailgate.core.model import Status, Ticket


def as_of(facts: Facts, text: str, at: datetime) -> Facts:
    """The facts without what came later: this mail itself, tickets, messages and entries since.

    text: the whole text of the mail, as the history of its ticket has it. Balances are left as they are.
    """
    tickets = {number: _ticket(ticket, at) for number, ticket in facts.tickets.items() if ticket.opened_at < at}
    return replace(
        facts,
        repeat_of="",
        tickets=tickets,
        history={number: _before(text, texts) for number, texts in facts.history.items()},
        newer={number: tuple(one for one in newer if one.at < at) for number, newer in facts.newer.items()},
        held={},
        entries={number: entry for number, entry in facts.entries.items() if entry.at < at},
        voided=frozenset(),
        accounts={client: tuple(e for e in booked if e.at < at) for client, booked in facts.accounts.items()},
        repute=Repute(),
        prospect=tickets.get(facts.prospect.id) if facts.prospect else None,
    )


def _ticket(ticket: Ticket, at: datetime) -> Ticket:
    """A ticket without its end, its first answer and its promise, where they are of later."""
    if ticket.first_answer_at and ticket.first_answer_at >= at:
        ticket = replace(ticket, first_answer_at=None)
    if ticket.closed_at and ticket.closed_at >= at:
        status = Status.WAITING if ticket.first_answer_at else Status.NEW
        ticket = replace(ticket, closed_at=None, status=status)
    return promise.kept(ticket) if ticket.asked_at and ticket.asked_at >= at else ticket


def _before(text: str, texts: Sequence[str]) -> tuple[str, ...]:
    """What stood in a ticket before this text did; nothing where it is too long ago to be known."""
    return tuple(texts[: texts.index(text)]) if text in texts else ()
