"""Years of a desk in bulk: so many tickets of some messages each, through the store's own functions.

What is made is the same for the same size and the same end. One client has three tenths of everything, one has the
same few tickets however old the desk is, the others share the rest. Words are as frequent as in a language.
"""

from __future__ import annotations

import random
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import accumulate
from pathlib import Path

from mailgate.core.mail import Attachment, Envelope, Notice, Outgoing
from mailgate.core.model import Entry, Kind, Outcome, Priority, Role, Status, Ticket
from mailgate.service import keys
from mailgate.service.jobs import covering
from mailgate.store import (
    Connection,
    Store,
    accounts,
    due,
    entries,
    events,
    journal,
    messages,
    outbox,
    tickets,
    uncovered,
    walks,
)
from mailgate.store.messages import Message
from tests.bench.corpus import DESK, MINUTES, TECHNICIANS

CLIENTS = 400
HUGE, ORDINARY = "c00", "c01"
EACH = 10  # messages of a ticket
PACE = timedelta(minutes=18)

_ORDINARY_TICKETS = 20
_GOING = 60  # of the newest tickets the desk still works on each
_LEFT_EVERY = 50  # one of so many was never closed
_LAG = 7  # so many others are written in between two messages of a ticket
_AT_ONCE = 5_000
_PURCHASE = 720
_WORDS = 100

# Of the ten messages who writes, and whether with minutes; "note": to nobody outside.
_STORY = ("asks", "worked", "asks", "answers", "asks", "note", "answers", "asks", "worked", "asks")


def address_of(client: str) -> str:
    """Who writes for a client."""
    return f"{client}@empresa.example"


def address_of_technician(number: int) -> str:
    return f"t{number}@bench.example"


def make(
    database: Path,
    many: int,
    until: datetime,
    pace: timedelta = PACE,
    clients: int = CLIENTS,
    each: int = EACH,
    bought: int = 0,
) -> None:
    """Write so many tickets into a new store; the last message came shortly before `until`.

    pace: from one ticket to the next. each: messages of a ticket, ten at most. bought: minutes that each client buys at
    the end.
    """
    store = keys.opened(database.parent, until)
    with _in_bulk(store):
        desk = _Desk(many, until, pace, clients, each, bought)
        for start in range(0, desk.turns, _AT_ONCE):
            with store.write() as tx:
                for turn in range(start, min(start + _AT_ONCE, desk.turns)):
                    desk.take_turn(tx, turn)
    with store.write() as tx:
        desk.settle(tx)
    store.close()


@contextmanager
def _in_bulk(store: Store) -> Iterator[None]:
    """Without indexes but those that hold what is unique, and without syncs, until all is written."""
    with store.read() as tx:
        made = tx.rows("select name, sql from sqlite_master where type = 'index' and sql is not null")
        raw = tx.db.conn
    for pragma in ("journal_mode=off", "synchronous=off", "cache_size=-2000000"):
        raw.execute(f"pragma {pragma}")
    for index in made:
        raw.execute(f"drop index {index['name']}")
    yield
    for index in made:
        raw.execute(index["sql"])
    raw.execute("pragma journal_mode=wal")


