"""What follows from a message for its ticket and for the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from mailgate.core import ledger, promise
from mailgate.core.choose import handed_to
from mailgate.core.contract import account, consent
from mailgate.core.desk import Desk
from mailgate.core.facts import Facts, Held
from mailgate.core.message.subject import bare
from mailgate.core.model import Command, Entry, Kind, Matter, Outcome, Priority, Status, Ticket
from mailgate.core.plan import Plan
from mailgate.core.settings.rules import Matched, MatchInput, match_rules
from mailgate.core.stages.guards import WORDS, awaited, gives_word
from mailgate.core.stages.orders import WORK
from mailgate.core.stages.where import answered


def apply_rules(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """What rules.toml says of a client's message: the first match of each kind wins.

    All of it goes for a new ticket; in one that goes on they may raise the priority, never lower it.
    """
    ticket = plan.changed
    if plan.role.staff or ticket is None or plan.reading is None:
        return plan
    matched = match_rules(
        desk.rules,
        MatchInput(
            # The ticket's own subject had its say when the ticket was opened.
            subject=plan.mail.subject if plan.opens or bare(plan.mail.subject) != ticket.subject else "",
            text=plan.reading.fresh,
            sender=plan.mail.sender or "",
            client=ticket.client,
            category=ticket.category or "",
            attachments=tuple(attachment.name for attachment in plan.mail.attachments),
            outside_hours=not desk.calendar.is_open(now),
        ),
    )
    if not matched.names:
        return plan
    return _as_matched(plan, ticket, matched) if plan.opens else _raised(plan, ticket, matched)


def _as_matched(plan: Plan, ticket: Ticket, matched: Matched) -> Plan:
    changed = replace(
        ticket,
        priority=Priority(matched.priority or ticket.priority),
        category=matched.category or ticket.category,
        technician=matched.assign or ticket.technician,
        status=Status.HELD if matched.hold else ticket.status,
        held_for=ticket.held_for or ("rule" if matched.hold else ""),
    )
    plan = plan.but(f"rules: {', '.join(matched.names)}", rules=matched.names, changed=changed, ticket=changed)
    if matched.drop:
        return plan.ends(Outcome.KEEP, "a rule drops it: kept, no ticket", ticket=None, changed=None, opens=False)
    return plan.but(notify=matched.notify, assigned_by=matched.by.get("assign", ""))


def _raised(plan: Plan, ticket: Ticket, matched: Matched) -> Plan:
    """The ticket of a message that is more pressing than those before it."""
    ranks = tuple(Priority)
    if matched.priority is None or ranks.index(matched.priority) >= ranks.index(ticket.priority):
        return plan
    rule = matched.by["priority"]
    why = f"rules: {rule}; {ticket.priority}, now {matched.priority}"
    return plan.but(why, rules=(rule,), changed=replace(ticket, priority=matched.priority))


def book_minutes(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """Each line of work becomes an entry of the ledger, each void another that answers one."""
    if not plan.role.staff:
        return plan
    entries: tuple[Entry, ...] = ()
    matters: tuple[Matter, ...] = ()
    for command in plan.script.commands:
        for entry in _entries(plan, command, facts, desk, now, entries):
            if _past_limit(entry, entries, plan.stands(entry.ticket, facts.tickets)):
                matters = (*matters, consent.waiting(entry))
            else:
                entries = (*entries, entry)
    told = [f"books {_booking(entry)}" for entry in entries]
    told += [f"{matter.minutes} minutes wait for the client: past the ticket's limit" for matter in matters]
    return plan.but(", ".join(told), entries=entries, matters=matters)


def _past_limit(entry: Entry, before: tuple[Entry, ...], ticket: Ticket | None) -> bool:
    """Whether a debit goes past what the client allows on its ticket."""
    if ticket is None or entry.kind is not Kind.DEBIT:
        return False
    return not account.within_limit(ledger.spent(ticket, before), -entry.minutes, ticket.limit)


def change_ticket(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """Status, priority, technician and category as the commands say; an answer gives the ball away."""
    if not plan.role.staff:
        return plan
    plan = _answering(plan, facts, now) if plan.changed else plan
    for command in plan.script.commands:
        change = _CHANGES.get(command.name)
        ticket = plan.stands(command.ticket, facts.tickets) if change else None
        if change and ticket:
            plan = plan.changing(change(ticket, command, now), _elsewhere(command, desk))
    return plan


def _answering(plan: Plan, facts: Facts, now: datetime) -> Plan:
    """The mail is an answer, unless it is for the desk's eyes only, or waits."""
    hold = "forward" if plan.hands_on and not plan.has("note") else ""
    internal = plan.internal or plan.has("note") or bool(hold) or not plan.carries_something
    plan = plan.but(internal=internal, hold=hold)
    answers = plan.changed is not None and (not internal or _lets_go(plan, facts))
    return plan.changing(answered(plan.changed, now)) if answers and plan.changed else plan


def _elsewhere(command: Command, desk: Desk) -> str:
    return f"{desk.tag(command.ticket)}: #{command.name}" if command.ticket else ""


