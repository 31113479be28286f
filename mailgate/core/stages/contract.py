"""What the contract promises when minutes were booked: warnings, the end of service, estimates passed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from mailgate.core import ledger
from mailgate.core.contract import account, consequences
from mailgate.core.contract.consequences import to_client, to_staff
from mailgate.core.desk import Desk
from mailgate.core.facts import Facts
from mailgate.core.mail import Notice
from mailgate.core.model import Kind, Matter, MatterKind, Ticket
from mailgate.core.plan import Plan


def keep_contract(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """Tell whom it concerns what this mail's minutes bring about, and let tickets go on that waited."""
    # Money that goes back has mails of its own, which say that the service is over.
    settled = {entry.client for entry in plan.entries if entry.kind in (Kind.REFUND, Kind.EXPIRY)}
    for client in sorted({entry.client for entry in plan.entries} - settled):
        before, after = facts.balances.get(client, 0), facts.balance_after(client, plan.entries)
        found = consequences.of_balance(desk, client, before, after, _paused(plan, client, facts), now)
        plan = _followed(plan, found)
    told = (*_estimates_passed(plan, facts, desk), *_past_limit(plan, facts, desk))
    return plan.but(notices=(*plan.notices, *told)) if told else plan


def _followed(plan: Plan, found: consequences.Consequences) -> Plan:
    if not found.notices and not found.tickets:
        return plan
    for ticket in found.tickets:
        plan = plan.changing(ticket)
    told = ", ".join(dict.fromkeys(notice.template for notice in found.notices))
    return plan.but(f"balance: {told}", notices=(*plan.notices, *found.notices))


def _paused(plan: Plan, client: str, facts: Facts) -> tuple[Ticket, ...]:
    """The client's tickets that wait for minutes, without those that this mail has decided on otherwise."""
    known = {ticket.id: ticket for ticket in facts.paused.get(client, ())}
    standing = (plan.stands(number, known) for number in known)
    return tuple(ticket for ticket in standing if ticket and ticket.held_for == "balance")


def _estimates_passed(plan: Plan, facts: Facts, desk: Desk) -> Iterator[Notice]:
    for number in sorted({entry.ticket for entry in plan.entries if entry.ticket}):
        ticket = plan.stands(number, facts.tickets)
        if ticket is None:
            continue
        after = ledger.spent(ticket, plan.entries)
        margin = desk.rules.time.estimate_margin
        if account.estimate_passed(ticket.minutes, after, ticket.estimate, margin):
            yield from _estimate_passed(ticket, after, desk)


def _estimate_passed(ticket: Ticket, minutes: int, desk: Desk) -> Iterator[Notice]:
    values = {
        "client_name": desk.client_name(ticket.client),
        "ticket_tag": desk.tag(ticket.id),
        "subject": ticket.subject,
        "estimate": ticket.estimate,
        "minutes": minutes,
        "technician_name": desk.staff_name(ticket.technician),
        "for_client": False,
    }
    staff = dict.fromkeys((desk.staff_address(ticket.technician), desk.staff_address(None)))
    for technician in (ticket.technician, None)[: len(staff)]:
        yield to_staff(desk, technician, "estimate_passed", values, ticket.id)
    if desk.rules.time.estimate_tell_client:
        yield to_client(desk, ticket.client, "estimate_passed", {**values, "for_client": True}, ticket.id)


def _past_limit(plan: Plan, facts: Facts, desk: Desk) -> Iterator[Notice]:
    """Both sides are told of work that waits for the client's word."""
    for matter in plan.matters:
        ticket = plan.stands(matter.ticket or 0, facts.tickets)
        if matter.kind is MatterKind.DEBIT and ticket is not None:
            yield from _waits(matter, ticket, plan, desk)


def _waits(matter: Matter, ticket: Ticket, plan: Plan, desk: Desk) -> Iterator[Notice]:
    values = {
        "client_name": desk.client_name(ticket.client),
        "ticket_tag": desk.tag(ticket.id),
        "subject": ticket.subject,
        "limit": ticket.limit,
        "spent": ledger.spent(ticket, plan.entries),
        "minutes": matter.minutes,
        "technician_name": desk.staff_name(matter.technician),
        "note": matter.note,
    }
    yield to_client(desk, ticket.client, "limit_reached", values, ticket.id)
    yield to_staff(desk, matter.technician, "debit_held", values, ticket.id)
