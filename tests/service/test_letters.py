"""Mails as they are written into the outbox."""

from __future__ import annotations

import re
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from mailgate.core.address import DESK_ITSELF, return_address
from mailgate.core.desk import Desk
from mailgate.core.mail import Notice
from mailgate.core.message import mime
from tests.running import read
from tests.stored import StoredDesk, stored_desk
from tests.support import KEY, reply_address, rules, written

HELP = Notice("help", "ana@acme.example", "es", values={"client": "acme"})
PDF = bytes(range(256)) * 20


def sent(desk: StoredDesk) -> list[EmailMessage]:
    return [read(raw) for raw in desk.raws()]


def to(desk: StoredDesk, person: str) -> list[EmailMessage]:
    return [mail for mail in sent(desk) if mail["To"] == person]


def transcript(desk: StoredDesk) -> list[str]:
    with desk.store.read() as tx:
        return [row["text"] for row in tx.rows("select text from transcript order by id")]


def answer(text: str, message_id: str = "<a1@example.es>", headers: str = "") -> bytes:
    return written(
        text,
        sender="Marta Gil <marta@example.es>",
        to=reply_address(1, "marta@example.es"),
        subject="Re: [SOP-1 Acme S.L.] El carrito",
        message_id=message_id,
        headers=headers,
    )


# ---- Message-IDs ---------------------------------------------------------------------------------


def test_every_mail_of_every_cause_has_a_message_id_of_its_own(desk: StoredDesk):
    for number in range(3):
        desk.take(written(message_id=f"<m{number}@acme.example>"))
    desk.post(HELP, "t1")
    desk.post(HELP, "t2")
    ids = [str(mail["Message-ID"]) for mail in sent(desk)]
    assert len(set(ids)) == len(ids) == 8
    assert all(re.fullmatch(r"<[\w.]+@example\.es>", message_id) for message_id in ids)


def test_same_arguments_give_the_same_bytes(tmp_path: Path):
    written_twice = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        with stored_desk(tmp_path / name) as desk:
            desk.take()
            desk.post(HELP, "t1")
            written_twice.append(desk.raws())
    assert written_twice[0] == written_twice[1]


def test_message_id_cannot_be_guessed_without_the_desks_secret(tmp_path: Path):
    ids = set()
    for key in (KEY, b"x" * 32):
        folder = tmp_path / key[:1].decode()
        folder.mkdir()
        with stored_desk(folder, Desk(rules(), key)) as desk:
            desk.post(HELP, "t1")
            ids |= {str(mail["Message-ID"]) for mail in sent(desk)}
    assert len(ids) == 2


def test_one_cause_cannot_write_twice(desk: StoredDesk):
    desk.post(HELP, "t1")
    with pytest.raises(Exception, match="UNIQUE"):
        desk.post(HELP, "t1")
    assert len(sent(desk)) == 1


# ---- where answers go ----------------------------------------------------------------------------


def test_each_person_of_a_ticket_has_a_reply_address_of_their_own(desk: StoredDesk):
    desk.take()
    for person in ("ana@acme.example", "marta@example.es"):
        (mail,) = to(desk, person)
        assert mail["Reply-To"] == reply_address(1, person)


def test_envelope_sender_names_the_mail_that_may_come_back(desk: StoredDesk):
    desk.take()
    desk.post(HELP, "t1")
    with desk.store.read() as tx:
        rows = tx.rows("select id, sender, message_id from outbox order by id")
    named = [return_address(KEY, "soporte@example.es", row["id"], row["message_id"]) for row in rows]
    assert [row["sender"] for row in rows] == named
    assert len(set(named)) == 3


def test_mail_of_the_desk_itself_is_answered_to_a_reply_address_of_no_ticket(desk: StoredDesk):
    desk.post(replace(HELP, ticket=DESK_ITSELF), "t1")
    (mail,) = sent(desk)
    assert mail["Reply-To"] == reply_address(DESK_ITSELF, mail["To"])
    with desk.store.read() as tx:
        assert tx.value("select ticket from outbox") is None


