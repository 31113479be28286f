"""`#merge SOP-9`: a ticket goes on in another one of its client."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from mailgate.core.desk import Desk
from mailgate.core.facts import Facts
from mailgate.core.mail import Notice
from mailgate.core.model import Command, Priority, Problem, Status, Ticket
from mailgate.core.plan import Merge, Plan
from mailgate.core.stages.reply import chain, real_id

# In these nothing is to be done by the desk: what comes from a ticket that waits for it weighs more.
_AT_REST = (Status.WAITING, Status.CLOSED)
_PRIORITIES = tuple(Priority)


def merge_problem(plan: Plan, found: Command, facts: Facts, desk: Desk) -> Problem | None:
    """Why a ticket cannot go on in another; what was merged before stands for where it went."""
    target = facts.tickets.get(found.into or 0)
    source = facts.tickets.get(found.ticket or 0, plan.ticket)
    tag = desk.tag(found.into or 0)
    if target is None:
        return Problem("no_such_ticket", tag)
    if source is None:
        return None  # it is refused for want of one
    if source.id == target.id:
        return Problem("merge_itself", tag)
    same = source.client == target.client and (bool(source.client) or source.requester == target.requester)
    return None if same else Problem("merge_other_client", tag)


def merge_tickets(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """The one is closed, and what it still asked of the desk is asked of the other; both sides are told."""
    command = next((one for one in plan.script.commands if one.name == "merge"), None)
    if command is None or not plan.role.staff:
        return plan
    source = plan.stands(command.ticket, facts.tickets)
    target = plan.stands(facts.tickets[command.into or 0].id, facts.tickets)
    if source is None or target is None:
        return plan
    gone = replace(source, status=Status.CLOSED, closed_at=now, held_for="", merged_into=target.id)
    plan = plan.changing(gone).changing(joined(source, target))
    return plan.but(
        f"{desk.tag(source.id)} goes on in {desk.tag(target.id)}",
        merges=(*plan.merges, Merge(source.id, target.id)),
        notices=(*plan.notices, *_told(plan, source, target, facts, desk)),
    )


def joined(source: Ticket, target: Ticket) -> Ticket:
    """The target with what the source brings: whose ball it is, the answer owed, urgency, limit, minutes."""
    priority = min(source.priority, target.priority, key=_PRIORITIES.index)
    together = replace(
        _owing(source, target),
        minutes=source.minutes + target.minutes,
        priority=priority,
        technician=target.technician or source.technician,
        limit=_limit(source, target),
    )
    if target.status not in _AT_REST or source.status is Status.CLOSED:
        return together
    if source.status in _AT_REST:
        return replace(together, status=source.status, closed_at=None)
    status = Status.OPEN if source.status is Status.NEW else source.status
    planned = source if status is Status.SCHEDULED else target
    return replace(
        together,
        status=status,
        held_for=source.held_for,
        closed_at=None,
        planned_start=planned.planned_start,
        planned_delivery=planned.planned_delivery,
    )


def _owing(source: Ticket, target: Ticket) -> Ticket:
    """The target with the promise of whichever the client has waited for longer."""
    owed = [ticket for ticket in (target, source) if ticket.asked_at]
    first = min(owed, key=lambda ticket: ticket.asked_at or ticket.opened_at, default=target)
    return replace(
        target,
        asked_at=first.asked_at,
        answer_due_at=first.answer_due_at,
        quick_due_at=first.quick_due_at,
        answer_left=first.answer_left,
        quick_left=first.quick_left,
    )


def _limit(source: Ticket, target: Ticket) -> int | None:
    """What the client allows on both; of one without a limit, what was spent on it."""
    if source.limit is None and target.limit is None:
        return None
    return sum(ticket.minutes if ticket.limit is None else ticket.limit for ticket in (source, target))


def _told(plan: Plan, source: Ticket, target: Ticket, facts: Facts, desk: Desk) -> Iterator[Notice]:
    values = {
        "ticket_tag": desk.tag(target.id),
        "subject": target.subject,
        "from_tag": desk.tag(source.id),
        "from_subject": source.subject,
        "client_name": desk.client_name(source.client),
        "by_name": desk.staff_name(plan.author),
        "for_client": True,
    }
    heard = facts.heard.get(source.id)
    yield Notice(
        "merged",
        to=desk.requester(source),
        language=desk.rules.language_of(source.client),
        ticket=target.id,
        values=values,
        subject=f"Re: {source.subject}" if source.subject else "",
        in_reply_to=real_id(heard.message_id) if heard else "",
        references=chain(heard.references, heard.message_id) if heard else (),
    )
    if target.technician and target.technician != plan.author:
        yield Notice(
            "merged",
            to=desk.staff_address(target.technician),
            language=desk.rules.desk.language,
            ticket=target.id,
            values={**values, "for_client": False},
        )
