"""One open connection to the store: how it is opened, how statements run, how errors are named.

The SQL of this package keeps to what SQLite and PostgreSQL both speak, with `:name` parameters.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from mailgate.errors import StoreUnavailable
from mailgate.store.keyring import Keyring

Row = dict[str, Any]

_PASSING = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
}
# SQLite's own words name neither the file nor what a person could look at.
_WHY = {
    sqlite3.SQLITE_IOERR: "; does the disk fail, or has it become read-only?",
    sqlite3.SQLITE_READONLY: "; is the disk read-only, or may this user not write the data folder?",
    sqlite3.SQLITE_CANTOPEN: "; are its rights wrong, or are there no file handles left?",
}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class Connection:
    """Runs statements; belongs to one thread. Rows are dicts of column name to value.

    keyring: for what is sealed in it; of one without keys no mail is read or kept.
    """

    def __init__(self, db: Database, keyring: Keyring | None = None) -> None:
        self.db = db
        self.keyring = keyring or Keyring()

    def rows(self, sql: str, **params: object) -> list[Row]:
        """All rows of a query."""
        cursor = self.db.conn.execute(sql, params)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, values, strict=True)) for values in cursor]

    def row(self, sql: str, **params: object) -> Row | None:
        """The first row of a query, None where there is none."""
        rows = self.rows(sql, **params)
        return rows[0] if rows else None

    def value(self, sql: str, **params: object) -> Any:
        """The first column of the first row, None where there is none."""
        found = self.db.conn.execute(sql, params).fetchone()
        return found[0] if found else None

    def run(self, sql: str, **params: object) -> int:
        """Carry a statement out and say how many rows it changed."""
        return self.db.conn.execute(sql, params).rowcount

    @property
    def file(self) -> str:
        """The file of the store."""
        return str(self.value("select file from pragma_database_list where name = 'main'"))

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """What fails inside is undone alone; the transaction around it goes on.

        Not `Database.atomic()`: its random names make every savepoint two new statements to compile.
        """
        raw = self.db.conn
        raw.execute("savepoint part")
        try:
            yield
        except BaseException:
            if raw.in_transaction:  # else the failure (a full disk, say) ended the whole transaction
                raw.execute("rollback to part")
                raw.execute("release part")
            raise
        raw.execute("release part")


# The log is folded into the file every 16 MB: in a big store each message touches pages all over the
# indexes, and folding every 4 MB, the default, writes most of them again and again. What undoes a
# savepoint is kept in memory: in a file, the default, it would be half of all that is written. What is
# removed is overwritten: it is gone from the file, not only from the tables. A dozen threads read, each with a
# connection of its own, and what one has read it keeps: half a megabyte at most, and the one that writes two.
WRITERS_CACHE = "cache_size=-2000"
_PRAGMAS = (
    "journal_mode=wal",
    "synchronous=full",
    "foreign_keys=on",
    "trusted_schema=off",
    "temp_store=memory",
    "secure_delete=on",
    "wal_autocheckpoint=4000",
    "cache_size=-500",
)


def connect(path: Path, keyring: Keyring | None = None, busy_seconds: float = 5.0) -> Connection:
    """Open the store with the settings that its promises need.

    WAL lets readers go on beside the writer; `synchronous=full` is what makes a commit reach the
    disk (with `normal` a commit in WAL mode does not sync at all). The driver's own transaction
    handling is off: we say BEGIN IMMEDIATE, COMMIT and ROLLBACK ourselves.

    Who waited here while a backup was restored has the file from before, and is told to come again.
    """
    before = _file_of(path)
    with naming_errors():
        raw = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
        for pragma in _PRAGMAS:
            raw.execute(f"pragma {pragma}")
        if before and _file_of(path) != before:
            raw.close()
            raise StoreUnavailable("the store was restored at this very moment")
        return Connection(Database(raw, execute_plugins=False), keyring)


def _file_of(path: Path) -> int | None:
    return path.stat().st_ino if path.exists() else None


@contextmanager
def naming_errors() -> Iterator[None]:
    """Turn what is no fault of a message (locked, full, read-only, damaged) into `StoreUnavailable`."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _PASSING:
            raise StoreUnavailable(f"the store cannot be used now: {error}{_WHY.get(code, '')}") from error
        if code in _DAMAGED:
            raise StoreUnavailable(f"the store is damaged, restore a backup: {error}") from error
        raise


@contextmanager
def transaction(connection: Connection) -> Iterator[Connection]:
    """BEGIN IMMEDIATE ... COMMIT; on any exception everything is undone.

    Immediate, because we read and then write: a deferred transaction fails at its first write,
    whatever the timeout, when another connection wrote in between (SQLITE_BUSY_SNAPSHOT).
    """
    with naming_errors():
        raw = connection.db.conn
        raw.execute("begin immediate")
        try:
            yield connection
            raw.execute("commit")
        except BaseException:
            if raw.in_transaction:
                raw.execute("rollback")
            raise
