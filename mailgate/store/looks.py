"""Who had access data of a message shown, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailgate.store.connection import Connection
from mailgate.store.times import moment, stamp


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody asked to see what is masked in a message."""

    message: int
    address: str
    at: datetime


def note(tx: Connection, message: int, address: str, now: datetime) -> None:
    """Record that somebody asked."""
    tx.run(
        "insert into look (message, address, at) values (:message, :address, :now)",
        message=message,
        address=address,
        now=stamp(now),
    )


def asked_since(tx: Connection, message: int, address: str, since: datetime) -> bool:
    """Whether somebody asked lately."""
    asked = "select 1 from look where message = :message and address = :address and at >= :since limit 1"
    return bool(tx.value(asked, message=message, address=address, since=stamp(since)))


def of_ticket(tx: Connection, ticket: int, most: int) -> list[Look]:
    """Who asked in a ticket, the newest first."""
    rows = tx.rows(
        "select l.message, l.address, l.at from message m join look l on l.message = m.id"
        " where m.ticket = :ticket order by l.id desc limit :most",
        ticket=ticket,
        most=most,
    )
    return [Look(row["message"], row["address"], moment(row["at"])) for row in rows]


def listed(tx: Connection, client: str | None = None, most: int | None = None) -> list[Look]:
    """Who asked, the newest first: in the tickets of a client, or in all."""
    # Not by the index of the client's tickets: all their messages would be looked at, and looks are few.
    where = "" if client is None else " where t.client || '' = :client"
    limit = "" if most is None else " limit :most"
    rows = tx.rows(
        "select l.message, l.address, l.at from look l join message m on m.id = l.message"
        f" left join ticket t on t.id = m.ticket{where} order by l.id desc{limit}",
        **({} if client is None else {"client": client}),
        **({} if most is None else {"most": most}),
    )
    return [Look(row["message"], row["address"], moment(row["at"])) for row in rows]
