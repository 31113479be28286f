"""What clients and technicians are told of who does a ticket."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from mailgate.core.choose import Choice
from mailgate.core.contract.consequences import to_client, to_staff
from mailgate.core.desk import Desk
from mailgate.core.mail import Notice
from mailgate.core.model import Ticket
from mailgate.core.stages.reply import thread_of


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


def handed_over(desk: Desk, ticket: Ticket, choice: Choice, balance: int) -> Notice:
    """The ticket for who takes it from somebody who is away, with the conversation, which the store fills in."""
    tag, client_name = desk.tag(ticket.id), desk.client_name(ticket.client)
    values = {
        "client_name": client_name,
        "subject": ticket.subject,
        "ticket": ticket,
        "ticket_tag": tag,
        "balance": balance,
        "attachments": (),
        "guarded": (),
        "kept_back": False,
        "chosen": chosen(desk, choice),
    }
    notice = to_staff(desk, choice.technician, "handed_over", values, ticket.id)
    return replace(notice, references=(thread_of(ticket, desk),))


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
