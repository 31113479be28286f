"""A desk whose clock is moved by hand: people write to it, the schedule ticks, the outbox fills."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from mailgate.core.desk import Desk
from mailgate.core.model import Ticket
from mailgate.core.plan import Plan
from mailgate.opening import open_store
from mailgate.service.audit import audited
from mailgate.service.office import Office
from mailgate.service.schedule import tick
from mailgate.store import blobs, entries, tickets
from mailgate.store.writer import Writer
from tests.fortnight.hours import MADRID, is_open
from tests.fortnight.rules import CLIENTS, STAFF, address_of, desk_rules
from tests.stored import RENDERER, StoredDesk
from tests.support import KEY, written

DESK = "soporte@example.es"
# How often the schedule is looked at: in desk hours, and at night.
BUSY, QUIET = timedelta(minutes=5), timedelta(minutes=30)


@dataclass(frozen=True)
class Sent:
    """A mail of the desk. to: an id of the rules, or the address of somebody else."""

    number: int
    at: datetime
    template: str
    to: str
    ticket: int | None
    mail: EmailMessage

    @property
    def text(self) -> str:
        """The plain text."""
        body = self.mail.get_body(("plain",))
        assert body is not None
        return str(body.get_content())


_PEOPLE = {address_of(person): person for person in (*STAFF, *CLIENTS)}


class MovedDesk:
    """What the people of the fortnight have to do with."""

    def __init__(self, folder: Path, begins: datetime) -> None:
        self.stored = StoredDesk(open_store(folder / "data"), Office(Desk(desk_rules(), KEY), RENDERER))
        self.now = begins
        self.done: Counter[str] = Counter()
        self._writer = Writer(self.stored.store)
        self.letters = 0
        self._mails: list[Sent] = []

    def close(self) -> None:
        self._writer.close()
        self.stored.store.close()

    def tick(self) -> Counter[str]:
        """What the schedule does now; how many things of each kind."""
        return tick(self._writer, self.stored.office, self.now)

    def moments(self, until: datetime) -> Iterator[datetime]:
        """The instants at which the schedule is looked at, from now on; the clock stands at each of them."""
        while self.now < until:
            self.done += self.tick()
            assert not self.tick(), "what was done is done again"
            yield self.now
            self.now += BUSY if is_open(self.now) or is_open(self.now - BUSY) else QUIET

    def mails(self) -> list[Sent]:
        """All that were ever written, oldest first."""
        with self.stored.store.read() as tx:
            rows = tx.rows(
                "select o.id, o.created_at, o.recipient, o.template, o.ticket, o.blob from outbox o"
                " where o.id > :known order by o.id",
                known=len(self._mails),
            )
            self._mails += [_sent(row, blobs.get(tx, row["blob"])) for row in rows]
        return self._mails

    def sends(self, person: str, to: str, subject: str, text: str, headers: str = "") -> Plan:
        """A mail of somebody, by id or address; what was decided on it."""
        self.letters += 1
        address = person if "@" in person else address_of(person)
        parts = {
            "sender": f"{STAFF.get(person, 'Ana Prieto')} <{address}>",
            "to": to,
            "subject": subject,
            "message_id": f"<f{self.letters}@{address.partition('@')[2]}>",
            "headers": headers,
        }
        return self.stored.take(written(text, **parts), self.now)

    def answers(self, person: str, of: Sent, text: str) -> Plan:
        """A reply to a mail, quoted below as mail programs do."""
        day = of.at.astimezone(MADRID).strftime("%d/%m/%Y, %H:%M")
        quoted = "\n".join(f"> {line}".rstrip() for line in of.text.splitlines())
        headers = f"In-Reply-To: {of.mail['Message-ID']}\nReferences: {of.mail['Message-ID']}\n"
        subject = f"Re: {of.mail['Subject'].removeprefix('Re: ')}"
        to = str(of.mail["Reply-To"] or of.mail["From"])
        whole = f"{text}\n\nEl {day}, Soporte Técnico (<{DESK}>) escribió:\n\n{quoted}"
        return self.sends(person, to, subject, whole, headers)

    def ticket(self, number: int) -> Ticket:
        with self.stored.store.read() as tx:
            found = tickets.get(tx, number)
        assert found is not None
        return found

    def tickets(self) -> list[Ticket]:
        with self.stored.store.read() as tx:
            return tickets.listed(tx)

    def balance(self, client: str) -> int:
        with self.stored.store.read() as tx:
            return entries.balance(tx, client)

    def problems(self) -> list[str]:
        with self.stored.store.read() as tx:
            return audited(tx).problems


def _sent(row: dict[str, Any], raw: bytes) -> Sent:
    mail = message_from_bytes(raw, policy=default)
    assert isinstance(mail, EmailMessage)
    at = datetime.fromisoformat(row["created_at"])
    to = _PEOPLE.get(row["recipient"], row["recipient"])
    return Sent(row["id"], at, row["template"], to, row["ticket"], mail)


def day_of(at: datetime) -> date:
    """The day in Madrid."""
    return at.astimezone(MADRID).date()
