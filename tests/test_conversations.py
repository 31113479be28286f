"""Any conversation, by any road, with repeats and restarts: nothing lost, nothing twice, the books add up.

The real decision and a real store file run against a model of a few lines that knows only what was
sent for the first time.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailgate.core.mail import Envelope
from mailgate.render import Renderer
from mailgate.service import keys
from mailgate.service.audit import audited
from mailgate.service.office import Office
from mailgate.service.process import process_alone
from mailgate.store import entries, journal
from tests import support
from tests.support import NOW

CLIENTS = {"acme": "ana@acme.example", "beta": "hello@beta.example"}
OFFICE = Office(support.desk(), Renderer())

Road = Literal["smtp", "imap"]

# ---- what may happen -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Delivery:
    """How a message comes. crash: the program ends between taking and processing it."""

    road: Road
    line_end: str
    hops: int
    crash: bool


@dataclass(frozen=True)
class Request:
    client: str
    how: Delivery


@dataclass(frozen=True)
class Addition:
    ticket: int
    how: Delivery


@dataclass(frozen=True)
class Answer:
    """A technician's mail. work: command and minutes of each line. mistake: "" or a line that is wrong."""

    ticket: int
    work: tuple[tuple[str, int], ...]
    says_something: bool
    note: bool
    mistake: str
    quotes: bool
    how: Delivery


@dataclass(frozen=True)
class Void:
    entry: int
    how: Delivery


@dataclass(frozen=True)
class Repeat:
    letter: int
    how: Delivery


@dataclass(frozen=True)
class SameIdOtherText:
    letter: int
    how: Delivery


@dataclass(frozen=True)
class Restart:
    pass


_deliveries = st.builds(
    Delivery,
    road=st.sampled_from(["smtp", "imap"]),
    line_end=st.sampled_from(["\r\n", "\n"]),
    hops=st.integers(0, 3),
    crash=st.booleans(),
)
_picks = st.integers(0, 50)
_work = st.lists(st.tuples(st.sampled_from(["time", "call", "free"]), st.integers(1, 90)), max_size=3, unique=True)
_mistakes = st.sampled_from(["", "", "", "#tiempoo 5m", "#time 0m", "#time 900h", "#void 9999", "#time SOP-999 5m"])
_requests = st.builds(Request, st.sampled_from(sorted(CLIENTS)), _deliveries)
_steps = st.one_of(
    _requests,
    st.builds(Addition, _picks, _deliveries),
    st.builds(Answer, _picks, _work.map(tuple), st.booleans(), st.booleans(), _mistakes, st.booleans(), _deliveries),
    st.builds(Void, _picks, _deliveries),
    st.builds(Repeat, _picks, _deliveries),
    st.builds(SameIdOtherText, _picks, _deliveries),
    st.just(Restart()),
)

# ---- the model -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Letter:
    """A message without what is added on the way."""

    sender: str
    to: str
    subject: str
    message_id: str
    text: str
    answers: str = ""

    def raw(self, how: Delivery) -> bytes:
        head = [
            *(f"Received: from hop{how.hops - n}.example by hop{how.hops - n - 1}.example" for n in range(how.hops)),
            *([f"Delivered-To: {self.to}"] if how.road == "imap" else []),
            f"From: <{self.sender}>",
            f"To: <{self.to}>",
            f"Subject: {self.subject}",
            f"Message-ID: <{self.message_id}>",
            *([f"In-Reply-To: <{self.answers}>"] if self.answers else []),
            "Content-Type: text/plain; charset=utf-8",
        ]
        return how.line_end.join([*head, "", *self.text.split("\n"), ""]).encode()


@dataclass
class Booked:
    """An entry as the model knows it."""

    client: str
    ticket: int
    minutes: int
    kind: str
    voided: bool = False


@dataclass
class Model:
    """What must be in the store."""

    tickets: list[tuple[str, Letter]] = field(default_factory=list)
    letters: list[Letter] = field(default_factory=list)
    booked: list[Booked] = field(default_factory=list)
    mails: Counter[str] = field(default_factory=Counter)
    repeats: int = 0

    def request(self, client: str, letter: Letter) -> None:
        self.tickets.append((client, letter))
        self._keep(letter, "ack", "notice")

    def addition(self, letter: Letter) -> None:
        self._keep(letter, "notice")

    def answer(self, ticket: int, step: Answer, letter: Letter) -> None:
        if step.mistake:
            self._keep(letter, "problems")
            return
        self._keep(letter, *(["answer"] if step.says_something and not step.note else []))
        client = self.tickets[ticket - 1][0]
        for name, minutes in step.work:
            self.booked.append(
                Booked(client, ticket, 0 if name == "free" else -minutes, "courtesy" if name == "free" else "debit")
            )

    def void(self, number: int, letter: Letter) -> None:
        of = self.booked[number - 1]
        if of.voided or of.kind == "void":
            self._keep(letter, "problems")
            return
        of.voided = True
        self.booked.append(Booked(of.client, of.ticket, -of.minutes, "void"))
        self._keep(letter)

    def balance(self, client: str) -> int:
        return sum(entry.minutes for entry in self.booked if entry.client == client)

    def _keep(self, letter: Letter, *mails: str) -> None:
        self.letters.append(letter)
        self.mails.update(mails)


