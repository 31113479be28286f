"""Where mails go round between programs, the desk falls silent: to that address, or in that ticket."""

from __future__ import annotations

from datetime import datetime

from mailgate.core import loops
from mailgate.core.address import DESK_ITSELF
from mailgate.core.contract.consequences import to_staff
from mailgate.core.desk import Desk
from mailgate.core.facts import Facts
from mailgate.core.mail import Notice
from mailgate.core.model import Outcome, Role
from mailgate.core.plan import Plan
from mailgate.core.settings.units import Cap

TEMPLATE = "loop_stopped"


def fall_silent(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """Leave out what would go round; the message itself is kept, and shown where it belongs."""
    if plan.vouched or plan.automatic or plan.outcome in (Outcome.REPEAT, Outcome.QUARANTINE):
        return plan
    return _in_ticket(_to_writer(plan, facts, desk, now), facts, desk, now)


def _to_writer(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """No more automatic answers to somebody who answers them, time and again."""
    answers = [notice for notice in plan.notices if _answers_writer(notice, plan, desk)]
    text = plan.text or (plan.reading.whole if plan.reading else "")
    if not answers or not loops.is_echo(plan.mail, text, facts.exchange):
        return plan
    plan = plan.but("looks like a program's answer to an automatic mail", echo=True)
    cap = loops.over(desk.rules.limits.answers, facts.exchange.echoes, now)
    if cap is None:
        return plan
    left = tuple(notice for notice in plan.notices if notice not in answers)
    plan = plan.but(f"not answered: {cap}", notices=left)
    return _told(plan, plan.mail.sender or "", plan.mail.sender or "", cap, facts, desk)


def _in_ticket(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """No mail to anybody about a ticket in which both sides answer faster than people can."""
    if plan.ticket is None or plan.opens or not plan.notices:
        return plan
    number = plan.ticket.id
    cap = loops.over(desk.rules.limits.turns, loops.turns(facts.exchange.turns.get(number, ())), now)
    if cap is None:
        return plan
    left = tuple(notice for notice in plan.notices if notice.ticket != number)
    plan = plan.but(f"{desk.tag(number)} is silent: {cap}", notices=left)
    return _told(plan, str(number), desk.tag(number), cap, facts, desk)


def _answers_writer(notice: Notice, plan: Plan, desk: Desk) -> bool:
    """Whether a program writes to the side from which the mail came."""
    person = desk.rules.who(notice.to)
    staff = person is not None and person.role.staff
    return bool(notice.automatic) and (notice.to == plan.mail.sender or (not staff and plan.role is Role.CLIENT))


def _told(plan: Plan, key: str, what: str, cap: Cap, facts: Facts, desk: Desk) -> Plan:
    """The director learns of it, once a day for each address and ticket. key: names it in the store."""
    if key in facts.exchange.told:
        return plan
    values = {
        "what": what,
        "is_ticket": key != what,
        "count": cap.count,
        "minutes": cap.seconds // 60,
        "subject": plan.mail.subject,
    }
    notice = to_staff(desk, None, TEMPLATE, values, DESK_ITSELF)
    return plan.but(f"mails: {TEMPLATE} to {notice.to}", loops=(*plan.loops, key), notices=(*plan.notices, notice))
