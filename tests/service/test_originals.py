"""Mails as they came, for who did not ask to see their access data: how these are taken out, and what stays."""

from __future__ import annotations

import base64
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from mailgate.service.originals import covered
from tests.service.test_vault import LIST, with_file
from tests.support import written

VALUE = "Xk9!zz26"
ASKED = f"No entro en el panel.\n\nusuario: admin\nclave: {VALUE}\n"


def held(raw: bytes) -> list[str]:
    """Parts in which the value stands, decoded; and the raw mail itself."""
    parts = [part for part in message_from_bytes(raw, policy=default).walk() if not part.is_multipart()]
    found = [part.get_content_type() for part in parts if VALUE.encode() in part.get_payload(decode=True)]  # type: ignore[operator]
    return found + ["raw"] * (VALUE.encode() in raw or base64.b64encode(VALUE.encode()).rstrip(b"=") in raw)


def test_a_mail_without_access_data_is_given_byte_for_byte() -> None:
    raw = with_file("Mira la foto.", b"\x89PNG" * 100, "foto.png", "image/png")
    assert covered(raw) == (raw, False)


def test_they_are_taken_out_of_text_subject_and_files() -> None:
    raw = with_file(ASKED, LIST).replace(b"Subject: El FTP", f"Subject: FTP, clave: {VALUE}".encode())
    shown, were = covered(raw)
    assert were
    assert held(shown) == []
    read = message_from_bytes(shown, policy=default)
    assert read["Message-ID"] == "<f1@acme.example>"
    assert "clave: *****" in read["Subject"]
    (file,) = read.iter_attachments()  # type: ignore[attr-defined]
    assert (file.get_filename(), file.get_content()) == ("accesos.txt", "FTP\nusuario: web\nclave: *****\n")


def test_they_are_taken_out_of_html_and_of_what_is_encoded() -> None:
    told = EmailMessage()
    told["From"], told["Message-ID"] = "ana@acme.example", "<h@acme.example>"
    told.set_content(ASKED, cte="base64")
    told.add_alternative(f"<p>clave: <b>Xk9</b>!zz26</p><p>{VALUE}</p>", subtype="html", cte="quoted-printable")
    shown, were = covered(told.as_bytes())
    assert (were, held(shown)) == (True, [])
    assert b"zz26" not in shown


def test_what_is_known_is_taken_out_wherever_it_stands() -> None:
    raw = written(f"Con {VALUE} no entro.")
    assert covered(raw) == (raw, False)
    shown, were = covered(raw, [VALUE])
    assert were
    assert b"Con ***** no entro." in shown


@pytest.mark.parametrize(
    "text",
    [
        "usuario: admin\npin: 123\nclave: 12!",  # too short to be told from other words
        "\n".join(f"clave: Xk9!zz{number}" for number in range(150)),  # made of nothing else
    ],
)
def test_where_that_cannot_be_done_for_sure_the_text_is_given(text: str) -> None:
    shown, were = covered(with_file(text, LIST))
    assert were
    assert b"Xk9" not in shown
    assert b"12!" not in shown
    assert not list(message_from_bytes(shown, policy=default).iter_attachments())  # type: ignore[attr-defined]
    assert b"clave: \xe2\x9f\xa6" in shown


def test_where_one_of_several_is_not_found_in_the_mail_itself_the_text_is_given() -> None:
    told = EmailMessage()
    told["From"], told["Message-ID"] = "ana@acme.example", "<h@acme.example>"
    told.set_content(f"<p>clave: {VALUE}</p><p>contraseña: Qw7<img alt='#'>rt55xx</p>", subtype="html")
    shown, were = covered(told.as_bytes())
    assert (were, b"rt55" in shown, VALUE.encode() in shown) == (True, False, False)


def test_nothing_is_nothing() -> None:
    assert covered(b"") == (b"", False)


def test_a_mail_that_cannot_be_read_is_looked_through_as_it_is() -> None:
    raw = b"From: x@y.example\r\n" + b"X: y\r\n" * 20_000 + f"\r\nusuario: web\r\nclave: {VALUE}\r\n".encode()
    shown, were = covered(raw)
    assert (were, held(shown)) == (True, [])
