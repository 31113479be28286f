"""What a message waits for instead of going to quarantine, with the real thread and a real store."""

from __future__ import annotations

import contextlib
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mailgate.core.mail import Envelope, Mail
from mailgate.core.plan import Plan
from mailgate.edges.verify import Verifier
from mailgate.errors import StoreUnavailable
from mailgate.service import parsing
from mailgate.service import processor as module
from mailgate.service.process import process
from mailgate.service.processor import Processor, _Batch
from mailgate.store import Connection, journal, quarantine
from mailgate.store.journal import Kept
from mailgate.store.writer import Writer
from tests.servers import eventually
from tests.stored import StoredDesk, damage, stored_desk
from tests.support import NOW, written


@contextmanager
def _no_file_handles() -> Iterator[None]:
    """This process keeps those that it has, and gets no more."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@contextmanager
def _processing(stored: StoredDesk) -> Iterator[Processor]:
    writer = Writer(stored.store)
    checks = Verifier(lambda: stored.office.desk.rules.trust)
    processor = Processor(stored.store, writer, lambda: stored.office, lambda last: None, checks, lambda: NOW)
    processor.start()
    try:
        yield processor
    finally:
        processor.stop()
        writer.close()


def _taken(stored: StoredDesk, raw: bytes) -> int:
    with stored.store.write() as tx:
        return journal.take(tx, raw, Envelope("inject"), NOW)


def _waiting(stored: StoredDesk) -> list[int]:
    with stored.store.read() as tx:
        return [kept.id for kept in journal.waiting(tx, 10, NOW)]


def _quarantined(stored: StoredDesk) -> int:
    with stored.store.read() as tx:
        return quarantine.backlog(tx).count


@pytest.mark.slow
def test_message_that_finds_no_file_handle_waits_and_is_processed_when_there_is_one(tmp_path: Path) -> None:
    with stored_desk(tmp_path) as stored, _processing(stored) as processor:
        _taken(stored, written())  # with the first one both threads open the store
        processor.wake()
        eventually(lambda: not _waiting(stored))
        dear = written(text="Una línea de un registro\n" * 30_000, message_id="<m2@acme.example>")
        with _no_file_handles():
            number = _taken(stored, dear)  # to be read in a process of its own, which takes handles
            processor.wake()
            time.sleep(1.5)
            assert _waiting(stored) == [number]
            assert _quarantined(stored) == 0
        eventually(lambda: not _waiting(stored))
        assert _quarantined(stored) == 0


def test_log_has_one_line_of_what_became_of_each_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(tx: Connection, kept: Kept, mail: Mail, *rest: Any) -> Plan | None:
        if kept.id == 3:
            raise LookupError("a fault of ours")
        return process(tx, kept, mail, *rest)

    monkeypatch.setattr(module, "process", fails)
    caplog.set_level("INFO", "mailgate.process")
    with stored_desk(tmp_path) as stored:
        for number in (1, 1, 3, 4):  # a mail, the same once more, one that fails, one that ended the program before
            _taken(stored, written(message_id=f"<m{number}@acme.example>"))
        with stored.store.write() as tx:
            tx.run("update journal set tries = 99 where id = 4")
        with _processing(stored):
            eventually(lambda: not _waiting(stored))
    told = [vars(record) for record in caplog.records if hasattr(record, "outcome")]
    assert [(one["journal"], one["road"], one["outcome"], one["ticket"]) for one in told] == [
        (1, "inject", "open", 1),
        (2, "inject", "repeat", None),
        (3, "inject", "quarantine", None),
        (4, "inject", "quarantine", None),
    ]
    assert told[0]["message_id"] == "m1@acme.example"


def _order(stored: StoredDesk) -> list[int]:
    """Numbers in the journal of the messages that were kept, in the order in which they were."""
    with stored.store.read() as tx:
        found = tx.rows("select j.id from journal j join message m on m.id = j.message order by m.id")
        return [row["id"] for row in found]


def _take_many(stored: StoredDesk, count: int) -> None:
    with stored.store.write() as tx:
        for number in range(1, count + 1):
            journal.take(tx, written(message_id=f"<m{number}@acme.example>"), Envelope("inject"), NOW)


@pytest.mark.slow
@pytest.mark.parametrize("bad", [1, 7, 20, 21, 40])
def test_message_that_makes_the_program_fail_is_quarantined_alone_and_the_others_keep_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: int
) -> None:
    def fails(tx: Connection, kept: Kept, mail: Mail, *rest: Any) -> Plan | None:
        if kept.id == bad:
            raise LookupError("a fault of ours")
        return process(tx, kept, mail, *rest)

    monkeypatch.setattr(module, "process", fails)
    with stored_desk(tmp_path) as stored:
        with _processing(stored):  # what is there when it starts is done one by one
            eventually(lambda: not _waiting(stored))
            _take_many(stored, 45)
            eventually(lambda: not _waiting(stored))
        with stored.store.read() as tx:
            quarantined = tx.rows("select id from journal where outcome = 'quarantine'")
        order = _order(stored)
    assert quarantined == [{"id": bad}]
    assert order == [number for number in range(1, 46) if number != bad]


@pytest.mark.slow
def test_store_that_cannot_be_written_for_a_moment_changes_no_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of several batches fails once, when the next may be in the writer's hands already."""
    failed = []

    def fails_once(tx: Connection, kept: Kept, mail: Mail, *rest: Any) -> Plan | None:
        if kept.id == 30 and not failed:
            failed.append(kept.id)
            raise StoreUnavailable("the disk is full")
        return process(tx, kept, mail, *rest)

    monkeypatch.setattr(module, "process", fails_once)
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.01)
    with stored_desk(tmp_path) as stored:
        with _processing(stored):
            eventually(lambda: not _waiting(stored))
            _take_many(stored, 100)
            eventually(lambda: not _waiting(stored))
        order = _order(stored)
    assert failed == [30]
    assert order == list(range(1, 101))


