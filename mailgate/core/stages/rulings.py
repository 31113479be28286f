"""The desk's word on what waits: estimates, rulings on disputes, refunds, prospects, the end of a service."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from mailgate.core import ledger
from mailgate.core.contract import consent, dispute, refund, settlement
from mailgate.core.contract.consequences import offer, to_both, to_client
from mailgate.core.contract.dispute import Ruled
from mailgate.core.desk import Desk
from mailgate.core.facts import Facts
from mailgate.core.mail import Notice
from mailgate.core.model import Command, Entry, Kind, Matter, MatterKind, MatterState, Problem, Role, Status, Ticket
from mailgate.core.plan import Decision, Plan
from mailgate.core.stages.waited import book_waiting
from mailgate.core.stages.where import answered

# What settles an account comes last: it counts what the rest of the mail books.
_SETTLE = ("accept", "cancel")
# The client gets the reason with the ruling, in the director's words.
_NEED_REASON = ("uphold", "adjust", "decline", "cancel")
RULINGS = (*_NEED_REASON, "accept", "void")


def rule_on_matters(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """Carry out the rulings of the mail. Its text is the reason that the client gets, not an answer."""
    if not plan.role.staff:
        return plan
    for command in sorted(plan.script.commands, key=lambda command: command.name in _SETTLE):
        act = _ACTS.get(command.name)
        plan = act(plan, command, facts, desk, now) if act else plan
    return plan


def ruling_problem(plan: Plan, found: Command, facts: Facts) -> Problem | None:
    """Why a ruling cannot be carried out; None for all other commands."""
    if found.name in _NEED_REASON and not reason_of(plan, found):
        return Problem("reason_missing", found.line, f"{found.line} …")
    if found.name in ("uphold", "adjust"):
        return _entry_problem(found, facts)
    ticket = facts.tickets.get(found.ticket) if found.ticket else plan.ticket
    if ticket is None:
        return None  # it is refused for want of one
    if found.name in ("accept", "decline") and ticket.client and not refund.waiting(facts.matters, ticket.client):
        return Problem("nothing_to_accept", found.line)
    return Problem("no_client", found.line) if found.name in ("cancel", "estimate") and not ticket.client else None


def _entry_problem(found: Command, facts: Facts) -> Problem | None:
    entry = facts.entries.get(found.entry or 0)
    if entry is None or entry.kind is not Kind.DEBIT:
        return Problem("no_such_entry", str(found.entry))
    if entry.id in facts.voided:
        return Problem("already_void", str(found.entry))
    if found.name == "uphold" and dispute.of_entry(facts.matters, entry.id) is None:
        return Problem("not_disputed", str(found.entry))
    if found.name == "adjust" and (found.minutes or 0) >= -entry.minutes:
        return Problem("adjust_too_much", str(found.minutes), str(-entry.minutes - 1))
    return None


def takes_text(command: Command) -> bool:
    """Whether the text of the mail is the reason of this command."""
    return command.name in RULINGS and not command.note


def reason_of(plan: Plan, command: Command) -> str:
    """Why it is ruled so: what stands on the line of the command, else the text of the mail."""
    return command.note or plan.text.strip()


def _uphold(plan: Plan, command: Command, facts: Facts, desk: Desk, now: datetime) -> Plan:
    entry = facts.entries[command.entry or 0]
    ruled = Ruled(entry, "refused", 0, reason_of(plan, command))
    return _ruled(plan, ruled, MatterState.REFUSED, facts, desk, now)


def _adjust(plan: Plan, command: Command, facts: Facts, desk: Desk, now: datetime) -> Plan:
    of = facts.entries[command.entry or 0]
    reason = reason_of(plan, command)
    entry = settlement.adjust(of, command.minutes or 0, now, desk.local_day(now), reason, plan.author)
    plan = plan.but(
        f"gives back {entry.minutes} of entry {of.id}", entries=(*plan.entries, replace(entry, line=command.number))
    )
    return _ruled(plan, Ruled(of, "reduced", entry.minutes, reason), MatterState.REDUCED, facts, desk, now)


def _void(plan: Plan, command: Command, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """The entry is booked with the others; what is added here is that it ends a dispute."""
    of = facts.entries[command.entry or 0]
    if dispute.of_entry(facts.matters, of.id) is None:
        return plan
    ruled = Ruled(of, "granted", -of.minutes, reason_of(plan, command))
    plan = _ruled(plan, ruled, MatterState.GRANTED, facts, desk, now)
    if plan.role is Role.DIRECTOR:
        return plan
    # The author took it back before the director, who was asked, could rule on it.
    story = next(one for one in reversed(plan.notices) if one.template == "dispute_decided")
    return plan.but(notices=(*plan.notices, replace(story, to=desk.staff_address(None))))


def _ruled(plan: Plan, ruled: Ruled, state: MatterState, facts: Facts, desk: Desk, now: datetime) -> Plan:
    matter = dispute.of_entry(facts.matters, ruled.entry.id)
    ticket = (matter.ticket if matter else None) or ruled.entry.ticket or (plan.ticket.id if plan.ticket else 0)
    left = facts.balance_after(ruled.entry.client, plan.entries)
    decisions = (*plan.decisions, *([Decision(matter.id, state)] if matter else []))
    notices = (*plan.notices, *dispute.decided(desk, ruled, ticket, left))
    told = plan.but(f"entry {ruled.entry.id}: {ruled.outcome}", decisions=decisions, notices=notices, internal=True)
    return _answered_there(told, ticket, facts, now)


def _answered_there(plan: Plan, number: int | None, facts: Facts, now: datetime) -> Plan:
    """The ticket in which somebody asked has its answer now; another than the mail's, if it was owed one."""
    ticket = plan.stands(number or 0, facts.tickets)
    here = ticket is not None and ticket is plan.changed
    owed = ticket is not None and ticket.status in (Status.NEW, Status.OPEN)
    return plan.changing(answered(ticket, now)) if ticket and (here or owed) else plan


