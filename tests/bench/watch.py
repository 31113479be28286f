"""Look at the store from outside while the daemon works: read-only, in short transactions."""

from __future__ import annotations

import bisect
import contextlib
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any, Self

_STEP = 0.002


def ask(database: Path, sql: str) -> list[tuple[Any, ...]]:
    """The rows of one query."""
    with contextlib.closing(_opened(database)) as store:
        return store.execute(sql).fetchall()


def _opened(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{database}?mode=ro", uri=True, check_same_thread=False, isolation_level=None)


class Watch:
    """Notes when rows of the outbox became visible, and when nothing waited any more.

    The clock is time.monotonic(); it is looked at every two milliseconds.
    """

    def __init__(self, database: Path) -> None:
        self._store = _opened(database)
        self._ended = threading.Event()
        self._seen: list[tuple[int, float]] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._ended.set()
        self._thread.join()
        self._store.close()

    def _run(self) -> None:
        last = -1
        while not self._ended.is_set():
            newest = self._value("select coalesce(max(id), 0) from outbox")
            if newest != last:
                last = newest
                self._seen.append((newest, time.monotonic()))
            time.sleep(_STEP)

    def _value(self, sql: str) -> int:
        return int(self._store.execute(sql).fetchone()[0])

    def appeared(self, outbox: int) -> float:
        """When this row of the outbox was there for others to see."""
        return self._seen[bisect.bisect_left(self._seen, (outbox, 0.0))][1]

    @property
    def first(self) -> int:
        """The newest row of the outbox when the watch began."""
        return self._seen[0][0]


def await_processed(database: Path, journal: int, seconds: float = 600) -> float:
    """Wait until the message of this number is in the journal and none waits; gives the time."""
    with contextlib.closing(_opened(database)) as store:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            newest, waiting = store.execute(
                "select coalesce(max(id), 0), exists (select 1 from journal where state = 'taken' and retry_at is null)"
                " or exists (select 1 from journal where state = 'taken' and retry_at is not null) from journal"
            ).fetchone()
            if newest >= journal and not waiting:
                return time.monotonic()
            time.sleep(_STEP)
    raise SystemExit("the desk did not finish in time")
