"""The real daemon between a real Dovecot and a real Postfix, through one fault after another.

`make faults` plays all of them for several rounds and prints a table; `test_roads.py` each of them once.
After each round: every mail of the mailbox is one ticket and is flagged, every mail of the outbox is sent, or
the outbox says why not, and arrived at the smarthost once, and once more at most for each crash, cut or silence that
left that open.
"""

from __future__ import annotations

import argparse
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from imapclient.exceptions import IMAPClientError

from tests import servers
from tests.faults import checks
from tests.faults.clock import clock_in
from tests.faults.disk import fill, small_disk
from tests.faults.rig import MAILS, SECONDS, Rig, problems, rig_in, settle
from tests.proxy import deaf
from tests.servers import PASSWORD, QUOTA, eventually

_DAY = 24 * 3600
_ROOM = 20  # messages of a mailbox with a quota
_NOT_HERE = "not played: needs root and a C compiler"
_TO_EACH = "smtpd_recipient_restrictions = check_recipient_access static:{{{}}}"
_BIG = (b"x" * 76 + b"\r\n") * 350_000  # more than smtp.max_size


def kill(rig: Rig) -> None:
    """`kill -9` while mails are taken and sent, three times"""
    for _ in range(3):
        before = rig.taken()
        rig.bring(3)
        eventually(lambda before=before: rig.taken() > before, SECONDS)
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
    rig.impatient()
    rig.bring()


def imap_silent(rig: Rig) -> None:
    """the IMAP server says nothing more, on the IDLE that is open and after some bytes of new connections"""
    rig.impatient()
    _bring_and_see(rig)
    rig.inward.stall_after(*(rig.rng.randrange(1500) for _ in range(2)))
    rig.inward.silence()
    rig.bring()
    eventually(lambda: not rig.inward.faults, SECONDS)


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
    with rig.says("AUTHENTICATIONFAILED"):
        rig.orderly_restart()
        rig.bring()
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
    with rig.says("(big)"):
        rig.bring(4)
        rig.mailbox.put(b"From: ana@client.example\r\nSubject: Enorme\r\n\r\n" + _BIG)
        rig.bring(4)
    with rig.mailbox.session() as other:
        uids = other.search(["LARGER", len(_BIG)])
        other.delete_messages(uids)
        other.uid_expunge(uids)


def imap_full(rig: Rig) -> None:
    """the mailbox is over its quota, so that what was taken cannot be put away; then somebody makes room"""
    if rig.mailbox.configure(QUOTA.format(messages=_ROOM)):
        rig.rules(('poll = "1s"', 'poll = "1s"\nafter = "move:Hechos"'))
    rig.desk.stop()
    with rig.mailbox.session() as other:
        if other.folder_exists("Hechos"):
            other.delete_folder("Hechos")
        rig.bring()
        other.create_folder("Otros")
        with suppress(IMAPClientError):
            while True:
                other.append("Otros", b"Subject: Otro\r\n\r\n")
        taken = rig.taken()
        with rig.says("Quota exceeded"):
            rig.desk.start()
        eventually(lambda: rig.taken() == taken + MAILS, SECONDS)
        other.delete_folder("Otros")


def smtp_greylists(rig: Rig) -> None:
    """the smarthost says 450 to every recipient for a while"""
    with _smarthost(rig, _TO_EACH.format("450 4.2.0 Greylisted")):
        rig.bring()
        eventually(lambda: rig.unsent() > 0, SECONDS)


def smtp_refuses(rig: Rig) -> None:
    """the smarthost says 550 to every recipient for a while; then what failed is sent by hand"""
    failed = "select id from outbox where state = 'failed'"
    with _smarthost(rig, _TO_EACH.format("550 5.7.1 Refused")):
        rig.bring()
        eventually(lambda: len(checks.rows(rig.desk, failed)) >= MAILS and not rig.queued(), SECONDS)
    rig.desk.verb("outbox", "retry", *(str(number) for (number,) in checks.rows(rig.desk, failed)))


