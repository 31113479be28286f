"""What a message waits for instead of going to quarantine, with the real thread and a real store."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailgate.core.mail import Envelope
from mailgate.edges.verify import Verifier
from mailgate.service.processor import Processor
from mailgate.store import journal, quarantine
from mailgate.store.writer import Writer
from tests.servers import eventually
from tests.stored import StoredDesk, stored_desk
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
