"""Who may see what in the client area. What somebody may not see is, for them, not there."""

from __future__ import annotations

from mailgate.core.model import Person, Role, Ticket


def sees_ticket(person: Person, ticket: Ticket) -> bool:
    """The director every ticket, a technician their own, a client's people all of that client."""
    if person.role is Role.DIRECTOR:
        return True
    if person.role is Role.TECHNICIAN:
        return ticket.technician == person.id
    return person.role is Role.CLIENT and bool(ticket.client) and ticket.client == person.client


def sees_message(person: Person, *, internal: bool) -> bool:
    """What is internal is for the desk alone."""
    return person.role.staff or not internal


def sees_account(person: Person, client: str) -> bool:
    """The minutes of a client: their own people, and the director."""
    return person.role is Role.DIRECTOR or (person.role is Role.CLIENT and person.client == client)
