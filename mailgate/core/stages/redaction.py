"""`#redact`: what a technician's mail takes out of a ticket for good."""

from __future__ import annotations

from datetime import datetime

from mailgate.core.desk import Desk
from mailgate.core.facts import Facts
from mailgate.core.plan import Plan
from mailgate.core.redaction import Redaction


def take_out_secrets(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """Once the mail is kept and its mails are written, so that they and the mail itself are gone through, too."""
    if not plan.role.staff:
        return plan
    here = plan.ticket.id if plan.ticket else 0
    found = [(one.ticket or here, one.note) for one in plan.script.commands if one.name == "redact"]
    redactions = tuple(Redaction(ticket, text) for ticket, text in dict.fromkeys(found) if ticket)
    return plan.but(f"takes {len(redactions)} out for good" if redactions else "", redactions=redactions)
