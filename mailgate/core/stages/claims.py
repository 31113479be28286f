"""What a client says about the contract: a limit, a dispute, a refund, or "ok" to what waits for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from mailgate.core import ledger
from mailgate.core.commands import claims
from mailgate.core.commands.command import Script
from mailgate.core.contract import account, consent, dispute, refund, settlement
from mailgate.core.contract.consequences import to_client, to_staff
from mailgate.core.desk import Desk
from mailgate.core.facts import Facts
from mailgate.core.mail import Notice
from mailgate.core.model import Command, Entry, Kind, Matter, MatterKind, MatterState, Problem, Role, Status, Ticket
from mailgate.core.plan import Decision, Plan
from mailgate.core.stages.proof import ask_to_confirm
from mailgate.core.stages.reply import answering
from mailgate.core.stages.waited import book_waiting


def read_claims(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """The few commands that are a client's. A wrong one is explained; the message is filed all the same."""
    if plan.role is not Role.CLIENT or plan.reading is None:
        return plan
    fresh = plan.reading.fresh
    if not claims.maybe_claims(fresh):
        return plan
    found = claims.read(fresh, desk.rules.desk.tag)
    if plan.ticket is not None and _agrees(plan, fresh, desk) and _meant_by_ok(plan.ticket, facts):
        found = (Command("ok", fresh.strip(), 0),)
    elif claims.wants_money_back(fresh) and not any(claim.name == "refund" for claim in found):
        found = (*found, Command("refund", "", -1))
    found = _once(found)
    if not found:
        return plan
    if plan.wary:
        plan = plan.but("the client asks for something; not done, for it may be another who asks")
        return ask_to_confirm(plan, facts, desk, now)
    checked = tuple(replace(claim, problem=claim.problem or _problem(claim, plan, facts)) for claim in found)
    told = ", ".join(f"#{claim.name}" for claim in checked)
    return plan.but(f"the client says: {told}", script=Script(checked, plan.text))


def _once(found: Sequence[Command]) -> tuple[Command, ...]:
    """Of several limits the last one counts; money back is asked for once."""
    limits = [claim for claim in found if claim.name == "limit"]
    refunds = [claim for claim in found if claim.name == "refund"]
    extra = (*limits[:-1], *refunds[1:])
    return tuple(claim for claim in found if claim not in extra)


