"""The gateway, spoken to over real sockets; the whole desk runs behind it."""

from __future__ import annotations

import hashlib
import itertools
import random
import smtplib
import socket
import sqlite3
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.running import RunningDesk, running_desk, started, text_of
from tests.servers import eventually, postfix_relay
from tests.support import written

pytestmark = pytest.mark.slow


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[RunningDesk]:
    with running_desk(tmp_path) as running:
        yield running


def lines_of(sock: socket.socket) -> Iterator[str]:
    for line in sock.makefile("rb"):
        yield line.decode().rstrip()


def count(desk: RunningDesk, table: str) -> int:
    with sqlite3.connect(f"file:{desk.data}/mailgate.db?mode=ro", uri=True) as db:
        return int(db.execute(f"select count(*) from {table}").fetchone()[0])


# ---- the story -----------------------------------------------------------------------------------


def test_mail_becomes_a_ticket_and_an_answer_becomes_minutes(desk: RunningDesk):
    desk.send(written(subject="El carrito"), "ana@acme.example")
    mails = desk.wait_for(2)
    ack, notice = (next(m for m in mails if m["To"] == to) for to in ("ana@acme.example", "marta@example.es"))
    assert "SOP-1" in text_of(ack)
    assert (ack["Auto-Submitted"], ack["In-Reply-To"]) == ("auto-replied", "<m1@acme.example>")
    assert notice["Subject"] == "[SOP-1 Acme S.L.] El carrito"

    answer = written(
        "Listo, Ana.\n\n#time 12m\n\nEl lun, 2 nov 2026 a las 10:12, Ana (<soporte@example.es>) escribió:\n> #time 45m",
        sender="Marta Gil <marta@example.es>",
        to=str(notice["Reply-To"]),
        subject=f"Re: {notice['Subject']}",
        message_id="<a1@example.es>",
    )
    desk.send(answer, "marta@example.es", str(notice["Reply-To"]))
    (told,) = desk.wait_for(1)
    assert str(told["From"]) == "Marta Gil <soporte@example.es>"
    assert (told["Subject"], told["References"]) == ("Re: El carrito", "<m1@acme.example>")
    assert "Listo, Ana." in text_of(told)
    assert "12 min" in text_of(told)
    assert "45m" not in text_of(told)


def test_same_mail_twice_is_one_ticket_and_one_acknowledgement(desk: RunningDesk):
    for trace in ("", "Received: from a by b; Mon, 2 Nov 2026 10:00:00 +0100\n"):
        desk.send(trace.encode() + written(), "ana@acme.example")
    eventually(lambda: count(desk, "journal where state = 'done'") == 2)
    assert count(desk, "ticket") == 1
    assert len(desk.wait_for(2)) == 2


def test_attachments_and_inline_images_reach_the_technician_byte_for_byte(desk: RunningDesk):
    noise = random.Random(1)
    message = EmailMessage()
    message["From"], message["To"] = "ana@acme.example", "soporte@example.es"
    message["Subject"], message["Message-ID"] = "Captura", "<files@acme.example>"
    message.set_content("Mirad esto.")
    message.add_alternative('<p>Mirad <img src="cid:foto1"></p>', subtype="html")
    image, document = noise.randbytes(40_000), noise.randbytes(70_001)
    message.get_payload()[1].add_related(image, "image", "png", cid="<foto1>", filename="foto.png")  # type: ignore[union-attr, index]
    message.add_attachment(document, "application", "pdf", filename="Pantallazo señor.pdf")
    desk.send(message.as_bytes(), "ana@acme.example")
    notice = next(mail for mail in desk.wait_for(2) if mail["To"] == "marta@example.es")
    parts = {part.get_filename(): part for part in notice.walk() if part.get_filename()}
    digests = {name: hashlib.sha256(part.get_payload(decode=True)).hexdigest() for name, part in parts.items()}  # type: ignore[arg-type]
    assert digests == {
        "foto.png": hashlib.sha256(image).hexdigest(),
        "Pantallazo señor.pdf": hashlib.sha256(document).hexdigest(),
    }
    assert parts["foto.png"]["Content-ID"] == "<foto1>"


