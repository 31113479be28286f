"""What people and programs ask of a desk, each question as a function: mails, verbs, pages, the clock."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from itertools import count
from typing import Any

from click.testing import CliRunner

from mailgate import store as stores
from mailgate.cli import cli
from mailgate.core import address
from mailgate.core.mail import Envelope
from mailgate.core.message import mime
from mailgate.edges.web import accounts, board, searching
from mailgate.edges.web import tickets as pages
from mailgate.edges.web.answers import response
from mailgate.edges.web.asking import Ask, Handler, Works
from mailgate.opening import open_office, open_store
from mailgate.service import daily, health, process, schedule
from mailgate.service.take import Clock, Intake, utc_now
from mailgate.store import Connection, journal, tickets
from mailgate.store.writer import Writer
from tests.bench import history
from tests.bench.corpus import DESK, TECHNICIANS, Corpus
from tests.bench.desk import Daemon, Place, free_port, write_rules

_DIRECTOR = history.address_of_technician(0)


class Steps:
    """How many steps SQLite's machine took, on all connections that are opened from now on."""

    _EACH = 20

    def __init__(self) -> None:
        self.count = 0
        self._connect = stores.connect
        stores.connect = self._watched  # type: ignore[assignment]

    def _watched(self, *values: Any, **named: Any) -> Connection:
        made = self._connect(*values, **named)
        made.db.conn.set_progress_handler(self._tick, self._EACH)
        return made

    def end(self) -> None:
        """Watch no more."""
        stores.connect = self._connect

    def _tick(self) -> int:
        self.count += self._EACH
        return 0


class AskedDesk:
    """A desk of history, opened, with what asks it."""

    def __init__(self, place: Place, steps: Steps, clock: Clock = utc_now) -> None:
        self.place, self.steps, self.now = place, steps, clock
        clients = tuple(history.address_of(f"c{number:02d}") for number in range(history.CLIENTS))
        technicians = tuple(map(history.address_of_technician, range(TECHNICIANS)))
        write_rules(place, Corpus("history", (), clients, technicians, None), 0, None)
        rules = place.rules.read_text(encoding="utf-8")  # the same is asked again and again
        place.rules.write_text(rules.replace("[trust]", "[trust]\nreports_per_day = 1_000_000"), encoding="utf-8")
        self.store, self.office = open_store(place.data), open_office(place.rules, place.data)
        self.chance = random.Random(1)
        self._mails = count(1)
        self.open_at = self._open_at(self.now())
        with self.store.read() as tx:
            self.newest = int(tx.value("select max(id) from ticket"))
            ordinary = tx.rows("select id from ticket where client = :client", client=history.ORDINARY)
        self.ordinary = [row["id"] for row in ordinary]

    @cached_property
    def works(self) -> Works:
        """What pages are made with. Not before the verbs: beside other threads they check templates more dearly."""
        writer = Writer(self.store)
        return Works(self.store, writer, Intake(writer, lambda: None), lambda: self.office, lambda: None, self.now)

    def close(self) -> None:
        if "works" in vars(self):
            self.works.writer.close()
        self.store.close()

    def mail(self, sender: str, text: str, ticket: int | None = None, subject: str = "La web no carga") -> None:
        """Take a mail and process it, in one transaction."""
        to = DESK if ticket is None else address.reply_address(self.office.desk.key, DESK, ticket, sender)
        name = f"asked.{next(self._mails)}.{self.now().timestamp()}@empresa.example"
        raw = f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{name}>\r\n\r\n{text}\r\n".encode()
        envelope = Envelope("smtp", sender, (to,), "127.0.0.1")
        now = self.now()
        with self.store.write() as tx:
            kept = journal.get(tx, journal.take(tx, raw, envelope, now))
            assert kept is not None
            plan = process.process(tx, kept, mime.parse(raw, envelope), self.office, now)
        assert plan is not None and plan.outcome is not None
        assert plan.outcome.value in ("open", "append", "answer"), plan.why

    def _open_at(self, now: datetime) -> datetime:
        """Some minutes after the desk opens next."""
        day = self.office.desk.local_day(now)
        calendar = self.office.desk.calendar
        while not (spans := calendar.spans(day)) or spans[0][0] <= now:
            day += timedelta(days=1)
        return spans[0][0] + timedelta(minutes=5)

    def any_ticket(self) -> int:
        return self.chance.randint(1, self.newest)

    def technician_of(self, ticket: int) -> str:
        return history.address_of_technician(ticket % TECHNICIANS)

    def verb(self, *words: str) -> None:
        """A verb of the command line."""
        runner = CliRunner()
        whole = ["--rules", str(self.place.rules), "--data", str(self.place.data), *words]
        result = runner.invoke(cli, whole)
        assert result.exit_code in (0, 1), (words, result.output, result.exception)

    def page(self, handler: Handler, who: str, *, path: Mapping[str, str] | None = None, **query: str) -> None:
        """A page of the client area, written out."""
        person = self.office.desk.rules.who(who)
        ask = Ask(self.works, self.office, self.now(), "es", path=path or {}, query=query, person=person)
        assert response(ask, handler(ask), head=False).status_code == 200

    def read(self, question: Callable[[Connection], object]) -> None:
        with self.store.read() as tx:
            question(tx)

    def undone(self, job: Callable[[Connection], object]) -> None:
        """A job of the clock, of which nothing stays."""
        try:
            with self.store.write() as tx:
                job(tx)
                raise _UndoneError
        except _UndoneError:
            pass


