"""The one thread that writes: jobs share commits, and each is whole or not at all."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

import pytest

from mailgate.errors import StoreUnavailable
from mailgate.service import keys
from mailgate.store import Connection, Store, blobs
from mailgate.store.connection import connect
from mailgate.store.writer import Writer
from tests.store.makes import taken
from tests.support import NOW


def _journal(store: Store) -> list[bytes]:
    with store.read() as tx:
        return [blobs.get(tx, row["id"]) for row in tx.rows("select id from blob order by id")]


class Gate:
    """Holds the writer inside a job, so that what is submitted meanwhile makes one batch."""

    def __init__(self, writer: Writer) -> None:
        self._open, inside = threading.Event(), threading.Event()

        def wait(tx: Connection) -> None:
            inside.set()
            self._open.wait(10)

        self._job = writer.submit(wait)
        assert inside.wait(10)

    def open(self) -> None:
        self._open.set()
        self._job.result(10)


def _keep(writer: Writer, text: str) -> Future[int]:
    return writer.submit(lambda tx: taken(tx, text.encode()))


def _fail(tx: Connection) -> None:
    taken(tx, b"of the job that fails")
    raise ValueError("this job is wrong")


def test_jobs_that_wait_together_share_one_transaction(store: Store, writer: Writer) -> None:
    seen: list[int] = []

    def job(tx: Connection) -> None:
        seen.append(tx.value("select count(*) from journal"))
        taken(tx, f"{len(seen)}".encode())
        with closing(sqlite3.connect(store.path)) as other:
            assert other.execute("select count(*) from journal").fetchone() == (0,)  # not committed yet

    gate = Gate(writer)
    futures = [writer.submit(job) for _ in range(10)]
    gate.open()
    for future in futures:
        future.result(10)
    assert seen == list(range(10))
    assert len(_journal(store)) == 10


def test_result_comes_only_after_the_commit(store: Store, writer: Writer) -> None:
    for number in range(20):
        _keep(writer, f"{number}").result(10)
        with closing(sqlite3.connect(store.path)) as other:
            assert other.execute("select count(*) from journal").fetchone() == (number + 1,)


def test_failing_job_undoes_itself_alone(store: Store, writer: Writer) -> None:
    gate = Gate(writer)
    before, wrong, after = _keep(writer, "before"), writer.submit(_fail), _keep(writer, "after")
    gate.open()
    assert before.result(10) < after.result(10)
    with pytest.raises(ValueError, match="this job is wrong"):
        wrong.result(10)
    assert _journal(store) == [b"before", b"after"]


def test_full_disk_fails_all_of_the_batch_and_nothing_is_kept(store: Store, writer: Writer) -> None:
    _keep(writer, "before").result(10)
    gate = Gate(writer)

    def fills_the_disk(tx: Connection) -> None:
        # What SQLite calls full: no page may be added to the file.
        tx.value(f"pragma max_page_count = {tx.value('pragma page_count')}")
        taken(tx, b"x" * 1_000_000)

    futures = [_keep(writer, "one"), writer.submit(fills_the_disk), _keep(writer, "two")]
    gate.open()
    for future in futures:
        with pytest.raises(StoreUnavailable, match="full"):
            future.result(10)
    assert _journal(store) == [b"before"]
    writer.submit(lambda tx: tx.value("pragma max_page_count = 1000000")).result(10)
    assert _keep(writer, "there is room again").result(10) > 0


def test_locked_store_fails_the_batch_with_what_passes_by_itself(tmp_path: Path) -> None:
    store = keys.opened(tmp_path, NOW)
    store._mine.connection.db.conn.close()
    impatient = _Impatient(tmp_path / "mailgate.db", store.keyring)
    writer = Writer(impatient)
    with closing(sqlite3.connect(store.path, isolation_level=None)) as foreign:
        foreign.execute("begin immediate")
        with pytest.raises(StoreUnavailable, match="locked"):
            _keep(writer, "now").result(10)
        foreign.execute("rollback")
    assert _keep(writer, "later").result(10) == 1
    writer.close()
    impatient.close()


class _Impatient(Store):
    """A store that waits for a lock only for a moment."""

    def _connection(self) -> Connection:
        if not hasattr(self._mine, "connection"):
            self._mine.connection = connect(self.path, self.keyring, busy_seconds=0.1)
            self._all.append(self._mine.connection)
        connection: Connection = self._mine.connection
        return connection


def test_cancelled_job_is_left_out_and_the_writer_goes_on(store: Store, writer: Writer) -> None:
    gate = Gate(writer)
    cancelled, kept = _keep(writer, "cancelled"), _keep(writer, "kept")
    assert cancelled.cancel()
    gate.open()
    assert kept.result(10) == 1
    assert _journal(store) == [b"kept"]


def test_close_finishes_what_was_submitted(tmp_path: Path) -> None:
    store = keys.opened(tmp_path, NOW)
    writer = Writer(store)
    futures = [_keep(writer, f"{number}") for number in range(250)]
    writer.close()
    assert all(future.done() for future in futures)
    assert len(_journal(store)) == 250
    store.close()
