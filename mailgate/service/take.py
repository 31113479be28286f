"""Take a message in: durable first, everything else later. The same for every road."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta

from mailgate.core.mail import Envelope
from mailgate.core.mailbox import Left, Sighting, Uid
from mailgate.store import journal, mailboxes
from mailgate.store.writer import Writer

Clock = Callable[[], datetime]

# Messages that are processed within a moment. Four times what the processor does at once: while some are written,
# the next are read, and others come in to share a commit with those; a longer queue makes no more of them a second.
_MOST_WAITING = 28
_LONGEST_PAUSE = 0.3


def utc_now() -> datetime:
    """The time, aware, in UTC."""
    return datetime.now(UTC)


class Intake:
    """Where SMTP, LMTP, IMAP and `inject` hand their messages over.

    taken: called after each commit that holds a new message.
    """

    def __init__(self, writer: Writer, taken: Callable[[], None], clock: Clock = utc_now) -> None:
        self._writer = writer
        self._taken = taken
        self._clock = clock

    def submit(self, raw: bytes, envelope: Envelope, uid: Uid | None = None) -> Future[int]:
        """Take a message; the future has its number in the journal once it is on disk."""
        now = self._clock()
        future = self._writer.submit(lambda tx: journal.take(tx, raw, envelope, now, uid))
        future.add_done_callback(lambda _: self._taken())
        return future

    def take(self, raw: bytes, envelope: Envelope, uid: Uid) -> int:
        """The same for a thread that waits. Raises MailgateError where it cannot be kept now."""
        return self.submit(raw, envelope, uid).result()

    def last_uid(self, mailbox: str, uidvalidity: int) -> int:
        """The highest UID of a mailbox that was taken or skipped, 0 if none."""
        return self._writer.submit(lambda tx: mailboxes.last_uid(tx, mailbox, uidvalidity)).result()

    def unsettled(self, mailbox: str, uidvalidity: int) -> list[int]:
        """UIDs that were taken while the flag or move on the server is not done yet."""
        return self._writer.submit(lambda tx: mailboxes.unsettled(tx, mailbox, uidvalidity)).result()

    def failed(self, mailbox: str, error: str) -> None:
        """Record that a mailbox cannot be read, and why."""
        now = self._clock()
        self._writer.submit(lambda tx: mailboxes.note_failure(tx, mailbox, error, now)).result()

    def reached(self, mailbox: str) -> None:
        """Record that a mailbox can be read (again)."""
        self._writer.submit(lambda tx: mailboxes.note_reached(tx, mailbox)).result()

    def settle(self, mailbox: str, uidvalidity: int, uids: list[int]) -> None:
        """Record that these are flagged, moved or deleted."""
        self._writer.submit(lambda tx: mailboxes.settle(tx, mailbox, uidvalidity, uids)).result()

    def skip(self, uid: Uid, left: Left) -> None:
        """Record a message that stays in the mailbox for good."""
        now = self._clock()
        self._writer.submit(lambda tx: mailboxes.skip(tx, uid, left, now)).result()

    def sighting(self, mailbox: str, uidvalidity: int) -> Sighting | None:
        """What was settled when a folder was first seen; None where it was not yet."""
        return self._writer.submit(lambda tx: mailboxes.sighting(tx, mailbox, uidvalidity)).result()

    def first_sight(self, mailbox: str, uidvalidity: int, span: timedelta) -> Sighting:
        """What is to be settled of a folder that is seen for the first time."""
        now = self._clock()
        return self._writer.submit(lambda tx: mailboxes.first_sight(tx, mailbox, uidvalidity, span, now)).result()

    def sight(self, mailbox: str, sighting: Sighting) -> None:
        """Settle it, or that it reaches further."""
        now = self._clock()
        self._writer.submit(lambda tx: mailboxes.sight(tx, mailbox, sighting, now)).result()


class Pace:
    """Makes peers wait a moment before their message is taken, while many wait to be processed.

    Whoever pours mail in would else have each acknowledgement wait behind all the others. It refuses
    nobody: a pause is short, and there is none while processing does not move. For the event loop.
    """

    def __init__(self) -> None:
        self._waiting: set[int] = set()
        self._entering = 0
        self._settled = 0
        self._moved = asyncio.Event()
        self._stuck = False

    async def take(self, submit: Callable[[], Future[int]]) -> int:
        """Submit a message when there is room for it, or after the pause; gives its number in the journal."""
        await self._room()
        self._entering += 1
        try:
            number = await asyncio.wrap_future(submit())
        finally:
            self._entering -= 1
        if number > self._settled:
            self._waiting.add(number)
        return number

    def settled(self, last: int) -> None:
        """Everything up to this number is processed."""
        self._settled, self._stuck = last, False
        self._waiting = {number for number in self._waiting if number > last}
        self._moved.set()
        self._moved = asyncio.Event()

    async def _room(self) -> None:
        if self._has_room():
            return
        before = self._settled
        try:
            async with asyncio.timeout(_LONGEST_PAUSE):
                while not self._has_room():
                    await self._moved.wait()
        except TimeoutError:
            self._stuck = self._settled == before

    def _has_room(self) -> bool:
        return self._stuck or self._entering + len(self._waiting) < _MOST_WAITING
