"""Take a message in: durable first, everything else later. The same for every road."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime

from mailgate.core.mailbox import Uid
from mailgate.core.model import Envelope
from mailgate.store import journal, mailboxes
from mailgate.store.writer import Writer

Clock = Callable[[], datetime]


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

    def settle(self, mailbox: str, uidvalidity: int, uids: list[int]) -> None:
        """Record that these are flagged, moved or deleted."""
        self._writer.submit(lambda tx: mailboxes.settle(tx, mailbox, uidvalidity, uids)).result()

    def skip(self, uid: Uid, reason: str) -> None:
        """Record a message that stays in the mailbox for good."""
        self._writer.submit(lambda tx: mailboxes.skip(tx, uid, reason)).result()
