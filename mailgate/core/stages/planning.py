"""Work that has a day: `#plan` sets it, `#postpone` pushes it back, and the client is told both times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime

from mailgate.core import absence, promise
from mailgate.core.address import DESK_ITSELF
from mailgate.core.contract.consequences import to_staff
from mailgate.core.desk import Desk
from mailgate.core.facts import PLANNING, Facts
from mailgate.core.mail import Notice
from mailgate.core.model import Command, Problem, Status, Ticket
from mailgate.core.plan import Plan
from mailgate.core.stages.reply import answered_person, answering, chain, real_id


def plan_work(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """Set the days that the commands name. The client and, where somebody else planned it, the technician are told.

    Who plans for days on which its technician is away is told, too, and nothing else changes: they may be meant.
    """
    for command in plan.script.commands if plan.role.staff else ():
        ticket = plan.stands(command.ticket, facts.tickets)
        if command.name in PLANNING and ticket is not None:
            changed = planned(ticket, command, desk.local_day(now), now)
            told = (*_told(plan, changed, command, facts, desk), *_warned(plan, changed, facts, desk, now))
            why = f"{desk.tag(ticket.id)}: planned for {changed.planned_start}"
            plan = plan.changing(changed, why).but(notices=(*plan.notices, *told))
    return plan


def planned(ticket: Ticket, command: Command, today: date, now: datetime) -> Ticket:
    """The ticket with its days: open where it starts today. The plan is the desk's answer, a postponement is none."""
    if command.name == "plan":
        ticket = replace(promise.kept(ticket), first_answer_at=ticket.first_answer_at or now)
    return replace(
        ticket,
        status=Status.OPEN if command.day == today else Status.SCHEDULED,
        closed_at=None,
        held_for="",
        planned_start=command.day,
        planned_delivery=command.until or (ticket.planned_delivery if command.name == "postpone" else None),
    )


# ---- what can be wrong ---------------------------------------------------------------------------


def plan_problem(plan: Plan, found: Command, facts: Facts, desk: Desk, now: datetime) -> Problem | None:
    """Why the days of a plan cannot be; None for all other commands."""
    ticket = plan.stands(found.ticket, facts.tickets) or plan.ticket
    if found.name not in PLANNING or found.day is None or ticket is None:
        return None
    if not ticket.client:
        return Problem("no_client", found.line)
    if found.name == "postpone" and ticket.planned_start is None:
        spanish = found.line.lower().startswith("#aplazar")
        meant = replace(found, line="#planificar" if spanish else "#plan", note="")
        return Problem("not_planned", found.line, _line(meant, desk, found.day, found.until))
    return _days_problem(found, ticket, desk, desk.local_day(now))


def _days_problem(found: Command, ticket: Ticket, desk: Desk, today: date) -> Problem | None:
    start, until = found.day or today, found.until
    if start < today:
        return Problem("plan_past", str(start), _line(found, desk, _open(desk, today), until))
    if until and until < start:
        return Problem("plan_backwards", f"{start} {until}", _line(found, desk, until, start))
    before = ticket.planned_delivery
    if found.name == "postpone" and until is None and before and before < start:
        return Problem("delivery_missing", str(before), _line(found, desk, start, start))
    if closed := next((day for day in (start, until) if day and _open(desk, day) != day), None):
        return Problem("plan_closed", str(closed), _line(found, desk, _open(desk, start), until and _open(desk, until)))
    return None


def _open(desk: Desk, day: date) -> date:
    """The day, or the next one on which the desk is open."""
    return desk.calendar.open_day(day) or day


def _line(found: Command, desk: Desk, start: date, until: date | None) -> str:
    """The command with other days."""
    name, tag = found.line.split()[0], desk.tag(found.ticket) if found.ticket else ""
    last = str(max(start, until)) if until else ""
    return " ".join(filter(None, (name, tag, str(start), last, found.note)))


# ---- what is told --------------------------------------------------------------------------------


def _told(plan: Plan, ticket: Ticket, command: Command, facts: Facts, desk: Desk) -> Iterator[Notice]:
    values = {
        "ticket_tag": desk.tag(ticket.id),
        "subject": ticket.subject,
        "client_name": desk.client_name(ticket.client),
        "technician_name": desk.staff_name(plan.author),
        "start": ticket.planned_start,
        "delivery": ticket.planned_delivery,
        "postponed": command.name == "postpone",
        "reason": command.note,
    }
    heard = facts.heard.get(ticket.id)
    yield Notice(
        "planned",
        to=answered_person(ticket, heard, desk),
        language=desk.rules.language_of(ticket.client),
        ticket=ticket.id,
        values=values,
        automatic="auto-generated",
        in_reply_to=real_id(heard.message_id) if heard else "",
        references=chain(heard.references, heard.message_id) if heard else (),
    )
    if desk.staff_address(ticket.technician) != desk.staff_address(plan.author):
        yield to_staff(desk, ticket.technician, "planned_for_you", values, ticket.id)


def _warned(plan: Plan, ticket: Ticket, facts: Facts, desk: Desk, now: datetime) -> Iterator[Notice]:
    """To the writer, where the technician is away when the work starts or is to be delivered."""
    noted = facts.roster.absences.get(ticket.technician or "", ())
    ahead = absence.ahead(desk, ticket.technician or "", noted, desk.local_day(now))
    days = (ticket.planned_start, ticket.planned_delivery)
    found = dict.fromkeys(away for day in days if day and (away := absence.on(ahead, day)))
    if not found or plan.person is None:
        return
    values = {
        "ticket_tag": desk.tag(ticket.id),
        "client_name": desk.client_name(ticket.client),
        "technician_name": "" if ticket.technician == plan.author else desk.staff_name(ticket.technician),
        "start": ticket.planned_start,
        "delivery": ticket.planned_delivery,
        "absences": [{"since": away.since, "until": away.until} for away in found],
    }
    notice = to_staff(desk, plan.author, "planned_away", values, DESK_ITSELF)
    yield answering(replace(notice, to=plan.person.address), plan.mail)
