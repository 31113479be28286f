"""Copies of the whole store: made while others write, read without being touched, put in its place.

A copy is a store with one table more, which says what it is and holds the desk's secret: one file
that has everything, and that a daemon does not take for its own.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlite_utils import Database

from mailgate.errors import Refused, StoreUnavailable
from mailgate.pause import pause
from mailgate.store.connection import Connection, naming_errors
from mailgate.store.times import moment, stamp

# 4 MB at a time, then the disk is somebody else's for a moment.
_PAGES = 1024
_BREATH_SECONDS = 0.005
# How long a verb that is about to end is waited for.
_PATIENCE_SECONDS = 1.0
_SEAL = """
create table backup (
    id integer primary key check (id = 1),
    at text not null,
    version text not null,
    secret blob not null
) strict
"""


@dataclass(frozen=True, slots=True)
class Seal:
    """What a copy says of itself. version: of the program that made it; secret: of reply addresses."""

    at: datetime
    version: str
    secret: bytes


@dataclass(frozen=True, slots=True)
class Numbers:
    """The highest numbers that were given to a ticket and to an entry, 0 before any."""

    ticket: int
    entry: int


def copy(tx: Connection, target: Path, progress: Callable[[int, int], None]) -> None:
    """Write the snapshot of an open `Store.read()` to a new file. progress: gets pages done, and pages.

    Inside a read transaction the steps see one state, whoever commits meanwhile; without it each commit
    would send the copy back to its first page. Nobody waits: writers go on in the write-ahead log.
    """

    def step(_: int, left: int, pages: int) -> None:
        progress(pages - left, pages)
        pause(_BREATH_SECONDS)

    tx.value("select 1 from sqlite_master")  # only the first question takes the snapshot
    with naming_errors(), closing(_plain(target)) as raw:
        # It has no name yet, so nothing has to be undone; it is synced as a whole when it is done.
        raw.execute("pragma journal_mode=off")
        raw.execute("pragma synchronous=off")
        tx.db.conn.backup(raw, pages=_PAGES, progress=step)


def size(tx: Connection) -> int:
    """How many bytes a copy takes."""
    return int(tx.value("pragma page_count")) * int(tx.value("pragma page_size"))


def seal(path: Path, said: Seal) -> None:
    """Say in a copy what it is; it is one file afterwards, without a log beside it."""
    with naming_errors(), closing(_plain(path)) as raw:
        raw.execute("pragma journal_mode=delete")
        raw.execute(_SEAL)
        raw.execute("insert into backup values (1, ?, ?, ?)", (stamp(said.at), said.version, said.secret))


def unseal(path: Path) -> Seal:
    """Take out of a copy what it says of itself: a store as any other is left. Refused for anything else."""
    try:
        with naming_errors(), closing(_plain(path)) as raw:
            at, version, secret = raw.execute("select at, version, secret from backup").fetchone()
            raw.execute("pragma secure_delete=on")
            raw.execute("drop table backup")
            return Seal(moment(at), version, secret)
    except (sqlite3.OperationalError, StoreUnavailable) as error:
        raise Refused("is no backup of mailgate, or it is damaged") from error


@contextmanager
def untouched(path: Path) -> Iterator[Connection]:
    """Read a file that nobody writes, leaving nothing beside it. Refused for one that is damaged."""
    with _naming_damage(), closing(_plain(f"{path.absolute().as_uri()}?mode=ro&immutable=1")) as raw:
        yield Connection(Database(raw, execute_plugins=False))


@contextmanager
def set_still(path: Path) -> Iterator[Connection | None]:
    """Fold the log of a store into its file and keep everybody out; None for one that is damaged, or not there.

    Raises StoreUnavailable while somebody uses it.
    """
    with contextlib.ExitStack() as stack:
        raw = stack.enter_context(closing(_plain(path, _PATIENCE_SECONDS))) if path.exists() else None
        if raw is None or not _folded(raw):
            yield None
        else:
            yield Connection(Database(raw, execute_plugins=False))


def numbers(tx: Connection) -> Numbers:
    """The highest numbers of a store, also of one that an earlier version wrote."""
    there = {row["name"] for row in tx.rows("select name from sqlite_master where type = 'table'")}

    def highest(table: str, column: str) -> int:
        return int(tx.value(f"select coalesce(max({column}), 0) from {table}")) if table in there else 0

    return Numbers(
        max(highest("ticket", "id"), highest("restored", "ticket")),
        max(highest("entry", "id"), highest("restored", "entry")),
    )


def note_restore(tx: Connection, made_at: datetime, given: Numbers, now: datetime) -> None:
    """Note in a store that it comes from a backup, and which numbers are taken."""
    tx.run(
        "insert into restored (at, made_at, ticket, entry) values (:now, :made_at, :ticket, :entry)",
        now=stamp(now),
        made_at=stamp(made_at),
        ticket=given.ticket,
        entry=given.entry,
    )


def _folded(raw: sqlite3.Connection) -> bool:
    """Whether the file is whole and ours alone: only then SQLite leaves the write-ahead log."""
    try:
        with naming_errors():
            raw.execute("pragma locking_mode=exclusive")
            raw.execute("pragma journal_mode=delete")
            raw.execute("begin exclusive")
            raw.execute("commit")
    except StoreUnavailable as error:
        if isinstance(error.__cause__, sqlite3.OperationalError):
            raise StoreUnavailable("another program is using the store now") from error
        return False
    return True


def _plain(path: Path | str, patience: float = 0.0) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=patience, isolation_level=None, uri=isinstance(path, str))


@contextmanager
def _naming_damage() -> Iterator[None]:
    try:
        with naming_errors():
            yield
    except (sqlite3.DatabaseError, StoreUnavailable) as error:
        raise Refused(f"is damaged: {error.__cause__ or error}") from error