def _accept(plan: Plan, command: Command, facts: Facts, desk: Desk, now: datetime) -> Plan:
    return _answer_request(plan, command, facts, desk, now, granted=True)


def _decline(plan: Plan, command: Command, facts: Facts, desk: Desk, now: datetime) -> Plan:
    return _answer_request(plan, command, facts, desk, now, granted=False)


def _answer_request(plan: Plan, command: Command, facts: Facts, desk: Desk, now: datetime, *, granted: bool) -> Plan:
    """Yes or no to somebody who wants to become a client, or to a refund."""
    ticket, reason = plan.stands(command.ticket, facts.tickets), reason_of(plan, command)
    if ticket is not None and not ticket.client:
        return _answer_prospect(plan, ticket, reason, facts, desk, now, granted=granted)
    matter = refund.waiting(facts.matters, ticket.client) if ticket else None
    if matter is None:
        return plan
    booked = _account(plan, facts, matter.client)
    entries, notices = refund.decided(
        desk, matter, booked, granted=granted, reason=reason, now=now, technician=plan.author
    )
    state = MatterState.GRANTED if granted else MatterState.REFUSED
    withdrawn = _withdrawn(facts, matter.client, matter) if granted else ()
    told = plan.but(
        f"refund {state}",
        entries=(*plan.entries, *entries),
        decisions=(*plan.decisions, Decision(matter.id, state), *withdrawn),
        notices=(*plan.notices, *notices),
        internal=True,
    )
    return _answered_there(told, matter.ticket, facts, now)


def _withdrawn(facts: Facts, client: str, but: Matter | None = None) -> Iterator[Decision]:
    """Nothing else of a client waits once the money went back: work that waited is not charged."""
    for one in facts.matters:
        if one.client == client and one != but:
            yield Decision(one.id, MatterState.WITHDRAWN)


def _account(plan: Plan, facts: Facts, client: str) -> tuple[Entry, ...]:
    """Every entry of a client, those of this mail too."""
    return (*facts.accounts.get(client, ()), *(entry for entry in plan.entries if entry.client == client))


