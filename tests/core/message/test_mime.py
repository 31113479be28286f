from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.core.mail import Envelope, Mail
from mailgate.core.message import mime

HERE = Envelope("inject")
ANA = b"From: Ana Prieto <ana@acme.example>\r\nMessage-ID: <1@acme.example>\r\nSubject: Hola\r\n"
PICTURE = bytes(range(256)) * 5


def parse(raw: bytes) -> Mail:
    return mime.parse(raw, HERE)


def plain(body: bytes, *fields: bytes) -> bytes:
    return ANA + b"".join(field + b"\r\n" for field in fields) + b"\r\n" + body


def mixed(*contents: bytes, kind: bytes = b"mixed") -> bytes:
    inner = b"".join(b"--cut\r\n" + content + b"\r\n" for content in contents)
    return plain(inner + b"--cut--\r\n", b"Content-Type: multipart/" + kind + b'; boundary="cut"')


def part(kind: bytes, content: bytes, *fields: bytes) -> bytes:
    return b"".join(field + b"\r\n" for field in (b"Content-Type: " + kind, *fields)) + b"\r\n" + content


TEXT = part(b"text/plain; charset=utf-8", "¡Hola!".encode())
HTML = part(b"text/html; charset=utf-8", b"<p>Hola</p>")
IMAGE = part(
    b'image/png; name="foto.png"',
    base64.encodebytes(PICTURE),
    b"Content-Transfer-Encoding: base64",
    b"Content-ID: <foto@acme>",
    b"Content-Disposition: inline",
)
INNER = b"From: luis@b.example\r\nSubject: dentro\r\n\r\n#time 5h\r\n"


# What is read


def test_plain_mail_is_read_whole() -> None:
    raw = (
        b"From: =?utf-8?q?Luc=C3=ADa?= <Lucia@Acme.Example>\r\nTo: soporte@example.es, Marta <marta@example.es>\r\n"
        b"Cc: luis@b.example\r\nReply-To: info@acme.example\r\nSubject: =?utf-8?q?Aver=C3=ADa?=\r\n urgente\r\n"
        b"Date: Tue, 3 Nov 2026 18:05:00 +0100\r\nMessage-ID: <2@acme.example>\r\nIn-Reply-To: <1@example.es>\r\n"
        b"References: <0@example.es>\r\n <1@example.es>\r\nX-One: a\r\nX-One: b\r\n\r\nHola\r\n"
    )
    mail = parse(raw)
    assert (mail.sender, mail.sender_name) == ("lucia@acme.example", "Lucía")
    assert (mail.to, mail.cc) == (("soporte@example.es", "marta@example.es"), ("luis@b.example",))
    assert (mail.reply_to, mail.message_id) == ("info@acme.example", "2@acme.example")
    assert mail.subject == "Avería urgente"
    assert mail.date == datetime(2026, 11, 3, 17, 5, tzinfo=UTC)
    assert (mail.in_reply_to, mail.references) == (("1@example.es",), ("0@example.es", "1@example.es"))
    assert (mail.text, mail.html, mail.attachments, mail.defects) == ("Hola\n", "", (), ())
    assert mail.headers["x-one"] == ("a", "b")


def test_envelope_says_whom_a_mail_is_for() -> None:
    envelope = Envelope("smtp", "ana@acme.example", ("Soporte+1@Example.es", "not plain"))
    raw = plain(b"", b"Delivered-To: box@example.es", b"To: otra@example.es")
    assert mime.parse(raw, envelope).recipients == ("soporte+1@example.es",)


def test_without_an_envelope_the_headers_say_whom_a_mail_is_for() -> None:
    raw = plain(
        b"",
        b"Delivered-To: box@example.es",
        b"X-Original-To: soporte+1@example.es",
        b"To: soporte@example.es",
        b"Cc: box@example.es",
    )
    assert parse(raw).recipients == ("box@example.es", "soporte+1@example.es", "soporte@example.es")


