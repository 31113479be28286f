"""The day's work of a whole daemon: caught up with when it starts, beside a gateway that goes on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailgate.core.model import Entry, Kind
from mailgate.store import Store, entries
from tests.running import RunningDesk, running_desk, started
from tests.support import written

pytestmark = pytest.mark.slow


def _bought_long_ago(desk: RunningDesk) -> None:
    at = datetime.now(UTC) - timedelta(days=500)
    store = Store(desk.data / "mailgate.db")
    with store.write() as tx:
        entries.append(tx, Entry(0, "acme", Kind.PURCHASE, 240, at, at.date(), package="4h", price="160.00 EUR"))
    store.close()


def test_daemon_that_was_off_catches_up_when_it_starts_and_only_once(tmp_path: Path) -> None:
    with running_desk(tmp_path) as desk:
        pass
    _bought_long_ago(desk)
    with started(desk):
        first = desk.wait_for(2)
        assert sorted(mail["To"] for mail in first) == ["ana@acme.example", "elena@example.es"]
    with started(desk):
        desk.send(written(), "ana@acme.example")
        assert [mail["To"] for mail in desk.wait_for(2)].count("ana@acme.example") == 1
    assert desk.count("entry where kind = 'expiry'") == 1
    assert desk.count("outbox where template = 'expired'") == 2
    assert desk.count("outbox where template = 'statement'") == 0, "that month is long ago"


def test_daemon_that_finds_its_books_off_takes_messages_all_the_same(tmp_path: Path) -> None:
    with running_desk(tmp_path) as desk:
        desk.send(written(), "ana@acme.example")
        desk.wait_for(2)
    with closing(sqlite3.connect(desk.data / "mailgate.db")) as db, db:
        db.execute("update ticket set closed_at = '2026-11-03T10:00:00.000000Z'")
    with started(desk):
        assert [mail["To"] for mail in desk.wait_for(1)] == ["admin@example.es"]
        desk.send(written(message_id="<m2@acme.example>", subject="Otra cosa"), "ana@acme.example")
        assert len(desk.wait_for(2)) == 2
