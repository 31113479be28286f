"""Access data are taken out of a mail before anything is made of it."""

from __future__ import annotations

from datetime import datetime

from mailgate.core.access_data.covering import cover
from mailgate.core.desk import Desk
from mailgate.core.facts import Facts
from mailgate.core.plan import Plan


def cover_access_data(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """From here on the mail has places with numbers for them; `Plan.secrets` has the values."""
    mail, values = cover(plan.mail, facts.secrets, facts.own_secrets, facts.next_secret)
    if mail is plan.mail:
        return plan
    held = "".join(f"; in the file {file.name}, which stays as it is" for file in mail.attachments if file.guarded)
    return plan.but(f"access data covered: {len(values)}{held}", mail=mail, secrets=values)
