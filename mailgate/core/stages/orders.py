"""What a technician's message orders: its commands, all or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from mailgate.core import ledger
from mailgate.core.address import DESK_ITSELF
from mailgate.core.commands import command, form
from mailgate.core.commands.command import Context, Script
from mailgate.core.commands.vocabulary import folded
from mailgate.core.contract import consent, dispute
from mailgate.core.desk import Desk
from mailgate.core.facts import PLANNING, Facts
from mailgate.core.mail import Notice, Reading
from mailgate.core.message import subject
from mailgate.core.model import Command, Entry, Kind, MatterKind, Outcome, Problem, Role
from mailgate.core.plan import Plan
from mailgate.core.settings.rules import Rules
from mailgate.core.stages.guards import WORDS, word_problem
from mailgate.core.stages.guests import admission_problem
from mailgate.core.stages.merging import merge_problem
from mailgate.core.stages.planning import plan_problem
from mailgate.core.stages.reply import answering
from mailgate.core.stages.rulings import RULINGS, reason_of, ruling_problem, takes_text

# What may stand in a mail to no ticket: each names its own.
WORK = ("time", "call", "free")
# What is about no ticket: about the writer, or the mail itself.
OF_NO_TICKET = ("away", "test")
# What changes the ledger, and waits while the books do not add up.
BOOKS = (*WORK, "void", "correct", "adjust", "accept", "cancel", "yes")


def read_commands(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """Commands of staff, from fresh text only; with one wrong line nothing of the mail is done."""
    if not plan.role.staff or plan.reading is None or plan.person is None:
        return plan
    reading = plan.reading
    if reading.doubt:
        return _refused(plan, desk, "doubt", f"cannot tell fresh from quoted: {reading.doubt}")
    context = desk.context(plan.role, now, form=plan.answers_desk_itself)
    script = command.parse(reading.fresh, context)
    plan = plan.but(text=script.body)
    if context.form and (filled := _filled_in_quote(script, reading, context)):
        return _refused(plan, desk, "form_in_quote", "the form was filled in where it is quoted", lines=filled)
    checked = _alone(_ruled_once(_checked(plan, found, facts, desk, now) for found in script.commands), plan, facts)
    script = _within_balance(Script(checked, script.body), plan, facts, desk.rules)
    plan = plan.but(_told(script), script=script, text=_with_forwarded(script.body, reading))
    if script.problems:
        return _refused(plan, desk, "problems", "a command is wrong: nothing is done")
    if plan.ticket is None and not _each_names_its_own(script):
        return _refused(plan, desk, "no_ticket", "names no ticket")
    if plan.ticket is None and script.body and not any(map(takes_text, script.commands)):
        return _refused(plan, desk, "no_ticket", "has a text that is for nobody")
    return plan


def _filled_in_quote(script: Script, reading: Reading, context: Context) -> tuple[str, ...]:
    """What should stand above the quote; () unless the form is filled in there and nowhere else."""
    if any(map(form.is_line, script.commands)):
        return ()
    filled = form.filled_in_quote(reading.whole, context)
    return (*(one.line for one in script.commands), *filled) if filled else ()


def _with_forwarded(body: str, reading: Reading) -> str:
    """The text without its commands, and with it what the mail hands on, if it is a forward."""
    if not reading.forward:
        return body
    # Where nothing was written now, all of it is handed on.
    _, _, forwarded = reading.whole.partition(reading.fresh) if reading.fresh else ("", "", reading.whole)
    return f"{body}\n\n{forwarded.strip()}".strip()


def _told(script: Script) -> str:
    names = [f"#{found.name}" for found in script.commands]
    return f"commands: {', '.join(names)}" if names else "no commands"


def _each_names_its_own(script: Script) -> bool:
    """Whether the commands of a mail to no ticket can be carried out: each says what it is about."""
    named = (one.ticket or one.entry or one.quarantined or one.name in OF_NO_TICKET for one in script.commands)
    return bool(script.commands) and all(named)


def _refused(plan: Plan, desk: Desk, template: str, why: str, **values: object) -> Plan:
    """Hand the mail back to the technician, with its text, so that one reply mends it."""
    if plan.person is None or plan.reading is None:
        return plan
    ticket = plan.ticket.id if plan.ticket else None
    notice = Notice(
        template,
        to=plan.person.address,
        language=desk.rules.desk.language,
        ticket=ticket or DESK_ITSELF,
        values={
            "problems": [(wrong.line, wrong.problem) for wrong in plan.script.problems],
            "code": plan.reading.doubt,
            "text": plan.reading.whole if template == "doubt" else plan.reading.fresh,
            "ticket_tag": desk.tag(ticket) if ticket else _named_in_vain(plan, desk),
            "only_text": _each_names_its_own(plan.script),
            **values,
            "files": [file.name for file in plan.mail.attachments if not file.inline],
        },
        subject=f"Re: {subject.bare(plan.mail.subject)}",
        opens=("text", "lines"),
    )
    return plan.ends(Outcome.REJECT, why, notices=(answering(notice, plan.mail),), internal=True)


def _named_in_vain(plan: Plan, desk: Desk) -> str:
    """The ticket that the subject names and that does not exist, "" if it names none."""
    found = desk.subject_tag.search(plan.mail.subject)
    return desk.tag(int(found[1])) if found else ""


def _checked(plan: Plan, found: Command, facts: Facts, desk: Desk, now: datetime) -> Command:
    """The command, with the problem that only the store's facts show."""
    if found.problem:
        return found
    problem = None
    if found.ticket is not None and found.ticket not in facts.tickets:
        problem = Problem("no_such_ticket", desk.tag(found.ticket))
    elif found.name in BOOKS and facts.halted:
        problem = Problem("books_halted", found.line)
    elif found.name in WORK and not _client_of(found, plan, facts):
        problem = Problem("no_client", found.line)
    elif again := _booked_already(found, facts):
        problem = Problem("booked_already", found.line, str(again.id))
    elif found.name in ("void", "correct"):
        problem = _void_problem(plan, found, facts, now)
    elif found.quarantined and found.quarantined not in facts.quarantined:
        problem = Problem("not_in_quarantine", str(found.quarantined))
    elif found.name == "allow":
        problem = admission_problem(found, facts, desk)
    elif found.name == "merge":
        problem = merge_problem(plan, found, facts, desk)
    elif found.name in WORDS:
        problem = None if _past_limit(plan, found, facts) else word_problem(plan, found, facts, desk)
    else:
        problem = plan_problem(plan, found, facts, desk, now) or ruling_problem(plan, found, facts)
    # Of one that was merged, the ticket in which it goes on is meant.
    meant = facts.tickets[found.ticket].id if found.ticket and not problem else found.ticket
    return replace(found, ticket=meant, problem=problem)