@pytest.mark.parametrize(
    "date", [b"", b"ma\xf1ana", b"Mon, 32 Nov 2026 10:00:00", b"31 Dec 9999 23:59:59 -2359", b"9" * 5000]
)
def test_impossible_date_is_none(date: bytes) -> None:
    assert parse(plain(b"", b"Date: " + date)).date is None


@pytest.mark.parametrize("twice", [b"From: m@evil.example", b"from: ana@acme.example", b"x: y\rFrom: m@evil.example"])
def test_two_from_fields_are_nobody(twice: bytes) -> None:
    mail = parse(plain(b"", twice))
    assert mail.sender is None
    assert "several from fields" in mail.defects


def test_reply_to_of_several_is_none() -> None:
    assert parse(plain(b"", b"Reply-To: a@acme.example, b@acme.example")).reply_to is None


def test_missing_message_id_is_made_from_the_content() -> None:
    raw = b"From: ana@acme.example\r\n\r\nHola\r\n"
    made = parse(raw).message_id
    assert mime.is_made_up(made)
    assert made == parse(b"Received: x\r\n" + raw).message_id
    assert made != parse(raw + b"y").message_id
    assert not mime.is_made_up(parse(ANA + b"\r\n").message_id)


# Text


def test_text_and_html_are_taken_apart_and_line_ends_are_lf() -> None:
    mail = parse(mixed(part(b"text/plain", b"a\r\nb\rc\n"), HTML, kind=b"alternative"))
    assert mail.text == "a\nb\nc\n"
    assert mail.html == "<p>Hola</p>"
    assert mail.attachments == ()


def test_several_text_parts_are_joined_in_order() -> None:
    assert parse(mixed(part(b"text/plain", b"uno"), IMAGE, part(b"text/plain", b"dos"))).text == "uno\ndos"


@pytest.mark.parametrize(
    "attached",
    [
        part(b"text/plain", b"#time 5h", b"Content-Disposition: attachment"),
        part(b'text/plain; name="a.txt"', b"#time 5h"),
        part(b"text/plain", b"#time 5h", b'Content-Disposition: inline; filename="a.txt"'),
        part(b"text/plain", b"#time 5h", b"Content-Disposition: inline; filename*=utf-8''a.txt"),
        part(b"message/rfc822", INNER),
        part(b"message/rfc822", INNER, b"Content-Disposition: inline"),
        part(b"message/delivery-status", b"#time: 5h\r\n\r\n#time 5h\r\n"),
        part(b"text/calendar", b"#time 5h"),
        part(b"text/x-log", b"#time 5h"),
        part(b"application/ms-tnef", b"#time 5h"),
    ],
)
def test_attached_text_is_never_the_text_of_the_mail(attached: bytes) -> None:
    mail = parse(mixed(TEXT, attached))
    assert mail.text == "¡Hola!"
    assert len(mail.attachments) == 1


def test_text_with_a_name_is_the_text_where_there_is_nothing_else() -> None:
    assert parse(plain(b"Hola", b'Content-Type: text/plain; name="a.txt"')).text == "Hola"


@pytest.mark.parametrize("kind", [b"", b"nonsense", b"text", b"text/plain/x", b"; charset=utf-8"])
def test_senseless_type_is_plain_text(kind: bytes) -> None:
    assert parse(plain(b"Hola", b"Content-Type: " + kind)).text == "Hola"


def test_raw_eight_bit_mail_without_mime_fields_is_read() -> None:
    mail = parse(b"From: ana@acme.example\nSubject: Aver\xeda\n\nEspa\xf1a \x80\n")
    assert (mail.subject, mail.text) == ("Avería", "España €\n")


@pytest.mark.parametrize("encoding", [b"base64", b"BASE64 ", b'"base64"', b"base64 (x)", b"base64;"])
def test_sloppy_transfer_encoding_is_understood(encoding: bytes) -> None:
    assert parse(plain(b"SG9sYQ==", b"Content-Transfer-Encoding: " + encoding)).text == "Hola"


