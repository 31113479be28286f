"""Hostile strings in all that a stranger, a client or a technician writes, by each road to a mail or to a terminal."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailgate.core.mail import Envelope
from mailgate.core.plan import Plan
from mailgate.service import parsing
from mailgate.service.process import process
from mailgate.service.schedule import JOBS
from mailgate.store import journal
from tests.cli.conftest import Run, run
from tests.hostile import canary
from tests.stored import StoredDesk, stored_desk
from tests.support import NOW, desk, reply_address

__all__ = ["run"]

DESK_ADDRESS = "soporte@example.es"
BODY = "\r\n".join([*canary.LINES.values(), "#time 99m", "--x--", ".", "From: x@y", "[SOP-9]"])


@pytest.fixture
def at(tmp_path: Path) -> Iterator[StoredDesk]:
    """A desk where Ana opened SOP-1."""
    (tmp_path / "data").mkdir()
    with stored_desk(tmp_path / "data") as stored:
        stored.take()
        yield stored


def word(text: str) -> str:
    """An encoded word that holds anything (RFC 2047), far longer than allowed."""
    return f"=?utf-8?b?{b64encode(text.encode()).decode()}?="


def hostile(evil: str, sender: str, to: str = DESK_ADDRESS, body: str = BODY, name: str = "m", tag: str = "") -> bytes:
    """A message with the string in every place that its author controls."""
    percent = "".join(f"%{octet:02X}" for octet in evil.encode())
    bare = "".join(char for char in evil if char not in "\r\n<>\0")
    file = [
        "--x",
        f"Content-Type: image/png; name*=utf-8''{percent}",
        f"Content-Disposition: attachment; filename*=utf-8''..%2F..%2F{percent}.png",
        f"Content-ID: <{bare}@x>",
        "",
        "x",
    ]
    lines = [
        f"From: {word(evil)} <{sender}>",
        f"To: {word(evil)} <{to}>",
        f"Subject: {tag}{word(evil)} {bare}",
        f"Message-ID: <{name}{bare.replace(' ', '')}@evil.example>",
        f"In-Reply-To: <{bare}@b> <{{{{7*19181717}}}}@b>",
        f"References: <{bare}@c> <{word(evil)}@c>",
        f"Date: {bare}",
        f"X-Mailer: {bare}",
        "MIME-Version: 1.0",
        "Content-Type: multipart/mixed; boundary=x",
        "",
        *("--x", "Content-Type: text/plain; charset=utf-8", "", body),
        *file,
        "--x--",
    ]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")


def writes(at: StoredDesk, evil: str, sender: str, to: str = DESK_ADDRESS, **parts: str) -> Plan:
    """Somebody writes the string wherever they can."""
    return take(at, hostile(evil, sender, to, **parts), evil, to)


def take(at: StoredDesk, raw: bytes, evil: str, to: str = DESK_ADDRESS) -> Plan:
    """Process a message that came with the string in its envelope as well."""
    envelope = Envelope("smtp", f"{evil}@evil.example", (to,), "192.0.2.7", helo=evil)
    with at.store.write() as tx:
        kept = journal.get(tx, journal.take(tx, raw, envelope, NOW))
        assert kept is not None
        plan = process(tx, kept, parsing.parse(raw, envelope), at.office, NOW)
    assert plan is not None
    return plan


def story(at: StoredDesk, evil: str) -> None:
    """Everybody writes."""
    to_marta, to_elena = (reply_address(1, f"{name}@example.es") for name in ("marta", "elena"))
    writes(at, evil, "ana@acme.example", name="a")
    writes(at, evil, "marta@example.es", to_marta, body=f"Listo: {evil}\r\n\r\n#time 12m", name="b")
    writes(at, evil, "ana@acme.example", reply_address(1, "ana@acme.example"), name="c")
    writes(at, evil, "marta@example.es", to_marta, body=f"#time {evil}", name="d")
    writes(at, evil, "marta@example.es", name="e")
    writes(at, evil, "mal@evil.example", name="f")
    writes(at, evil, "eva@evil.example", name="g", tag="[SOP-1] ")
    writes(at, evil, "elena@example.es", to_elena, body="#release 2", name="h")
    take(at, bounced(at, evil), evil, path_of(at, "answer"))
    with at.store.write() as tx:
        JOBS["digest"](tx, at.office, NOW)


def path_of(at: StoredDesk, template: str) -> str:
    """The envelope sender of the newest mail of a template."""
    with at.store.read() as tx:
        return str(tx.value("select sender from outbox where template = :it order by id desc limit 1", it=template))


def bounced(at: StoredDesk, evil: str) -> bytes:
    """The answer to Ana comes back, with the string for a reason (RFC 3464)."""
    bare = "".join(char for char in evil if char not in "\r\n\0")
    return (
        f"From: MAILER-DAEMON@mx.evil.example\r\nTo: {path_of(at, 'answer')}\r\nSubject: {bare}\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n"
        "--x\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; {bare}\r\n\r\nFinal-Recipient: rfc822; ana@acme.example\r\nAction: failed\r\n"
        f"Status: 5.1.1\r\nDiagnostic-Code: smtp; 550 {bare}\r\n\r\n--x--\r\n"
    ).encode("utf-8", "surrogateescape")


VERBS = (
    *(["tickets"], ["ticket", "1"], ["ticket", "2"], ["quarantine"], ["quarantine", "show", "1"], ["outbox"]),
    *(["explain", "-"], ["inject", "-"]),
)
TOLD = {
    "ack",
    "notice",
    "answer",
    "problems",
    "unproven",
    "guest_waits",
    "digest",
    "delivery_failed",
    "still_quarantined",
}


@pytest.mark.parametrize("evil", canary.LINES.values(), ids=canary.LINES)
def test_whatever_people_write_leaves_the_desk_as_text(at: StoredDesk, evil: str) -> None:
    story(at, evil)
    assert {mail.template for mail in at.mails()} >= TOLD
    for raw in at.raws():
        canary.read(raw)
    assert {mail.to for mail in at.mails()} <= {"ana@acme.example", "marta@example.es", "elena@example.es"}


@pytest.mark.parametrize("evil", canary.LINES.values(), ids=canary.LINES)
def test_prospect_is_answered_as_text(tmp_path: Path, evil: str) -> None:
    with stored_desk(tmp_path, desk(desk={"strangers": "prospect"})) as at:
        writes(at, evil, "mal@evil.example")
        assert {mail.to for mail in at.mails()} == {"mal@evil.example", "elena@example.es"}
        for raw in at.raws():
            canary.read(raw)


@pytest.mark.slow
@pytest.mark.parametrize("evil", canary.LINES.values(), ids=canary.LINES)
def test_whatever_people_write_cannot_command_a_terminal(at: StoredDesk, run: Run, evil: str) -> None:
    story(at, evil)
    for verb in VERBS:
        code, out, err = run("--data", "data", *verb, stdin=hostile(evil, "ana@acme.example", name="z"))
        assert code == 0, err
        canary.look_at_terminal(out if verb[1:2] != ["show"] else "")  # in a pipe it is the raw message
        canary.look_at_terminal(err)