def _booked_already(found: Command, facts: Facts) -> Entry | None:
    """What an earlier answer to the same form booked, if a line says just that again: forms are sent twice by slip."""
    if found.name not in WORK or not form.is_line(found) or not found.ticket:
        return None
    ticket = facts.tickets[found.ticket]
    same = (ticket.id, found.minutes, folded(found.note or ticket.subject))
    return next((one for one in facts.booked_since if (one.ticket, one.worked, folded(one.note)) == same), None)


def _client_of(found: Command, plan: Plan, facts: Facts) -> bool:
    """Whether the work is somebody's who has an account; a mail to no ticket is refused elsewhere."""
    ticket = facts.tickets.get(found.ticket) if found.ticket else plan.ticket
    return ticket is None or bool(ticket.client)


def _past_limit(plan: Plan, found: Command, facts: Facts) -> bool:
    """Whether work past the client's limit waits for this `#yes`."""
    if found.name != "yes" or plan.ticket is None:
        return False
    return bool(consent.open_in(facts.matters, plan.ticket.id, MatterKind.DEBIT))


def _ruled_once(commands: Iterable[Command]) -> Iterator[Command]:
    """The second ruling of a mail on one entry finds it ruled on already."""
    seen: set[int | None] = set()
    for found in commands:
        rules = found.name in ("void", "correct", "adjust", "uphold")
        again = rules and not found.problem and found.entry in seen
        seen |= {found.entry} if rules else set()
        yield replace(found, problem=Problem("already_void", str(found.entry))) if again else found


