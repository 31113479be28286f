"""What follows for a client when their balance changes, whatever changed it: a mail, a sale, the clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from mailgate.core import promise
from mailgate.core.contract import account
from mailgate.core.desk import Desk
from mailgate.core.mail import Notice
from mailgate.core.model import Status, Ticket


@dataclass(frozen=True, slots=True)
class Consequences:
    """Mails that are due, and tickets as they shall stand."""

    notices: tuple[Notice, ...] = ()
    tickets: tuple[Ticket, ...] = ()


def of_balance(
    desk: Desk, client: str, before: int, after: int, paused: Sequence[Ticket], now: datetime
) -> Consequences:
    """Say what follows when a client's balance goes from one figure to another.

    before, after: minutes. paused: the client's tickets that are held for want of minutes.
    """
    if account.resumes(before, after):
        open_again = (replace(ticket, status=Status.OPEN, held_for="") for ticket in paused)
        tickets = tuple(promise.clocked(ticket, desk, now) for ticket in open_again)
        return Consequences(tuple(_resumed(desk, ticket, after) for ticket in tickets), tickets)
    if account.ends(before, after):
        return Consequences(tuple(_ended(desk, client, after, now)))
    mark = account.mark_crossed(before, after, desk.rules.time.warn_at)
    return Consequences((_low(desk, client, after, mark),) if mark is not None else ())


def offer(desk: Desk, *, first: bool = False) -> dict[str, Any]:
    """What can be bought and how it is paid, for templates. first: only what may be bought first."""
    return {
        "packages": [
            {"id": key, "minutes": package.minutes, "price": package.price}
            for key, package in desk.rules.packages.items()
            if package.first or not first
        ],
        "payment": desk.rules.desk.payment,
    }


def to_client(desk: Desk, client: str, template: str, values: dict[str, Any], ticket: int | None = None) -> Notice:
    """A mail of the desk's own accord to the client's contact, in the client's language."""
    return Notice(
        template,
        to=desk.contact(client),
        language=desk.rules.language_of(client),
        ticket=ticket,
        values={"client_name": desk.client_name(client), **values},
        automatic="auto-generated",
    )


def to_staff(
    desk: Desk, technician: str | None, template: str, values: dict[str, Any], ticket: int | None = None
) -> Notice:
    """A mail of the desk's own accord to a technician, the director for None."""
    return Notice(
        template,
        to=desk.staff_address(technician),
        language=desk.rules.desk.language,
        ticket=ticket,
        values=values,
        automatic="auto-generated",
    )


def to_both(
    desk: Desk, client: str, template: str, values: dict[str, Any], ticket: int | None = None
) -> Iterator[Notice]:
    """The same to the client and, as a copy, to the director."""
    yield to_client(desk, client, template, {**values, "copy": False}, ticket)
    copy = {"client_name": desk.client_name(client), **values, "copy": True}
    yield to_staff(desk, None, template, copy, ticket)


def _resumed(desk: Desk, ticket: Ticket, balance: int) -> Notice:
    values = {
        "client_name": desk.client_name(ticket.client),
        "ticket": ticket,
        "ticket_tag": desk.tag(ticket.id),
        "balance": balance,
    }
    return to_staff(desk, ticket.technician, "resumed", values, ticket.id)


def _ended(desk: Desk, client: str, balance: int, now: datetime) -> Iterator[Notice]:
    until = desk.rules.time.refund_window.add_to(desk.local_day(now))
    yield from to_both(
        desk, client, "service_ended", {"client": client, "balance": balance, "refund_until": until, **offer(desk)}
    )


def _low(desk: Desk, client: str, balance: int, mark: int) -> Notice:
    return to_client(desk, client, "low_balance", {"balance": balance, "mark": mark, **offer(desk)})