@contextmanager
def _smarthost(rig: Rig, extra: str) -> Iterator[None]:
    """One with this in its configuration, until the block ends."""
    main = rig.smarthost.log.parent / "etc/main.cf"
    before = main.read_text()
    _reread(rig, main, f"{before}{extra}\n")
    try:
        yield
    finally:
        _reread(rig, main, before)


def _reread(rig: Rig, main: Path, text: str) -> None:
    """Put the file there whole: a server process that reads half of it dies, and Postfix starts none for a minute.

    Connections that are open keep what they were told before, so ours are opened anew.
    """
    draft = main.with_suffix(".new")
    draft.write_text(text)
    draft.replace(main)
    rig.orderly_restart()


def smtp_away(rig: Rig) -> None:
    """the smarthost hangs up on whoever connects"""
    rig.outward.cut_after(*[0] * 12)
    rig.desk.kill()
    rig.desk.start()
    rig.bring()
    eventually(lambda: len(rig.outward.faults) == 0 or rig.unsent() > 0, SECONDS)


def smtp_cut(rig: Rig) -> None:
    """the connection to the smarthost breaks after some bytes, after the last dot too"""
    rig.outward.cut_after(*(rig.rng.randrange(700) for _ in range(6)))
    rig.restart()
    rig.bring()


def smtp_silent(rig: Rig) -> None:
    """the smarthost says nothing more: no connection, no greeting, no reply to EHLO, MAIL, RCPT, DATA, the last dot"""
    rig.impatient()
    with deaf() as port:
        rig.rules((f"port = {rig.outward.port}", f"port = {port}"))
        rig.bring(1)
        eventually(rig.unsent, SECONDS)
    rig.outward.stall_after(0, *_replies(rig.smarthost.port))
    rig.rules((f"port = {port}", f"port = {rig.outward.port}"))
    rig.bring()
    eventually(lambda: not rig.outward.faults, SECONDS)


def _replies(port: int) -> Iterator[int]:
    """How many bytes the smarthost has said after each of its replies to a mail, as far as the mail itself."""
    octets = 0
    envelope = b"MAIL FROM:<soporte@desk.example>", b"RCPT TO:<ana@client.example>"
    with socket.create_connection(("127.0.0.1", port), 10) as peer, peer.makefile("rb") as replies:
        for command in (b"EHLO desk.example", *envelope, b"DATA", b""):
            while line := replies.readline():
                octets += len(line)
                if line[3:4] == b" ":
                    break
            yield octets
            peer.sendall(command + b"\r\n")


def tls_bad(rig: Rig) -> None:
    """no TLS to trust until somebody mends it, by turns: expired certificates, those of another name, no STARTTLS"""
    if not rig.desk.under:
        _over_tls(rig)
    smarthost, mailbox, words = _bad_tls(rig)[rig.round % 3]
    with _smarthost(rig, smarthost):
        _bring_and_see(rig)
        eventually(rig.unsent, SECONDS)
        arrived, taken = len(rig.smarthost.mails()), rig.taken()
        with rig.says(words):
            rig.mailbox.configure(mailbox)
        rig.bring(2)
        time.sleep(2.5)  # it would collect every second
        assert (len(rig.smarthost.mails()), rig.taken()) == (arrived, taken), "mail went over a wire that is not safe"
    rig.mailbox.configure("")


def _over_tls(rig: Rig) -> None:
    """Have it speak TLS with both servers, and trust each certificate that these will show."""
    clock = clock_in(rig.desk.folder)
    clock.set(-10 * _DAY)
    for name, names, under in (("expired", "IP:127.0.0.1", clock.environment), ("other", "IP:127.0.0.2", ())):
        folder = rig.desk.folder / name
        folder.mkdir()
        servers.certificate(folder, names, under)
    trusted = rig.desk.folder / "trusted.pem"
    trusted.write_bytes(b"".join(file.read_bytes() for file in rig.desk.folder.glob("**/cert.pem")))
    rig.desk.under = ("env", f"SSL_CERT_FILE={trusted}")
    rig.desk.program = "tests.faults.impatient"
    rig.rules(('tls = "none"', 'tls = "starttls"'), ('via = "smtp"', 'via = "smtp"\ntls = "starttls"'))


