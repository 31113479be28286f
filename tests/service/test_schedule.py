"""The jobs of the clock: each whole or not at all, none stopped by another."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime

import pytest

from mailgate.service.office import Office
from mailgate.service.schedule import tick
from mailgate.store import Connection, events
from mailgate.store.writer import Writer
from tests.stored import StoredDesk
from tests.support import NOW


@pytest.fixture
def writer(desk: StoredDesk) -> Iterator[Writer]:
    running = Writer(desk.store)
    yield running
    running.close()


def _notes_the_day(tx: Connection, office: Office, now: datetime) -> int:
    return int(events.record(tx, "day", "", str(office.desk.local_day(now)), now) is not None)


def _fails_half_way(tx: Connection, office: Office, now: datetime) -> int:
    events.record(tx, "day", "", "half", now)
    raise LookupError("no such thing")


JOBS = {"bad": _fails_half_way, "good": _notes_the_day}


def days(desk: StoredDesk) -> frozenset[str]:
    with desk.store.read() as tx:
        return events.happened(tx, "day", "")


def test_job_that_fails_is_undone_alone_and_the_others_go_on(
    desk: StoredDesk, writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    assert tick(writer, desk.office, NOW, JOBS) == {"good": 1}
    assert days(desk) == {"2026-11-03"}
    assert "bad failed" in caplog.text


def test_job_that_had_nothing_to_do_is_not_counted(desk: StoredDesk, writer: Writer) -> None:
    tick(writer, desk.office, NOW, JOBS)
    assert not tick(writer, desk.office, NOW, JOBS)


def test_store_that_cannot_be_used_is_tried_again_by_the_next_tick(
    desk: StoredDesk, writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    writer.submit(lambda tx: tx.run("pragma busy_timeout = 50")).result()
    with closing(sqlite3.connect(desk.store.path, isolation_level=None)) as other:
        other.execute("begin immediate")
        assert not tick(writer, desk.office, NOW, {"good": _notes_the_day})
        other.execute("rollback")
    assert "waits: good: " in caplog.text
    assert tick(writer, desk.office, NOW, {"good": _notes_the_day}) == {"good": 1}
