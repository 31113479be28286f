"""A desk with a real store, in the test's own process: mails go in, rows come out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mailgate.core.desk import Desk
from mailgate.core.mail import Envelope, Notice, Outgoing
from mailgate.core.model import Entry, Kind
from mailgate.core.plan import Plan
from mailgate.render import Renderer
from mailgate.service import keys
from mailgate.service.letters import post
from mailgate.service.office import Office
from mailgate.service.parsing import parse
from mailgate.service.process import process
from mailgate.store import Connection, Store, blobs, entries, journal, outbox
from mailgate.store.outbox import Queued
from tests.support import NOW, desk, written

RENDERER = Renderer()


@dataclass
class StoredDesk:
    """What a test does with it."""

    store: Store
    office: Office

    def take(self, raw: bytes | None = None, at: datetime = NOW) -> Plan:
        """Keep a message and process it, before anybody else can; Ana's new request if none is given."""
        with self.store.write() as tx:
            kept = journal.get(tx, journal.take(tx, raw or written(), Envelope("imap"), at))
            assert kept is not None
            plan = process(tx, kept, parse(kept.raw, kept.envelope), self.office, at)
        assert plan is not None
        return plan

    def post(self, notice: Notice, cause: str, at: datetime = NOW) -> None:
        """Put one mail into the outbox."""
        with self.store.write() as tx:
            post(tx, self.office, [notice], at, cause)

    def queue(self, mail: Outgoing, at: datetime = NOW) -> int:
        """The same for one that is written already."""
        with self.store.write() as tx:
            return outbox.queue(tx, mail, at)

    def book(self, minutes: int, kind: Kind = Kind.PURCHASE, at: datetime = NOW, **values: object) -> int:
        """Add an entry to the ledger of acme, or of the client that is named."""
        given = {"id": 0, "client": "acme", "kind": kind, "minutes": minutes, "at": at}
        given |= {"day": self.office.desk.local_day(at)}
        with self.store.write() as tx:
            return entries.append(tx, Entry(**{**given, **values}))  # type: ignore[arg-type]

    def mails(self) -> list[Queued]:
        """The whole outbox, sent or not, in order."""
        with self.store.read() as tx:
            numbers = [row["id"] for row in tx.rows("select id from outbox order by id")]
            return [row for number in numbers if (row := outbox.get(tx, number))]

    def raws(self) -> list[bytes]:
        """The mails of the outbox as they go out, in order."""
        with self.store.read() as tx:
            return [blobs.get(tx, row["blob"]) for row in tx.rows("select blob from outbox order by id")]


@contextmanager
def stored_desk(folder: Path, of: Desk | None = None) -> Iterator[StoredDesk]:
    store = keys.opened(folder, NOW)
    try:
        yield StoredDesk(store, Office(of or desk(), RENDERER))
    finally:
        store.close()


def damage(tx: Connection, blob: int) -> None:
    """Damage what is sealed, as a bad disk does: SQLite notices nothing."""
    sealed = tx.value("select data from blob where id = :blob", blob=blob)
    tx.run("update blob set data = :data where id = :blob", data=damaged(sealed), blob=blob)


def damaged(sealed: bytes) -> bytes:
    """The bytes with one bit changed."""
    return sealed[:-1] + bytes([sealed[-1] ^ 1])
