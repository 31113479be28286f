"""The thread that processes what was taken."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial

from mailgate.core.mail import Mail
from mailgate.core.model import Outcome
from mailgate.core.plan import Plan
from mailgate.errors import StoreUnavailable, of_the_machine
from mailgate.service import parsing
from mailgate.service.office import Office
from mailgate.service.process import FAILED, process, quarantine_failed
from mailgate.service.proving import Checks, Proving
from mailgate.service.take import Clock, utc_now
from mailgate.store import Connection, Store, journal
from mailgate.store.journal import Kept
from mailgate.store.writer import Writer

log = logging.getLogger("mailgate.process")

_Broken = tuple[Kept, Exception]

# As many as share a commit without keeping peers waiting for theirs; a quarter of what is let in, see `take`.
_BATCH = 7
# A message that ended the process this often while it was processed alone is not tried again. Who kills the desk again
# and again as it starts must not look like a message that does: every second kill may fall into the first one.
_MOST_TRIES = 10
_POLL_SECONDS = 1.0
_PAUSE_SECONDS = 1.0


class _Behind(Exception):
    """What was handed over before could not be done, so that this must not be done yet."""


class _Batch:
    """What is handed to the writer together: all of it is done, or nothing.

    messages: with what is known of their senders. broken: those that our code could not read. last: the highest
    number of what was looked at for it, 0 for nothing.
    """

    def __init__(
        self, messages: Sequence[tuple[Kept, Mail]] = (), broken: Sequence[_Broken] = (), last: int = 0
    ) -> None:
        self.messages = messages
        self.broken = broken
        self.last = last
        self._failed = False
        self._done: Future[list[Plan | None]] | None = None

    def hand_over(self, writer: Writer, before: _Batch, job: Callable[[Connection], list[Plan | None]]) -> None:
        """Have the writer do it, unless it cannot do what comes before."""

        def mine(tx: Connection) -> list[Plan | None]:
            try:
                if before.has_failed:
                    raise _Behind
                return job(tx)
            except BaseException:
                self._failed = True
                raise

        if self.messages:
            self._done = writer.submit(mine)

    @property
    def has_failed(self) -> bool:
        """Whether it is known that it could not be done."""
        return self._failed or (self._done is not None and self._done.done() and self._done.exception() is not None)

    @property
    def numbers(self) -> frozenset[int]:
        """Of its messages in the journal."""
        return frozenset(kept.id for kept, _ in (*self.messages, *self.broken))

    def plans(self) -> list[Plan | None]:
        """What was decided, once it is done. Raises what prevented it."""
        return self._done.result() if self._done else []


class Processor:
    """The thread that processes what is taken, oldest first, until it is stopped.

    It asks the store what waits, so that nothing is forgotten whoever took it, and whatever ended
    the process before. office: gives the rules in force; processed: called after each batch,
    with the number of its last message. checks: finds out who can have sent a message.
    """

    def __init__(
        self,
        store: Store,
        writer: Writer,
        office: Callable[[], Office],
        processed: Callable[[int], None],
        checks: Checks,
        clock: Clock = utc_now,
    ) -> None:
        self._store = store
        self._writer = writer
        self._office = office
        self._processed = processed
        self._clock = clock
        self._wake = threading.Event()
        self._proving = Proving(store, writer, checks, self._wake.set)
        self._reader = parsing.reader()
        self._under_way = _Batch()
        self._stopping = False
        self._moved = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="processor", daemon=True)

    def start(self) -> None:
        """First what an earlier process left behind, one by one, then what comes."""
        self._thread.start()

    def wake(self) -> None:
        """Something was taken."""
        self._wake.set()

    def stands_still(self, seconds: float) -> bool:
        """Whether nothing has moved for so long: idle it looks every second."""
        return not self._thread.is_alive() or time.monotonic() - self._moved > seconds

    @property
    def is_busy(self) -> bool:
        """Whether much mail comes in. For any thread."""
        return self._reader.is_busy

    def stop(self) -> None:
        """Finish the batch under way, then end."""
        self._stopping = True
        self._wake.set()
        self._thread.join()
        self._proving.stop()
        self._reader.stop()
        parsing.stop()

    def _run(self) -> None:
        self._surely(self._process_left_behind)
        while not self._stopping:
            if not self._surely(self._process_waiting):
                self._wake.wait(_POLL_SECONDS)
                self._wake.clear()
        self._surely(self._finish_last)

    def _surely(self, step: Callable[[], bool]) -> bool:
        """A step; a store that cannot be used now is waited for, and nothing ends the thread."""
        try:
            return step()
        except StoreUnavailable as error:
            log.warning("%s", error)
        except Exception:
            log.exception("processing stopped short; trying again")
        self._wake.wait(_PAUSE_SECONDS)
        return False

    def _process_left_behind(self) -> bool:
        """What was taken and not processed may be what ended the process: one at a time, counted."""
        with self._store.read() as tx:
            last = journal.newest(tx)
        wait = True  # until the DNS fails once: else all that was left would wait for it, one after the other
        while not self._stopping:
            left = self._waiting(1)
            if not left or left[0].id > last:
                return False
            kept = left[0]
            self._writer.submit(partial(journal.begin_alone, journal=kept.id)).result()
            if kept.tries >= _MOST_TRIES:
                self._quarantine(kept, f"processing ended the program {kept.tries} times", "")
            elif (mail := self._proven(kept, self._read(kept), wait=wait)) is not None:
                self._process_alone(kept, mail)
            else:
                wait = False
            self._processed(kept.id)
        return False

    def _process_waiting(self) -> bool:
        """Whether there was anything to do. While the writer is at one batch, the next one is read.

        What cannot be done holds up what comes after it: that is dropped, and read again in its turn.
        """
        before = self._under_way
        try:
            self._under_way = self._hand_over(before)
            done = self._finish(before)
        except BaseException:
            self._under_way = _Batch()
            raise
        if not done:
            self._under_way = _Batch()
        return bool(before.last or self._under_way.last)

    def _finish_last(self) -> bool:
        return self._finish(self._under_way)

    def _hand_over(self, before: _Batch) -> _Batch:
        """All are read before any is handed over, so that they share a commit, and the two threads take turns."""
        ready = self._proving.finished(self._office().desk, self._clock())
        waiting = self._waiting(_BATCH)
        mails = self._reader.read([(kept.raw, kept.envelope) for kept in waiting])
        for kept, mail in zip(waiting, mails, strict=True):
            if (proven := self._proven(kept, mail)) is not None:
                ready.append((kept.emptied(), proven))
        last = max((kept.id for kept in (*waiting, *(kept for kept, _ in ready))), default=0)
        broken = [(kept, mail) for kept, mail in ready if isinstance(mail, Exception)]
        messages = [(kept, mail) for kept, mail in ready if not isinstance(mail, Exception)]
        batch = _Batch(messages, broken, last)
        office, now = self._office(), self._clock()
        batch.hand_over(
            self._writer, before, lambda tx: [process(tx, kept, mail, office, now) for kept, mail in messages]
        )
        return batch

    def _finish(self, batch: _Batch) -> bool:
        """Whether all went through; where one message makes the program fail, each is done for itself."""
        for kept, error in batch.broken:
            self._fails(kept, error)
        try:
            plans = batch.plans()
        except StoreUnavailable:
            raise
        except _Behind:
            return False
        except Exception:  # noqa: BLE001 - whose fault it is shows one by one
            for kept, mail in batch.messages:
                self._process_alone(kept, mail)
            self._processed(batch.last)
            return False
        for (kept, _), plan in zip(batch.messages, plans, strict=True):
            _tell(kept, plan)
        if batch.last:
            self._processed(batch.last)
        return True

    def _process_alone(self, kept: Kept, mail: Mail | Exception) -> None:
        office, now = self._office(), self._clock()
        try:
            if isinstance(mail, Exception):
                raise mail
            plan = self._writer.submit(lambda tx: process(tx, kept, mail, office, now)).result()
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one mail must not stop the rest
            self._fails(kept, error)
        else:
            _tell(kept, plan)

    def _waiting(self, most: int) -> list[Kept]:
        besides = self._proving.under_way | self._under_way.numbers
        while True:
            self._moved = time.monotonic()
            try:
                with self._store.read() as tx:
                    return journal.waiting(tx, most, self._clock(), besides)
            except journal.UnreadableError as error:  # it alone goes to quarantine, else it would hold up all others
                self._fails(error.kept, error)

    def _read(self, kept: Kept) -> Mail | Exception:
        return self._reader.read([(kept.raw, kept.envelope)])[0]

    def _proven(self, kept: Kept, mail: Mail | Exception, *, wait: bool = False) -> Mail | Exception | None:
        """The mail with what proves its sender; None where that is not known yet: then it is not its turn."""
        self._moved = time.monotonic()
        try:
            if isinstance(mail, Exception):
                raise mail
            return self._proving.proven(kept, mail, self._office().desk, self._clock(), wait=wait)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one mail must not stop the rest
            _wait_for_the_machine(error)
            return error

    def _fails(self, kept: Kept, error: Exception) -> None:
        _wait_for_the_machine(error)
        log.error("message %d made the program fail", kept.id, exc_info=error)
        self._quarantine(kept, FAILED, "".join(traceback.format_exception(error)))

    def _quarantine(self, kept: Kept, reason: str, detail: str) -> None:
        now = self._clock()
        self._writer.submit(lambda tx: quarantine_failed(tx, kept, now, reason, detail)).result()
        _log_outcome(kept, Outcome.QUARANTINE)


def _tell(kept: Kept, plan: Plan | None) -> None:
    if plan is not None:
        _log_outcome(kept, plan.outcome, plan.ticket.id if plan.ticket else None, plan.mail.message_id)


def _log_outcome(kept: Kept, outcome: Outcome | None, ticket: int | None = None, message_id: str | None = None) -> None:
    """The one line of a message: by which road it came, and what became of it."""
    more = {"journal": kept.id, "road": kept.envelope.source, "outcome": outcome, "ticket": ticket}
    log.info("message %d: %s", kept.id, outcome, extra={**more, "message_id": message_id})


def _wait_for_the_machine(error: Exception) -> None:
    """Have a message wait that failed for want of handles, memory or room, as it would for the store."""
    if of_the_machine(error):
        raise StoreUnavailable(f"a message cannot be processed now: {error}") from error
