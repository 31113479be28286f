"""How far the clock has gone through something big, in portions, once for each key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mailgate.store.connection import Connection
from mailgate.store.times import opt_moment, opt_stamp


def standing(tx: Connection, name: str, key: str) -> int | None:
    """The number after which to go on, 0 where this walk has not begun; None where it is done."""
    row = tx.row("select key, after from walk where name = :name", name=name)
    after: int | None = row["after"] if row and row["key"] == key else 0
    return after


def key(tx: Connection, name: str) -> str:
    """The key of a walk, "" where there was none."""
    return str(tx.value("select key from walk where name = :name", name=name) or "")


def go_on(tx: Connection, name: str, key: str, after: int | None, removed: int, now: datetime) -> None:
    """Note how far a walk came, None for its end, and what went on this stretch of it."""
    tx.run(
        "insert into walk (name, key, after, done_at, removed) values (:name, :key, :after, :done_at, :removed)"
        " on conflict (name) do update set key = excluded.key, after = excluded.after, done_at = excluded.done_at,"
        " removed = excluded.removed + case when walk.key = excluded.key then walk.removed else 0 end",
        name=name,
        key=key,
        after=after,
        done_at=opt_stamp(now if after is None else None),
        removed=removed,
    )


def done_last(tx: Connection, names: Sequence[str]) -> datetime | None:
    """When the last of these walks was done that were begun; None while one is under way, and before any."""
    rows = [row for name in names if (row := tx.row("select done_at from walk where name = :name", name=name))]
    ended = [opt_moment(row["done_at"]) for row in rows]
    return max((at for at in ended if at), default=None) if None not in ended else None
