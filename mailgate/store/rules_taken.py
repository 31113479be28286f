"""The rules as they were taken up: what was in force when a mail came. They hold no secrets, nor may they."""

from __future__ import annotations

import hashlib
from datetime import datetime

from mailgate.store.connection import Connection
from mailgate.store.times import opt_moment, stamp


def note(tx: Connection, data: str, now: datetime) -> bool:
    """Keep the rules that are taken up now, unless they are the last ones; says whether they are new."""
    digest = hashlib.sha256(data.encode()).hexdigest()
    if tx.value("select digest from rules_taken order by id desc limit 1") == digest:
        return False
    tx.run(
        "insert into rules_taken (at, digest, data) values (:now, :digest, :data)",
        now=stamp(now),
        digest=digest,
        data=data,
    )
    return True


def in_force(tx: Connection, at: datetime) -> int | None:
    """The number of the rules that were in force then, of the oldest known for a time before; None for none."""
    found = tx.value("select id from rules_taken where at <= :at order by id desc limit 1", at=stamp(at))
    number: int | None = found or tx.value("select id from rules_taken order by id limit 1")
    return number


def newest(tx: Connection) -> int | None:
    """The number of the rules that were taken up last; None for none."""
    number: int | None = tx.value("select id from rules_taken order by id desc limit 1")
    return number


def first_at(tx: Connection) -> datetime | None:
    """When rules were taken up for the first time, which is when the desk began; None where none were."""
    return opt_moment(tx.value("select at from rules_taken order by id limit 1"))


def get(tx: Connection, number: int) -> str:
    """The rules of a number: all files merged, as JSON."""
    return str(tx.value("select data from rules_taken where id = :number", number=number))
