"""What waits whole for its writer's word: an answer that did not see what came meanwhile, an unlikely time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from mailgate.core.commands import claims, phrases
from mailgate.core.contract import dispute
from mailgate.core.desk import Desk
from mailgate.core.facts import Facts, Held, Newer
from mailgate.core.mail import Notice
from mailgate.core.message import subject as subjects
from mailgate.core.model import Command, Outcome, Problem, Role, Ticket
from mailgate.core.plan import Plan
from mailgate.core.reading.fresh import cut
from mailgate.core.stages.reply import answering, client_has_it
from mailgate.core.unusual import Unusual, unusual

# What lets go what waits.
WORDS = ("send", "yes")
# A word of thanks with what it quotes; what is longer is not looked into.
_LONGEST_WORD = 4000
# The text of these is a reason, not an answer.
_RULINGS = ("uphold", "adjust", "accept", "decline", "cancel")


def hold_back(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """Ask the writer first; nothing of the mail is done until they say `#send` or `#yes`.

    Who gives that word in the very mail has seen why an earlier one was held, and is not asked again.
    """
    if not plan.role.staff or plan.confirmed or gives_word(plan):
        return plan
    newer = _not_seen(plan, facts, desk) if _is_answer(plan, facts, desk) else ()
    odd = unusual(plan.script.commands, plan.text, facts.debits, desk.rules.time.confirm_above)
    ticket = plan.ticket or next((facts.tickets[one.ticket] for one in plan.script.commands if one.ticket), None)
    if ticket is None or not (newer or odd):
        return plan
    reason, why = ("collision", "did not see what came meanwhile") if newer else ("time", "books an unlikely time")
    before = facts.held.get((ticket.id, plan.author or ""))
    replaced = before is not None and before.whole
    told = {"newer": [_said(one, now) for one in newer], "unusual": _booked(odd, desk), "replaced": replaced}
    plan = plan.but(ticket=ticket, changed=ticket, hold=reason, internal=True, supersedes=replaced)
    return plan.ends(Outcome.APPEND, f"waits whole: {why}", notices=(held_notice(plan, ticket, desk, told),))


def gives_word(plan: Plan) -> bool:
    """Whether the mail lets something go that waited."""
    return any(map(plan.has, WORDS))


def awaited(plan: Plan, command: Command, facts: Facts) -> Held | None:
    """What a `#send` or `#yes` lets go: the writer's own, or that of the colleague whom it names."""
    ticket = command.ticket or (plan.ticket.id if plan.ticket else 0)
    return facts.held.get((ticket, command.value or plan.author or ""))


def word_problem(plan: Plan, command: Command, facts: Facts, desk: Desk) -> Problem | None:
    """Why a `#send` or `#yes` lets nothing go.

    A colleague's answer is sent by who has the ticket now, or by the director. What a colleague forwarded is a note of
    theirs, and waits for nobody else; nor is a forward sent from another mail than one of its ticket.
    """
    held = awaited(plan, command, facts)
    ticket = facts.tickets.get(command.ticket or 0, plan.ticket)
    own = command.value in ("", plan.author)
    here = plan.ticket is not None and ticket is not None and ticket.id == plan.ticket.id
    if held is None or ticket is None or not (held.whole or (own and here)):
        return Problem("nothing_held", command.line)
    if own or plan.role is Role.DIRECTOR or ticket.technician == plan.author:
        return None
    return Problem("not_your_answer", desk.staff_name(command.value))


def held_notice(plan: Plan, ticket: Ticket, desk: Desk, told: Mapping[str, object]) -> Notice:
    """Tell the writer that their mail waits, why, and how to go on."""
    text = plan.reading.fresh if plan.reading and plan.hold != "forward" else plan.text
    notice = Notice(
        "held",
        to=plan.person.address if plan.person else "",
        language=desk.rules.desk.language,
        ticket=ticket.id,
        values={"text": text, "ticket_tag": desk.tag(ticket.id), "reason": plan.hold, **told},
        subject=f"Re: {subjects.bare(plan.mail.subject)}",
        opens=("text",),
    )
    return answering(notice, plan.mail)


def _is_answer(plan: Plan, facts: Facts, desk: Desk) -> bool:
    """Whether the mail would go to the client by our hand; what they have already cannot be held."""
    if plan.ticket is None or plan.has("note") or not plan.carries_something:
        return False
    return not plan.hands_on and not _is_ruling(plan, facts) and not client_has_it(plan.mail, plan.ticket, facts, desk)


def _is_ruling(plan: Plan, facts: Facts) -> bool:
    return any(
        command.name in _RULINGS or (command.name == "void" and dispute.of_entry(facts.matters, command.entry))
        for command in plan.script.commands
    )


def _not_seen(plan: Plan, facts: Facts, desk: Desk) -> tuple[Newer, ...]:
    """What others wrote in the ticket after the mail that this one answers, and somebody has to read."""
    newer = facts.newer.get(plan.ticket.id, ()) if plan.ticket else ()
    return tuple(one for one in newer if not _wrote(plan, one, desk) and not _asks_nothing(one, desk))


def _asks_nothing(one: Newer, desk: Desk) -> bool:
    """Whether a client only says thank you, says yes, or sets a limit: what it changes has been done, and told."""
    if one.role is not Role.CLIENT or one.files or len(one.text) > _LONGEST_WORD:
        return False
    said = cut(one.text, ()).text()
    names = (one.name, *map(desk.staff_name, desk.rules.technicians))
    return phrases.thanks(said, names) or phrases.agrees(said, names) or claims.only_limits(said, desk.rules.desk.tag)


def _wrote(plan: Plan, one: Newer, desk: Desk) -> bool:
    person = desk.rules.who(one.author)
    return person is not None and plan.person is not None and person.id == plan.person.id and person.role.staff


def _said(one: Newer, now: datetime) -> dict[str, object]:
    """ago: whole minutes."""
    return {
        "name": one.name or one.author,
        "answered": one.role.staff,
        "at": one.at,
        "ago": max(int((now - one.at).total_seconds() // 60), 0),
        "text": one.text,
    }


def _booked(odd: Unusual | None, desk: Desk) -> dict[str, object] | None:
    """line: as written. minutes: booked by it. most: usual for the writer, None where `above` is passed."""
    if odd is None:
        return None
    above = desk.rules.time.confirm_above
    return {"line": odd.command.line, "minutes": odd.command.minutes, "most": odd.most, "above": above}
