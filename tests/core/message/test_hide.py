"""A secret is taken out of a message in whatever form a mail program would show it; the rest stays as it came."""

from __future__ import annotations

import quopri
import time
from base64 import b64encode
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.core.mail import Envelope
from mailgate.core.message import hide, mime
from mailgate.core.redaction import MARK, Secret

CANARY = "Contraseña-Ñu&7<x>"
HEAD = (
    b"From: Ana <ana@acme.example>\r\nTo: soporte@example.es\r\nMessage-ID: <m1@acme.example>\r\nMIME-Version: 1.0\r\n"
)


def forms(raw: bytes) -> list[str]:
    """Everything of a message as a program would show it, and the raw bytes."""
    mail = mime.parse(raw, Envelope("inject"))
    values = [value for several in mail.headers.values() for value in several]
    return [
        *(mail.text, mail.html, *values, raw.decode("utf-8", "replace")),
        *(file.name for file in mail.attachments),
        *((file.content or b"").decode("utf-8", "replace") for file in mail.attachments),
    ]


def without(raw: bytes, text: str = CANARY) -> tuple[bytes, int]:
    made, places = hide.without(raw, Secret(text))
    assert made is not None
    assert not any(text in form for form in forms(made))
    return made, places


@pytest.mark.parametrize(
    ("encoding", "encoded"), [("8bit", bytes), ("base64", b64encode), ("quoted-printable", quopri.encodestring)]
)
@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "windows-1252"])
def test_encoded_text_is_decoded_and_encoded_again(encoding: str, encoded: Callable[[bytes], bytes], charset: str):
    text = f"Usuario: ana\nClave: {CANARY}\nAdiós"
    fields = f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    made, places = without(HEAD + fields.encode() + encoded(text.encode(charset)))
    assert places == 1
    assert mime.parse(made, Envelope("inject")).text.split() == ["Usuario:", "ana", "Clave:", MARK, "Adiós"]


def test_the_very_bytes_stay_where_it_does_not_stand():
    raw = HEAD + b"X-Odd:  two  blanks\r\nContent-Type: text/plain\r\n\r\nHola \xff\r\n"
    assert hide.without(raw, Secret(CANARY)) == (raw, 0)


def test_what_does_not_hold_it_is_written_as_it_came():
    picture = bytes(range(256)) * 40
    message = EmailMessage(policy=SMTP)
    message["Subject"], message["From"], message["Message-ID"] = "El carrito", "ana@acme.example", "<m1@acme.example>"
    message.set_content(f"Clave: {CANARY}")
    message.add_attachment(picture, maintype="image", subtype="png", filename="captura.png")
    made, places = without(message.as_bytes())
    assert places == 1
    assert mime.contents(made, [2])[2] == picture


@pytest.mark.parametrize(
    "html",
    [
        "<p>Contrase&ntilde;a-&Ntilde;u&amp;7&lt;x&gt;</p>",
        "<p>Contrase<b>ñ</b>a-<span style='x'>Ñu</span>&#38;7&#x3C;x&#62;</p>",
        "<p>Contrase<wbr>ña-Ñu&amp;7&lt;x&gt;</p>",
    ],
)
def test_html_hides_it_behind_tags_and_entities(html: str):
    raw = HEAD + b"Content-Type: text/html; charset=utf-8\r\n\r\n" + html.encode()
    made, places = hide.without(raw, Secret(CANARY))
    assert made is not None
    assert places == 1
    assert mime.parse(made, Envelope("inject")).html.strip() == f"<p>{MARK}</p>"


def test_words_that_were_quoted_and_wrapped_are_found():
    raw = HEAD + b"Content-Type: text/plain\r\n\r\n> clave: caballo\r\n> correcto bateria\r\n> grapa y fin\r\n"
    made, places = hide.without(raw, Secret("caballo correcto bateria grapa"))
    assert made is not None
    assert places == 1
    assert mime.parse(made, Envelope("inject")).text == f"> clave: {MARK} y fin\n"