def test_mail_of_no_ticket_has_no_reply_address(desk: StoredDesk):
    desk.post(HELP, "t1")
    (mail,) = sent(desk)
    assert mail["Reply-To"] is None
    assert str(mail["From"]) == "Soporte Técnico <soporte@example.es>"


# ---- what goes with a mail -----------------------------------------------------------------------


def with_file(raw: bytes, name: str = "informe.pdf", content: bytes = PDF) -> bytes:
    """The same mail with a file, as a program would write it."""
    mail = read(raw)
    mail.add_attachment(content, "application", "pdf", filename=name)
    return mail.as_bytes()


def files(mail: EmailMessage) -> dict[str | None, object]:
    return {part.get_filename(): part.get_payload(decode=True) for part in mail.iter_attachments()}


def test_files_of_a_client_reach_the_technician_and_are_not_sent_back(desk: StoredDesk):
    desk.take(with_file(written(), "Año señor.pdf"))
    (acknowledgement,) = to(desk, "ana@acme.example")
    (notice,) = to(desk, "marta@example.es")
    assert files(notice) == {"Año señor.pdf": PDF}
    assert files(acknowledgement) == {}


def test_files_of_a_technician_reach_the_client(desk: StoredDesk):
    desk.take()
    desk.take(with_file(answer("Aquí va, Ana.")))
    assert files(to(desk, "ana@acme.example")[-1]) == {"informe.pdf": PDF}


def test_big_file_beside_a_small_one_reaches_the_technician(desk: StoredDesk):
    big = PDF * (mime.MAX_HELD // len(PDF) + 1)
    desk.take(with_file(with_file(written()), "grande.pdf", big))
    (notice,) = to(desk, "marta@example.es")
    assert files(notice) == {"informe.pdf": PDF, "grande.pdf": big}


def test_files_of_a_held_mail_go_out_with_it_when_it_is_released(desk: StoredDesk):
    desk.take()
    forward = (
        "Mira:\n\n---------- Forwarded message ---------\nFrom: x@h.example\nSubject: Caduca\n\nSu dominio caduca."
    )
    desk.take(with_file(answer(forward)))
    assert len(to(desk, "ana@acme.example")) == 1
    desk.take(answer("#send", "<a2@example.es>"))
    assert files(to(desk, "ana@acme.example")[-1]) == {"informe.pdf": PDF}


def test_report_that_was_asked_for_has_its_csv(desk: StoredDesk):
    desk.book(240)
    desk.take(written("", subject="Informe"))
    (mail,) = to(desk, "ana@acme.example")
    ((name, content),) = files(mail).items()
    assert name == "informe-2026-11-03-2026-11-03.csv"
    assert isinstance(content, bytes) and content.startswith(b"\xef\xbb\xbfApunte;")


# ---- what is remembered --------------------------------------------------------------------------


def test_what_people_quote_when_they_answer_is_remembered(desk: StoredDesk):
    desk.take()
    desk.take(answer("Listo, Ana.\n\n#time 12m"))
    texts = "\n".join(transcript(desk))
    for words in ("Hemos recibido su mensaje", "Tu respuesta a este correo", "Tiempo de esta respuesta: 12 min"):
        assert words in texts


def test_text_that_is_handed_back_may_be_sent_again_corrected(desk: StoredDesk):
    desk.take()
    before = transcript(desk)
    text = "Hola, Ana: hemos renovado el certificado del servidor de correo y ya llegan los formularios.\n\n#time {}"
    assert desk.take(answer(text.format("0"))).outcome == "reject"
    assert transcript(desk) == before
    corrected = desk.take(answer(text.format("12m"), "<a2@example.es>"))
    assert [entry.minutes for entry in corrected.entries] == [-12]
    assert "hemos renovado el certificado" in corrected.text
