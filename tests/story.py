"""A desk that people write to, one mail after the other: mails go in, entries, tickets and mails come out."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any, TypeVar

from mailgate.core.model import Entry, Matter, Ticket
from mailgate.core.plan import Plan
from mailgate.service.audit import audited
from mailgate.store import entries, matters, tickets
from tests.stored import StoredDesk, stored_desk
from tests.support import NOW, desk, reply_address, written

ADDRESSES = {"marta": "marta@example.es", "elena": "elena@example.es", "ana": "ana@acme.example"}


ANA, MARTA, ELENA = ADDRESSES["ana"], ADDRESSES["marta"], ADDRESSES["elena"]
PACKAGES = {240: ("4h", "160.00 EUR"), 2000: ("12h", "420.00 EUR")}


@dataclass
class Story:
    """A desk that people write to, one mail after the other."""

    stored: StoredDesk
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def says(self, who: str, text: str, ticket: int | None = None, at: datetime = NOW, **parts: str) -> Plan:
        address = ADDRESSES.get(who, who)
        given = {
            "sender": f"{who.partition('@')[0].title()} <{address}>",
            "to": reply_address(ticket, address) if ticket else "soporte@example.es",
            "subject": "Re: El carrito" if ticket else "El carrito",
            "message_id": f"<s{next(self.numbers)}@{address.partition('@')[2]}>",
        }
        return self.stored.take(written(text, **{**given, **parts}), at)

    def told(self) -> list[tuple[str, str]]:
        """Template and recipient of all mails since this was last asked, acknowledgements and copies left out."""
        mails = self.stored.mails()
        seen, self._seen = getattr(self, "_seen", 0), len(mails)
        return [(mail.template, mail.to) for mail in mails[seen:] if mail.template not in ("ack", "notice", "answer")]

    def text_of(self, template: str) -> str:
        """The newest mail of a template, as plain text."""
        found = zip(self.stored.mails(), self.stored.raws(), strict=True)
        raw = [raw for mail, raw in found if mail.template == template][-1]
        body = message_from_bytes(raw, policy=default).get_body(("plain",))
        assert body is not None
        return str(body.get_content())

    def ticket(self, number: int = 1) -> Ticket:
        with self.stored.store.read() as tx:
            found = tickets.get(tx, number)
        assert found is not None
        return found

    def ledger(self) -> list[Entry]:
        with self.stored.store.read() as tx:
            return entries.of_client(tx, "acme")

    def balance(self) -> int:
        return sum(entry.minutes for entry in self.ledger())

    def matters(self) -> list[Matter]:
        with self.stored.store.read() as tx:
            return matters.everything(tx)

    def problems(self) -> list[str]:
        with self.stored.store.read() as tx:
            return audited(tx).problems


Kind = TypeVar("Kind", bound=Story)


@contextmanager
def begun(folder: Path, kind: type[Kind] = Story, minutes: int = 240, **rules: Any) -> Iterator[Kind]:  # type: ignore[assignment]
    """A desk with these rules where acme bought minutes and Ana opened SOP-1; its books add up in the end."""
    with stored_desk(folder, desk(**rules)) as stored:
        story = kind(stored)
        package, price = PACKAGES[minutes]
        stored.book(minutes, package=package, price=price)
        story.says("ana", "Hola:\n\nNo funciona el carrito.\n\nAna")
        story.told()
        yield story
        assert story.problems() == []
