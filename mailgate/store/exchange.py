"""What goes to and fro between somebody who writes and the desk, as far as it may be mails that go round."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from mailgate.core.loops import LONGEST, Before, Exchange
from mailgate.store import events
from mailgate.store.connection import Connection
from mailgate.store.times import moment, stamp

_HOUR = timedelta(hours=1)
_MOST_BEFORE = 3
# More than any cap that makes sense; a ticket may be longer.
_MOST = 500


def of(tx: Connection, writer: str, tickets: Iterable[int], now: datetime) -> Exchange:
    """The exchange with an address, and in the tickets that its mail points at."""
    echoes = _echoes(tx, writer, now)
    turns = {ticket: found for ticket in tickets if len(found := _turns(tx, ticket, now)) > 1}
    may_be_told = [*map(str, turns), *([writer] if echoes else [])]
    return Exchange(
        before=_before(tx, writer, now),
        answered=_answered(tx, writer),
        echoes=echoes,
        turns=turns,
        told=events.loops_told(tx, may_be_told, now),
    )


def _before(tx: Connection, writer: str, now: datetime) -> tuple[Before, ...]:
    # Not "and at > :since", which walks through all that somebody ever wrote where nothing of it is so new.
    rows = tx.rows(
        "select subject, text, at from message where author = :writer order by id desc limit :most",
        writer=writer,
        most=_MOST_BEFORE,
    )
    return tuple(Before(row["subject"], row["text"]) for row in rows if row["at"] > stamp(now - _HOUR))


def _answered(tx: Connection, writer: str) -> bool:
    newest = "select sent_at from outbox where recipient = :writer order by id desc limit 1"
    return tx.value(newest, writer=writer) is not None


def _echoes(tx: Connection, writer: str, now: datetime) -> tuple[datetime, ...]:
    rows = tx.rows(
        "select at from message where author = :writer and echo = 1 and at > :since order by at desc limit :most",
        writer=writer,
        since=stamp(now - LONGEST),
        most=_MOST,
    )
    return tuple(moment(row["at"]) for row in rows)


def _turns(tx: Connection, ticket: int, now: datetime) -> tuple[tuple[bool, datetime], ...]:
    """The newest messages that people of both sides see, oldest first; none where they are too few to go round."""
    rows = tx.rows(
        "select role, at from message where ticket = :ticket and automatic = '' and internal = 0 and at > :since"
        " order by id desc limit :most",
        ticket=ticket,
        since=stamp(now - LONGEST),
        most=_MOST,
    )
    return tuple((row["role"] in ("technician", "director"), moment(row["at"])) for row in reversed(rows))
