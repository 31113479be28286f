"""`#test`: what a technician's mail would have done, told to its writer; nothing of it is done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from mailgate.core.desk import Desk
from mailgate.core.facts import Facts
from mailgate.core.mail import Notice
from mailgate.core.message import subject as subjects
from mailgate.core.model import Entry, MatterKind, Outcome
from mailgate.core.plan import Plan
from mailgate.core.stages.reply import answering

# They say what the rehearsal says itself.
_TOLD_HERE = ("problems", "no_ticket", "held")


def rehearsed(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """A plan that does nothing but tell the writer of this one. It stands in no ticket, nor does its mail."""
    person = plan.person
    if person is None:
        return plan
    notice = Notice(
        "rehearsal",
        to=person.address,
        language=desk.rules.desk.language,
        ticket=plan.ticket.id if plan.ticket else None,
        values=_values(plan, facts, desk),
        subject=f"Re: {subjects.bare(plan.mail.subject)}",
    )
    only = Plan(
        plan.mail,
        role=plan.role,
        person=person,
        authenticated=plan.authenticated,
        reading=plan.reading,
        script=plan.script,
        text=plan.text,
        internal=True,
        secrets=plan.secrets,
        why=plan.why,
    )
    return only.ends(Outcome.ANSWER, "a rehearsal: nothing is done", notices=(answering(notice, plan.mail),))


def _values(plan: Plan, facts: Facts, desk: Desk) -> Mapping[str, object]:
    """mails: the notices that would be written; who writes this one writes them for it, too."""
    ticket, done = plan.ticket, plan.outcome is Outcome.APPEND and not plan.waits_whole
    after = plan.changed if done else ticket
    waiting = sum(one.minutes or 0 for one in plan.matters if one.kind is MatterKind.DEBIT)
    planned = tuple(notice for notice in plan.notices if notice.template not in _TOLD_HERE)
    return {
        "technician_name": plan.person.name if plan.person else "",
        "proof": "token" if plan.own_token else "vouched" if plan.vouched else "off",
        "ticket_tag": desk.tag(ticket.id) if ticket else "",
        "client_name": desk.client_name(ticket.client) if ticket else "",
        "subject": ticket.subject if ticket else "",
        "status": ticket.status if ticket else None,
        "status_after": after.status if after else None,
        "commands": [(one.line, one.name, one.problem) for one in plan.script.commands if one.name != "test"],
        "no_ticket": ticket is None and plan.outcome is Outcome.REJECT and not plan.script.problems,
        "hold": plan.hold,
        "entries": [_booked(entry, desk) for entry in plan.entries],
        "waiting": waiting,
        "balances": [
            (desk.client_name(client), facts.balances.get(client, 0), facts.balance_after(client, plan.entries))
            for client in dict.fromkeys(entry.client for entry in plan.entries)
        ],
        "files": [file.name for file in plan.mail.attachments if not file.inline],
        "mails": [(_is_staff(notice, desk), notice) for notice in planned],
    }


def _booked(entry: Entry, desk: Desk) -> dict[str, object]:
    return {
        "kind": entry.kind.value,
        "minutes": -entry.minutes or entry.worked,
        "ticket_tag": desk.tag(entry.ticket) if entry.ticket else "",
        "day": entry.day,
        "note": entry.note,
    }


def _is_staff(notice: Notice, desk: Desk) -> bool:
    person = desk.rules.who(notice.to)
    return person is not None and person.role.staff
