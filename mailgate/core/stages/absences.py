"""Technicians say when they are away, and are told what of theirs falls into it; or a robot says it for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime

from mailgate.core import absence
from mailgate.core.address import DESK_ITSELF
from mailgate.core.contract.consequences import to_staff
from mailgate.core.desk import Desk
from mailgate.core.facts import Facts
from mailgate.core.mail import Notice
from mailgate.core.model import Absence, Status, Ticket
from mailgate.core.plan import Plan
from mailgate.core.stages.reply import answering


def note_absences(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """`#away` is for the writer alone; `#away off` takes back first what was told before."""
    given = [command for command in plan.script.commands if command.name == "away"]
    if not given or plan.person is None:
        return plan
    there = any(command.value == "off" for command in given)
    before = () if there else facts.roster.absences.get(plan.person.id, ())
    told = (Absence(plan.person.id, one.day, one.until) for one in given if one.day and one.until)
    new = tuple(dict.fromkeys(one for one in told if one not in before))
    days = ", ".join(f"{one.since} to {one.until}" for one in new)
    noted = _noted(plan.person.id, (*before, *new), _theirs(plan, facts), desk, desk.local_day(now))
    notice = answering(replace(noted, to=plan.person.address), plan.mail)
    why = f"away: {days or 'nothing new'}{'; what was told before is taken back' if there else ''}"
    return plan.but(why, absences=new, there=there, notices=(*plan.notices, notice))


def _theirs(plan: Plan, facts: Facts) -> list[Ticket]:
    """What the writer has to do once this mail is done."""
    here = [plan.changed] if plan.changed else []
    after = {ticket.id: ticket for ticket in (*facts.mine, *plan.others, *here)}
    return [ticket for _, ticket in sorted(after.items()) if ticket.technician == plan.author]


def _noted(technician: str, noted: Sequence[Absence], tickets: Iterable[Ticket], desk: Desk, today: date) -> Notice:
    """All that is ahead, and the writer's tickets that fall into it."""
    ahead = absence.ahead(desk, technician, noted, today)
    values = {
        "absences": [{"since": one.since, "until": one.until, "ruled": one not in noted} for one in ahead],
        "tickets": [
            {"tag": desk.tag(ticket.id), "client_name": desk.client_name(ticket.client), "ticket": ticket}
            for ticket in _falling_into(ahead, tickets)
        ],
    }
    return to_staff(desk, technician, "away_noted", values, DESK_ITSELF)


def _falling_into(ahead: Sequence[Absence], tickets: Iterable[Ticket]) -> Iterator[Ticket]:
    """Those whose ball is with the desk, and those that are planned for a day of an absence."""
    for ticket in tickets:
        days = [day for day in (ticket.planned_start, ticket.planned_delivery) if day]
        planned = ticket.status is Status.SCHEDULED and any(absence.on(ahead, day) for day in days)
        if planned or (ahead and (ticket.status in (Status.NEW, Status.OPEN) or ticket.held_for == "away")):
            yield ticket


def suspect_absence(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """A robot that answers for a technician: the director learns that they may be away, once in a few days."""
    person, robot = plan.person, plan.automatic
    if person is None or not person.role.staff or robot is None or robot.kind != "auto-reply" or facts.away_told:
        return plan
    ahead = absence.ahead(desk, person.id, facts.roster.absences.get(person.id, ()), desk.local_day(now))
    if absence.gone(desk, ahead, now) or person.id == desk.rules.desk.director:
        return plan
    values = {
        "technician_name": person.name,
        "subject": plan.mail.subject,
        "text": plan.text,
        "open_tickets": sum(ticket.status in (Status.NEW, Status.OPEN) for ticket in facts.mine),
    }
    notice = to_staff(desk, None, "maybe_away", values, DESK_ITSELF)
    told = f"mails: maybe_away to {notice.to}"
    return plan.but(told, robot_of=person.id, notices=(*plan.notices, notice))
