"""The desk of the week: real daemon, three mailboxes of a real Dovecot, a next hop, visitors; its clock goes fast."""

from __future__ import annotations

import contextlib
import http.client
import re
import smtplib
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from aiosmtpd.controller import Controller

from tests import servers
from tests.bench.corpus import DESK
from tests.faults import checks
from tests.faults.clock import Clock, clock_in
from tests.faults.driver import Desk, free_port
from tests.servers import PASSWORD, Dovecot
from tests.week.traffic import Known, Letter, Week

BOXES = {"uno": "seen", "dos": "delete", "tres": "move:Hecho"}
"""Mailboxes, and what becomes of their mail. Their server has the true time, from which the desk's is days apart."""

_RULES = """
[desk]
name = "Soporte"
address = "{address}"
admin = "admin@bench.example"
director = "t0"
language = "es"
url = "http://127.0.0.1:{web}"

[hours]
{hours}

[promise]
first_answer = "4h"

[retention]
raw_mail = "1d"
attachments = "1d"
quarantine = "1d"

[smtp]
listen = "127.0.0.1:{smtp}"

[web]
listen = "127.0.0.1:{web}"

[monitor]
listen = "127.0.0.1:{monitor}"
disk_free = "1kB"

[outgoing]
via = "smtp"
port = {hop}
give_up = "5d"

[trust]
technicians = "off"

[packages.10h]
minutes = 600
price = "400.00 EUR"
first = true
"""
_BOX = """
[[imap]]
host = "127.0.0.1"
port = {port}
tls = "none"
user = "{user}@bench.example"
password_file = "password"
after = "{after}"
poll = "60s"
since = "30d"
"""


class Hop:
    """A next hop that remembers each mail by its Message-ID, and the links by which people sign in."""

    def __init__(self) -> None:
        self.port = free_port()
        self.got: Counter[str] = Counter()
        self.links: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        head = BytesHeaderParser().parsebytes(envelope.content[:20_000])
        self.got[str(head["Message-ID"]).strip("<>")] += 1
        if len(envelope.content) < 20_000 and (link := re.search(rb"/link/[\w-]+", _unfolded(envelope.content))):
            self.links.append(link[0].decode())
        return "250 2.0.0 Taken"


def _unfolded(raw: bytes) -> bytes:
    return raw.replace(b"=\r\n", b"")


class FastDesk(Desk):
    """All its processes have the clock, and a folder for temporary files."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        super().__init__(folder)
        self.clock = clock
        self.temporary = folder / "tmp"
        self.temporary.mkdir()

    def command(self, *verb: str) -> list[str]:
        return [*self.clock.environment, f"TMPDIR={self.temporary}", *super().command(*verb)]


@dataclass
class Rig:
    """Everything together. given: mails that the desk was given, by road; of the gateway those that it took."""

    desk: FastDesk
    mailboxes: Dovecot
    hop: Hop
    web: int
    monitor: int
    given: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    cookie: str = ""
    _turn: int = 0

    def bring(self, letter: Letter) -> None:
        """By the gateway or into a mailbox, in turn; what needs its envelope, and broken bytes, by the gateway."""
        self._turn += 1
        box = [*BOXES, None, None][self._turn % 5]
        if box is None or letter.about in ("bounce", "broken"):
            self._by_smtp(letter)
            return
        self.mailboxes.user = f"{box}@bench.example"
        self.mailboxes.put(letter.raw)
        self.given[box] += 1

    def _by_smtp(self, letter: Letter) -> None:
        with smtplib.SMTP("127.0.0.1", self.desk.port, timeout=60) as peer:
            try:
                peer.sendmail(letter.sender, [letter.to], letter.raw)
                self.given["gateway"] += 1
            except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as error:
                self.refused[f"{letter.about}: {error}"[:80]] += 1

    def known(self) -> Known:
        """Open tickets, and some mails that went out of late."""
        tickets = checks.rows(self.desk, "select id from ticket where status <> 'closed' order by id limit 40")
        sent = "select sender from outbox where sender <> '' and state = 'sent' order by id desc limit 30"
        return Known([number for (number,) in tickets], [sender for (sender,) in checks.rows(self.desk, sent)])

    def get(self, port: int, path: str, method: str = "GET", body: str = "") -> tuple[int, str]:
        """One request of a browser; its cookie is kept."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        headers = {"Cookie": self.cookie, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        if cookie := answer.getheader("Set-Cookie"):
            self.cookie = cookie.partition(";")[0]
        connection.close()
        return answer.status, text

    def sign_in(self, address: str) -> None:
        self.cookie, before = "", len(self.hop.links)
        self.get(self.web, "/sign-in", "POST", urlencode({"address": address}))
        servers.eventually(lambda: len(self.hop.links) > before)
        status, _ = self.get(self.web, self.hop.links[-1], "POST")
        assert status == 303, status

    def change(self, before: str, after: str) -> None:
        """Rules that are taken up while it works."""
        self.desk.rules.write_text(self.desk.rules.read_text().replace(before, after))


@contextlib.contextmanager
def rig_in(folder: Path, week: Week, begins: datetime) -> Iterator[Rig]:
    """A desk whose clock shows a time, with all that it talks to."""
    hop = Hop()
    controller = Controller(hop, hostname="127.0.0.1", port=hop.port)
    controller.start()
    try:
        with servers.public_folder() as public, servers.dovecot(servers.certificate(public)) as mailboxes:
            desk = FastDesk(folder, clock_in(folder))
            rig = Rig(desk, mailboxes, hop, free_port(), free_port())
            desk.clock.set(_ahead(begins))
            (folder / "password").write_text(PASSWORD)
            desk.rules.write_text(_rules(rig, week), encoding="utf-8")
            try:
                desk.start()
                yield rig
            finally:
                desk.stop()
    finally:
        controller.stop()


def set_clock(rig: Rig, to: datetime) -> None:
    rig.desk.clock.set(_ahead(to))


def _ahead(to: datetime) -> int:
    return round(to.timestamp() - time.time())


def _rules(rig: Rig, week: Week) -> str:
    hours = "\n".join(f'{day} = "08:00-20:00"' for day in ("mon", "tue", "wed", "thu", "fri"))
    text = _RULES.format(
        address=DESK, web=rig.web, smtp=rig.desk.port, monitor=rig.monitor, hop=rig.hop.port, hours=hours
    )
    for user, after in BOXES.items():
        text += _BOX.format(port=rig.mailboxes.port, user=user, after=after)
    for number, address in enumerate(week.technicians):
        text += f'\n[technicians.t{number}]\nname = "Técnico {number}"\naddresses = ["{address}"]\n'
    for number, address in enumerate(week.clients):
        technician = f"t{number % len(week.technicians)}"
        text += f'\n[clients.c{number:02d}]\nname = "Cliente {number}"\naddresses = ["{address}"]\n'
        text += f'technician = "{technician}"\n'
    return text