def test_multipart_without_its_boundary_is_shown_as_text() -> None:
    assert "Hola" in parse(plain(b"--cut\r\n\r\nHola\r\n", b"Content-Type: multipart/mixed")).text


@pytest.mark.parametrize(
    ("flowed", "parameters", "text"),
    [
        ("uno \ndos\ntres", "", "uno dos\ntres"),
        ("uno \ndos", "; delsp=yes", "unodos"),
        ("> uno \n> dos\nyo", "", "> uno dos\nyo"),
        (">> uno \n> dos", "", ">> uno\n> dos"),
        (" From here\n #time 12m", "", "From here\n#time 12m"),
        ("adiós\n-- \nAna \nPrieto", "", "adiós\n-- \nAna Prieto"),
        ("hola \n-- \nAna", "", "hola \n-- \nAna"),
        ("uno \n\ndos", "", "uno \ndos"),
    ],
)
def test_flowed_text_is_unwrapped(flowed: str, parameters: str, text: str) -> None:
    kind = f"Content-Type: text/plain; charset=utf-8; format=flowed{parameters}".encode()
    assert parse(plain(flowed.encode(), kind)).text == text


# Attachments


def test_attachments_carry_what_is_needed_to_hand_them_on() -> None:
    mail = parse(mixed(TEXT, IMAGE, part(b"application/pdf", b"%PDF", b"Content-Disposition: attachment")))
    picture, paper = mail.attachments
    assert (picture.part, picture.name, picture.type, picture.size) == (2, "foto.png", "image/png", 1280)
    assert (picture.content_id, picture.inline) == ("foto@acme", True)
    assert (paper.part, paper.name, paper.content_id, paper.inline) == (3, "part-3.pdf", None, False)


def test_attachment_is_taken_out_byte_for_byte() -> None:
    lines = b"una\r\ndos\ntres\rcuatro\0\xff \r\n"
    raw = mixed(
        TEXT,
        IMAGE,
        part(b"application/x", lines, b"Content-Transfer-Encoding: 8bit"),
        part(b"application/x", b"a=3D=\r\nb=00", b"Content-Transfer-Encoding: quoted-printable"),
    )
    found = [mime.contents(raw, [one.part])[one.part] for one in parse(raw).attachments]
    assert found == [PICTURE, lines, b"a=b\0"]


def test_attached_message_is_taken_out_byte_for_byte() -> None:
    inner = INNER + b"Odd:header \r\n\tx\n\xff\r\n"
    raw = mixed(TEXT, part(b"message/rfc822", inner), kind=b"mixed")
    (one,) = parse(raw).attachments
    assert (one.type, one.name, one.size) == ("message/rfc822", "part-2.eml", len(inner))
    assert mime.contents(raw, [one.part])[one.part] == inner


def test_parts_of_a_digest_are_attached_messages() -> None:
    raw = mixed(b"\r\n" + INNER, b"\r\n" + INNER, kind=b"digest")
    assert [one.type for one in parse(raw).attachments] == ["message/rfc822"] * 2


@pytest.mark.parametrize("index", [-1, 0, 4, 10**6])
def test_part_that_holds_nothing_is_an_error(index: int) -> None:
    with pytest.raises(LookupError):
        mime.contents(mixed(TEXT, IMAGE, HTML), [index])[index]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("informe.pdf", "informe.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\TEMP\\foto.png", "foto.png"),
        ("\u200b.htaccess", "htaccess"),
        ("a\r\nX-Inj: y.txt", "aX-Inj: y.txt"),
        ("x\0.txt", "x.txt"),
        ("\u202egnp.exe", "gnp.exe"),
        ("n\u0303.txt", "ñ.txt"),
        ("...", ""),
        ("a/", ""),
        ("x" * 146 + ".pdf", "x" * 146 + ".pdf"),
        ("x" * 147 + ".pdf", "x" * 146 + ".pdf"),
        ("x" * 200, "x" * 150),
    ],
)
def test_file_name_is_made_harmless(name: str, shown: str) -> None:
    assert mime.display_name(name) == shown


