"""What somebody writes in the client area, as a mail."""

from __future__ import annotations

from datetime import timedelta

from mailgate.core.mail import Mail, Part
from mailgate.core.message import mime
from mailgate.core.model import Person, Role
from mailgate.core.writing.submission import Submission, as_mail, on_one_line, once
from tests.support import NOW, desk, reply_address, ticket

ANA = Person(Role.CLIENT, "acme", "Acme S.L.", "ana@acme.example", "es", client="acme")
NAME = once(NOW - timedelta(minutes=3), "abcdefghijklmnop")


def sent(**values: object) -> Mail:
    raw, envelope = as_mail(Submission(ANA, "Hola.\r\n\r\nAdiós.", **values), desk(), NOW, "otherwise")  # type: ignore[arg-type]
    return mime.parse(raw, envelope)


def test_a_request_is_a_mail_from_its_writer_that_nothing_is_wrong_with() -> None:
    mail = sent(subject="El  carrito\r\nBcc: eva@nueva.example", once=NAME, peer="192.0.2.7")
    assert (mail.sender, mail.subject, mail.text.split()) == (
        "ana@acme.example",
        "El carrito Bcc: eva@nueva.example",
        ["Hola.", "Adiós."],
    )
    assert (mail.envelope.source, mail.envelope.peer, mail.defects) == ("web", "192.0.2.7", ())
    assert mail.recipients == ("soporte@example.es",)


def test_an_answer_goes_to_its_writers_own_reply_address() -> None:
    mail = sent(ticket=ticket(12), once=NAME)
    assert mail.recipients == (reply_address(12, "ana@acme.example"),)
    assert mail.subject == "Re: El carrito"


def test_the_same_form_is_the_same_mail_and_says_when_it_was_opened() -> None:
    first, second, other = sent(once=NAME), sent(once=NAME), sent(once=NAME + "-2")
    assert (first.message_id, first.digest) == (second.message_id, second.digest)
    assert first.message_id != other.message_id
    assert first.date == NOW - timedelta(minutes=3)


def test_a_name_that_no_form_of_now_has_counts_for_nothing() -> None:
    later, long_ago = once(NOW + timedelta(hours=1), "a" * 16), once(NOW - timedelta(days=9), "a" * 16)
    for name in ("", "x", later, long_ago, NAME + "\r\nX: y"):
        mail = sent(once=name)
        assert (mail.message_id, mail.date) == ("web.otherwise@example.es", NOW)


def test_files_go_along_byte_for_byte() -> None:
    (file,) = sent(files=[Part("../a b.png", "image/png", b"\0\r\n\xff")]).attachments
    assert (file.name, file.type, file.content) == ("_a b.png", "image/png", b"\0\r\n\xff")


def test_words_for_a_line_stand_on_one() -> None:
    assert on_one_line(" a {b}\r\n\tc ") == "a (b) c"
