"""Any course of the contract, with repeats, restarts and time going by: the sums are right and nothing is told twice.

Real mails, sales and the day's work run on a real store file, against a model that only adds and subtracts.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailgate.core.model import Status
from mailgate.errors import Refused
from mailgate.service import sales
from mailgate.service.audit import audited
from mailgate.service.daily import run_daily
from mailgate.service.sales import Order
from mailgate.store import blobs, entries, tickets
from mailgate.store.tickets import Only
from mailgate.store.writer import Writer
from tests.service.contract_model import CLIENTS, PACKAGES, Model, Ticket
from tests.stored import StoredDesk, stored_desk
from tests.support import NOW, desk, reply_address, written

PEOPLE = dict(zip(CLIENTS, ("ana@acme.example", "hello@beta.example"), strict=True))
MARTA, ELENA = "marta@example.es", "elena@example.es"

# ---- what may happen -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Sell:
    client: str
    package: str


@dataclass(frozen=True)
class Request:
    client: str


@dataclass(frozen=True)
class Work:
    """lines: command and minutes of each."""

    ticket: int
    lines: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Says:
    """A client's line in a ticket: "ok", "#tope 30m", "#devolucion", or the technician's "#si"."""

    ticket: int
    line: str


@dataclass(frozen=True)
class Dispute:
    """mine: the one who writes is whose entry it is."""

    entry: int
    mine: bool


@dataclass(frozen=True)
class Rule:
    entry: int
    how: str
    keep: int


@dataclass(frozen=True)
class Decide:
    """The director's word in a ticket: "#aceptar" or "#rechazar" a refund, or "#cancelar"."""

    ticket: int
    word: str


@dataclass(frozen=True)
class Days:
    number: int


@dataclass(frozen=True)
class Repeat:
    letter: int


@dataclass(frozen=True)
class Restart:
    pass


_clients, _picks = st.sampled_from(CLIENTS), st.integers(0, 30)
_spans = st.sampled_from([20, 30, 60, 90, 180, 215])
_lines = st.lists(st.tuples(st.sampled_from(["time", "time", "call", "free"]), _spans), min_size=1, max_size=2)
_work = st.builds(Work, _picks, _lines.map(tuple))
_says = st.builds(Says, _picks, st.sampled_from(["#tope 30m", "#tope 30m", "ok", "#si", "#tope 4h", "#tope no"]))
_disputes = st.builds(Dispute, _picks, st.sampled_from([True, True, True, False]))
_rulings = st.builds(Rule, _picks, st.sampled_from(["#confirmar", "#ajustar", "#anular"]), st.sampled_from([1, 5, 31]))
_steps = st.one_of(
    *(_work, _work, _work, _work, _work, _says, _says, _says, _disputes, _disputes, _rulings, _rulings),
    st.builds(Sell, _clients, st.sampled_from(sorted(PACKAGES))),
    st.builds(Request, _clients),
    st.builds(Says, _picks, st.just("#devolucion")),
    st.builds(Decide, _picks, st.sampled_from(["#aceptar"] * 3 + ["#rechazar", "#cancelar"])),
    st.builds(Days, st.sampled_from([1, 7, 30, 340])),
    st.builds(Repeat, _picks),
    st.just(Restart()),
)

# ---- the course of things ------------------------------------------------------------------------

# How often these were written is what the model says; of the others it is only said that they are not repeated.
COUNTED = (
    *("receipt", "low_balance", "service_ended", "expired", "claim_wrong", "problems"),
    *("dispute_opened", "dispute_asked", "dispute_decided", "refund_asked", "refund_request", "refund_decided"),
    *("account_closed", "limit_reached", "debit_held"),
)


