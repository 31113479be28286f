"""Third persons whom the desk let into a ticket, and those whose mails wait for it."""

from __future__ import annotations

from collections.abc import Iterable

from mailgate.store.connection import Connection


def admit(tx: Connection, ticket: int, address: str, message: int) -> None:
    """Let somebody speak in a ticket, by the word of a message."""
    tx.run(
        "insert into guest (ticket, address, message) values (:ticket, :address, :message) on conflict do nothing",
        ticket=ticket,
        address=address,
        message=message,
    )


def admitted(tx: Connection, address: str, tickets: Iterable[int]) -> frozenset[int]:
    """In which of the tickets somebody may speak as a guest."""
    known = "select 1 from guest where ticket = :ticket and address = :address"
    return frozenset(ticket for ticket in tickets if tx.value(known, ticket=ticket, address=address))


def waiting(tx: Connection, ticket: int, address: str) -> tuple[int, ...]:
    """The mails of somebody that wait in quarantine with a ticket, oldest first."""
    rows = tx.rows(
        "select id from quarantine where ticket = :ticket and sender = :address and state = 'waiting'"
        " and ticket is not null order by id",
        ticket=ticket,
        address=address,
    )
    return tuple(row["id"] for row in rows)
