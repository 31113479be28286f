"""A clock that was ahead and is put right leaves nothing to wait for as long as it was ahead."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mailgate.core import retry
from mailgate.core.mail import Envelope, Notice
from mailgate.edges import clockwork
from mailgate.service.jobs import clock
from mailgate.store import journal, outbox
from tests.running import running_desk, started
from tests.servers import eventually
from tests.stored import StoredDesk, stored_desk
from tests.support import NOW, written

AHEAD = NOW + timedelta(days=400)
MOMENT = timedelta(seconds=1)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[StoredDesk]:
    with stored_desk(tmp_path) as opened:
        yield opened


def _put_right(desk: StoredDesk) -> int:
    with desk.store.write() as tx:
        return clock.run(tx, desk.office, NOW)


def _due(desk: StoredDesk) -> list[int]:
    with desk.store.write() as tx:
        return [mail.id for mail in outbox.claim_due(tx, NOW, NOW + MOMENT, 100)]


def _post(desk: StoredDesk, cause: str, at: datetime = NOW) -> int:
    values = {"name": "audit", "about": "", "since": NOW, "until": NOW}
    desk.post(Notice("all_clear", "admin@example.es", "es", values=values), cause, at)
    return desk.mails()[-1].id


def test_mail_that_was_queued_under_a_clock_ahead_goes_out(desk: StoredDesk) -> None:
    ahead = _post(desk, "a", AHEAD)
    assert _due(desk) == []
    assert _put_right(desk) == 1
    assert _due(desk) == [ahead]
    assert _put_right(desk) == 0


def test_it_goes_out_while_the_date_is_in_doubt_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is put right from a day behind looks like one that leaps ahead."""
    with running_desk(tmp_path) as desk:
        desk.send(written(), "ana@acme.example")
        mails = len(desk.wait_for(2))
    with closing(sqlite3.connect(desk.data / "mailgate.db")) as store, store:
        store.execute("update outbox set state = 'queued', tries = 1, next_try_at = '2099-01-01T00:00:00.000000Z'")
    monkeypatch.setattr(clockwork, "_LEAP_SECONDS", -1.0)  # whoever asks finds that it has just leapt
    with started(desk):
        eventually(lambda: desk.count("outbox where state = 'sent'") == mails)


def test_mail_that_was_tried_under_a_clock_ahead_is_tried_again_and_one_that_waits_its_turn_waits(
    desk: StoredDesk,
) -> None:
    ahead, waits = _post(desk, "a"), _post(desk, "b")
    with desk.store.write() as tx:
        outbox.mark_failed(tx, ahead, "451", AHEAD + timedelta(minutes=5))
        outbox.mark_failed(tx, waits, "451", NOW + retry.LONGEST)
    assert _put_right(desk) == 1
    assert _due(desk) == [ahead]


def test_message_that_waits_for_the_dns_under_a_clock_ahead_is_looked_at_again(desk: StoredDesk) -> None:
    with desk.store.write() as tx:
        number = journal.take(tx, written(), Envelope("imap"), AHEAD)
        journal.postpone(tx, number, AHEAD + timedelta(minutes=10), "ana@acme.example", tried=True)
    assert _put_right(desk) == 1
    with desk.store.read() as tx:
        assert [kept.id for kept in journal.waiting(tx, 10, NOW)] == [number]
