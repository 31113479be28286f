"""A running desk seen from outside: mails go in by SMTP and come out as files."""

from __future__ import annotations

import re
import smtplib
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from mailgate.core.mail import Envelope, Mail
from mailgate.core.message import mime
from mailgate.demo.letters import Letter
from mailgate.demo.outcome import Standing
from mailgate.demo.stage import Stage
from mailgate.errors import Refused
from mailgate.pause import pause
from mailgate.service.take import utc_now
from mailgate.store import Store, entries, journal, messages, outbox, quarantine, tickets

_PATIENCE_SECONDS = 20
_PAUSE_SECONDS = 0.02
_KEPT = re.compile(r"Kept as (\d+)")


class RunningDesk:
    """Hands mails to a desk and waits for what comes of each."""

    def __init__(self, stage: Stage, store: Store) -> None:
        self._stage = stage
        self._store = store
        self._outbox = stage.data / "outbox"
        self._seen = set(self._files())

    def hand_in(self, letter: Letter) -> int:
        """Deliver a mail as a mail server does; gives its number in the journal. Raises Refused."""
        try:
            reply = _delivered(self._stage, letter)
        except (OSError, smtplib.SMTPException) as error:
            raise Refused(f"the desk at {self._stage.host}:{self._stage.port} did not take it: {error}") from error
        number = _KEPT.search(reply)
        with self._store.read() as tx:
            kept = journal.get(tx, int(number[1])) if number else None
        if kept is None or letter.message_id.encode() not in kept.raw:
            raise Refused(f"the desk answered “{reply}”, but the mail is not in {self._stage.data}")
        return kept.id

    def mails_of(self, number: int) -> list[Mail]:
        """Every mail that a mail of the journal caused, once all of them are out. Raises Refused."""
        _wait(lambda: self._is_settled(number), f"mail {number} is not dealt with")
        return self._fresh(f"j{number}.")

    def mails_of_sale(self) -> list[Mail]:
        """Every mail that a sale just caused, once all of them are out. Raises Refused."""
        _wait(self._is_sent, "the receipt is not sent")
        return self._fresh("e")

    def _fresh(self, cause: str) -> list[Mail]:
        """The mails that were not seen before and whose Message-ID names this cause."""
        fresh = [path for path in sorted(self._files()) if path not in self._seen]
        self._seen.update(fresh)
        mails = (mime.parse(path.read_bytes(), Envelope("inject")) for path in fresh)
        return [mail for mail in mails if mail.message_id.startswith(cause)]

    def standing(self, client: str, letters: Sequence[Letter] = (), number: int = 0) -> Standing:
        """How the client's account stands, and the ticket of these letters, the last taken as `number`."""
        with self._store.read() as tx:
            left = entries.balance(tx, client)
            found = messages.tickets_of_ids(tx, [letter.message_id for letter in letters])
            held = next((one.reason for one in quarantine.waiting(tx) if one.journal == number), "")
            ticket = tickets.get(tx, min(min(numbers) for numbers in found.values())) if found else None
            if ticket is None:
                return Standing(left, held=held)
            worked = sum(entry.worked for entry in entries.of_ticket(tx, ticket.id))
            return Standing(left, ticket, f"{self._stage.rules.desk.tag}-{ticket.id}", worked, held)

    def verb(self, *words: str) -> str:
        """What a verb of the command line prints about this desk. Raises Refused where it fails."""
        place = ["--rules", str(self._stage.rules_path), "--data", str(self._stage.data)]
        command = [sys.executable, "-m", "mailgate", *place, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise Refused(f"mailgate {' '.join(words)}: {(done.stdout + done.stderr).strip()}")
        return done.stdout.strip()

    def _is_settled(self, number: int) -> bool:
        """Whether it is processed and nothing waits to be sent any more."""
        with self._store.read() as tx:
            waits = journal.is_waiting(tx, number)
        return not waits and self._is_sent()

    def _is_sent(self) -> bool:
        now = utc_now()
        with self._store.read() as tx:
            return not any(one.next_try_at and one.next_try_at <= now for one in outbox.listed(tx))

    def _files(self) -> list[Path]:
        return list(self._outbox.glob("*.eml"))


def _delivered(stage: Stage, letter: Letter) -> str:
    """The reply to the end of the data. Raises SMTPException where the desk refuses."""
    with smtplib.SMTP(stage.host, stage.port, "demo.example", _PATIENCE_SECONDS) as server:
        server.ehlo()
        for code, reply in (server.mail(letter.sender), server.rcpt(letter.to), server.data(letter.raw)):
            if code != 250:
                raise smtplib.SMTPResponseException(code, reply)
        return reply.decode(errors="replace")


def _wait(condition: Callable[[], bool], otherwise: str) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise Refused(f"{otherwise} after {_PATIENCE_SECONDS} seconds; is the desk still running?")
        pause(_PAUSE_SECONDS)
