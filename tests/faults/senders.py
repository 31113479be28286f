"""Senders that retry, the letters they send, and the oracle of what they were told.

Of each attempt the sender knows `ok` (it read the 250), `fail` (it read 4yz or 5yz, or never sent the
data) or `unknown` (the connection broke after the data). Then ok means: there exactly once; fail: not
there through this attempt; unknown: there once or not at all.
"""

from __future__ import annotations

import contextlib
import random
import smtplib
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

from tests.faults.driver import ADDRESS, CLIENTS, STAFF, Desk


@dataclass(frozen=True)
class Letter:
    """A mail of the load. opens: it opens a ticket. minutes: what it debits from the client, or 0."""

    message_id: str
    client: str
    sender: str
    raw: bytes
    opens: bool = False
    minutes: int = 0


@dataclass
class Postbag:
    """Makes letters: requests, additions to them, and technicians' answers that book minutes."""

    rng: random.Random
    padding: int = 0
    made: list[Letter] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def request(self) -> Letter:
        client = self.rng.choice(sorted(CLIENTS))
        number = next(self._numbers)
        return self._letter(client, CLIENTS[client], f"Consulta {number}", f"La web falla, caso {number}.", opens=True)

    def answer(self, to: Letter) -> Letter:
        """Always of the same technician: what crosses a colleague's answer is held, and that is no fault."""
        minutes = self.rng.randint(1, 30)
        body = f"Hecho, caso {next(self._numbers)}.\r\n\r\n#time {minutes}m"
        return self._letter(to.client, STAFF[_number(to) % len(STAFF)], "Re: Consulta", body, to, minutes=minutes)

    def addition(self, to: Letter) -> Letter:
        body = f"Una cosa más sobre esto, la {next(self._numbers)}."
        return self._letter(to.client, CLIENTS[to.client], "Re: Consulta", body, to)

    def next(self, known: list[Letter]) -> Letter:
        """A letter that may go out now. known: requests of which it is certain that they were taken.

        Of each request it is settled whether it is answered or added to: never both, for they would cross.
        """
        if known and self.rng.random() < 0.5:
            to = self.rng.choice(known)
            return self.answer(to) if _number(to) % 5 < 3 else self.addition(to)
        return self.request()

    def _letter(
        self,
        client: str,
        sender: str,
        subject: str,
        body: str,
        to: Letter | None = None,
        *,
        opens: bool = False,
        minutes: int = 0,
    ) -> Letter:
        message_id = f"{next(self._numbers)}.{self.rng.getrandbits(64):x}@{sender.partition('@')[2]}"
        head = [
            f"From: <{sender}>",
            f"To: <{ADDRESS}>",
            f"Subject: {subject}",
            "Date: Mon, 23 Nov 2026 10:00:00 +0100",
            f"Message-ID: <{message_id}>",
            *([f"In-Reply-To: <{to.message_id}>"] if to else []),
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: 8bit",
        ]
        filler = "".join(f"\r\nlínea {n} de un registro" for n in range(self.padding))
        raw = ("\r\n".join(head) + "\r\n\r\n" + body + filler + "\r\n").encode()
        letter = Letter(message_id, client, sender, raw, opens, minutes)
        self.made.append(letter)
        return letter


def _number(letter: Letter) -> int:
    return int(letter.message_id.partition(".")[0])


# ---- senders -------------------------------------------------------------------------------------

Told = Literal["ok", "fail", "unknown"]


@dataclass
class Oracle:
    """What the senders were told, by Message-ID, and every reply code that they read."""

    told: dict[str, list[Told]] = field(default_factory=lambda: defaultdict(list))
    codes: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def certain(self, letter: Letter) -> bool:
        return "ok" in self.told[letter.message_id]


def attempt(connection: smtplib.SMTP, letter: Letter, oracle: Oracle) -> Told:
    """One delivery over an open connection; raises what the connection raises, after noting it."""
    code = 0
    told: Told = "fail"
    try:
        connection.rset()
        for code, _ in (connection.mail(letter.sender), connection.rcpt(ADDRESS)):
            if code >= 400:
                return told
        told = "unknown"
        code = _data(connection, letter.raw)
        told = "ok" if code == 250 else "fail"
        return told
    finally:
        oracle.codes[code] += 1
        oracle.told[letter.message_id].append(told)


def _data(connection: smtplib.SMTP, raw: bytes) -> int:
    try:
        return connection.data(raw)[0]
    except smtplib.SMTPDataError as error:
        return error.smtp_code


class Sender(threading.Thread):
    """Sends letters, each until it is certain that it was taken; some of them again after that."""

    def __init__(self, port: int, bag: Postbag, oracle: Oracle, lock: threading.Lock, pause: float = 0.02) -> None:
        super().__init__(daemon=True)
        self._port = port
        self._bag = bag
        self._oracle = oracle
        self._lock = lock
        self._pause = pause
        self._ending = threading.Event()

    def end(self) -> None:
        """Bring the letter under way to its end, then no more."""
        self._ending.set()

    def run(self) -> None:
        letter: Letter | None = None
        while letter is not None or not self._ending.is_set():
            try:
                with smtplib.SMTP("127.0.0.1", self._port, timeout=30) as connection:
                    connection.ehlo("sender.example")
                    while letter is not None or not self._ending.is_set():
                        letter = letter or self._pick()
                        if attempt(connection, letter, self._oracle) == "ok":
                            letter = None
                        else:
                            time.sleep(self._pause)
            except (OSError, smtplib.SMTPException):
                time.sleep(self._pause)

    def _pick(self) -> Letter:
        with self._lock:
            known = [one for one in self._bag.made if one.opens and self._oracle.certain(one)][-20:]
            if known and self._bag.rng.random() < 0.1:
                return self._bag.rng.choice(known)  # a second time: a repeat, which changes nothing
            return self._bag.next(known)


@contextlib.contextmanager
def load(desk: Desk, bag: Postbag, oracle: Oracle, senders: int = 4) -> Iterator[None]:
    """Senders at work; at the end each brings its letter to certainty, so the daemon must run by then."""
    lock = threading.Lock()
    threads = [Sender(desk.port, bag, oracle, lock) for _ in range(senders)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread in threads:
            thread.end()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "a sender could not bring its last letter to an end"