def _answer_prospect(
    plan: Plan, ticket: Ticket, reason: str, facts: Facts, desk: Desk, now: datetime, *, granted: bool
) -> Plan:
    heard = facts.heard.get(ticket.id)
    values = {"person_name": heard.name if heard else "", "ticket_tag": desk.tag(ticket.id), "reason": reason}
    notice = Notice(
        "prospect_accepted" if granted else "prospect_declined",
        to=ticket.requester,
        language=desk.rules.desk.language,
        ticket=ticket.id,
        values={**values, **offer(desk, first=True)} if granted else values,
        subject=f"Re: {ticket.subject}" if ticket.subject else "",
        author=desk.staff_name(plan.author),
        automatic="",
    )
    waiting = answered(ticket, now)
    closed = replace(waiting, status=Status.CLOSED, closed_at=now)
    told = "may become a client" if granted else "does not become a client"
    return plan.changing(waiting if granted else closed).but(
        told,
        notices=(*plan.notices, notice),
        internal=True,
    )


def _cancel(plan: Plan, command: Command, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """The service ends: what is left is settled, what waited for a word does not any more."""
    ticket = plan.stands(command.ticket, facts.tickets)
    if ticket is None:
        return plan
    client, reason = ticket.client, reason_of(plan, command)
    entries = settlement.settlement(_account(plan, facts, client), now, desk.local_day(now), reason, plan.author)
    settled = {
        "minutes": -sum(entry.minutes for entry in entries),
        "amount": settlement.amount(entries),
        "reason": reason,
    }
    told = plan.but(
        f"ends the service of {client}",
        entries=(*plan.entries, *entries),
        decisions=(*plan.decisions, *_withdrawn(facts, client)),
        notices=(*plan.notices, *to_both(desk, client, "account_closed", settled, ticket.id)),
        internal=True,
    )
    return _answered_there(told, ticket.id, facts, now)


def _estimate(plan: Plan, command: Command, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """The client is told; above `time.approve_above`, or on demand, the ticket waits for their ok."""
    ticket = plan.stands(command.ticket, facts.tickets)
    if ticket is None or command.minutes is None:
        return plan
    most = desk.rules.time.approve_above
    asks = command.value == "ask" or (most is not None and command.minutes > most)
    before = consent.open_in(facts.matters, ticket.id, MatterKind.ESTIMATE)
    withdrawn = (Decision(one.id, MatterState.WITHDRAWN) for one in before)
    values = {
        "ticket_tag": desk.tag(ticket.id),
        "subject": ticket.subject,
        "minutes": command.minutes,
        "ask": asks,
        "spent": ledger.spent(ticket, plan.entries),
        "technician_name": desk.staff_name(plan.author),
    }
    notice = replace(to_client(desk, ticket.client, "estimate", values, ticket.id), to=desk.requester(ticket))
    matter = Matter(
        0, MatterKind.ESTIMATE, ticket.client, now, ticket=ticket.id, minutes=command.minutes, line=command.number
    )
    asking = plan.changing(replace(ticket, status=Status.WAITING, held_for="")) if asks else plan
    return asking.but(
        f"estimate of {command.minutes} minutes{', waits for the client' if asks else ''}",
        matters=(*plan.matters, *([matter] if asks else [])),
        decisions=(*plan.decisions, *withdrawn),
        notices=(*plan.notices, notice),
    )


def _yes(plan: Plan, command: Command, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """The desk answers for work past a limit: the client agreed by other means."""
    here = plan.changed
    if here is None:
        return plan
    author = desk.staff_address(plan.author)
    for matter in consent.open_in(facts.matters, here.id, MatterKind.DEBIT):
        if done := book_waiting(plan, matter, here, facts, desk, now, by="desk"):
            plan, told = done
            plan = plan.but(notices=(*plan.notices, *(notice for notice in told if notice.to != author)))
    return plan


_Act = Callable[[Plan, Command, Facts, Desk, datetime], Plan]
_ACTS: Mapping[str, _Act] = {
    "uphold": _uphold,
    "adjust": _adjust,
    "void": _void,
    "accept": _accept,
    "decline": _decline,
    "cancel": _cancel,
    "estimate": _estimate,
    "yes": _yes,
}
