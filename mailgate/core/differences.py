"""What two decisions on the same mail differ by, in words for whoever changes the rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from mailgate.core.desk import Desk
from mailgate.core.model import Ticket
from mailgate.core.plan import Plan

# What a rule of rules.toml can set.
_SET = ("priority", "category", "technician", "told", "status", "outcome")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that would be otherwise. by: the rules that matched, where a rule may have set it."""

    what: str
    was: str
    would_be: str
    by: str = ""


def differences(was: Plan, would_be: Plan, before: Desk, after: Desk) -> list[Difference]:
    """Everything in which the second decision differs; before, after: the desks that decided."""
    old, new = dict(_facets(was, before)), dict(_facets(would_be, after))
    fresh = [rule for rule in would_be.rules if rule not in was.rules]
    by = ", ".join(fresh or would_be.rules) if was.rules != would_be.rules else ""
    return [
        Difference(what, old.get(what, "none"), new.get(what, "none"), by if what in _SET else "")
        for what in dict.fromkeys((*old, *new))
        if old.get(what, "none") != new.get(what, "none")
    ]


def _facets(plan: Plan, desk: Desk) -> Iterator[tuple[str, str]]:
    """Name and value of what a decision says; what it does not say is left out."""
    yield "outcome", f"{plan.outcome}{f': {plan.reason}' if plan.reason else ''}"
    yield "sender", plan.role.value + (f" {plan.person.id}" if plan.person else "")
    yield "proven", "yes" if plan.authenticated else "no"
    yield "rules", ", ".join(plan.rules) or "none"
    yield "told", ", ".join(sorted(plan.notify)) or "none"
    if plan.ticket is not None:
        yield "ticket", "a new one" if plan.opens else desk.tag(plan.ticket.id)
    if plan.changed is not None:
        yield from _of_ticket(plan.changed, desk)
    for command in plan.script.commands:
        yield f"«{command.line}»", command.problem.code if command.problem else "good"
    if plan.entries:
        yield "minutes", ", ".join(f"{entry.kind} {entry.worked or entry.minutes}" for entry in plan.entries)
    if plan.hold:
        yield "waits for", plan.hold
    yield "mails", _mails(plan)


def _of_ticket(ticket: Ticket, desk: Desk) -> Iterator[tuple[str, str]]:
    yield "client", ticket.client or "none"
    yield "status", ticket.status.value + (f" ({ticket.held_for})" if ticket.held_for else "")
    yield "priority", ticket.priority.value
    yield "category", ticket.category or "none"
    yield "technician", ticket.technician or "none"
    for what, at in (("answer due", ticket.answer_due_at), ("quick answer due", ticket.quick_due_at)):
        if at is not None:
            yield what, f"{at.astimezone(desk.rules.zone):%Y-%m-%d %H:%M}"


def _mails(plan: Plan) -> str:
    sent = Counter(f"{notice.template} to {notice.to}" for notice in plan.notices)
    return ", ".join(f"{mail}{f' ({many} times)' if many > 1 else ''}" for mail, many in sorted(sent.items())) or "none"