def settle_claims(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """Carry out what the client said, as far as it is right."""
    if plan.role is not Role.CLIENT or plan.changed is None:
        return plan
    for claim in plan.script.commands:
        if not claim.problem:
            plan = _ACTS[claim.name](plan, claim, facts, desk, now)
    if plan.script.problems:
        plan = _tell(plan, _wrong(plan, desk))
    fresh = plan.reading.fresh if plan.reading else ""
    if claims.maybe_claims(fresh) and claims.disagrees(fresh) and not plan.has("dispute"):
        plan = plan.but("seems to disagree with a charge", notices=(*plan.notices, _in_words(plan, desk)))
    return plan


def _for_the_desk(plan: Plan) -> Plan:
    """Somebody must decide: the ticket does not wait for minutes to be bought, and has its answer already."""
    here = _here(plan)
    status = (Status.NEW if plan.opens else Status.OPEN) if here.held_for == "balance" else here.status
    return plan.but(changed=replace(here, status=status, held_for="" if here.held_for == "balance" else here.held_for))


def _here(plan: Plan) -> Ticket:
    """The ticket in which the client speaks; by now there is one."""
    if plan.changed is None:
        raise ValueError("a client's message without a ticket")
    return plan.changed


def _client(plan: Plan) -> str:
    return (plan.person.client if plan.person else None) or ""


def _meant_by_ok(ticket: Ticket, facts: Facts) -> tuple[Matter, ...]:
    """What an "ok" agrees to: what the mail that it answers asked for, else the one thing that waits.

    The mail that asks is written at the instant at which the matter is opened.
    """
    waiting = _asked_for(ticket, facts)
    if facts.asked_at is not None:
        return tuple(matter for matter in waiting if matter.at == facts.asked_at)
    return waiting if len(waiting) == 1 else ()


def _agrees(plan: Plan, fresh: str, desk: Desk) -> bool:
    """Whether the client says "ok"; the names in a greeting and below it are no text."""
    technician = desk.staff_name(plan.ticket.technician) if plan.ticket else ""
    return claims.agrees(fresh, (plan.mail.sender_name, plan.person.name if plan.person else "", technician))


def _asked_for(ticket: Ticket, facts: Facts) -> tuple[Matter, ...]:
    """What waits for the client's "ok" in a ticket."""
    return tuple(
        matter
        for kind in (MatterKind.ESTIMATE, MatterKind.DEBIT)
        for matter in consent.open_in(facts.matters, ticket.id, kind)
    )


# ---- what can be wrong ---------------------------------------------------------------------------


def _problem(claim: Command, plan: Plan, facts: Facts) -> Problem | None:
    if claim.name == "refund":
        return _refund_problem(facts, _client(plan))
    return _dispute_problem(claim, plan, facts) if claim.name == "dispute" else None


def _refund_problem(facts: Facts, client: str) -> Problem | None:
    if refund.waiting(facts.matters, client):
        return Problem("already_refunded")
    return None if settlement.period(facts.accounts.get(client, ())) else Problem("nothing_paid")


def _dispute_problem(claim: Command, plan: Plan, facts: Facts) -> Problem | None:
    """Of another client's entry nothing is said but that there is none."""
    named = facts.entries.get(claim.entry or 0)
    theirs = named is not None and named.client == _client(plan) and named.kind is Kind.DEBIT
    if claim.entry and not theirs:
        return Problem("claim_no_such_entry", str(claim.entry))
    if not claim.entry and _ticket_meant(claim, plan) is None:
        return Problem("claim_no_ticket", claim.line)
    return None if _meant(claim, plan, facts) else Problem("claim_already", str(claim.entry or claim.line))


def _words(plan: Plan) -> str:
    """What the client writes now besides the lines that ask for something."""
    lines = plan.reading.fresh.split("\n") if plan.reading else []
    asks = {claim.number for claim in plan.script.commands}
    return "\n".join(line for number, line in enumerate(lines) if number not in asks).strip()


def _ticket_meant(claim: Command, plan: Plan) -> int | None:
    return claim.ticket or (plan.ticket.id if plan.ticket else None)


def _meant(claim: Command, plan: Plan, facts: Facts) -> tuple[Entry, ...]:
    """The entries that a dispute is about: the one it names, else what is left to dispute of the ticket."""
    if claim.entry:
        return dispute.open_to_dispute([facts.entries[claim.entry]], facts.matters, facts.voided)
    booked = facts.accounts.get(_client(plan), ())
    ruled_on = frozenset(entry.of for entry in booked if entry.of and entry.kind in (Kind.VOID, Kind.ADJUST))
    ticket = _ticket_meant(claim, plan) or 0
    merged = {ticket, *facts.merged.get(ticket, ())}
    there = [entry for entry in booked if entry.ticket in merged]
    return dispute.open_to_dispute(there, facts.matters, ruled_on)


# ---- what is done --------------------------------------------------------------------------------


def _dispute(plan: Plan, claim: Command, facts: Facts, desk: Desk, now: datetime) -> Plan:
    known = {matter.entry for matter in plan.matters}
    meant = tuple(entry for entry in _meant(claim, plan, facts) if entry.id not in known)
    if not meant:
        return plan
    ticket, client = _here(plan).id, _client(plan)
    reason = claim.note or _words(plan)
    matters = (dispute.matter(entry, ticket, reason, claim.number, now) for entry in meant)
    plan = plan.but(f"disputes {', '.join(str(entry.id) for entry in meant)}", matters=(*plan.matters, *matters))
    left = facts.balance_after(client, plan.entries)
    plan = _for_the_desk(plan)
    return _tell(plan, *dispute.opened(desk, client, meant, reason, ticket, left, _name(plan)))


def _refund(plan: Plan, claim: Command, facts: Facts, desk: Desk, now: datetime) -> Plan:
    client = _client(plan)
    asked, notices = refund.asked(
        desk,
        client,
        facts.accounts.get(client, ()),
        person_name=_name(plan),
        text=claim.note or _words(plan),
        at=now,
        ticket=_here(plan).id,
    )
    plan = plan.but("asks for a refund", matters=(*plan.matters, replace(asked, line=claim.number)))
    return _tell(_for_the_desk(plan), *notices)


def _limit(plan: Plan, claim: Command, facts: Facts, desk: Desk, now: datetime) -> Plan:
    ticket = replace(_here(plan), limit=claim.minutes)
    plan = plan.but(f"limit of the ticket: {claim.minutes}", changed=ticket)
    for matter in consent.open_in(facts.matters, ticket.id, MatterKind.DEBIT):
        if account.within_limit(ledger.spent(ticket, plan.entries), matter.minutes or 0, ticket.limit):
            plan = _booked(plan, matter, facts, desk, now)
    spent = ledger.spent(ticket, plan.entries)
    values = {
        "ticket_tag": desk.tag(ticket.id),
        "subject": ticket.subject,
        "limit": ticket.limit,
        "spent": spent,
        "booked": spent - ticket.minutes,
    }
    return _tell(plan, to_client(desk, ticket.client, "limit_set", values, ticket.id))


def _agreed(plan: Plan, claim: Command, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """The client's "ok": this message is the evidence of the decision."""
    for matter in _meant_by_ok(_here(plan), facts):
        debit = matter.kind is MatterKind.DEBIT
        plan = _booked(plan, matter, facts, desk, now) if debit else _approved(plan, matter, desk, now)
    return plan


def _approved(plan: Plan, matter: Matter, desk: Desk, now: datetime) -> Plan:
    ticket = _here(plan)
    opened = ticket if ticket.status is Status.HELD else replace(ticket, status=Status.OPEN)
    values = {
        "client_name": desk.client_name(ticket.client),
        "ticket_tag": desk.tag(ticket.id),
        "subject": ticket.subject,
        "minutes": matter.minutes,
        "person_name": _name(plan),
        "at": now,
    }
    notice = to_staff(desk, ticket.technician, "estimate_approved", values, ticket.id)
    decided = (*plan.decisions, Decision(matter.id, MatterState.GRANTED))
    why = f"agrees to the estimate of {matter.minutes} minutes"
    return plan.but(why, changed=opened, decisions=decided, notices=(*plan.notices, notice))


def _booked(plan: Plan, matter: Matter, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """Work that waited is booked, unless minutes are not booked now or there are not enough."""
    done = None if facts.halted else book_waiting(plan, matter, _here(plan), facts, desk, now, by="client")
    if done is None:
        return plan.but(f"{matter.minutes} minutes go on waiting: they cannot be booked now")
    plan, told = done
    # A new limit has an answer of its own, which says what it let through.
    return _tell(plan, *(notice for notice in told if not plan.has("limit") or notice.template in _TO_STAFF))


_ACTS = {"dispute": _dispute, "refund": _refund, "limit": _limit, "ok": _agreed}

# ---- what is told --------------------------------------------------------------------------------


def _tell(plan: Plan, *notices: Notice) -> Plan:
    """Add mails; the client's go to the very person who wrote, threaded to their message."""
    return plan.but(notices=(*plan.notices, *_addressed(plan, notices)))


def _addressed(plan: Plan, notices: Iterable[Notice]) -> Iterator[Notice]:
    person = plan.person
    for notice in notices:
        if person is None or notice.template in _TO_STAFF:
            yield notice
        else:
            yield replace(answering(notice, plan.mail), to=person.address, automatic="auto-replied")


_TO_STAFF: Sequence[str] = ("dispute_asked", "refund_request", "debit_released", "estimate_approved")


def _wrong(plan: Plan, desk: Desk) -> Notice:
    ticket = _here(plan)
    problems = [(claim.line, claim.problem) for claim in plan.script.problems]
    values = {"problems": problems, "ticket_tag": desk.tag(ticket.id)}
    return to_client(desk, ticket.client, "claim_wrong", values, ticket.id)


def _in_words(plan: Plan, desk: Desk) -> Notice:
    """Plain words are flagged for a person, never decided on."""
    ticket = _here(plan)
    values = {
        "client_name": desk.client_name(ticket.client),
        "person_name": _name(plan),
        "ticket_tag": desk.tag(ticket.id),
        "subject": ticket.subject,
        "text": plan.text,
    }
    return to_staff(desk, None, "dispute_words", values, ticket.id)


def _name(plan: Plan) -> str:
    return plan.mail.sender_name or plan.mail.sender or ""
