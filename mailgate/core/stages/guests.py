"""Third persons: who points at a ticket unknown waits with it, and whom the desk lets in speaks in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from mailgate.core.desk import Desk
from mailgate.core.facts import Facts, Heard
from mailgate.core.mail import Notice
from mailgate.core.message import subject as subjects
from mailgate.core.model import Command, Problem, Ticket
from mailgate.core.plan import Guest, Plan
from mailgate.core.reading import fresh
from mailgate.core.stages.reply import chain, real_id, thread_of
from mailgate.core.stages.warning import warned
from mailgate.core.thread import Match


def at_the_door(plan: Plan, match: Match, facts: Facts, desk: Desk) -> Plan:
    """A stranger's mail waits in quarantine with the ticket; its technician is told, once for each sender."""
    ticket = match.ticket
    why = f"{plan.mail.sender} is nobody that the rules know; points at {desk.tag(ticket.id)} ({match.why})"
    plan = plan.quarantined(why).but(ticket=ticket)
    return plan if ticket.id in facts.waits_in else warned(plan, _guest_waits(plan, ticket, facts, desk), facts)


def admission_problem(found: Command, facts: Facts, desk: Desk) -> Problem | None:
    """Why somebody cannot be let in: their message points at no ticket, or they are known already."""
    waiting = facts.at_the_door.get(found.quarantined or 0)
    known = waiting is None or desk.rules.who(waiting.sender) is not None
    return Problem("no_guest", str(found.quarantined)) if known else None


def admit_guests(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """`#allow 17`: its sender speaks in its ticket from now on, and what they have waiting there comes in."""
    if not plan.role.staff:
        return plan
    for command in plan.script.commands:
        waiting = facts.at_the_door.get(command.quarantined or 0) if command.name == "allow" else None
        if waiting:
            guest = Guest(waiting.ticket, waiting.sender)
            released = dict.fromkeys((*plan.released, *waiting.together))
            why = f"lets {guest.address} into {desk.tag(guest.ticket)}"
            plan = plan.but(why, admits=(*plan.admits, guest), released=tuple(released))
    return plan


def copy_for_guest(answer: Notice, guest: Heard, desk: Desk) -> Notice:
    """The answer for a guest who wrote last: nothing of the account, and no words but the desk's and their own."""
    quoted = desk.rules.desk.quote_client
    private = {"minutes": 0, "free": 0, "waiting": 0, "ticket_minutes": 0, "balance": 0, "prospect": True}
    quote = {
        "quote": guest.text if quoted else "",
        "quote_author": (guest.name or guest.author) if quoted else "",
        "quote_at": guest.at if quoted else None,
    }
    return replace(
        answer,
        to=guest.author,
        values={**answer.values, **private, **quote},
        subject=f"Re: {subjects.bare(guest.subject)}",
        in_reply_to=real_id(guest.message_id),
        references=chain(guest.references, guest.message_id),
    )


def _guest_waits(plan: Plan, ticket: Ticket, facts: Facts, desk: Desk) -> Notice:
    mail, tag = plan.mail, desk.tag(ticket.id)
    client_name = desk.client_name(ticket.client) or ticket.requester
    return Notice(
        "guest_waits",
        to=desk.staff_address(ticket.technician),
        language=desk.rules.desk.language,
        ticket=ticket.id,
        values={
            "ticket_tag": tag,
            "client_name": client_name,
            "person_name": mail.sender_name or mail.sender,
            "person_address": mail.sender,
            "text": fresh.read(mail, facts.history.get(ticket.id, ()), first=False).shown,
            "files": [file.name for file in mail.attachments if not file.inline],
            "number": facts.next_quarantined,
        },
        automatic="auto-generated",
        references=(thread_of(ticket, desk),),
    )
