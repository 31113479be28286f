"""Who does it: somebody is chosen for each ticket whose ball a client gives to the desk."""

from __future__ import annotations

from datetime import datetime

from mailgate.core.choose import choose, placed, why
from mailgate.core.desk import Desk
from mailgate.core.facts import Facts
from mailgate.core.model import Status
from mailgate.core.plan import Plan

# A ticket that is scheduled, or waits for minutes or a person's word, keeps who it has.
_WITH_THE_DESK = (Status.NEW, Status.OPEN)


def choose_technician(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """Who knows the ticket best and is there; away for a short time only, the ticket waits for them."""
    ticket = plan.changed
    if plan.role.staff or ticket is None or not ticket.client:
        return plan
    if not (plan.opens or ticket.status in _WITH_THE_DESK or ticket.held_for == "away"):
        return plan
    choice = choose(desk, ticket, facts.roster, now, plan.assigned_by)
    changed = placed(ticket, choice)
    told = f"technician: {why(desk, choice, ticket)}"
    return plan.but(told, choice=choice, changed=changed, ticket=changed if plan.opens else plan.ticket)