def decide_on_quarantined(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """`#release 17` has a message of the quarantine processed after this mail, `#drop 17` takes it off."""
    if not plan.role.staff:
        return plan
    named = {name: tuple(one.quarantined for one in plan.script.commands if one.name == name) for name in _QUARANTINE}
    released = dict.fromkeys((*plan.released, *filter(None, named["release"])))
    return plan.but(released=tuple(released), dropped=tuple(filter(None, named["drop"])))


_QUARANTINE = ("release", "drop")


def release_held(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """`#send` and `#yes` let go what waited for a word; another answer of its writer takes its place."""
    if not plan.role.staff:
        return plan
    if (held := _let_go(plan, facts)) is not None:
        return plan.but(f"releases message {held.message}", releases=held)
    own = facts.held.get((plan.ticket.id, plan.author or "")) if plan.ticket else None
    return plan.but(supersedes=own.whole and not plan.internal) if own and not gives_word(plan) else plan


def run_clocks(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """The clocks of each ticket that this mail changes run, stand still or end, as it stands now."""
    others = tuple(promise.clocked(other, desk, now) for other in plan.others)
    changed = plan.changed and promise.clocked(plan.changed, desk, now)
    due = changed.answer_due_at if changed else None
    new = due is not None and plan.changed is not None and due != plan.changed.answer_due_at
    told = f"answer due {due.astimezone(desk.rules.zone):%Y-%m-%d %H:%M}" if due and new else ""
    return plan.but(told, changed=changed, others=others)


def _lets_go(plan: Plan, facts: Facts) -> bool:
    """Whether a forward goes to the client now."""
    held = _let_go(plan, facts)
    return held is not None and not held.whole


def _let_go(plan: Plan, facts: Facts) -> Held | None:
    word = next((command for command in plan.script.commands if command.name in WORDS), None)
    return awaited(plan, word, facts) if word else None


def _entries(
    plan: Plan, command: Command, facts: Facts, desk: Desk, now: datetime, before: tuple[Entry, ...]
) -> Iterator[Entry]:
    """The entry of one command; `before` are those of the lines above it."""
    today = desk.local_day(now)
    if command.name == "void":
        of = facts.entries[command.entry or 0]
        yield replace(ledger.void(of, now, today, command.note, plan.author), line=command.number)
    if command.name == "correct":
        yield from _corrected(plan, command, facts, desk, now, before)
    ticket = facts.tickets.get(command.ticket) if command.ticket else plan.ticket
    if command.name not in WORK or ticket is None:
        return
    worked = command.minutes or 0
    left = facts.balance_after(ticket.client, before)
    free = command.name == "free"
    taken = 0 if free else ledger.charged(worked, left, desk.rules.time.overdraft) or 0
    yield Entry(
        id=0,
        client=ticket.client,
        kind=Kind.COURTESY if free else Kind.DEBIT,
        minutes=-taken,
        worked=worked,
        at=now,
        day=command.day or today,
        ticket=ticket.id,
        technician=plan.author,
        note=command.note or ticket.subject,
        line=command.number,
        phone=command.name == "call",
    )


def _corrected(
    plan: Plan, command: Command, facts: Facts, desk: Desk, now: datetime, before: tuple[Entry, ...]
) -> Iterator[Entry]:
    """An entry is taken back, and booked again with other minutes: on the same ticket and day, with its note."""
    of, worked = facts.entries[command.entry or 0], command.minutes or 0
    void = ledger.void(of, now, desk.local_day(now), "", plan.author)
    left = facts.balance_after(of.client, (*before, void))
    taken = 0 if of.kind is Kind.COURTESY else ledger.charged(worked, left, desk.rules.time.overdraft) or 0
    yield void
    note = command.note or of.note
    yield replace(of, id=0, minutes=-taken, worked=worked, at=now, note=note, message=None, line=command.number)


def _booking(entry: Entry) -> str:
    return f"{entry.kind} {entry.minutes} on {entry.client}"


# ---- what a command makes of its ticket ----------------------------------------------------------


def _status(ticket: Ticket, command: Command, now: datetime) -> Ticket:
    closes = command.name == "close" or command.value == Status.CLOSED
    status = Status.CLOSED if closes else Status(command.value)
    return replace(ticket, status=status, closed_at=now if closes else None, held_for="")


def _priority(ticket: Ticket, command: Command, now: datetime) -> Ticket:
    return replace(ticket, priority=Priority(command.value))


def _assign(ticket: Ticket, command: Command, now: datetime) -> Ticket:
    return handed_to(ticket, command.value)


def _category(ticket: Ticket, command: Command, now: datetime) -> Ticket:
    return replace(ticket, category=command.value)


def _estimate(ticket: Ticket, command: Command, now: datetime) -> Ticket:
    return replace(ticket, estimate=command.minutes)


_CHANGES: Mapping[str, Callable[[Ticket, Command, datetime], Ticket]] = {
    "status": _status,
    "close": _status,
    "priority": _priority,
    "assign": _assign,
    "category": _category,
    "estimate": _estimate,
}