class _UndoneError(Exception):
    pass


Question = Callable[[AskedDesk], float | None]
"""Gives the seconds of CPU where another process spent them, None where this thread did."""

_ORDINARY, _HUGE = history.address_of(history.ORDINARY), history.address_of(history.HUGE)


def _of_ordinary(desk: AskedDesk) -> int:
    return desk.chance.choice(desk.ordinary)


def _works(desk: AskedDesk) -> None:
    ticket = desk.any_ticket()
    desk.mail(desk.technician_of(ticket), "Ya está hecho.\r\n\r\n#time 12m", ticket)


_PROCESSING: dict[str, Question] = {
    "mail: new ticket": lambda desk: desk.mail(_ORDINARY, "No carga la página desde ayer."),
    "mail: new ticket of the huge client": lambda desk: desk.mail(_HUGE, "No carga la página desde ayer."),
    "mail: answer in an old ticket": lambda desk: desk.mail(_ORDINARY, "Sigue igual que ayer.", _of_ordinary(desk)),
    "mail: #time in any old ticket": _works,
    "mail: saldo": lambda desk: desk.mail(_ORDINARY, "", subject="saldo"),
    "mail: saldo of the huge client": lambda desk: desk.mail(_HUGE, "", subject="saldo"),
    "mail: informe": lambda desk: desk.mail(_ORDINARY, "", subject="informe"),
    "mail: informe of the huge client": lambda desk: desk.mail(_HUGE, "", subject="informe"),
    "mail: historial": lambda desk: desk.mail(_ORDINARY, "", subject="historial"),
    "mail: historial of the huge client": lambda desk: desk.mail(_HUGE, "", subject="historial"),
}
_VERBS: dict[str, Sequence[str]] = {
    f"mailgate {words}": words.split()
    for words in (
        "tickets",
        f"tickets --client {history.HUGE}",
        f"tickets --client {history.ORDINARY}",
        "tickets --technician t1",
        "tickets --status waiting",
        "tickets --priority urgent",
        f"tickets --client {history.ORDINARY} --status closed",
        f"tickets --client {history.HUGE} --status open",
        "tickets --technician t1 --status open",
        "tickets --late",
        "tickets --search carrito",
        "tickets --search zzzunknown",
        f"tickets --search carrito --client {history.ORDINARY}",
        "ticket 50",
        "status",
        "outbox",
        "quarantine",
        f"balance {history.ORDINARY}",
        f"balance {history.HUGE}",
        "balance",
        f"report {history.ORDINARY}",
        f"report {history.HUGE}",
    )
}
_PAGES: dict[str, Question] = {
    "page: board": lambda desk: desk.page(board.board, _DIRECTOR),
    "page: board of the huge client": lambda desk: desk.page(board.board, _DIRECTOR, client=history.HUGE),
    "page: tickets": lambda desk: desk.page(pages.listed, _DIRECTOR),
    "page: tickets in waiting": lambda desk: desk.page(pages.listed, _DIRECTOR, status="waiting"),
    "page: ticket": lambda desk: desk.page(pages.shown, _DIRECTOR, path={"ticket": str(desk.any_ticket())}),
    "page: search": lambda desk: desk.page(searching.found, _DIRECTOR, q="carrito"),
    "page: search of an ordinary client": lambda desk: desk.page(searching.found, _ORDINARY, q="carrito"),
    "page: home of an ordinary client": lambda desk: desk.page(pages.first, _ORDINARY),
    "page: home of the huge client": lambda desk: desk.page(pages.first, _HUGE),
    "page: tickets of the huge client": lambda desk: desk.page(pages.listed, _HUGE),
    "page: balance of an ordinary client": lambda desk: desk.page(accounts.balance, _ORDINARY),
    "page: balance of the huge client": lambda desk: desk.page(accounts.balance, _HUGE),
    "page: report of the huge client": lambda desk: desk.page(accounts.report, _HUGE),
}


