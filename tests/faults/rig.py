"""The real daemon between a real Dovecot and a real Postfix, over wires that can be cut, and what must hold of it."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path

from tests import servers
from tests.faults import checks
from tests.faults.driver import Desk, desk_in
from tests.proxy import Wire, wire
from tests.servers import PASSWORD, Certificate, Dovecot, Smarthost, eventually

MAILS = 8
SECONDS = 120
_OURS = ("ana@acme.example", "bob@beta.example", "gil@gamma.example", "marta@desk.example", "elena@desk.example")
_PUT_OFF = "select id from outbox where state = 'queued' and tries > 0 and leased_until is null"


@dataclass
class Rig:
    """Everything that a fault may touch. stack: what it made is undone in the end."""

    desk: Desk
    mailbox: Dovecot
    inward: Wire
    smarthost: Smarthost
    outward: Wire
    certificate: Certificate
    rng: random.Random
    stack: ExitStack
    put: list[str] = field(default_factory=list)
    round: int = 0

    def bring(self, count: int = MAILS) -> None:
        """New mails in the mailbox."""
        for _ in range(count):
            number = len(self.put) + 1
            message_id = f"<r{number}@acme.example>"
            self.put.append(message_id.strip("<>"))
            self.mailbox.put(
                f"From: ana@client.example\r\nTo: soporte@desk.example\r\nSubject: Caso {number}\r\n"
                f"Message-ID: {message_id}\r\n\r\nLa web falla, caso {number}.\r\n".encode()
            )

    def taken(self) -> int:
        return int(checks.value(self.desk, "select count(*) from journal"))

    def unsent(self) -> int:
        """How many mails have failed so far and will be tried again."""
        return int(checks.value(self.desk, "select count(*) from outbox where state = 'queued' and tries > 0"))

    def queued(self) -> int:
        return int(checks.value(self.desk, "select count(*) from outbox where state = 'queued'"))

    def said(self, words: str) -> int:
        """How often the daemon's log has it."""
        return self.desk.log.read_text().count(words)

    @contextmanager
    def says(self, words: str, times: int = 1) -> Iterator[None]:
        """Wait, at the end of the block, until the daemon's log has it so many times more."""
        before = self.said(words)
        yield
        eventually(lambda: self.said(words) >= before + times, SECONDS)

    def orderly_restart(self) -> None:
        self.desk.stop()
        self.desk.start()

    def restart(self) -> None:
        self.desk.kill()
        self.desk.start()

    def impatient(self) -> None:
        """Have it wait for servers for seconds instead of minutes, with connections that are all new."""
        self.desk.program = "tests.faults.impatient"
        self.restart()

    def rules(self, *changes: tuple[str, str]) -> None:
        """Have it run by rules that say the one instead of the other."""
        text = self.desk.rules.read_text()
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        self.desk.rules.write_text(text)
        self.orderly_restart()


def settle(rig: Rig) -> None:
    """Until all is taken, processed and sent; what waits for its next try is steered as a person would."""
    end = time.monotonic() + SECONDS
    while waiting := _waiting(rig):
        assert rig.desk.running(), f"the daemon ended:\n{rig.desk.log.read_text()[-3000:]}"
        assert time.monotonic() < end, f"not settled: {waiting}\n{rig.desk.log.read_text()[-3000:]}"
        if put_off := checks.rows(rig.desk, _PUT_OFF):
            rig.desk.verb("outbox", "retry", *(str(number) for (number,) in put_off))
        time.sleep(0.2)


def _waiting(rig: Rig) -> dict[str, int]:
    counts = {
        "in the mailbox": sum(rb"\Seen" not in flags for flags in rig.mailbox.contents().values()),
        "to process": checks.value(rig.desk, "select count(*) from journal where state = 'taken'"),
        "to send": rig.queued(),
    }
    return {what: count for what, count in counts.items() if count}


def problems(rig: Rig, *, twins: int, gone: bool) -> Iterator[str]:
    """What is not as promised. twins: how often a mail may have gone out again. gone: somebody else deleted mail."""
    kept = checks.stored(rig.desk)
    for message_id in rig.put:
        if kept[message_id] != 1 and not (gone and not kept[message_id]):
            yield f"{message_id} is there {kept[message_id]} times"
    tickets = checks.value(rig.desk, "select count(*) from ticket")
    if tickets != sum(kept[message_id] for message_id in rig.put):
        yield f"{tickets} tickets"
    for number, reason in checks.rows(rig.desk, "select id, reason from quarantine"):
        yield f"quarantine {number}: {reason}"
    for number, error in checks.rows(rig.desk, "select id, last_error from outbox where state <> 'sent'"):
        yield f"mail {number} was not sent: {error}"
    sent = {message_id for (message_id,) in checks.rows(rig.desk, "select message_id from outbox where state = 'sent'")}
    with suppress(AssertionError):  # what is missing in the end is told below
        eventually(lambda: sent <= _arrived(rig).keys(), SECONDS)
    arrived = _arrived(rig)
    for message_id in sorted(sent):
        if not 1 <= arrived[message_id] <= 1 + twins:
            yield f"{message_id} arrived {arrived[message_id]} times"
    audit = rig.desk.verb("audit")
    if audit.returncode:
        yield f"audit: {audit.stdout.decode()}"


def _arrived(rig: Rig) -> Counter[str]:
    """How often each mail lies in the smarthost's mailbox, where it puts a mail soon after it has taken it."""
    return Counter(str(message_from_bytes(raw)["Message-ID"]).strip("<>") for raw in rig.smarthost.mails())


@contextmanager
def rig_in(folder: Path, seed: int) -> Iterator[Rig]:
    """Servers, wires and a daemon that collects and sends over them."""
    with ExitStack() as stack:
        cert = servers.certificate(folder)
        mailbox = stack.enter_context(servers.dovecot(cert))
        # One connection for each process, which reads the configuration anew: "reload" may hang, with a log of its own.
        smarthost = stack.enter_context(servers.postfix_smarthost(cert, smtpd_max_use="1"))
        inward, outward = (stack.enter_context(wire(port)) for port in (mailbox.port, smarthost.port))
        hop = f'via = "smtp"\nhost = "127.0.0.1"\nport = {outward.port}'
        mine = stack.enter_context(ExitStack())  # is undone after the daemon has ended
        desk = stack.enter_context(desk_in(folder, outgoing=hop))
        _collects(desk, inward.port, mailbox.user)
        desk.start()
        yield Rig(desk, mailbox, inward, smarthost, outward, cert, random.Random(seed), mine)


def _collects(desk: Desk, port: int, user: str) -> None:
    """The rules, with a mailbox, and with everybody at the domain for which the smarthost keeps mail."""
    text = desk.rules.read_text()
    for address in _OURS:
        text = text.replace(address, f"{address.partition('@')[0]}@client.example")
    text = text.replace("admin@desk.example", "admin@client.example")
    (desk.folder / "password").write_text(PASSWORD)
    text += (
        f'\n[[imap]]\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\nuser = "{user}"\n'
        'password_file = "password"\npoll = "1s"\n'
    )
    desk.rules.write_text(text)
