"""Mails that tell staff of what others sent. Whoever writes to the desk can cause them: so many a day, and no more."""

from __future__ import annotations

from dataclasses import replace

from mailgate.core.facts import Facts
from mailgate.core.mail import Notice
from mailgate.core.plan import Plan

MOST = 10
"""To one address, of one kind, in a day: enough for whoever forgets to use their reply address."""


def warned(plan: Plan, notice: Notice, facts: Facts) -> Plan:
    """The plan with this mail, unless so many were sent today; the last of them says that it is the last."""
    told = facts.repute.warned.get((notice.to, notice.template), 0)
    if told >= MOST:
        return plan.but(f"{notice.to} was told of {MOST} such mails today already")
    last = replace(notice, values={**notice.values, "last": told + 1 == MOST})
    return plan.but(notices=(*plan.notices, last))
