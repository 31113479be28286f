"""A desk with a clock that is moved by hand: people write and answer real mails, days pass, the outbox fills."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from shutil import copyfile
from typing import Any, Self
from zoneinfo import ZoneInfo

from click.testing import CliRunner

from mailgate import config
from mailgate.cli import cli
from mailgate.core.desk import Desk
from mailgate.core.model import Entry
from mailgate.opening import open_store
from mailgate.service import sales
from mailgate.service.audit import audited
from mailgate.service.daily import Done, run_daily
from mailgate.service.office import Office
from mailgate.service.sales import Order, Sale
from mailgate.store import Store, blobs, entries
from mailgate.store.writer import Writer
from tests.stored import RENDERER, StoredDesk
from tests.support import KEY, written

RULES = Path(__file__).parent / "rules.toml"
MADRID = ZoneInfo("Europe/Madrid")
DESK = "soporte@example.es"
MIDNIGHT = time(0, 1)  # when a daemon has noticed that it is a new day


@dataclass(frozen=True)
class Person:
    """Somebody who writes. quotes: how their mail program introduces what it quotes."""

    name: str
    address: str
    quotes: str = "El {day}, Soporte Técnico (<soporte@example.es>) escribió:"


PEOPLE = {
    "ana": Person("Ana Prieto", "ana@acme.example"),
    "tom": Person("Tom Baker", "tom@beta.example", "On {day}, Soporte Técnico <soporte@example.es> wrote:"),
    "vera": Person("Vera Soto", "vera@delta.example"),
    "luis": Person("Luis Mora", "luis@gamma.example"),
    "marta": Person("Marta Gil", "marta@example.es"),
    "elena": Person("Elena Ruiz", "elena@example.es"),
}
_NAMES = {person.address: name for name, person in PEOPLE.items()}


@dataclass(frozen=True)
class Sent:
    """A mail of the outbox. to: the name of who gets it, as above. day: on which it was written."""

    number: int
    day: date
    template: str
    to: str
    ticket: int | None
    mail: EmailMessage

    @classmethod
    def of(cls, row: dict[str, Any], raw: bytes) -> Self:
        mail = message_from_bytes(raw, policy=default)
        assert isinstance(mail, EmailMessage)
        to = _NAMES.get(row["recipient"], row["recipient"])
        return cls(row["id"], mail["Date"].datetime.date(), row["template"], to, row["ticket"], mail)

    @property
    def text(self) -> str:
        """The plain text."""
        body = self.mail.get_body(("plain",))
        assert body is not None
        return str(body.get_content())


class Life:
    """What can happen to a desk: somebody writes, somebody buys, time goes by."""

    def __init__(self, folder: Path, begins: date) -> None:
        self._rules, self._data = folder / "rules.toml", folder / "data"
        copyfile(RULES, self._rules)
        self.desk = StoredDesk(open_store(self._data), self._office())
        self._writer = Writer(self.store)
        self._runs = True
        self._mails: list[Sent] = []
        self._told = 0
        self._letters = 0
        self.begun = self.now = datetime.combine(begins, MIDNIGHT, MADRID)

    def _office(self) -> Office:
        return Office(Desk(config.load(self._rules), KEY), RENDERER)

    def close(self) -> None:
        self._writer.close()
        self.store.close()

    @property
    def store(self) -> Store:
        return self.desk.store

    # ---- the clock -------------------------------------------------------------------------------

    def on(self, day: str, hour: str = "11:00") -> None:
        """Let the days pass until then, in Madrid; the daemon does the work of each."""
        then = datetime.combine(date.fromisoformat(day), time.fromisoformat(hour), MADRID)
        assert then > self.now, f"{then} is over: it is {self.now}"
        while self.now.date() < then.date():
            self.now = datetime.combine(self.now.date() + timedelta(days=1), MIDNIGHT, MADRID)
            if self._runs:
                self.daily()
        self.now = then
        if self._runs:
            self.daily()  # as if it had just been started again

    def daily(self, at: datetime | None = None) -> Done:
        """The work of a day, of today if none is given; nothing may be wrong with it."""
        done = run_daily(self.store, self._writer, self.desk.office, at or self.now)
        assert not done.failed and not done.problems, str(done)
        return done

    @contextmanager
    def daemon_off(self) -> Iterator[None]:
        """In it nothing happens by the clock; at its end the daemon starts and does what is due."""
        self._runs = False
        yield
        self._runs = True
        self.daily()

    # ---- what people do --------------------------------------------------------------------------

    def writes(self, who: str, subject: str, text: str) -> int:
        """A new mail to the desk; the number of its ticket."""
        return self._sends(who, DESK, subject, text)

    def answers(self, who: str, what: int | str, text: str) -> int:
        """A reply to the newest mail that they got of a ticket, or of a template; the number of its ticket."""
        person = PEOPLE[who]
        of = [mail for mail in self.mails() if mail.to == who and what in (mail.ticket, mail.template)][-1]
        quoted = [f"> {line}".rstrip() for line in of.text.splitlines()]
        day = f"{of.mail['Date'].datetime:%d/%m/%Y, %H:%M}"
        whole = "\n".join([text, "", person.quotes.format(day=day), "", *quoted])
        headers = f"In-Reply-To: {of.mail['Message-ID']}\nReferences: {of.mail['Message-ID']}\n"
        to = str(of.mail["Reply-To"] or of.mail["From"])
        return self._sends(who, to, f"Re: {of.mail['Subject'].removeprefix('Re: ')}", whole, headers)

    def _sends(self, who: str, to: str, subject: str, text: str, headers: str = "") -> int:
        person = PEOPLE[who]
        self._letters += 1
        parts = {
            "sender": f"{person.name} <{person.address}>",
            "to": to,
            "subject": subject,
            "message_id": f"<letter{self._letters}@{person.address.partition('@')[2]}>",
            "headers": headers,
        }
        plan = self.desk.take(written(text, **parts), self.now)
        assert plan.ticket is not None, plan.why
        return plan.ticket.id

    def buys(self, client: str, package: str, paid_by: str | None = None, reference: str | None = None) -> Sale:
        """The admin books a purchase."""
        with self.store.write() as tx:
            return sales.sell(tx, self.desk.office, Order(client, package, paid_by, reference), self.now)

    def admin(self, *arguments: str) -> str:
        """A call of the command line, on this desk; what it prints. The daemon takes changed rules up."""
        done = CliRunner().invoke(cli, ["--rules", str(self._rules), "--data", str(self._data), *arguments])
        assert done.exit_code == 0, done.output
        self.desk.office = self._office()
        return done.output

    # ---- what came of it -------------------------------------------------------------------------

    def mails(self) -> list[Sent]:
        """All that were ever written, oldest first."""
        with self.store.read() as tx:
            rows = tx.rows(
                "select o.id, o.recipient, o.template, o.ticket, o.blob from outbox o"
                " where o.id > :known order by o.id",
                known=len(self._mails),
            )
            self._mails += [Sent.of(row, blobs.get(tx, row["blob"])) for row in rows]
        return self._mails

    def told(self) -> list[str]:
        """The mails since this was last asked, such as "receipt to ana"."""
        mails = self.mails()[self._told :]
        self._told += len(mails)
        return [f"{mail.template} to {mail.to}" for mail in mails]

    def ledger(self, client: str) -> list[Entry]:
        with self.store.read() as tx:
            return entries.of_client(tx, client)

    def balance(self, client: str) -> int:
        return sum(entry.minutes for entry in self.ledger(client))

    def problems(self) -> list[str]:
        with self.store.read() as tx:
            return audited(tx).problems

    def everything(self) -> dict[str, list[dict[str, Any]]]:
        """All rows that tell of anything; that a day's work was done is no news."""
        tables = ("ticket", "message", "entry", "matter", "event where kind <> 'day'", "outbox", "quarantine")
        with self.store.read() as tx:
            return {table: tx.rows(f"select * from {table} order by 1") for table in tables}
