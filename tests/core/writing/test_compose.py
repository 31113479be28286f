"""Whole mails, read again with the standard library and compared."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailgate.core.mail import Part
from mailgate.core.writing.compose import NAME, compose

HEADERS = (
    ("From", "Marta Gil <soporte@example.es>"),
    ("To", "ana@acme.example"),
    ("Subject", "Re: El formulario no envía"),
    ("Message-ID", "<j17.0.abc@example.es>"),
)
PICTURE = Part("captura.png", "image/png", b"\x89PNG\r\n\0", content_id="ii_1@mail", inline=True)
SHEET = Part("presupuesto.pdf", "application/pdf", bytes(range(256)) * 5)


def read(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    """The body with LF; within a multipart, its last line end belongs to the boundary."""
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def types(mail: EmailMessage) -> list[str]:
    return [part.get_content_type() for part in mail.walk()]


def file_of(part: Part) -> EmailMessage:
    (attachment,) = read(compose(HEADERS, "hola", None, [part])).iter_attachments()
    return attachment


def test_text_alone_is_one_part() -> None:
    mail = read(compose(HEADERS, "Hola, Ana:\n\nYa está.\n", None, []))
    assert types(mail) == ["text/plain"]
    assert text_of(mail) == "Hola, Ana:\n\nYa está.\n"
    assert mail["MIME-Version"] == "1.0"
    assert mail["Subject"] == "Re: El formulario no envía"


def test_html_is_the_richer_alternative() -> None:
    mail = read(compose(HEADERS, "Ya está.", "<p>Ya está.</p>", []))
    assert types(mail) == ["multipart/alternative", "text/plain", "text/html"]
    assert text_of(mail, "html") == "<p>Ya está.</p>"


def test_pictures_go_with_the_html_and_files_beside_the_text() -> None:
    mail = read(compose(HEADERS, "hola", '<img src="cid:ii_1@mail">', [PICTURE, SHEET]))
    assert types(mail) == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "application/pdf",
    ]
    picture = next(part for part in mail.walk() if part.get_content_type() == "image/png")
    assert picture["Content-ID"] == "<ii_1@mail>"
    assert picture.get_content_disposition() == "inline"


def test_picture_without_html_is_an_attachment() -> None:
    mail = read(compose(HEADERS, "hola", None, [PICTURE]))
    assert types(mail) == ["multipart/mixed", "text/plain", "image/png"]


@given(st.binary(max_size=400))
@settings(max_examples=50)
def test_bytes_of_a_file_are_kept_exactly(content: bytes) -> None:
    assert file_of(Part("x.bin", "application/octet-stream", content)).get_payload(decode=True) == content


@given(st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=400))
@settings(max_examples=100)
def test_any_text_comes_back(text: str) -> None:
    assert text_of(read(compose(HEADERS, text, None, []))) == text + "\n"


def test_blanks_at_line_ends_dots_and_from_lines_come_back() -> None:
    text = "-- \n.\n..\nFrom me\n\tTab \n" + "x" * 1200 + "\n"
    raw = compose(HEADERS, text, None, [])
    assert text_of(read(raw)) == text
    assert max(map(len, raw.split(b"\r\n"))) <= 78


def test_every_line_ends_with_crlf() -> None:
    raw = compose(HEADERS, "a\nb\r\nc\rd", "<p>\n</p>", [PICTURE, SHEET])
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw)
    assert raw.endswith(b"\r\n")


def test_text_that_is_shorter_in_base64_goes_in_base64() -> None:
    mail = read(compose(HEADERS, "网站打不开了" * 50, None, []))
    assert mail["Content-Transfer-Encoding"] == "base64"
    assert text_of(mail) == "网站打不开了" * 50 + "\n"


def test_control_characters_do_not_leave_the_house() -> None:
    assert text_of(read(compose(HEADERS, "a\0b\x1b[2Jc\td", None, []))) == "ab[2Jc\td\n"


@pytest.mark.parametrize(
    "name",
    [
        "informe 2026.pdf",
        "año.pdf",
        "Presupuesto año 2026 – " * 4 + ".xlsx",
        "报价单.docx",
        'a"b\\c;d.txt',
        "👍" * 30,
    ],
)
def test_file_name_comes_back_whole(name: str) -> None:
    assert file_of(Part(name, "application/pdf", b"x")).get_filename() == name


def test_old_programs_get_a_plain_name() -> None:
    assert file_of(Part("año.pdf", "application/pdf", b"x")).get_content_type() == "application/pdf"
    assert b'name="a_o.pdf"' in compose(HEADERS, "", None, [Part("año.pdf", "application/pdf", b"x")])


def test_long_file_name_keeps_its_ending() -> None:
    fits, longer = "a" * (NAME - 4) + ".pdf", "a" * (NAME - 3) + ".pdf"
    assert file_of(Part(fits, "application/pdf", b"")).get_filename() == fits
    assert file_of(Part(longer, "application/pdf", b"")).get_filename() == fits


def test_file_name_is_no_path_and_injects_nothing() -> None:
    part = file_of(Part("../../x\r\nX-Evil: y.txt", "text/plain", b"x", content_id="a>\r\nX-Evil: b"))
    assert part.get_filename() == ".._.._x X-Evil: y.txt"
    assert "X-Evil" not in part


@pytest.mark.parametrize(
    "declared", ["message/rfc822", "multipart/mixed", "text/plain; charset=x", "x", "a/b\r\nX-Evil: c", ""]
)
def test_type_that_base64_cannot_carry_is_plain_bytes(declared: str) -> None:
    part = file_of(Part("x.eml", declared, b"Subject: x\r\n\r\ny"))
    assert part.get_content_type() == "application/octet-stream"
    assert part.get_payload(decode=True) == b"Subject: x\r\n\r\ny"


@pytest.mark.parametrize(
    ("charset", "content", "said"),
    [
        ("iso-8859-1", "año".encode("latin-1"), "iso-8859-1"),
        ("", "año".encode(), "utf-8"),
        ("", "año".encode("latin-1"), None),
        ("x\r\nX-Evil: y", b"x", "utf-8"),
    ],
)
def test_text_says_what_it_is_written_in(charset: str, content: bytes, said: str | None) -> None:
    part = file_of(Part("datos.csv", "text/csv", content, charset=charset))
    assert part.get_content_charset() == said
    assert part.get_payload(decode=True) == content
    assert file_of(Part("a.pdf", "application/pdf", b"x", charset="utf-8")).get_content_charset() is None


def test_same_values_give_the_same_bytes() -> None:
    again = compose(HEADERS, "hola", "<p>hola</p>", [PICTURE, SHEET])
    assert compose(HEADERS, "hola", "<p>hola</p>", [PICTURE, SHEET]) == again


def test_boundary_follows_from_the_message_id_and_stands_in_no_body() -> None:
    other = (*HEADERS[:3], ("Message-ID", "<j18.0.abc@example.es>"))
    (one,) = re.findall(rb'boundary="([^"]+)"', compose(HEADERS, "x", "y", []))
    (two,) = re.findall(rb'boundary="([^"]+)"', compose(other, "x", "y", []))
    assert one != two
    hostile = f"--{one.decode()}\n\n--{one.decode()}--\n"
    assert text_of(read(compose(HEADERS, hostile, "y", []))) + "\n" == hostile


@given(st.text(max_size=100), st.text(max_size=100), st.text(max_size=50), st.text(max_size=50))
@settings(max_examples=100)
def test_hostile_values_add_no_header_and_no_part(subject: str, text: str, name: str, kind: str) -> None:
    headers = [(key, subject if key == "Subject" else value) for key, value in HEADERS]
    mail = read(compose(headers, text, "<p></p>", [Part(name, kind, b"x", content_id=name)]))
    assert mail.keys() == ["From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type"]
    assert types(mail)[:4] == ["multipart/mixed", "multipart/alternative", "text/plain", "text/html"]
    assert len(types(mail)) == 5
