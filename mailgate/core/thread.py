"""Which ticket a mail belongs to, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mailgate.core import address, own
from mailgate.core.desk import Desk
from mailgate.core.facts import Facts
from mailgate.core.mail import Mail
from mailgate.core.model import Person, Ticket


@dataclass(frozen=True, slots=True)
class Match:
    """A ticket that a mail points at. own_token: by a reply address that was made for the sender."""

    ticket: Ticket
    why: str
    own_token: bool = False


def find(mail: Mail, person: Person | None, facts: Facts, desk: Desk) -> Match | None:
    """The first ticket that the mail points at and in which its sender may speak.

    Someone who may not speak there gets None, as if they had pointed at nothing.
    """
    for match in pointers(mail, facts, desk):
        if person is not None and (may_speak(person, match.ticket) or match.ticket.id in facts.guest_in):
            return match
    return None


def may_speak(person: Person, ticket: Ticket) -> bool:
    """Staff in every ticket, a client's people in that client's, who is no client in their own."""
    mine = person.client == ticket.client and (bool(ticket.client) or person.address == ticket.requester)
    return person.role.staff or mine


def pointers(mail: Mail, facts: Facts, desk: Desk) -> Iterator[Match]:
    """Reply address (RFC 5233), In-Reply-To, References last to first (RFC 5322 3.6.4), tag."""
    yield from by_reply_address(mail, facts, desk)
    for message_id in (*mail.in_reply_to, *reversed(mail.references)):
        for number in facts.by_message_id.get(message_id, ()):
            if number in facts.tickets:
                yield Match(facts.tickets[number], f"answers <{message_id}>")
    if found := desk.subject_tag.search(mail.subject):
        number = int(found[1])
        if number in facts.tickets:
            yield Match(facts.tickets[number], f"tag {desk.tag(number)} in the subject")


def by_reply_address(mail: Mail, facts: Facts, desk: Desk) -> Iterator[Match]:
    """Tickets whose reply address the mail was sent to: one made for somebody we wrote to."""
    mine = own.addresses(mail, desk)
    for recipient in mail.recipients:
        pointer = address.reply_pointer(recipient, desk.rules.desks)
        if pointer is None or pointer[0] not in facts.tickets:
            continue
        number, token = pointer
        if any(address.token_fits(desk.key, number, one, token) for one in mine):
            yield Match(facts.tickets[number], "their own reply address", own_token=True)
        elif any(address.token_fits(desk.key, number, known, token) for known in facts.addressees.get(number, ())):
            yield Match(facts.tickets[number], "a reply address of the ticket")
