"""What somebody may look at, found in the store; what is not theirs is not there."""

from __future__ import annotations

from mailgate.core import sight
from mailgate.core.model import Role, Ticket
from mailgate.edges.web.asking import Ask, NotThere
from mailgate.store import Connection, messages, tickets
from mailgate.store.messages import Message
from mailgate.store.tickets import Only


def the_ticket(tx: Connection, ask: Ask) -> Ticket:
    """The ticket of the path; of one that was merged, the ticket in which it goes on. Raises NotThere."""
    found = tickets.get(tx, ask.number("ticket"))
    if found is not None and found.merged_into is not None:
        found = tickets.get(tx, found.merged_into)
    if found is None or not sight.sees_ticket(ask.who, found):
        raise NotThere
    return found


def the_message(tx: Connection, ask: Ask) -> tuple[Message, Ticket]:
    """The message of the path, and its ticket. Raises NotThere."""
    found = messages.get(tx, ask.number("message"))
    ticket = tickets.get(tx, found.ticket or 0) if found is not None else None
    if found is None or ticket is None or not sight.sees_ticket(ask.who, ticket):
        raise NotThere
    if not sight.sees_message(ask.who, internal=found.internal):
        raise NotThere
    return found, ticket


def the_client(ask: Ask) -> str:
    """Whose account a page is about: a client's own; the director says which. Raises NotThere."""
    named = ask.who.client or ask.query.get("client", "") or next(iter(sorted(ask.desk.rules.clients)), "")
    if ask.desk.rules.client(named) is None or not sight.sees_account(ask.who, named):
        raise NotThere
    return named


def theirs(ask: Ask) -> Only:
    """Which tickets somebody may see; of these the director may ask for some."""
    if ask.who.role is Role.CLIENT:
        return Only(client=ask.who.client)
    if ask.who.role is Role.TECHNICIAN:
        return Only(technician=ask.who.id)
    return Only(client=ask.query.get("client") or None, technician=ask.query.get("technician") or None)