def test_subject_and_file_names_are_fields_in_which_it_stands():
    message = EmailMessage(policy=SMTP)
    message["Subject"] = f"La clave es {CANARY}, ¿vale?"
    message["From"], message["To"] = "Ana <ana@acme.example>", "soporte@example.es"
    message.set_content("Hola")
    message.add_attachment(b"x", maintype="application", subtype="octet-stream", filename=f"ñ {CANARY}.txt")
    made, places = without(message.as_bytes())
    found = mime.parse(made, Envelope("inject"))
    assert places == 2
    assert found.subject == f"La clave es {MARK}, ¿vale?"
    assert [file.name for file in found.attachments] == [f"? {MARK}.txt"]
    assert (found.sender, found.to) == ("ana@acme.example", ("soporte@example.es",))


@pytest.mark.parametrize("charset", ["utf-8", "utf-16-le", "cp1252"])
def test_files_are_looked_through_as_bytes(charset: str):
    message = EmailMessage(policy=SMTP)
    message["From"] = "ana@acme.example"
    message.set_content("Hola")
    message.add_attachment(
        f"DB_PASS={CANARY};".encode(charset), maintype="application", subtype="octet-stream", filename="wp-config.php"
    )
    made, places = without(message.as_bytes())
    assert places == 1
    assert mime.contents(made, [2])[2] == "DB_PASS=".encode(charset) + MARK.encode(charset) + ";".encode(charset)


def test_attached_messages_are_looked_through():
    inner = EmailMessage(policy=SMTP)
    inner["Subject"] = CANARY
    inner.set_content(f"{CANARY}\n\nDos veces: {CANARY}", cte="base64")
    outer = EmailMessage(policy=SMTP)
    outer["From"] = "ana@acme.example"
    outer.set_content("Te lo reenvío")
    outer.add_attachment(inner)
    assert without(outer.as_bytes())[1] == 3


def test_around_the_parts_it_is_found_too():
    body = f"--b\r\nContent-Type: text/plain\r\n\r\nHola\r\n--b--\r\n{'x-99-secreta'}\r\n".encode()
    raw = HEAD + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\nx-99-secreta\r\n' + body
    made, places = without(raw, "x-99-secreta")
    assert places == 2
    assert mime.parse(made, Envelope("inject")).text.strip() == "Hola"


def test_message_that_cannot_be_taken_apart_goes_whole():
    raw = HEAD + b"X: y\r\n" * 3000 + b"\r\nclave: x-99-secreta"
    assert hide.without(raw, Secret("x-99-secreta")) == (None, 1)
    assert hide.without(raw, Secret("otra-cosa")) == (raw, 0)


def test_where_it_parts_the_message_the_parts_stay_apart():
    raw = HEAD + b'Content-Type: multipart/mixed; boundary="x-99-secreta"\r\n\r\n--x-99-secreta\r\n\r\nHola\r\n'
    made, _ = without(raw + b"--x-99-secreta--\r\n", "x-99-secreta")
    assert mime.parse(made, Envelope("inject")).text.strip() == "Hola"


@given(st.text(min_size=4, max_size=40), st.text(max_size=200), st.text(max_size=200))
def test_whatever_is_hidden_is_not_found_again(text: str, before: str, after: str):
    secret = Secret(text)
    if secret.too_short:
        return
    hidden, places = secret.hide(f"{before} {text} {after}")
    assert places >= 1
    assert secret.hide(hidden)[1] == 0


@pytest.mark.parametrize("run", ["\u200b", "<b>", "<", "&nbsp;", " ", ">", "c", "c<b>", "c\u200b"])
def test_no_run_of_anything_takes_more_than_its_length(run: str):
    secret = Secret("caballo correcto")
    text = "c" + run * (500_000 // len(run)) + "caballo" + run * (500_000 // len(run))
    started = time.process_time()
    secret.hide(text)
    secret.hide_in_html(text)
    assert time.process_time() - started < 5


def test_a_secret_shows_itself_nowhere():
    assert "x-99" not in repr(Secret("x-99-secreta"))
