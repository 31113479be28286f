"""The real daemon between a real Dovecot and a real Postfix, through one fault after another.

`make faults` plays all of them for several rounds and prints a table; `test_roads.py` each of them once.
After each round: every mail of the mailbox is one ticket and is flagged, every mail of the outbox is sent, or
the outbox says why not, and arrived at the smarthost once, and once more at most for each crash or cut that
left that open.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path

from tests import servers
from tests.faults import checks
from tests.faults.driver import Desk, desk_in
from tests.proxy import Wire, wire
from tests.servers import PASSWORD, Dovecot, Smarthost, eventually

_OURS = ("ana@acme.example", "bob@beta.example", "gil@gamma.example", "marta@desk.example", "elena@desk.example")
_MAILS = 8
_BIG = (b"x" * 76 + b"\r\n") * 350_000  # more than smtp.max_size
_SECONDS = 120


@dataclass
class Rig:
    """Everything that a fault may touch."""

    desk: Desk
    mailbox: Dovecot
    inward: Wire
    smarthost: Smarthost
    outward: Wire
    rng: random.Random
    put: list[str] = field(default_factory=list)

    def bring(self, count: int = _MAILS) -> None:
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

    def said(self, words: str) -> int:
        """How often the daemon's log has it."""
        return self.desk.log.read_text().count(words)

    def orderly_restart(self) -> None:
        self.desk.stop()
        self.desk.start()

    def restart(self) -> None:
        self.desk.kill()
        self.desk.start()


def kill(rig: Rig) -> None:
    """`kill -9` while mails are taken and sent, three times"""
    for _ in range(3):
        before = rig.taken()
        rig.bring(3)
        eventually(lambda before=before: rig.taken() > before, _SECONDS)
        time.sleep(rig.rng.random() * 0.2)
        rig.restart()


def imap_restart(rig: Rig) -> None:
    """the IMAP server restarts while mails come"""
    rig.bring(4)
    rig.mailbox.stop()
    rig.mailbox.start()
    rig.bring(4)


def imap_cut(rig: Rig) -> None:
    """the connection to the mailbox breaks after some bytes, three times"""
    rig.inward.cut_after(*(rig.rng.randrange(2500) for _ in range(3)))
    rig.restart()
    rig.bring()


def imap_expunged(rig: Rig) -> None:
    """somebody else deletes mail, taken or not, while it is collected"""
    rig.bring()
    with rig.mailbox.session() as other:
        gone = [uid for uid in other.search() if rig.rng.random() < 0.3]
        if gone:
            other.delete_messages(gone)
            other.uid_expunge(gone)


def imap_refused(rig: Rig) -> None:
    """the mailbox refuses the login until somebody puts the password right"""
    password = rig.desk.folder / "password"
    password.write_text("wrong")
    seen = rig.said("AUTHENTICATIONFAILED")
    rig.orderly_restart()
    rig.bring()
    eventually(lambda: rig.said("AUTHENTICATIONFAILED") > seen, _SECONDS)
    password.write_text(PASSWORD)
    rig.orderly_restart()


def imap_anew(rig: Rig) -> None:
    """the IMAP server numbers its folder anew (UIDVALIDITY) while mails come"""
    rig.bring(4)
    rig.mailbox.stop()
    for file in rig.mailbox.maildir.glob("dovecot*"):
        file.unlink()
    rig.mailbox.start()
    rig.bring(4)


def imap_big(rig: Rig) -> None:
    """a mail over the limit lies among the others; somebody takes it away once it was told"""
    told = rig.said("(big)")
    rig.bring(4)
    rig.mailbox.put(b"From: ana@client.example\r\nSubject: Enorme\r\n\r\n" + _BIG)
    rig.bring(4)
    eventually(lambda: rig.said("(big)") > told, _SECONDS)
    with rig.mailbox.session() as other:
        uids = other.search(["LARGER", len(_BIG)])
        other.delete_messages(uids)
        other.uid_expunge(uids)


def smtp_greylists(rig: Rig) -> None:
    """the smarthost says 450 to every recipient for a while"""
    with _answering(rig, "450 4.2.0 Greylisted"):
        rig.bring()
        eventually(lambda: _unsent(rig.desk) > 0, _SECONDS)


def smtp_refuses(rig: Rig) -> None:
    """the smarthost says 550 to every recipient for a while; then what failed is sent by hand"""
    failed = "select id from outbox where state = 'failed'"
    with _answering(rig, "550 5.7.1 Refused"):
        rig.bring()
        eventually(lambda: len(checks.rows(rig.desk, failed)) >= _MAILS and not _queued(rig.desk), _SECONDS)
    rig.desk.verb("outbox", "retry", *(str(number) for (number,) in checks.rows(rig.desk, failed)))


@contextmanager
def _answering(rig: Rig, reply: str) -> Iterator[None]:
    """A smarthost that says this to every recipient, until the block ends."""
    main = rig.smarthost.log.parent / "etc/main.cf"
    before = main.read_text()
    main.write_text(f"{before}smtpd_recipient_restrictions = check_recipient_access static:{{{reply}}}\n")
    _reload(rig)
    try:
        yield
    finally:
        main.write_text(before)
        _reload(rig)


