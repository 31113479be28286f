"""What stands against forgetting a client, and what the books call one that was forgotten."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from mailgate.core.desk import Desk
from mailgate.core.model import Entry, Matter, Ticket

_BEGINNING = "erased-"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something that is to be settled first. kind: "tickets", "matters", "balance" or "books".

    count: how many tickets or matters, or the minutes that are left. until: the last day on which the law wants the
    books to name the client.
    """

    kind: str
    count: int = 0
    until: date | None = None


def obstacles(
    desk: Desk, today: date, going: Sequence[Ticket], waiting: Sequence[Matter], booked: Sequence[Entry]
) -> list[Obstacle]:
    """What stands against it. going: tickets that are not closed; waiting: open matters; booked: all entries."""
    found = [Obstacle("tickets", len(going)), Obstacle("matters", len(waiting))]
    found.append(Obstacle("balance", sum(entry.minutes for entry in booked)))
    last = max((desk.local_day(entry.at) for entry in booked), default=None)
    until = desk.rules.retention.books.add_to(last) if last else None
    there = [one for one in found if one.count]
    return [*there, Obstacle("books", until=until)] if until and today <= until else there


def pseudonym(number: int) -> str:
    """What a client is called from then on; number: of the erasure."""
    return f"{_BEGINNING}{number}"


def is_pseudonym(client: str) -> bool:
    """Whether a client of the books is one that was forgotten: nobody is to be written to about them."""
    return client.startswith(_BEGINNING) and client.removeprefix(_BEGINNING).isdecimal()


def mark(key: bytes, client: str) -> str:
    """By which a client that was forgotten is known again in an older copy of the store; it tells nobody else who."""
    return hmac.digest(key, f"erased|{client}".encode(), "sha256").hex()