# Identity


@pytest.mark.parametrize(
    "other",
    [
        b"Received: from x\r\nReturn-Path: <ana@acme.example>\r\nDelivered-To: soporte@example.es\r\n",
        b"X-Spam-Status: No\r\n",
        b"Authentication-Results: mx; dkim=pass\r\n",
    ],
)
def test_fields_added_on_the_way_do_not_make_another_message(other: bytes) -> None:
    raw = mixed(TEXT, IMAGE)
    assert parse(raw).digest == parse(other + raw).digest


def test_road_does_not_make_another_message() -> None:
    raw = mixed(TEXT, IMAGE, part(b"message/rfc822", INNER), part(b"application/xml", b"<a>\r\n</a>  \r\n"))
    digest = parse(raw).digest
    assert parse(raw.replace(b"\r\n", b"\n")).digest == digest
    assert parse(raw + b"\r\n\r\n").digest == digest
    assert mime.parse(raw, Envelope("imap", None, (), "imap.example.es")).digest == digest


def test_transfer_encoding_changed_by_a_relay_does_not_make_another_message() -> None:
    eight = plain("España\r\n".encode(), b"Content-Type: text/plain; charset=utf-8")
    quoted = plain(
        b"Espa=C3=B1a\r\n",
        b"Content-Type: text/plain; charset=utf-8",
        b"Content-Transfer-Encoding: quoted-printable",
    )
    assert parse(eight).digest == parse(quoted).digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Subject: Hola", b"Subject: Adios"),
        (b"ana@acme", b"eva@acme"),
        (b"<1@acme", b"<2@acme"),
        ("¡Hola!".encode(), b"Hola!"),
        (base64.encodebytes(PICTURE)[:8], b"AAECAwQG"),
        (b"image/png", b"image/gif"),
    ],
)
def test_other_content_makes_another_message(old: bytes, new: bytes) -> None:
    raw = mixed(TEXT, IMAGE)
    assert old in raw
    assert parse(raw).digest != parse(raw.replace(old, new)).digest


# Whatever comes


pieces = st.sampled_from(
    [
        b"From: ",
        b"Subject: =?utf-8?q?",
        b"Content-Type: multipart/mixed; boundary=",
        b"Content-Type: multipart/digest; boundary=c\n\n",
        b"Content-Type: message/delivery-status\n",
        b"Content-Type: text/plain; charset=",
        b"utf-7\n",
        b"idna\n",
        b"Content-Transfer-Encoding: base64\n",
        b"Content-Transfer-Encoding: x-uuencode\n",
        b"Content-Disposition: attachment; filename*0*=",
        b"format=flowed; delsp=yes",
        b"begin 644 x\n",
        b"--c\n",
        b"--c--\n",
        b"c\n",
        b"\n\n",
        b"\r",
        b"\0",
        b"a@b.es",
        b"From \n",
        b": \n",
        b" \n",
    ]
)


@given(st.lists(pieces | st.binary(max_size=8), max_size=30).map(b"".join))
def test_nothing_raises_and_all_text_can_be_stored(raw: bytes) -> None:
    mail = parse(raw)
    names = "".join(one.name + one.type for one in mail.attachments)
    assert "\0" not in mail.text + mail.html + mail.subject + names + mail.message_id
    for text in (mail.text, mail.html, mail.subject, mail.sender_name, names, mail.message_id, str(mail.headers)):
        assert text.encode("utf-8") is not None
    for one in mail.attachments:
        assert len(mime.contents(raw, [one.part])[one.part]) == one.size
    assert parse(raw) == mail
