"""Messages that had no effect: kept whole, listed with a reason, released or dropped by a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailgate.core.health import Backlog
from mailgate.store.connection import Connection, Row
from mailgate.store.times import moment, opt_moment, stamp


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A message in quarantine. reason: a sentence; detail: a traceback, or "". ticket: what it points at."""

    id: int
    at: datetime
    journal: int
    sender: str
    subject: str
    reason: str
    detail: str
    state: str
    ticket: int | None = None


def add(
    tx: Connection,
    journal: int,
    now: datetime,
    *,
    sender: str,
    subject: str,
    reason: str,
    detail: str = "",
    ticket: int | None = None,
    message_id: str = "",
    digest: str = "",
) -> int:
    """Put a message into quarantine."""
    return int(
        tx.value(
            "insert into quarantine (at, journal, sender, subject, reason, detail, ticket,"
            " message_id, digest) values (:at, :journal, :sender, :subject, :reason, :detail, :ticket,"
            " :message_id, :digest) returning id",
            at=stamp(now),
            journal=journal,
            sender=sender,
            subject=subject,
            reason=reason,
            detail=detail,
            ticket=ticket,
            message_id=message_id,
            digest=digest,
        )
    )


def waiting(tx: Connection) -> list[Quarantined]:
    """What nobody has decided on yet, oldest first."""
    return [_row(row) for row in tx.rows("select * from quarantine where state = 'waiting' order by id")]


def is_waiting(tx: Connection, quarantined: int) -> bool:
    """Whether a message waits for somebody's decision."""
    return bool(tx.value("select 1 from quarantine where id = :id and state = 'waiting'", id=quarantined))


def released(tx: Connection) -> frozenset[int]:
    """The messages of the journal for which a person stood, all there ever were."""
    return frozenset(row["journal"] for row in tx.rows("select journal from quarantine where state = 'released'"))


def newest(tx: Connection) -> int:
    """The number of the message that came last, 0 where there never was one."""
    return int(tx.value("select coalesce(max(id), 0) from quarantine"))


def backlog(tx: Connection) -> Backlog:
    """How many messages wait for somebody's decision, and since when the oldest does."""
    return _backlog(tx, "")


def failures(tx: Connection) -> Backlog:
    """The same of those that our own program failed on."""
    return _backlog(tx, " and detail <> ''")


def _backlog(tx: Connection, which: str) -> Backlog:
    row = tx.row(f"select count(*) as count, min(at) as since from quarantine where state = 'waiting'{which}")
    assert row is not None
    return Backlog(row["count"], opt_moment(row["since"]))


def get(tx: Connection, quarantined: int) -> Quarantined | None:
    """One message in quarantine."""
    row = tx.row("select * from quarantine where id = :id", id=quarantined)
    return _row(row) if row else None


def decide(tx: Connection, quarantined: int, state: str) -> None:
    """Note that a message was "released" or "dropped"."""
    tx.run("update quarantine set state = :state where id = :id", state=state, id=quarantined)


def _row(row: Row) -> Quarantined:
    return Quarantined(
        id=row["id"],
        at=moment(row["at"]),
        journal=row["journal"],
        sender=row["sender"],
        subject=row["subject"],
        reason=row["reason"],
        detail=row["detail"],
        state=row["state"],
        ticket=row["ticket"],
    )