@dataclass
class _Desk:
    """What was written so far. left: minutes of each client."""

    many: int
    until: datetime
    pace: timedelta
    clients: int
    each: int
    bought: int
    left: Counter[str] = field(default_factory=Counter)

    @property
    def turns(self) -> int:
        return self.many + _LAG * self.each

    def take_turn(self, tx: Connection, turn: int) -> None:
        """Of each ticket that goes on at that time one message."""
        at = self.until - self.pace * (self.turns - turn)
        for step in range(self.each):
            number = turn + 1 - step * _LAG
            if 1 <= number <= self.many:
                self._message(tx, self._ticket(number), step, at + timedelta(seconds=step))

    def settle(self, tx: Connection) -> None:
        """What the clock told of all this is told already."""
        for table in (*uncovered.TEXTS, "message"):  # as at a desk that never had an earlier version
            walks.go_on(tx, f"covering {table}", covering._KEY, None, 0, self.until)
        for client in list(self.left):
            if self.bought:
                self._buy(tx, client, self.bought, self.until)
            accounts.carry_forward(tx, client)
        for ticket in tickets.going(tx, tickets.Only(), self.many):
            if ticket.answer_due_at:
                due.tell(tx, "promise_broken", ticket, ticket.answer_due_at)
        days = (self.pace * self.turns).days + 2
        for ago in range(1, days):
            day = self.until - timedelta(days=ago)
            for kind in ("day", "digest"):
                events.record(tx, kind, "", day.date().isoformat(), day)
            if day.day == 1:
                for client in self.left:
                    events.record(tx, "statement", client, f"{day - timedelta(days=1):%Y-%m}", day)

    def _ticket(self, number: int) -> Ticket:
        """A ticket as it stands in the end."""
        chance = random.Random(number)
        age = self.many - number
        opened_at = self.until - self.pace * (self.turns - number + 1)
        status = _status(number, age)
        owed = opened_at + self.pace * _LAG * self.each if status in (Status.NEW, Status.OPEN) else None
        client = self._client(chance, age)
        return Ticket(
            id=number,
            client=client,
            subject=f"{' '.join(_words(chance, 4)).capitalize()} (ref. {number})",
            requester=address_of(client),
            opened_at=opened_at,
            status=status,
            priority=Priority.URGENT if number % 8 == 0 else Priority.NORMAL,
            category="bug" if number % 3 == 0 else None,
            technician=f"t{number % TECHNICIANS}",
            first_answer_at=opened_at + self.pace * _LAG,
            asked_at=owed,
            answer_due_at=owed + timedelta(hours=8) if owed else None,
            closed_at=opened_at + self.pace * _LAG * self.each if status is Status.CLOSED else None,
            planned_start=self.until.date() + timedelta(days=3) if status is Status.SCHEDULED else None,
        )

    def _client(self, chance: random.Random, age: int) -> str:
        if age % 4 == 0 and age < 4 * _ORDINARY_TICKETS:
            return ORDINARY
        if chance.random() < 0.3:
            return HUGE
        return f"c{2 + int((self.clients - 2) * chance.random() ** 2):02d}"

    def _message(self, tx: Connection, ticket: Ticket, step: int, at: datetime) -> None:
        turn, chance = _STORY[step], random.Random(ticket.id * EACH + step)
        text = _text(chance)
        if step == 0:
            tickets.open_ticket(tx, ticket)
        technician = address_of_technician(int((ticket.technician or "t0")[1:]))
        author = ticket.requester if turn == "asks" else technician
        message, cause = _received(tx, ticket, step, author, text, at, file=chance.random() < 0.05)
        if turn == "worked":
            self._work(tx, ticket, message, at)
        if step == 0:
            _sent(tx, ticket, "ack", ticket.requester, text, at, f"{cause}.1")
        if turn != "note":
            template, to = ("notice", technician) if turn == "asks" else ("answer", ticket.requester)
            _sent(tx, ticket, template, to, text, at, f"{cause}.0")

    def _work(self, tx: Connection, ticket: Ticket, message: int, at: datetime) -> None:
        if self.left[ticket.client] < 2 * MINUTES:
            self._buy(tx, ticket.client, _PURCHASE, at)
        work = {"worked": MINUTES, "ticket": ticket.id, "technician": ticket.technician, "note": ticket.subject}
        self._book(tx, Entry(0, ticket.client, Kind.DEBIT, -MINUTES, at, at.date(), message=message, line=0, **work))

    def _buy(self, tx: Connection, client: str, minutes: int, at: datetime) -> None:
        self._book(tx, Entry(0, client, Kind.PURCHASE, minutes, at, at.date(), package="12h"))

    def _book(self, tx: Connection, entry: Entry) -> None:
        entries.append(tx, entry)
        self.left[entry.client] += entry.minutes


def _status(number: int, age: int) -> Status:
    if age < _GOING:
        return (Status.NEW, Status.OPEN, Status.WAITING, Status.SCHEDULED)[number % 4]
    return Status.WAITING if number % _LEFT_EVERY == 0 else Status.CLOSED


