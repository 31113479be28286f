"""The store: the only place with SQL. One file a subject; functions take an open transaction.

`Store.read()` gives a snapshot, `Store.write()` a transaction; `writer.Writer` groups writes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailgate.store.connection import WRITERS_CACHE, Connection, connect, naming_errors, transaction
from mailgate.store.keyring import Keyring
from mailgate.store.schema import migrate

__all__ = ["STORE", "Connection", "Keyring", "Store"]

STORE = "mailgate.db"
"""The file in a data folder."""


class Store:
    """A file of `data/mailgate.db`, opened and migrated. Each thread has a connection of its own.

    keyring: without one no mail is read or kept; see `service.keys` for the desk's.
    """

    def __init__(self, path: Path, keyring: Keyring | None = None) -> None:
        self.path = path
        self.keyring = keyring or Keyring()
        self._mine = threading.local()
        self._all: list[Connection] = []
        with naming_errors():
            migrate(self._connection())

    def _connection(self) -> Connection:
        if not hasattr(self._mine, "connection"):
            self._mine.connection = connect(self.path, self.keyring)
            self._all.append(self._mine.connection)
        connection: Connection = self._mine.connection
        return connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: all of it is on disk when the block ends, or nothing of it."""
        connection = self._connection()
        if not hasattr(self._mine, "writes"):
            with naming_errors():
                connection.db.conn.execute(f"pragma {WRITERS_CACHE}")
            self._mine.writes = True
        with transaction(connection) as tx:
            yield tx

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A snapshot: what is read inside does not change under the reader."""
        connection = self._connection()
        with naming_errors():
            connection.db.conn.execute("begin")
            try:
                yield connection
            finally:
                connection.db.conn.execute("rollback")

    def empty_log(self) -> bool:
        """Fold the write-ahead log into the file and leave nothing in it; False where a reader needs it still."""
        with naming_errors():
            return not self._connection().value("pragma wal_checkpoint(truncate)")

    def close(self) -> None:
        """Close every connection; the last one folds the write-ahead log into the file."""
        while self._all:
            self._all.pop().db.conn.close()
