"""A whole desk that runs, in a thread of the test, on free ports and a folder of its own."""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.message
import email.policy
import smtplib
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Self

from mailgate.app import Daemon
from tests.servers import eventually, free_port

RULES = """\
[desk]
name = "Soporte Técnico"
address = "soporte@example.es"
admin = "admin@example.es"
director = "elena"

[smtp]
listen = "127.0.0.1:{smtp}"
lmtp = "127.0.0.1:{lmtp}"
max_size = "1MB"

[web]
listen = "127.0.0.1:{web}"

[trust]
technicians = "token"

[packages.4h]
minutes = 240
price = "160.00 EUR"
first = true

[technicians.elena]
name = "Elena Ruiz"
addresses = ["elena@example.es"]

[technicians.marta]
name = "Marta Gil"
addresses = ["marta@example.es"]

[clients.acme]
name = "Acme S.L."
addresses = ["ana@acme.example", "*@tienda.example"]
technician = "marta"
"""


@dataclass
class RunningDesk:
    """What a test does with it: say something over SMTP or LMTP, and read what comes out."""

    folder: Path
    smtp_port: int
    lmtp_port: int
    web_port: int
    _read: set[str] = field(default_factory=set)

    @classmethod
    def on_free_ports(cls, folder: Path) -> Self:
        return cls(folder, free_port(), free_port(), free_port())

    def rules(self) -> str:
        """The rules above, with its ports."""
        return RULES.format(smtp=self.smtp_port, lmtp=self.lmtp_port, web=self.web_port)

    @property
    def rules_path(self) -> Path:
        return self.folder / "rules.toml"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def send(self, raw: bytes, sender: str, *recipients: str) -> None:
        """One message over SMTP; raises what smtplib raises when it is refused."""
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=20) as client:
            client.sendmail(sender, recipients or ["soporte@example.es"], raw)

    def count(self, rows: str) -> int:
        """How many rows of the store there are, e.g. "journal where state = 'done'"; read from outside."""
        return int(self.rows(f"select count(*) from {rows}")[0][0])

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the store says; read from outside."""
        with contextlib.closing(sqlite3.connect(f"file:{self.data}/mailgate.db?mode=ro", uri=True)) as db:
            return list(db.execute(query))

    def outgoing(self) -> list[EmailMessage]:
        """Mails that were sent since the last call, in order."""
        found = []
        for path in sorted((self.data / "outbox").glob("*.eml")):
            if path.name not in self._read:
                self._read.add(path.name)
                found.append(read(path.read_bytes()))
        return found

    def wait_for(self, count: int, seconds: float = 60) -> list[EmailMessage]:
        """The next mails, when there are at least so many."""
        found: list[EmailMessage] = []

        def enough() -> bool:
            found.extend(self.outgoing())
            return len(found) >= count

        eventually(enough, seconds)
        return found


def read(raw: bytes) -> EmailMessage:
    """A mail as the standard library reads it."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


@contextlib.contextmanager
def running_desk(folder: Path, more_rules: str = "") -> Iterator[RunningDesk]:
    desk = RunningDesk.on_free_ports(folder)
    written = desk.rules()
    desk.rules_path.write_text(written + more_rules)
    with started(desk):
        yield desk


@contextlib.contextmanager
def started(desk: RunningDesk) -> Iterator[None]:
    """The daemon of a desk, until the block ends."""
    daemon = Daemon(desk.rules_path, desk.data)
    ready = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(daemon.run(ready)), daemon=True)
    thread.start()
    assert ready.wait(20)
    try:
        yield
    finally:
        daemon.stop()
        thread.join(20)
        assert not thread.is_alive()