def _exported(desk: AskedDesk) -> None:
    with tempfile.TemporaryDirectory(dir=desk.place.folder) as folder:
        desk.verb("export", history.ORDINARY, "--output", f"{folder}/client.zip")


def _backed_up(desk: AskedDesk) -> None:
    with tempfile.TemporaryDirectory(dir=desk.place.folder) as folder:
        desk.verb("backup", f"{folder}/copy")


def _started(desk: AskedDesk) -> float:
    """Gives the seconds of CPU until mail can be brought."""
    port = free_port()
    rules = desk.place.rules.read_text(encoding="utf-8")
    desk.place.rules.write_text(rules.replace('"127.0.0.1:0"', f'"127.0.0.1:{port}"'), encoding="utf-8")
    try:
        with Daemon(desk.place, port) as daemon:
            return daemon.cpu()
    finally:
        desk.place.rules.write_text(rules, encoding="utf-8")


def _job(name: str) -> Question:
    """One job of the schedule, at a time when the desk is open."""
    return lambda desk: desk.undone(lambda tx: schedule.JOBS[name](tx, desk.office, desk.open_at))


_CLOCK: dict[str, Question] = {
    "health and metrics": lambda desk: desk.read(lambda tx: health.looked(tx, desk.office.desk.rules, desk.now())),
    "what a technician has to do": lambda desk: desk.read(lambda tx: tickets.with_technician(tx, "t1")),
    **{f"each minute: {name}": _job(name) for name in schedule.JOBS},
    "each day: the account of an ordinary client": lambda desk: desk.undone(
        lambda tx: daily.settle(tx, desk.office, history.ORDINARY, desk.open_at)
    ),
    "each day: the account of the huge client": lambda desk: desk.undone(
        lambda tx: daily.settle(tx, desk.office, history.HUGE, desk.open_at)
    ),
}
QUESTIONS: dict[str, Question] = {
    **_PROCESSING,
    **{name: lambda desk, words=words: desk.verb(*words) for name, words in _VERBS.items()},
    f"mailgate export {history.ORDINARY}": _exported,
    **_PAGES,
    **_CLOCK,
}
# What is asked once, and looks at everything, but for the first.
ONCE: dict[str, Question] = {
    "start of the daemon": _started,
    "mailgate audit": lambda desk: desk.verb("audit"),
    "mailgate backup": _backed_up,
}
