"""Pollers over a real mailbox, and an inbox that a test can look into."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from mailgate.core.mail import Envelope
from mailgate.core.mailbox import Left, Sighting, Uid, mailbox_name
from mailgate.edges.imap import Poller
from tests.servers import PASSWORD, USER, Dovecot

SEEN, FLAGGED, DELETED = rb"\Seen", rb"\Flagged", rb"\Deleted"
MAX_SIZE = 2_000_000


def mail(number: int = 1, size: int = 0) -> bytes:
    return b"From: ana@acme.example\r\nSubject: Mail %d\r\n\r\nHola.\r\n" % number + b"x" * size


@dataclass(frozen=True)
class Settings:
    """One `[[imap]]` as the rules give it."""

    port: int
    host: str = "127.0.0.1"
    tls: Literal["none", "starttls", "implicit"] = "none"
    user: str = USER
    folder: str = "INBOX"
    after: str = "seen"
    poll: int = 300
    since: timedelta = timedelta(days=1)
    oauth2: None = None

    @property
    def name(self) -> str:
        return mailbox_name(self.host, self.user, self.folder)


@dataclass
class Memory:
    """An inbox that keeps in memory what the store keeps on disk; it outlives pollers.

    before_take may raise, as a store does; after_take runs once the message is safe.
    """

    mails: dict[Uid, bytes] = field(default_factory=dict)
    order: list[Uid] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    settled: list[Uid] = field(default_factory=list)
    skipped: dict[Uid, Left] = field(default_factory=dict)
    restoring: timedelta = timedelta(days=1)
    left: int = 0
    sightings: dict[tuple[str, int], Sighting] = field(default_factory=dict)
    noted: list[str] = field(default_factory=list)
    before_take: Callable[[Uid], object] = lambda _: None
    after_take: Callable[[Uid], object] = lambda _: None

    def take(self, raw: bytes, envelope: Envelope, uid: Uid) -> int:
        self.before_take(uid)
        assert uid not in self.mails, "taken twice"
        self.mails[uid] = raw
        self.order.append(uid)
        self.envelopes.append(envelope)
        self.after_take(uid)
        return len(self.order)

    def last_uid(self, mailbox: str, uidvalidity: int) -> int:
        known = [*self.mails, *self.skipped]
        return max((u.uid for u in known if (u.mailbox, u.uidvalidity) == (mailbox, uidvalidity)), default=0)

    def unsettled(self, mailbox: str, uidvalidity: int) -> list[int]:
        return [
            u.uid for u in self.mails if (u.mailbox, u.uidvalidity) == (mailbox, uidvalidity) and u not in self.settled
        ]

    def settle(self, mailbox: str, uidvalidity: int, uids: list[int]) -> None:
        self.settled += [Uid(mailbox, uidvalidity, uid) for uid in uids]

    def failed(self, mailbox: str, error: str) -> None:
        self.noted.append(error)

    def reached(self, mailbox: str) -> None:
        self.noted.append("")

    def skip(self, uid: Uid, left: Left) -> None:
        self.skipped[uid] = left

    def sighting(self, mailbox: str, uidvalidity: int) -> Sighting | None:
        return self.sightings.get((mailbox, uidvalidity))

    def first_sight(self, mailbox: str, uidvalidity: int, span: timedelta) -> Sighting:
        now = datetime.now(UTC)
        anew = any(name == mailbox for name, _ in self.sightings)
        return Sighting(uidvalidity, 0, now - span, now + self.restoring, anew=anew)

    def sight(self, mailbox: str, sighting: Sighting) -> None:
        self.sightings[mailbox, sighting.uidvalidity] = replace(sighting, left=0)
        self.left += sighting.left

    def has(self, taken: int, settled: int | None = None) -> bool:
        return len(self.order) == taken and len(self.settled) == (taken if settled is None else settled)


class Desk:
    """Pollers over one Dovecot; all are stopped when the test ends."""

    def __init__(self, server: Dovecot) -> None:
        self.server = server
        self.pollers: list[Poller] = []

    def poll(self, inbox: Memory, settings: Settings | None = None, max_size: int = MAX_SIZE) -> Poller:
        poller = Poller(settings or self.settings(), PASSWORD, inbox, max_size)
        self.pollers.append(poller)
        poller.start()
        return poller

    def settings(self, **changes: object) -> Settings:
        return replace(Settings(self.server.port, user=self.server.user), **changes)  # type: ignore[arg-type]

    def close(self) -> None:
        for poller in self.pollers:
            poller.stop()


@contextmanager
def desk_at(server: Dovecot) -> Iterator[Desk]:
    desk = Desk(server)
    try:
        yield desk
    finally:
        desk.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("imap ")]
