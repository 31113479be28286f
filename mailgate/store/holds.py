"""Technicians' messages that wait for their word, and what came into a ticket that somebody had not seen."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from mailgate.store import messages
from mailgate.store.connection import Connection
from mailgate.store.messages import Message
from mailgate.store.times import moment, stamp

# More than an answer can be said to have missed; the oldest are left out.
_MOST_NEWER = 10
# A date in a mail stands for all of its second.
_TO_THE_SECOND = timedelta(seconds=1)
# What waits whole, as if it had not come yet; a forward is in the ticket already, as a note.
_WHOLE = "('collision', 'time')"


def hold(tx: Connection, message: int, ticket: int, technician: str, reason: str) -> None:
    """Note that a technician's message waits for their word."""
    tx.run(
        "insert into held (message, ticket, technician, reason) values (:message, :ticket, :technician, :reason)",
        message=message,
        ticket=ticket,
        technician=technician,
        reason=reason,
    )


def waiting(tx: Connection, ticket: int, technician: str) -> tuple[int, str, int] | None:
    """The newest hold for this technician's word: its number, its reason, and the number of the message."""
    row = tx.row(
        "select id, reason, message from held where ticket = :ticket and technician = :technician"
        " and state = 'waiting' order by id desc limit 1",
        ticket=ticket,
        technician=technician,
    )
    return (row["id"], row["reason"], row["message"]) if row else None


def unsent(tx: Connection, ticket: int) -> list[str]:
    """The technicians who have an answer waiting whole in a ticket."""
    rows = tx.rows(
        "select distinct technician from held where ticket = :ticket and state = 'waiting'"
        f" and reason in {_WHOLE} order by technician",
        ticket=ticket,
    )
    return [row["technician"] for row in rows]


def all_unsent(tx: Connection) -> list[tuple[int, str, datetime]]:
    """Answers that wait whole in tickets that are not closed, oldest first: ticket, technician, when it came."""
    rows = tx.rows(
        "select h.ticket, h.technician, m.at from held h join ticket t on t.id = h.ticket"
        " join message m on m.id = h.message where h.state = 'waiting'"
        f" and h.reason in {_WHOLE} and t.status <> 'closed' order by h.id"
    )
    return [(row["ticket"], row["technician"], moment(row["at"])) for row in rows]


def of_technician(tx: Connection, technician: str) -> list[tuple[str, Message]]:
    """What waits for this technician's word in any ticket, oldest first, each with the reason."""
    rows = tx.rows(
        "select message, reason from held where state = 'waiting' and technician = :technician"
        " order by ticket, technician, id",
        technician=technician,
    )
    waiting = [(row["reason"], message) for row in rows if (message := messages.get(tx, row["message"]))]
    return sorted(waiting, key=lambda one: one[1].id)


def release(tx: Connection, hold: int, by: int) -> None:
    """The word was given, by this message."""
    tx.run("update held set state = 'released', released_by = :by where id = :hold", by=by, hold=hold)


def forget_whole(tx: Connection, ticket: int, technician: str) -> None:
    """What waits whole waits no longer, since another message takes its place; it stays in the ticket as a note."""
    tx.run(
        "delete from held where ticket = :ticket and technician = :technician and state = 'waiting'"
        f" and reason in {_WHOLE}",
        ticket=ticket,
        technician=technician,
    )


def seen_until(tx: Connection, ticket: int, answered: Iterable[str], date: datetime | None) -> int | None:
    """How far somebody had read a ticket who answers the first of these Message-IDs that we know.

    The number of a message: it and those before it were known to them. Where we know none of the IDs, the newest of
    the ticket at that date; None where there is no date, or one from before the ticket, which cannot be right.
    """
    for message_id in answered:
        if (found := _known(tx, ticket, message_id)) is not None:
            return found
    return (_newest_at(tx, ticket, date + _TO_THE_SECOND) or None) if date is not None else None


def newer(tx: Connection, ticket: int, seen: int) -> list[Message]:
    """What people wrote to each other in a ticket after the message of that number, oldest first.

    An answer that was held comes when it is released.
    """
    written = tx.rows(
        "select id from message where ticket = :ticket and id > :seen and internal = 0 and automatic = ''"
        " and role in ('client', 'stranger', 'technician', 'director') order by id desc limit :most",
        ticket=ticket,
        seen=seen,
        most=_MOST_NEWER,
    )
    released = tx.rows(
        "select message as id from held where ticket = :ticket and released_by > :seen and message <= :seen",
        ticket=ticket,
        seen=seen,
    )
    numbers = sorted(row["id"] for row in (*written, *released))
    return [found for number in numbers if (found := messages.get(tx, number))]


def _known(tx: Connection, ticket: int, message_id: str) -> int | None:
    """The message of the ticket that has this ID, or the newest that stood in it when a mail of ours was written."""
    own = tx.value("select id from message where message_id = :id and ticket = :ticket", id=message_id, ticket=ticket)
    if own is not None:
        return int(own)
    ours = tx.row("select created_at from outbox where message_id = :id", id=message_id)
    if ours is None:
        return None
    return _cause(tx, message_id) or _newest_at(tx, ticket, moment(ours["created_at"]))


def _cause(tx: Connection, message_id: str) -> int | None:
    """The message that caused a mail of ours, by its ID "j17.0.…": exact where many come in the same moment."""
    cause = message_id.partition(".")[0].removesuffix("s")
    if not cause.startswith("j") or not cause[1:].isdecimal():
        return None
    found = tx.value("select message from journal where id = :journal", journal=int(cause[1:]))
    return int(found) if found is not None else None


def _newest_at(tx: Connection, ticket: int, when: datetime) -> int:
    found = tx.value(
        "select id from message where ticket = :ticket and at <= :time order by id desc limit 1",
        ticket=ticket,
        time=stamp(when),
    )
    return int(found or 0)