def test_many_connections_at_once_lose_nothing(desk: RunningDesk):
    def send(number: int) -> None:
        desk.send(written(f"Mensaje {number}", message_id=f"<n{number}@acme.example>"), "ana@acme.example")

    threads = [threading.Thread(target=send, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    eventually(lambda: count(desk, "ticket") == 40)
    eventually(lambda: count(desk, "outbox where state = 'sent'") == 80)


def test_restart_goes_on_where_it_stopped(tmp_path: Path):
    with running_desk(tmp_path) as desk:
        desk.send(written(), "ana@acme.example")
        desk.wait_for(2)
    with started(desk):
        desk.send(written("Y otra cosa.", message_id="<m2@acme.example>"), "ana@acme.example")
        assert len(desk.wait_for(2)) == 2
    assert count(desk, "ticket") == 2


# ---- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["otro@example.es", "soporte@evil.example", "soporte", "root@localhost"])
def test_what_is_not_the_desks_is_refused_at_rcpt(desk: RunningDesk, address: str):
    with smtplib.SMTP("127.0.0.1", desk.smtp_port) as client:
        client.ehlo()
        client.mail("ana@acme.example")
        code, words = client.rcpt(address)
    assert (code, words[:5]) == (550, b"5.1.1")


@pytest.mark.parametrize("address", ["soporte@example.es", "SOPORTE@EXAMPLE.ES", "soporte+12.abc@example.es"])
def test_addresses_of_the_desk_are_taken(desk: RunningDesk, address: str):
    with smtplib.SMTP("127.0.0.1", desk.smtp_port) as client:
        client.ehlo()
        client.mail("ana@acme.example")
        assert client.rcpt(address)[0] == 250


def test_too_big_is_refused_for_good_with_or_without_size(desk: RunningDesk):
    big = written() + b"\r\n".join([b"z" * 70] * 20_000)
    with pytest.raises(smtplib.SMTPSenderRefused) as announced:
        desk.send(big, "ana@acme.example")
    assert announced.value.smtp_code == 552
    with smtplib.SMTP("127.0.0.1", desk.smtp_port) as client:
        client.ehlo()
        client.mail("ana@acme.example")
        client.rcpt("soporte@example.es")
        code, words = client.data(big)
    assert (code, words[:5]) == (552, b"5.3.4")
    assert count(desk, "journal") == 0


def test_line_without_end_does_not_fill_the_memory(desk: RunningDesk):
    with socket.create_connection(("127.0.0.1", desk.smtp_port)) as sock:
        said = lines_of(sock)
        next(said)
        for command in (b"HELO x", b"MAIL FROM:<a@b.example>", b"RCPT TO:<soporte@example.es>", b"DATA"):
            sock.sendall(command + b"\r\n")
            next(said)
        with pytest.raises(OSError):
            for _ in range(200):
                sock.sendall(b"x" * 100_000)
            next(said)
            raise ConnectionResetError  # it closed without a reset
    desk.send(written(), "ana@acme.example")
    desk.wait_for(2)


# ---- LMTP ----------------------------------------------------------------------------------------


def test_lmtp_replies_once_for_each_recipient(desk: RunningDesk):
    with socket.create_connection(("127.0.0.1", desk.lmtp_port), timeout=10) as sock:
        said = lines_of(sock)
        next(said)
        sock.sendall(b"LHLO x\r\n")
        while next(said)[3] == "-":
            pass
        sock.sendall(b"MAIL FROM:<ana@acme.example>\r\n")
        next(said)
        for address in (b"soporte@example.es", b"soporte+1.x@example.es"):
            sock.sendall(b"RCPT TO:<" + address + b">\r\n")
            assert next(said).startswith("250")
        sock.sendall(b"DATA\r\n")
        assert next(said).startswith("354")
        sock.sendall(written().replace(b"\n", b"\r\n") + b".\r\n")
        assert [next(said)[:3] for _ in range(2)] == ["250", "250"]
        sock.sendall(b"QUIT\r\n")
        assert next(said).startswith("221")


@pytest.mark.servers
def test_postfix_in_front_delivers_once_by_lmtp(desk: RunningDesk):
    with postfix_relay(desk.lmtp_port) as port, smtplib.SMTP("127.0.0.1", port) as client:
        client.sendmail("ana@acme.example", ["soporte@example.es", "soporte+9.zz@example.es"], written())
        assert len(desk.wait_for(2, 30)) == 2
    assert count(desk, "ticket") == 1


# ---- rules while it runs -------------------------------------------------------------------------


def test_changed_rules_are_taken_up_without_losing_a_connection(desk: RunningDesk):
    with smtplib.SMTP("127.0.0.1", desk.smtp_port) as client:
        client.ehlo()
        good = desk.rules_path.read_text()
        desk.rules_path.write_text(good + '\n[clients.nuevo]\nname = "Nuevo"\naddresses = ["yo@nuevo.example"]\n')

        tries = itertools.count()

        def known() -> bool:
            desk.send(written(f"Hola {next(tries)}", sender="yo@nuevo.example"), "yo@nuevo.example")
            return count(desk, "ticket") > 0

        eventually(known)
        assert client.noop()[0] == 250


def test_rules_are_noted_at_the_start_and_when_they_change(desk: RunningDesk):
    assert desk.count("rules_taken") == 1
    desk.rules_path.write_text(desk.rules_path.read_text() + '\n[promise]\nfirst_answer = "2h"\n')
    eventually(lambda: desk.count("rules_taken") == 2)
    assert desk.count("rules_taken where data like '%first_answer%'") == 1


def test_wrong_rules_are_refused_and_the_admin_is_told(desk: RunningDesk):
    desk.rules_path.write_text(desk.rules_path.read_text().replace('director = "elena"', 'director = "elen"'))
    (told,) = desk.wait_for(1)
    assert told["To"] == "admin@example.es"
    assert "elen" in text_of(told)
    desk.send(written(), "ana@acme.example")
    assert len(desk.wait_for(2)) == 2


def test_template_beside_the_rules_is_taken_up_while_the_desk_runs(desk: RunningDesk):
    folder = desk.folder / "templates" / "es"
    folder.mkdir(parents=True)
    (folder / "ack.txt").write_text("Subject: x\n\nPalabras propias.\n")
    tries = itertools.count()

    def own_words() -> bool:
        desk.send(written(f"Hola {next(tries)}", message_id=""), "ana@acme.example")
        return any("Palabras propias." in text_of(mail) for mail in desk.wait_for(2))

    eventually(own_words)


def test_changed_size_limit_counts_for_the_next_connection(desk: RunningDesk):
    desk.rules_path.write_text(desk.rules_path.read_text().replace('max_size = "1MB"', 'max_size = "2KB"'))

    def limit() -> str:
        with smtplib.SMTP("127.0.0.1", desk.smtp_port) as client:
            client.ehlo()
            return client.esmtp_features["size"]

    eventually(lambda: limit() == "2048")