# Of each group one command is about the same thing in a mail: a second one says something else.
_ONE_OF = (("accept", "decline", "cancel"), WORDS, ("estimate",), PLANNING, ("release", "drop", "allow"))


def _alone(commands: Iterable[Command], plan: Plan, facts: Facts) -> tuple[Command, ...]:
    """The commands, with those that contradict an earlier one marked; a reason goes to one client only."""
    kept: list[Command] = []
    for found in commands:
        group = next((names for names in _ONE_OF if found.name in names), ())
        same = (one for one in kept if one.name in group and _about(one, plan) == _about(found, plan))
        again = any(not before.problem for before in same)
        if found.name == "merge" and not found.problem and any(one.name == "merge" for one in kept):
            found = replace(found, problem=Problem("merge_twice", found.line))  # noqa: PLW2901
        wrong = not found.problem and (again or _of_another_client(found, kept, plan, facts))
        kept.append(replace(found, problem=Problem("contradicts", found.line)) if wrong else found)
    return tuple(kept)


def _about(found: Command, plan: Plan) -> tuple[int | None, int | None]:
    if found.name in WORDS:
        return None, None  # one of them in a mail, whatever ticket it names: on each the rest is decided anew
    return found.ticket or (plan.ticket.id if plan.ticket else None), found.quarantined


def _of_another_client(found: Command, before: Iterable[Command], plan: Plan, facts: Facts) -> bool:
    """Whether a ruling would give one client the reason that was written for another."""
    rulings = [one for one in (*before, found) if one.name in RULINGS]
    clients = {_client_ruled_on(one, plan, facts) for one in rulings} - {None}
    return found.name in RULINGS and len(clients) > 1 and not all(one.note for one in rulings)


def _client_ruled_on(found: Command, plan: Plan, facts: Facts) -> str | None:
    entry = facts.entries.get(found.entry or 0)
    ticket = facts.tickets.get(found.ticket or 0, plan.ticket)
    return entry.client if entry else ticket.client or ticket.requester if ticket and not found.entry else None


def _void_problem(plan: Plan, found: Command, facts: Facts, now: datetime) -> Problem | None:
    """The author within a day, the director always; only a debit or courtesy, and only once."""
    entry = facts.entries.get(found.entry or 0)
    if entry is None or entry.kind not in (Kind.DEBIT, Kind.COURTESY):
        return Problem("no_such_entry", str(found.entry))
    if entry.id in facts.voided:
        return Problem("already_void", str(found.entry))
    disputed = dispute.of_entry(facts.matters, entry.id)
    if disputed and (found.name == "correct" or not reason_of(plan, found)):
        return Problem("reason_missing", found.line, f"#void {entry.id} …")
    if plan.role is Role.DIRECTOR and found.name == "void":
        return None
    if plan.person is None or entry.technician != plan.person.id:
        return Problem("not_your_entry", str(found.entry))
    return Problem("void_too_late", str(found.entry)) if now - entry.at > ledger.VOID_WINDOW else None


def _within_balance(script: Script, plan: Plan, facts: Facts, rules: Rules) -> Script:
    """Where the rules refuse debits past the balance, those lines are wrong."""
    if rules.time.overdraft != "refuse":
        return script
    marked = tuple(_marked_past_balance(script.commands, plan, facts))
    return Script(marked, script.body)


def _marked_past_balance(commands: tuple[Command, ...], plan: Plan, facts: Facts) -> Iterator[Command]:
    left = dict(facts.balances)
    for found in commands:
        ticket = facts.tickets.get(found.ticket) if found.ticket else plan.ticket
        client = ticket.client if ticket else ""
        of = facts.entries[found.entry or 0] if found.name in ("void", "correct") and not found.problem else None
        if of is not None:
            client = of.client
            left[client] = left.get(client, 0) - of.minutes
        free = of is not None and of.kind is Kind.COURTESY
        if found.problem or found.name not in ("time", "call", "correct") or not client or free:
            yield found
            continue
        have = left.get(client, 0)
        if ledger.charged(found.minutes or 0, have, "refuse") is None:
            yield replace(found, problem=Problem("over_balance", str(found.minutes), str(have)))
        else:
            left[client] = have - (found.minutes or 0)
            yield found
