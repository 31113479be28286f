"""Work past a limit is booked once somebody gave their word: the client, or the desk for them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from mailgate.core.contract import consent
from mailgate.core.desk import Desk
from mailgate.core.facts import Facts
from mailgate.core.mail import Notice
from mailgate.core.model import Matter, MatterState, Ticket
from mailgate.core.plan import Decision, Plan


def book_waiting(
    plan: Plan, matter: Matter, ticket: Ticket, facts: Facts, desk: Desk, now: datetime, by: Literal["client", "desk"]
) -> tuple[Plan, tuple[Notice, ...]] | None:
    """The plan with the work booked, and the mails that tell both sides; None where minutes do not allow it."""
    left = facts.balance_after(matter.client, plan.entries)
    entry = consent.booked(matter, left, desk.rules.time.overdraft, now, desk.local_day(now))
    if entry is None:
        return None
    booked = (*plan.entries, entry)
    told = consent.told(desk, ticket, entry, booked, facts.balance_after(matter.client, booked), by)
    decided = (*plan.decisions, Decision(matter.id, MatterState.GRANTED))
    return plan.but(f"books {matter.minutes} minutes that waited", entries=booked, decisions=decided), tuple(told)
