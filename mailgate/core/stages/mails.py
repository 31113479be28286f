"""Which mails follow from a message. Their words stand in the templates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from mailgate.core import ledger
from mailgate.core.assignment import chosen, waits_for_technician
from mailgate.core.contract.consequences import offer
from mailgate.core.desk import Desk
from mailgate.core.facts import Facts, Held
from mailgate.core.mail import Notice
from mailgate.core.message import subject as subjects
from mailgate.core.model import Kind, MatterKind, Priority, Status, Ticket
from mailgate.core.plan import Plan
from mailgate.core.stages.guards import held_notice
from mailgate.core.stages.guests import copy_for_guest
from mailgate.core.stages.reply import answered_person, answering, chain, client_has_it, real_id, thread_of


def plan_mails(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """Acknowledgement and notice for a client's message; the answer to the client for a technician's."""
    here: Iterator[Notice] = iter(())
    if plan.changed is not None and plan.ticket is not None:
        mails = _for_staff_mail if plan.role.staff else _for_client_mail
        here = mails(plan, plan.changed, facts, desk, now)
    notices = (*plan.notices, *here, *_handed_over(plan, facts, desk))
    told = ", ".join(f"{notice.template} to {notice.to}" for notice in notices) or "nobody"
    return plan.but(f"mails: {told}", notices=notices, final=True)


def _for_client_mail(plan: Plan, ticket: Ticket, facts: Facts, desk: Desk, now: datetime) -> Iterator[Notice]:
    answered = any(matter.kind in (MatterKind.DISPUTE, MatterKind.REFUND) for matter in plan.matters)
    held_before = plan.ticket is not None and not plan.opens and plan.ticket.held_for == "away"
    if plan.opens and ticket.client and not answered:
        yield _acknowledgement(plan, ticket, facts, desk, now)
    elif plan.opens and not ticket.client:
        yield _welcome(plan, ticket, desk)
    elif ticket.held_for == "away" and not held_before and plan.choice and plan.choice.back_at:
        yield answering(waits_for_technician(desk, ticket, plan.choice.back_at), plan.mail)
    if plan.has("ok"):
        return  # the technician is told that the client agrees, which is all that the mail says
    # Who is away does not see that the client writes again, and somebody must.
    pressing = (ticket.status is Status.HELD and ticket.priority is Priority.URGENT) or (
        held_before and bool(ticket.held_for)
    )
    told = (ticket.technician, *plan.notify, *([desk.rules.desk.director] if pressing else []))
    new_hands = not plan.opens and plan.ticket is not None and plan.ticket.technician != ticket.technician
    for technician in dict.fromkeys(told):
        handed = new_hands and technician == ticket.technician
        template = "handed_over" if handed else "notice" if ticket.client else "prospect_notice"
        yield _notice(plan, ticket, facts, desk, desk.staff_address(technician), template)


def _welcome(plan: Plan, ticket: Ticket, desk: Desk) -> Notice:
    """Somebody who is no client yet is asked who they are and what they want, and told the conditions."""
    notice = Notice(
        "prospect_welcome",
        to=ticket.requester,
        language=desk.rules.desk.language,
        ticket=ticket.id,
        values={
            "ticket_tag": desk.tag(ticket.id),
            "person_name": plan.mail.sender_name,
            **offer(desk, first=True),
        },
        subject=_client_subject(ticket.subject, ticket, desk),
    )
    return answering(notice, plan.mail)


def _for_staff_mail(plan: Plan, ticket: Ticket, facts: Facts, desk: Desk, now: datetime) -> Iterator[Notice]:
    released = plan.releases
    if released and not released.whole:
        yield from _answers(plan, ticket, facts, desk, released.text, released)
    if not plan.internal and not client_has_it(plan.mail, ticket, facts, desk):
        yield from _answers(plan, ticket, facts, desk, plan.text)
    if plan.hold:
        yield held_notice(plan, ticket, desk, {"newer": (), "unusual": None, "replaced": False})


def _handed_over(plan: Plan, facts: Facts, desk: Desk) -> Iterator[Notice]:
    """Who is given a ticket by somebody else gets the whole conversation."""
    assigned = [command for command in plan.script.commands if command.name == "assign"]
    tickets = {command.ticket or (plan.ticket.id if plan.ticket else 0) for command in assigned}
    for ticket in filter(None, (plan.stands(number, facts.tickets) for number in sorted(tickets))):
        if ticket.technician != plan.author:
            yield _notice(plan, ticket, facts, desk, desk.staff_address(ticket.technician), "handed_over")


def _acknowledgement(plan: Plan, ticket: Ticket, facts: Facts, desk: Desk, now: datetime) -> Notice:
    language = desk.rules.language_of(ticket.client)
    open_now = desk.calendar.is_open(now)
    back = None if open_now else desk.calendar.next_opening(now)
    notice = Notice(
        "ack",
        to=ticket.requester,
        language=language,
        ticket=ticket.id,
        values={
            "ticket_tag": desk.tag(ticket.id),
            "subject": ticket.subject,
            "client": ticket.client,
            "client_name": desk.client_name(ticket.client),
            "person_name": plan.mail.sender_name,
            "open_now": open_now,
            "back_at": back,
            "closed_for": desk.calendar.closed_for(now, back, language) if back else "",
            "due_at": ticket.answer_due_at,
            "balance": facts.balances.get(ticket.client, 0),
            "follows_tag": desk.tag(ticket.follows) if ticket.follows else "",
            "held": ticket.held_for,
            "waits_for": desk.staff_name(ticket.technician),
            "waits_until": plan.choice.back_at if plan.choice else None,
            "refund_until": None,
            "covered": bool(plan.secrets),
            **offer(desk),
        },
        subject=_client_subject(ticket.subject, ticket, desk),
    )
    return answering(notice, plan.mail)


def _notice(plan: Plan, ticket: Ticket, facts: Facts, desk: Desk, address: str, template: str = "notice") -> Notice:
    """The message for a technician, with what they need to know of the ticket before the work."""
    client_name = desk.client_name(ticket.client) or (not plan.role.staff and plan.mail.sender_name) or ticket.requester
    tag = desk.tag(ticket.id)
    here = plan.ticket is not None and plan.ticket.id == ticket.id
    files = plan.mail.attachments if here else ()
    theirs = address == desk.staff_address(ticket.technician)
    return Notice(
        template,
        to=address,
        language=desk.rules.desk.language,
        ticket=ticket.id,
        values={
            "client_name": client_name,
            "person_name": plan.mail.sender_name or plan.mail.sender,
            "person_address": plan.mail.sender,
            "subject": ticket.subject,
            "ticket": replace(ticket, minutes=ledger.spent(ticket, plan.entries)),
            "ticket_tag": tag,
            "balance": facts.balance_after(ticket.client, plan.entries),
            "text": plan.text,
            "attachments": [(file.name, file.size) for file in files],
            "guarded": [file.name for file in files if file.guarded],
            "kept_back": not theirs,
            "guest": plan.guest,
            "doubt": plan.doubt,
            "new": plan.opens,
            "raised": bool(plan.ticket and plan.ticket.priority is not ticket.priority and not plan.role.staff),
            "held": ticket.held_for,
            "chosen": chosen(desk, plan.choice) if plan.choice else None,
            "limit": ticket.limit,
        },
        subject=f"[{tag} {client_name}] {ticket.subject}",
        author=plan.mail.sender_name,
        automatic="",
        references=chain((thread_of(ticket, desk),), plan.mail.message_id),
        carry=here,
        opens=("text", "attachments", "guarded", "conversation") if theirs else (),
    )


def _answers(
    plan: Plan, ticket: Ticket, facts: Facts, desk: Desk, body: str, released: Held | None = None
) -> Iterator[Notice]:
    """The answer to the client, and a copy for a guest whom it answers."""
    answer = _answer(plan, ticket, facts, desk, body, released)
    yield answer
    if guest := facts.guests.get(ticket.id):
        yield copy_for_guest(answer, guest, desk)


def _answer(plan: Plan, ticket: Ticket, facts: Facts, desk: Desk, body: str, released: Held | None = None) -> Notice:
    """The technician's answer for the client, in the client's own thread, with what it cost."""
    heard = facts.heard.get(ticket.id)
    here = [entry for entry in (released.entries if released else plan.entries) if entry.ticket == ticket.id]
    technician = desk.staff_name(plan.author)
    quote = heard if heard and desk.rules.desk.quote_client else None
    return Notice(
        "answer",
        to=answered_person(ticket, heard, desk),
        language=desk.rules.language_of(ticket.client),
        ticket=ticket.id,
        values={
            "body": body,
            "minutes": -sum(entry.minutes for entry in here if entry.kind is Kind.DEBIT),
            "free": sum(entry.worked for entry in here if entry.kind is Kind.COURTESY),
            "ticket_minutes": ledger.spent(ticket, plan.entries),
            "balance": facts.balance_after(ticket.client, plan.entries),
            "ticket_tag": desk.tag(ticket.id),
            "technician_name": technician,
            "quote": quote.text if quote else "",
            "quote_author": (quote.name or quote.author) if quote else "",
            "quote_at": quote.at if quote else None,
            "waiting": sum(one.minutes or 0 for one in plan.matters if one.kind is MatterKind.DEBIT),
            "prospect": not ticket.client,
        },
        subject=_client_subject(heard.subject if heard else ticket.subject, ticket, desk),
        author=technician,
        automatic="",
        in_reply_to=real_id(heard.message_id) if heard else "",
        references=chain(heard.references, heard.message_id) if heard else (),
        carry=released is None,
        opens=("body",),
        carry_from=released.message if released else None,
    )


def _client_subject(subject: str, ticket: Ticket, desk: Desk) -> str:
    """The client's own subject, so that their mail program keeps one thread."""
    tag = f"[{desk.tag(ticket.id)}] " if desk.rules.desk.tag_client_subject else ""
    return f"Re: {tag}{subjects.bare(subject)}"
