"""Which keys the store has sealed with, and how it comes under a new one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from mailgate.store import blobs, vault
from mailgate.store.connection import Connection
from mailgate.store.keyring import CLEAR
from mailgate.store.times import moment, stamp

# Sealed anew in one transaction, so that nobody waits long for it.
_MOST_ROWS = 400


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key that the store has rows under, or may have. lost_at: since when it is known to be gone for good."""

    name: str
    since: datetime
    lost_at: datetime | None = None


def known(tx: Connection) -> list[KnownKey]:
    """The keys that the store has sealed with, oldest first."""
    rows = tx.rows("select name, since, lost_at from sealing_key order by since, name")
    return [
        KnownKey(row["name"], moment(row["since"]), moment(row["lost_at"]) if row["lost_at"] else None) for row in rows
    ]


def note(tx: Connection, names: Iterable[str], now: datetime) -> None:
    """Remember keys, before anything is sealed with them."""
    for name in names:
        tx.run(
            "insert into sealing_key (name, since) values (:name, :now) on conflict (name) do nothing",
            name=name,
            now=stamp(now),
        )


def give_up(tx: Connection, names: Iterable[str], now: datetime) -> None:
    """Note that keys are gone for good, and what was sealed with them."""
    for name in names:
        tx.run("update sealing_key set lost_at = :now where name = :name", name=name, now=stamp(now))


def left(tx: Connection) -> int:
    """How many mails are still in clear or under an older key that is at hand."""
    older = _older(tx, [key.name for key in known(tx) if not key.lost_at])
    return sum(blobs.under(tx, name) + vault.under(tx, name) for name in older)


def seal_anew(tx: Connection) -> int:
    """Put some of what is in clear, or under an older key, under the newest one; how many mails that were.

    A key that nothing is under any more is forgotten: the store does not need it. What is damaged stays under its own.
    """
    keys = [key.name for key in known(tx) if not key.lost_at]
    for name in _older(tx, keys):
        if done := blobs.seal_anew(tx, name, _MOST_ROWS) or vault.seal_anew(tx, name, _MOST_ROWS):
            return done
        if not blobs.under(tx, name) and not vault.under(tx, name):
            tx.run("delete from sealing_key where name = :name", name=name)
    return 0


def _older(tx: Connection, names: Sequence[str]) -> list[str]:
    newest = tx.keyring.newest.name
    at_hand = tx.keyring.names
    return [CLEAR, *(name for name in names if name != newest and name in at_hand)]