def _reload(rig: Rig) -> None:
    """Connections that are open keep what they were told before, so ours are opened anew."""
    servers.postfix_reload(rig.smarthost.log.parent / "etc")
    rig.orderly_restart()


def smtp_away(rig: Rig) -> None:
    """the smarthost hangs up on whoever connects"""
    rig.outward.cut_after(*[0] * 12)
    rig.desk.kill()
    rig.desk.start()
    rig.bring()
    eventually(lambda: len(rig.outward.faults) == 0 or _unsent(rig.desk) > 0, _SECONDS)


def smtp_cut(rig: Rig) -> None:
    """the connection to the smarthost breaks after some bytes, after the last dot too"""
    rig.outward.cut_after(*(rig.rng.randrange(700) for _ in range(6)))
    rig.restart()
    rig.bring()


def stop(rig: Rig) -> None:
    """an orderly stop and start under load"""
    rig.bring()
    rig.orderly_restart()


FAULTS: tuple[Callable[[Rig], None], ...] = (
    kill,
    stop,
    imap_restart,
    imap_cut,
    imap_expunged,
    imap_refused,
    imap_anew,
    imap_big,
    smtp_away,
    smtp_cut,
    smtp_greylists,
    smtp_refuses,
)

# How many crashes and cuts of a round may leave open whether a mail has arrived.
_LEAVES_OPEN = {kill: 3, imap_cut: 1, smtp_away: 1, smtp_cut: 7}


def _unsent(desk: Desk) -> int:
    return int(checks.value(desk, "select count(*) from outbox where state = 'queued' and tries > 0"))


def _queued(desk: Desk) -> int:
    return int(checks.value(desk, "select count(*) from outbox where state = 'queued'"))


def settle(rig: Rig) -> None:
    """Until all is taken, processed and sent; what waits for its next try is steered as a person would."""
    end = time.monotonic() + _SECONDS
    while _waiting(rig):
        assert rig.desk.running(), f"the daemon ended:\n{rig.desk.log.read_text()[-3000:]}"
        assert time.monotonic() < end, f"not settled: {_waiting(rig)}\n{rig.desk.log.read_text()[-3000:]}"
        for mail in json.loads(rig.desk.verb("outbox", "--json").stdout):
            if mail["tries"]:
                rig.desk.verb("outbox", "retry", str(mail["id"]))
        time.sleep(0.2)


def _waiting(rig: Rig) -> dict[str, int]:
    counts = {
        "in the mailbox": sum(rb"\Seen" not in flags for flags in rig.mailbox.contents().values()),
        "to process": checks.value(rig.desk, "select count(*) from journal where state = 'taken'"),
        "to send": checks.value(rig.desk, "select count(*) from outbox where state = 'queued'"),
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
    arrived = Counter(str(message_from_bytes(raw)["Message-ID"]).strip("<>") for raw in rig.smarthost.mails())
    for (message_id,) in checks.rows(rig.desk, "select message_id from outbox where state = 'sent'"):
        if not 1 <= arrived[message_id] <= 1 + twins:
            yield f"{message_id} arrived {arrived[message_id]} times"
    audit = rig.desk.verb("audit")
    if audit.returncode:
        yield f"audit: {audit.stdout.decode()}"


@contextmanager
def rig_in(folder: Path, seed: int) -> Iterator[Rig]:
    """Servers, wires and a daemon that collects and sends over them."""
    with ExitStack() as stack:
        cert = servers.certificate(folder)
        mailbox = stack.enter_context(servers.dovecot(cert))
        smarthost = stack.enter_context(servers.postfix_smarthost(cert))
        inward, outward = (stack.enter_context(wire(port)) for port in (mailbox.port, smarthost.port))
        hop = f'via = "smtp"\nhost = "127.0.0.1"\nport = {outward.port}'
        desk = stack.enter_context(desk_in(folder, outgoing=hop))
        _collects(desk, inward.port, mailbox.user)
        desk.start()
        yield Rig(desk, mailbox, inward, smarthost, outward, random.Random(seed))


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


def play(fault: Callable[[Rig], None], folder: Path, rounds: int, seed: int) -> list[str]:
    """Rounds of one fault on a fresh rig; what was not as promised."""
    with rig_in(folder, seed) as rig:
        for _ in range(rounds):
            fault(rig)
            settle(rig)
            rig.outward.faults.clear()
            rig.inward.faults.clear()
        twins = rounds * _LEAVES_OPEN.get(fault, 0)
        return list(problems(rig, twins=twins, gone=fault is imap_expunged))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    if reason := servers.missing():
        print(f"not played: {reason}")
        return 1
    print("| fault | rounds | seconds | found |\n|---|---|---|---|")
    bad = 0
    for fault in FAULTS:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            found = play(fault, Path(folder), asked.rounds, asked.seed)
        bad += len(found)
        told = "; ".join(found) or "nothing"
        print(f"| {fault.__doc__} | {asked.rounds} | {time.monotonic() - began:.0f} | {told} |", flush=True)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