# ---- the conversation ----------------------------------------------------------------------------


class Conversation:
    """Plays steps on a store and on the model."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._store = keys.opened(path.parent, NOW)
        self._model = Model()
        self._now = support.NOW

    def close(self) -> None:
        self._store.close()

    def play(self, step: object) -> None:
        """Do what the step says; one that picks from what is not there yet does nothing."""
        self._now += timedelta(minutes=7)
        model = self._model
        match step:
            case Restart():
                self._restart()
            case Request(client, how):
                letter = self._letter(CLIENTS[client], "La tienda no funciona.")
                self._deliver(letter, how)
                model.request(client, letter)
            case Addition(pick, how) if model.tickets:
                client, first = model.tickets[pick % len(model.tickets)]
                letter = self._letter(CLIENTS[client], "Otra cosa sobre esto.", answers=first.message_id)
                self._deliver(letter, how)
                model.addition(letter)
            case Answer(pick, how=how) if model.tickets:
                ticket = pick % len(model.tickets) + 1
                letter = self._from_staff("marta@example.es", ticket, self._answer_text(step))
                self._deliver(letter, how)
                model.answer(ticket, step, letter)
            case Void(pick, how) if model.booked:
                number = pick % len(model.booked) + 1
                letter = self._from_staff(
                    "elena@example.es", model.booked[number - 1].ticket, f"#void {number} vez {self._number}"
                )
                self._deliver(letter, how)
                model.void(number, letter)
            case Repeat(pick, how) if model.letters:
                self._deliver(model.letters[pick % len(model.letters)], how)
                model.repeats += 1
            case SameIdOtherText(pick, how) if model.tickets:
                client, first = model.tickets[pick % len(model.tickets)]
                other = self._letter(CLIENTS[client], "Otro asunto distinto.", message_id=first.message_id)
                self._deliver(other, how)
                model.request(client, other)

    def check(self) -> None:
        """The store is what the model says, and the audit finds nothing."""
        model = self._model
        with self._store.read() as tx:
            assert audited(tx).problems == []
            assert tx.value("select count(*) from journal where state = 'taken'") == 0
            assert [row["detail"] for row in tx.rows("select detail from quarantine")] == []
            assert tx.value("select count(*) from ticket") == len(model.tickets)
            kept = Counter(row["message_id"] for row in tx.rows("select message_id from message"))
            assert kept == Counter(letter.message_id for letter in model.letters)
            assert tx.value("select count(*) from journal where outcome = 'repeat'") == model.repeats
            mails = tx.rows("select template, count(*) as n from outbox group by template")
            assert {row["template"]: row["n"] for row in mails} == model.mails
            found = [(e.client, e.ticket, e.minutes, e.kind.value) for e in entries.everything(tx)]
            assert found == [(e.client, e.ticket, e.minutes, e.kind) for e in model.booked]
            for client in CLIENTS:
                assert entries.balance(tx, client) == model.balance(client)

    @property
    def _number(self) -> int:
        return len(self._model.letters)

    def _letter(self, sender: str, text: str, **given: Any) -> Letter:
        """A letter that says something that no other says."""
        values = {
            "to": "soporte@example.es",
            "subject": f"Asunto {self._number}",
            "message_id": f"m{self._number}@{sender.partition('@')[2]}",
        }
        return Letter(sender=sender, text=f"Caso {self._number}. {text}", **{**values, **given})

    def _from_staff(self, sender: str, ticket: int, text: str) -> Letter:
        letter = self._letter(sender, "", to=support.reply_address(ticket, sender))
        return Letter(letter.sender, letter.to, letter.subject, letter.message_id, text)

    def _answer_text(self, step: Answer) -> str:
        lines = [
            *([f"Hola: el caso {self._number} está hecho."] if step.says_something else []),
            *(f"#{name} {minutes}m" for name, minutes in step.work),
            *(["#note"] if step.note else []),
            *([step.mistake] if step.mistake else []),
        ]
        if step.quotes:
            lines += [
                "",
                "El lun, 2 nov 2026 a las 10:00, Ana (<ana@acme.example>) escribió:",
                "",
                "> Hola",
                "> #time 45m",
            ]
        return "\n".join(lines)

    def _deliver(self, letter: Letter, how: Delivery) -> None:
        by_smtp = how.road == "smtp"
        envelope = Envelope(how.road, letter.sender if by_smtp else None, (letter.to,) if by_smtp else (), "peer")
        with self._store.write() as tx:
            number = journal.take(tx, letter.raw(how), envelope, self._now)
        if how.crash:
            self._restart()
        process_alone(self._store, OFFICE, number, self._now)

    def _restart(self) -> None:
        self._store.close()
        self._store = keys.opened(self._path.parent, NOW)


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(first=_requests, steps=st.lists(_steps, min_size=5, max_size=25))
def test_any_conversation_loses_nothing_does_nothing_twice_and_adds_up(first: Request, steps: list[object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        conversation = Conversation(Path(folder) / "mailgate.db")
        try:
            for step in [first, *steps]:
                conversation.play(step)
                conversation.check()
        finally:
            conversation.close()
