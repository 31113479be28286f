"""Whom our answers go to, and how they are threaded to what they answer (RFC 5322 section 3.6.4)."""

from __future__ import annotations

from dataclasses import replace

from mailgate.core.desk import Desk
from mailgate.core.facts import Facts, Heard
from mailgate.core.mail import Mail, Notice
from mailgate.core.message import mime
from mailgate.core.model import Ticket


def answering(notice: Notice, mail: Mail) -> Notice:
    """The notice, threaded to the mail that it answers."""
    return replace(notice, in_reply_to=real_id(mail.message_id), references=chain(mail.references, mail.message_id))


def real_id(message_id: str) -> str:
    """The ID, "" for one that we made up because the message has none."""
    return "" if mime.is_made_up(message_id) else message_id


def chain(references: tuple[str, ...], message_id: str) -> tuple[str, ...]:
    """The References of an answer to a message with these references."""
    return (*references, *([message_id] if real_id(message_id) else []))


def answered_person(ticket: Ticket, heard: Heard | None, desk: Desk) -> str:
    """Who wrote last, while the rules still know them as this client's; else who asked first."""
    person = desk.rules.who(heard.author) if heard else None
    return heard.author if heard and person and person.client == ticket.client else desk.requester(ticket)


def client_has_it(mail: Mail, ticket: Ticket, facts: Facts, desk: Desk) -> bool:
    """Whether a technician's mail went to the very person whom it answers, with the desk in copy."""
    return answered_person(ticket, facts.heard.get(ticket.id), desk) in (*mail.to, *mail.cc)


def thread_of(ticket: Ticket, desk: Desk) -> str:
    """An ID that no mail bears and all mails of a ticket refer to: programs group by it."""
    domain = desk.rules.desk.address.rpartition("@")[2]
    return f"{desk.tag(ticket.id).lower()}.thread.mailgate@{domain}"