def test_what_comes_after_a_batch_that_failed_is_not_done_before_it(tmp_path: Path) -> None:
    done = []
    with stored_desk(tmp_path) as stored:
        writer = Writer(stored.store)
        first, second, third = (_Batch([(number, number)]) for number in range(3))  # type: ignore[list-item]
        first.hand_over(writer, _Batch(), lambda tx: 1 / 0)
        second.hand_over(writer, first, lambda tx: done.append(2))
        third.hand_over(writer, second, lambda tx: done.append(3))
        writer.close()
    with pytest.raises(ZeroDivisionError):
        first.plans()
    assert second.has_failed
    assert third.has_failed
    assert done == []


def test_message_that_our_code_cannot_read_is_tried_and_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried: list[bytes] = []

    def fails(raw: bytes, envelope: Envelope) -> Mail:
        tried.append(raw)
        raise LookupError("a fault of ours")

    monkeypatch.setattr(parsing, "parse", fails)
    with stored_desk(tmp_path) as stored:
        with _processing(stored):
            eventually(lambda: not _waiting(stored))
            _take_many(stored, 1)
            eventually(lambda: not _waiting(stored))
        assert _quarantined(stored) == 1
    assert len(tried) == 1
    assert caplog.text.count("message 1 made the program fail") == 1


@pytest.mark.parametrize("left_behind", [False, True])
def test_message_whose_bytes_are_damaged_is_quarantined_alone(tmp_path: Path, left_behind: bool) -> None:
    with stored_desk(tmp_path) as stored:
        with contextlib.ExitStack() as stack:
            processor = None if left_behind else stack.enter_context(_processing(stored))
            with stored.store.write() as tx:
                for number in (1, 2, 3):
                    journal.take(tx, written(message_id=f"<m{number}@acme.example>"), Envelope("inject"), NOW)
                damage(tx, blob=2)
            processor = processor or stack.enter_context(_processing(stored))
            processor.wake()
            eventually(lambda: _order(stored) == [1, 3])
        with stored.store.read() as tx:
            (held,) = quarantine.waiting(tx)
    assert held.journal == 2
    assert "the store is damaged" in held.detail
