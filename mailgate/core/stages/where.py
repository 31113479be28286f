"""Where a message belongs: which ticket, or a new one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from mailgate.core import own, promise, thread
from mailgate.core.commands import phrases
from mailgate.core.desk import Desk
from mailgate.core.facts import Facts
from mailgate.core.message import subject
from mailgate.core.model import Outcome, Status, Ticket
from mailgate.core.plan import Plan

# In these the ball is with the desk already, or a date or a balance decides: a message changes nothing.
_STAYS = (Status.NEW, Status.OPEN, Status.HELD, Status.SCHEDULED)


def choose_ticket(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """Reply address, In-Reply-To, References, tag: the first in which the sender may speak.

    A client's message to a ticket that was closed too long ago opens a new one that follows it. What staff
    send to their own address of the desk itself is of no ticket, whatever else it points at.
    """
    match = thread.find(plan.mail, plan.person, facts, desk)
    own_ticket = match is not None and match.own_token
    if plan.role.staff and not own_ticket and own.answers_desk_itself(plan.mail, desk):
        return plan.but("their own reply address of the desk itself: no ticket", own_token=True)
    if match is None and facts.prospect is not None:
        tag = desk.tag(facts.prospect.id)
        return plan.but(f"ticket {tag}: they have not been answered yet", ticket=facts.prospect)
    if match is None:
        return plan.but("points at no ticket in which they may speak")
    tag = desk.tag(match.ticket.id)
    if not plan.role.staff and not plan.guest and not _goes_on(match.ticket, desk, now):
        why = f"ticket {tag}: {match.why}; closed for too long"
        return plan.but(why, follows=match.ticket.id, own_token=match.own_token)
    return plan.but(f"ticket {tag}: {match.why}", ticket=match.ticket, own_token=match.own_token)


def open_or_reopen(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """A client's message gives the ball to the desk: in its ticket, or in a new one. A thank-you changes nothing."""
    if plan.role.staff:
        return plan.but(outcome=Outcome.APPEND, changed=plan.ticket)
    if thanked := _thanked_in(plan, facts, desk):
        return plan.but("says thank you, no more", outcome=Outcome.APPEND, ticket=thanked, changed=thanked)
    if plan.ticket is None:
        opened = _new_ticket(plan, facts, desk, now)
        why = f"opens {desk.tag(opened.id)}"
        return plan.but(why, outcome=Outcome.OPEN, ticket=opened, changed=opened, opens=True)
    asked = promise.asked(plan.ticket, desk, now)
    if asked.status in _STAYS:
        return plan.but(outcome=Outcome.APPEND, changed=asked)
    changed = _for_desk(replace(asked, status=Status.OPEN, closed_at=None), facts)
    return plan.but(f"{plan.ticket.status}, now {changed.status}", outcome=Outcome.APPEND, changed=changed)


def answered(ticket: Ticket, now: datetime) -> Ticket:
    """The ticket after an answer of the desk: the ball is with the client. Planned work stays so, for its day comes."""
    first = ticket.first_answer_at or now
    status = Status.SCHEDULED if ticket.status is Status.SCHEDULED else Status.WAITING
    return replace(promise.kept(ticket), status=status, closed_at=None, first_answer_at=first, held_for="")


def _thanked_in(plan: Plan, facts: Facts, desk: Desk) -> Ticket | None:
    """The ticket in which a client says thank you and nothing else; None where something may be asked.

    Where the ticket is closed, "perfecto, gracias" is no more than that; else it may agree to something.
    """
    ticket = plan.ticket or facts.tickets.get(plan.follows or 0)
    if ticket is None or plan.reading is None or plan.script.commands or plan.mail.attachments:
        return None
    names = (plan.mail.sender_name, desk.client_name(ticket.client), *map(desk.staff_name, desk.rules.technicians))
    over = ticket.status is Status.CLOSED
    thanks = phrases.thanks(plan.reading.fresh, names, over=over)
    return ticket if thanks and _same_subject(plan, ticket, facts) else None


def _same_subject(plan: Plan, ticket: Ticket, facts: Facts) -> bool:
    """Whether the subject says nothing new either."""
    heard = facts.heard.get(ticket.id)
    known = {"", subject.bare(ticket.subject), subject.bare(heard.subject if heard else "")}
    return subject.bare(plan.mail.subject) in known


def _for_desk(ticket: Ticket, facts: Facts) -> Ticket:
    """The ticket that waits for the desk, or for minutes where the client's service has ended."""
    return replace(ticket, status=Status.HELD, held_for="balance") if ticket.client in facts.ended else ticket


def _goes_on(ticket: Ticket, desk: Desk, now: datetime) -> bool:
    """A closed ticket goes on for `time.reopen_within` after it was closed."""
    if ticket.status is not Status.CLOSED or ticket.closed_at is None:
        return True
    last = desk.rules.time.reopen_within.add_to(desk.local_day(ticket.closed_at))
    return desk.local_day(now) <= last


def _new_ticket(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Ticket:
    person = plan.person
    if person is None or person.client is None:
        raise ValueError("only a client's person opens a ticket")
    opened = Ticket(
        id=facts.next_ticket,
        client=person.client,
        subject=subject.bare(plan.mail.subject),
        requester=person.address,
        opened_at=now,
        # Who asks to become a client is the director's; for a client's ticket somebody is chosen below.
        technician=None if person.client else desk.rules.desk.director,
        follows=plan.follows,
    )
    return _for_desk(promise.asked(opened, desk, now), facts)