class Course:
    """Plays steps on a store and on the model."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._model = Model(NOW.date())
        self._letters: list[bytes] = []
        self._now = NOW
        self._open()

    def _open(self) -> None:
        self._opened = stored_desk(self._folder, desk())
        self._desk: StoredDesk = self._opened.__enter__()
        self._writer = Writer(self._desk.store)

    def close(self) -> None:
        self._writer.close()
        self._opened.__exit__(None, None, None)

    def play(self, step: object) -> None:
        """Do what the step says; one that picks from what is not there yet does nothing."""
        self._now += timedelta(minutes=7)
        model = self._model
        match step:
            case Sell(client, package):
                assert self._sell(client, package) == model.sell(client, package)
            case Request(client):
                self._deliver(PEOPLE[client], "soporte@example.es", "Hola:\n\nOtra cosa que no funciona en la tienda.")
                model.tickets.append(Ticket(client))
            case Work(pick, lines) if model.tickets:
                number = self._pick_ticket(pick)
                text = "".join(f"\n#{name} {minutes}m línea {at}" for at, (name, minutes) in enumerate(lines))
                self._in_ticket(MARTA, number, f"Hecho.\n{text}")
                model.work(number, lines)
            case Says(pick, line) if model.tickets:
                self._say(self._pick_ticket(pick), line)
            case Dispute(pick, mine) if work := model.work_done():
                number = work[pick % len(work)]
                owner = model.booked[number - 1].client
                client = owner if mine else next(other for other in CLIENTS if other != owner)
                self._in_ticket(PEOPLE[client], self._ticket_of(client), f"#reclamar {number} fue menos")
                model.dispute(client, number)
            case Rule(pick, how, keep) if work := model.work_done():
                number = work[pick % len(work)]
                line = f"{how} {number} {keep}m" if how == "#ajustar" else f"{how} {number}"
                self._in_ticket(ELENA, model.booked[number - 1].ticket, f"Lo he mirado con calma.\n\n{line}")
                model.rule(number, how, keep)
            case Decide(pick, word) if model.tickets:
                self._decide(self._pick_ticket(pick), word)
            case Days(number):
                self._now += timedelta(days=number)
                self._run_day()
                model.today += timedelta(days=number)
                model.run_day()
            case Repeat(pick) if self._letters:
                self._take(self._letters[pick % len(self._letters)])
            case Restart():
                self.close()
                self._open()
                self._run_day()
                model.run_day()

    def check(self) -> None:
        """The store is what the model says, and the audit finds nothing."""
        model = self._model
        with self._desk.store.read() as tx:
            assert audited(tx).problems == []
            assert [row["detail"] for row in tx.rows("select detail from quarantine")] == []
            found = [(e.client, e.kind.value, e.minutes, e.ticket or 0) for e in entries.everything(tx)]
            assert found == [(e.client, e.kind, e.minutes, e.ticket) for e in model.booked]
            for client in PEOPLE:
                left = entries.balance(tx, client)
                assert left == model.balance(client)
                held = [one.id for one in tickets.listed(tx, Only(client=client)) if one.status is Status.HELD]
                assert not held or left <= 0, f"{client} has {left} minutes, and {held} are held"
            written = {row["template"]: row["n"] for row in tx.rows(_HOW_OFTEN)}
            assert {name: written.get(name, 0) for name in COUNTED} == {name: model.mails[name] for name in COUNTED}
            once = [(row["recipient"], row["subject"], _text(blobs.get(tx, row["blob"]))) for row in tx.rows(_ONCE)]
            assert len(once) == len(set(once))

    # ---- how it is done --------------------------------------------------------------------------

    def _sell(self, client: str, package: str) -> bool:
        try:
            with self._desk.store.write() as tx:
                sales.sell(tx, self._desk.office, Order(client, package), self._now)
        except Refused:
            return False
        return True

    def _say(self, number: int, line: str) -> None:
        model, ticket = self._model, self._model.tickets[number - 1]
        if line == "#si":
            model.mails["problems"] += not ticket.waiting
        self._in_ticket(MARTA if line == "#si" else PEOPLE[ticket.client], number, line)
        if line == "#devolucion":
            model.ask_refund(ticket.client)
        elif line.startswith("#tope"):
            model.limit(number, {"#tope 30m": 30, "#tope 4h": 240}.get(line))
        elif line == "ok":
            model.agree(number)
        else:
            model.release(number)

    def _decide(self, number: int, word: str) -> None:
        client = self._model.tickets[number - 1].client
        self._in_ticket(ELENA, number, f"Lo hemos hablado.\n\n{word}")
        if word == "#cancelar":
            self._model.cancel(client)
        else:
            self._model.decide_refund(client, granted=word == "#aceptar")

    def _run_day(self) -> None:
        done = run_daily(self._desk.store, self._writer, self._desk.office, self._now)
        assert not done.failed and not done.problems

    def _pick_ticket(self, pick: int) -> int:
        return pick % len(self._model.tickets) + 1

    def _ticket_of(self, client: str) -> int:
        """The client's first ticket; both have one from the start."""
        return next(at for at, ticket in enumerate(self._model.tickets, 1) if ticket.client == client)

    def _in_ticket(self, sender: str, number: int, text: str) -> None:
        self._deliver(sender, reply_address(number, sender), text)

    def _deliver(self, sender: str, to: str, text: str) -> None:
        message_id = f"<m{len(self._letters)}@{sender.partition('@')[2]}>"
        raw = written(text, sender=sender, to=to, subject=f"Asunto {len(self._letters)}", message_id=message_id)
        self._letters.append(raw)
        self._take(raw)

    def _take(self, raw: bytes) -> None:
        self._desk.take(raw, self._now)


_HOW_OFTEN = "select template, count(*) as n from outbox group by template"
_ONCE = "select o.recipient, o.subject, o.blob from outbox o where o.template in ('statement', 'expiry_warning')"


def _text(raw: bytes) -> str:
    body = message_from_bytes(raw, policy=default).get_body(("plain",))
    assert body is not None
    return str(body.get_content())


@pytest.mark.slow
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(_steps, min_size=20, max_size=40))
def test_whatever_happens_the_sums_are_right_and_nothing_is_told_twice(steps: list[object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        course = Course(Path(folder))
        try:
            for step in [Sell("acme", "4h"), Request("acme"), Request("beta"), *steps]:
                course.play(step)
                course.check()
        finally:
            course.close()
