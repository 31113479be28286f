"""What clients and technicians are told of who does a ticket."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from mailgate.core.choose import Choice
from mailgate.core.contract.consequences import to_client
from mailgate.core.desk import Desk
from mailgate.core.mail import Notice
from mailgate.core.model import Ticket


def chosen(desk: Desk, choice: Choice) -> dict[str, Any]:
    """Who does it and why, for templates."""
    return {
        "technician_name": desk.staff_name(choice.technician),
        "reason": choice.reason,
        "minutes": choice.minutes,
        "rule": choice.rule,
        "instead_of": desk.staff_name(choice.instead_of),
        "back_at": choice.back_at,
    }


def waits_for_technician(desk: Desk, ticket: Ticket, back_at: datetime) -> Notice:
    """Whoever asked is told that the ticket waits for its technician, who is away for a short time, and until when."""
    values = {
        "ticket_tag": desk.tag(ticket.id),
        "subject": ticket.subject,
        "technician_name": desk.staff_name(ticket.technician),
        "back_at": back_at,
    }
    notice = to_client(desk, ticket.client, "waits_for_technician", values, ticket.id)
    return replace(notice, to=desk.requester(ticket))