def _bad_tls(rig: Rig) -> list[tuple[str, str, str]]:
    """Lines of Postfix and of Dovecot, and what the daemon says of them."""
    bad = []
    for name, words in (("expired", "certificate has expired"), ("other", "IP address mismatch")):
        cert, key = rig.desk.folder / name / "cert.pem", rig.desk.folder / name / "key.pem"
        smarthost = f"smtpd_tls_cert_file = {cert}\nsmtpd_tls_key_file = {key}"
        bad.append((smarthost, f"ssl_cert = <{cert}\nssl_key = <{key}\n", words))
    return [*bad, ("smtpd_tls_security_level = none", "ssl = no\n", "STARTTLS")]


def disk_full(rig: Rig) -> None:
    """the disk is full while mails come and go, until somebody makes room"""
    if not rig.desk.data.is_mount():  # nothing is there yet that would be hidden
        rig.desk.stop()
        rig.stack.enter_context(small_disk(rig.desk.data))
    rig.impatient()  # with a write-ahead log that is new, so small
    rig.outward.stall_after(*[0] * 4)
    rig.bring(4)
    eventually(lambda: not rig.outward.faults, SECONDS)  # what becomes of these mails is known when the disk is full
    ballast = fill(rig.desk.data)
    unmarked = '"mailgate.deliver", "text": "the store cannot be used now'
    with rig.says("INBOX: StoreUnavailable"), rig.says(unmarked):
        rig.bring(4)
    ballast.unlink()


def clock_leaps(rig: Rig) -> None:
    """the clock leaps 400 days ahead, where the smarthost hangs up, and a day back, while mails come and go"""
    clock = clock_in(rig.desk.folder)
    rig.desk.under = clock.environment
    rig.orderly_restart()
    _bring_and_see(rig)
    with rig.says("the clock leapt ahead"):
        clock.set(400 * _DAY)
    rig.outward.cut_after(*[0] * 12)
    rig.outward.hang_up()
    rig.bring(4)
    eventually(rig.unsent, SECONDS)
    rig.outward.faults.clear()
    for seconds in (-_DAY, 0):
        clock.set(seconds)
        _bring_and_see(rig)
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1)}"
    ahead = "select count(*) from outbox where next_try_at > ?"
    eventually(lambda: not checks.value(rig.desk, ahead, tomorrow), SECONDS)


def _bring_and_see(rig: Rig) -> None:
    rig.bring(2)
    eventually(lambda: rig.taken() >= len(rig.put), SECONDS)


def stop(rig: Rig) -> None:
    """an orderly stop and start under load"""
    rig.bring()
    rig.orderly_restart()


FAULTS: tuple[Callable[[Rig], None], ...] = (
    kill,
    stop,
    imap_restart,
    imap_cut,
    imap_silent,
    imap_expunged,
    imap_refused,
    imap_anew,
    imap_big,
    imap_full,
    smtp_away,
    smtp_cut,
    smtp_silent,
    smtp_greylists,
    smtp_refuses,
    tls_bad,
    disk_full,
    clock_leaps,
)

# How many crashes, cuts and silences of a round may leave open whether a mail has arrived.
_LEAVES_OPEN = {kill: 3, imap_cut: 1, smtp_away: 1, smtp_cut: 7, smtp_silent: 1}


def play(fault: Callable[[Rig], None], folder: Path, rounds: int, seed: int) -> list[str]:
    """Rounds of one fault on a fresh rig; what was not as promised."""
    with rig_in(folder, seed) as rig:
        for rig.round in range(rounds):
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
        found = _found(fault, asked.rounds, asked.seed)
        bad += found not in ("", _NOT_HERE)
        seconds = time.monotonic() - began
        print(f"| {fault.__doc__} | {asked.rounds} | {seconds:.0f} | {found or 'nothing'} |", flush=True)
    return int(bad > 0)


def _found(fault: Callable[[Rig], None], rounds: int, seed: int) -> str:
    """What was not as promised, "" if nothing; the others are played even where it did not get to its end."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            return "; ".join(play(fault, Path(folder), rounds, seed))
    except AssertionError as error:
        return str(error)
    except pytest.skip.Exception:
        return _NOT_HERE


if __name__ == "__main__":
    sys.exit(main())
