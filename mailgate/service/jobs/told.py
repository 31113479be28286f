"""What is told of many tickets at once: one mail to each technician and one to the director, however many there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from mailgate.core.address import DESK_ITSELF
from mailgate.core.contract.consequences import to_staff
from mailgate.core.desk import Desk
from mailgate.core.mail import Notice
from mailgate.core.model import Priority, Ticket
from mailgate.service.letters import post
from mailgate.service.office import Office
from mailgate.store import Connection, due
from mailgate.store.due import Told

# A mail is read on a phone: the first few in full, of the others the names of as many as a few lines hold.
_MOST = 5
_MOST_NAMED = 50


def tell(tx: Connection, office: Office, kind: Told, tickets: Sequence[Ticket], now: datetime) -> int:
    """Tell of these tickets, in the transaction that notes it; how many they are. kind: names the template, too."""
    numbers = [due.tell(tx, kind, ticket, now) for ticket in tickets]
    if cause := next(filter(None, numbers), None):
        post(tx, office, list(_notices(office.desk, kind, tickets)), now, f"x{cause}")
    return len(tickets)


def _notices(desk: Desk, template: str, tickets: Sequence[Ticket]) -> Iterator[Notice]:
    """To each technician what is theirs, to the director all: who is both gets one mail."""
    director = desk.staff_address(None)
    people = {desk.staff_address(ticket.technician): ticket.technician for ticket in tickets} | {director: None}
    for address, technician in people.items():
        theirs = [ticket for ticket in tickets if address in (director, desk.staff_address(ticket.technician))]
        yield to_staff(desk, technician, template, _values(desk, theirs, everyones=address == director), DESK_ITSELF)


def _values(desk: Desk, tickets: Sequence[Ticket], *, everyones: bool) -> dict[str, Any]:
    """What is urgent stands before the rest, which keep their order."""
    ordered = sorted(tickets, key=lambda ticket: ticket.priority is not Priority.URGENT)
    return {
        "tickets": [_item(desk, ticket) for ticket in ordered[:_MOST]],
        "count": len(ordered),
        "others": [desk.tag(ticket.id) for ticket in ordered[_MOST : _MOST + _MOST_NAMED]],
        "all": everyones,
    }


def _item(desk: Desk, ticket: Ticket) -> dict[str, Any]:
    return {
        "ticket": ticket,
        "ticket_tag": desk.tag(ticket.id),
        "client_name": desk.client_name(ticket.client) or ticket.requester,
        "technician_name": desk.staff_name(ticket.technician),
    }