def _received(
    tx: Connection, ticket: Ticket, step: int, author: str, text: str, at: datetime, *, file: bool
) -> tuple[int, str]:
    """Gives the number of the message, and what the mails that it causes are named after."""
    by_client, note = author == ticket.requester, _STORY[step] == "note"
    message_id = f"history.{ticket.id}.{step}@{author.rpartition('@')[2]}"
    attached = b64encode(text.encode()).decode() if file else ""
    raw = _mail(author, DESK, message_id, ticket.subject, text, attached)
    taken = journal.take(tx, raw, Envelope("smtp", author, (DESK,), "127.0.0.1"), at)
    outcome = Outcome.OPEN if step == 0 else Outcome.APPEND
    message = messages.add(
        tx,
        Message(
            id=0,
            ticket=ticket.id,
            at=at,
            author=author,
            author_name=author.partition("@")[0].capitalize(),
            role=Role.CLIENT if by_client else Role.TECHNICIAN,
            internal=note,
            automatic="",
            authenticated=True,
            message_id=message_id,
            digest=sha256(raw).hexdigest(),
            refs=(f"history.{ticket.id}.{step - 1}@empresa.example",) if step else (),
            subject=ticket.subject,
            text=text,
            outcome=outcome,
            why="sender: known\nproof: the reply address\ntext: nothing quoted\nmails: as ever",
            blob=journal.blob_of(tx, taken),
            attachments=(Attachment(1, "captura.txt", "text/plain", len(text), None, inline=False),) if file else (),
        ),
    )
    messages.remember_text(tx, ticket.id, text)
    journal.finish(tx, taken, outcome, message)
    return message, f"j{taken}"


def _sent(tx: Connection, ticket: Ticket, template: str, to: str, text: str, at: datetime, name: str) -> None:
    message_id = f"{name}.{sha256(name.encode()).hexdigest()[:16]}.mailgate@bench.example"
    raw = _mail(DESK, to, message_id, f"Re: {ticket.subject}", text, f"<p>{text}</p>")
    mail = Outgoing(Notice(template, to, "es", ticket.id), message_id, ticket.subject, DESK, raw, text)
    outbox.mark_sent(tx, outbox.queue(tx, mail, at), at)
    messages.remember_text(tx, ticket.id, text)


def _mail(sender: str, to: str, message_id: str, subject: str, text: str, second: str) -> bytes:
    """second: what stands beside the text, a file in base64 or HTML; "" for nothing."""
    head = f"From: {sender}\r\nTo: {to}\r\nMessage-ID: <{message_id}>\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n"
    plain = f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}"
    if not second:
        return f"{head}{plain}".encode()
    html = second.startswith("<")
    kind = "alternative" if html else "mixed"
    of_second = "text/html" if html else 'text/plain; name="captura.txt"\r\nContent-Transfer-Encoding: base64'
    return (
        f'{head}Content-Type: multipart/{kind}; boundary="b"\r\n\r\n--b\r\n{plain}\r\n--b\r\n'
        f"Content-Type: {of_second}\r\n\r\n{second}\r\n--b--\r\n"
    ).encode()


def _vocabulary() -> list[str]:
    chance = random.Random(1)
    syllables = [consonant + vowel for consonant in "bcdfglmnprstv" for vowel in "aeiou"]
    return ["".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(20_000)]


_VOCABULARY = ["página", "carrito", "factura", "error", "pedido", *_vocabulary()]
_OFTEN = list(accumulate(1 / (rank + 5) for rank in range(len(_VOCABULARY))))


def _words(chance: random.Random, many: int) -> list[str]:
    return chance.choices(_VOCABULARY, cum_weights=_OFTEN, k=many)


def _text(chance: random.Random) -> str:
    words = _words(chance, _WORDS)
    lines = (" ".join(words[start : start + 10]) for start in range(0, _WORDS, 10))
    return "\r\n".join(["Buenos días:", "", *lines, "", "Un saludo"])
