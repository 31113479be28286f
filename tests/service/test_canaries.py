"""A whole conversation with access data in every part of it, over a real daemon: in which files they are found."""

from __future__ import annotations

import base64
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from quopri import encodestring

import pytest

from mailgate import cli
from tests.running import RunningDesk, running_desk, text_of
from tests.servers import eventually

pytestmark = pytest.mark.slow

SUBJECT, TEXT, HTML, FILE, INSIDE = "Subj!7301x", "Text!7302x", "Html!7303x", "File!7304x", "Insi!7310x"
ANSWER, NOTE, ENTRY, BACK, STRANGER = "Answ!7305x", "Note!7306x", "Entr!7307x", "Back!7308x", "Stra!7309x"
ALL = (SUBJECT, TEXT, HTML, FILE, INSIDE, ANSWER, NOTE, ENTRY, BACK, STRANGER)
ANA, MARTA, ELENA = "ana@acme.example", "marta@example.es", "elena@example.es"

FIRST = f"""\
From: Ana <{ANA}>
To: soporte@example.es
Subject: Acceso, clave: {SUBJECT}
Message-ID: <c1@acme.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=m

--m
Content-Type: text/plain; charset=utf-8

No entro en el panel desde ayer.

usuario: admin
password: {TEXT}

--m
Content-Type: application/octet-stream; name="clave {FILE}.bin"
Content-Disposition: attachment; filename="clave {FILE}.bin"

nada
--m
Content-Type: text/plain; charset=utf-8; name="accesos.txt"
Content-Disposition: attachment; filename="accesos.txt"

FTP de la tienda
usuario: web
clave: {INSIDE}
--m--
"""
IN_HTML = f"""\
From: Ana <{ANA}>
To: soporte@example.es
Subject: El FTP
Message-ID: <c2@acme.example>
MIME-Version: 1.0
Content-Type: text/html; charset=utf-8

<table><tr><th>Usuario</th><th>Contrase&ntilde;a</th></tr><tr><td>web</td><td>{HTML}</td></tr></table>
"""


def plain(who: str, to: str, subject: str, text: str, number: str) -> bytes:
    head = f"From: {who}\nTo: {to}\nSubject: {subject}\nMessage-ID: <{number}@{who.partition('@')[2]}>\n"
    return f"{head}MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n{text}\n".encode()


def forms(value: str) -> Iterator[bytes]:
    """A value as it may stand in a file."""
    for text in (value.encode(), value.encode("utf-16-le"), value.encode("utf-16-be")):
        yield text
        yield encodestring(text)
        for before in range(3):  # base64 of a text has three faces, by where it begins
            yield base64.b64encode(b"\0" * before + text)[before + 1 :].rstrip(b"=")[:-1]


def holding(path: Path) -> list[str]:
    content = path.read_bytes()
    return [value for value in ALL if any(form in content for form in forms(value))]


def conversation(desk: RunningDesk) -> None:
    """Two tickets, an answer, a note, a mail handed back, a stranger, another technician, reports."""
    mails = 0

    def sends(raw: bytes, sender: str, to: str = "soporte@example.es") -> None:
        nonlocal mails
        mails += 1
        desk.send(raw, sender, to)
        eventually(lambda: desk.count("journal where state <> 'taken'") == mails, 30)

    def reply_to(to: str) -> str:
        """The reply address of the first mail to somebody about the first ticket."""
        theirs = (str(mail["Reply-To"]) for mail in desk.outgoing() if to in str(mail["To"]))
        return next(address for address in theirs if "+1." in address)

    sends(FIRST.encode(), ANA)
    sends(IN_HTML.encode(), ANA)
    eventually(lambda: desk.count("outbox where state = 'sent'") >= 4, 30)
    here = reply_to(MARTA)
    quoted = f"El 3/11/2026 a las 11:00, Ana <{ANA}> escribió:\n> usuario: admin\n> password: {TEXT}"
    answer = f"Ya está. Tu clave nueva: {ANSWER}\n\n#time 12m clave: {ENTRY}\n\n{quoted}"
    sends(plain(MARTA, here, "Re: Acceso", answer, "a1"), MARTA, here)
    sends(plain(MARTA, here, "Re: Acceso", f"#note\nclave de root: {NOTE}", "a2"), MARTA, here)
    sends(plain(MARTA, here, "Re: Acceso", f"Otra clave: {BACK}\n#time mucho", "a3"), MARTA, here)
    again = f"Con {ANSWER} no entra, ni con {TEXT}, ni con {INSIDE}."
    sends(plain(ANA, "soporte@example.es", "Re: Acceso [SOP-1]", again, "c3"), ANA)
    sends(plain("eva@x.example", "soporte@example.es", "Hola [SOP-1]", f"clave: {STRANGER}", "s1"), "eva@x.example")
    sends(plain(MARTA, here, "Re: Acceso", "#assign elena", "a4"), MARTA, here)
    for number, word in enumerate(("informe", "historial")):
        sends(plain(ANA, "soporte@example.es", word, word, f"q{number}"), ANA)
    eventually(lambda: desk.count("outbox where state = 'queued'") == 0, 30)


def test_no_file_holds_access_data_but_the_mails_that_may(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    places = ("--rules", str(tmp_path / "rules.toml"), "--data", str(tmp_path / "data"))
    with running_desk(tmp_path) as desk:
        conversation(desk)
        for verb in (
            ("backup", str(tmp_path / "copy")),
            ("tickets", "--search", "clave"),
            ("tickets", "--search", "Text", "--json"),
            *(("ticket", tag, *more) for tag in ("SOP-1", "SOP-2") for more in ((), ("--json",))),
            ("report", "acme"),
            ("quarantine", "--json"),
            ("outbox", "--json"),
        ):
            monkeypatch.setattr(sys, "argv", ["mailgate", *places, *verb])
            assert cli.main() == 0, verb
        shown = capfd.readouterr()
        files = [path for path in (tmp_path / "data").rglob("*") if path.is_file() and path.suffix != ".eml"]
        assert {path.name for path in files} >= {"mailgate.db", "mailgate.db-wal"}
        assert {path.name: holding(path) for path in [*files, tmp_path / "copy"] if holding(path)} == {}
        desk._read.clear()
        mails = desk.outgoing()
    told = shown.out + shown.err + caplog.text + "\n".join(record.getMessage() for record in caplog.records)
    assert [value for value in ALL if value in told] == []
    assert "SOP-1" in shown.out
    found: dict[str, set[str]] = {}
    for mail in mails:
        assert [value for value in ALL if value in str(mail["Subject"])] == []
        held = {value for value in ALL if value in mail.as_string() or value in text_of(mail)}
        held |= {value for value in ALL for part in mail.iter_attachments() if value in str(part.get_content())}
        held |= {value for value in ALL for part in mail.iter_attachments() if value in str(part.get_filename())}
        found.setdefault(str(mail["To"]), set()).update(held)
    by_address = {next(one for one in (ANA, MARTA, ELENA, "admin") if one in to): held for to, held in found.items()}
    assert by_address[ANA] == {ANSWER}  # as it was written to them
    # What clients told, and their own mail handed back.
    assert by_address[MARTA] == {TEXT, HTML, FILE, INSIDE, ANSWER, BACK}
    assert by_address.get(ELENA, set()) == set()
