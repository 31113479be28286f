"""Long files, which the parser is spared: they come out as if it had read each of their lines."""

from __future__ import annotations

import base64
import random
from email import message_from_bytes

import pytest

from mailgate.core.mail import Envelope, Mail
from mailgate.core.message import mime, parts
from tests.support import in_linear_time

FILE = random.Random(1).randbytes(60_000)
ENCODED = base64.encodebytes(FILE).replace(b"\n", b"\r\n")


def parse(raw: bytes) -> Mail:
    return mime.parse(raw, Envelope("inject"))


def mixed(*contents: bytes) -> bytes:
    inner = b"".join(b"--cut\r\n" + content + b"\r\n" for content in contents)
    head = b'From: ana@acme.example\r\nContent-Type: multipart/mixed; boundary="cut"\r\n\r\n'
    return head + inner + b"--cut--\r\n"


def file_part(encoded: bytes) -> bytes:
    return b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n" + encoded


TEXT = b"Content-Type: text/plain; charset=utf-8\r\n\r\nHola\xc3\xa1"


@pytest.mark.parametrize(
    "encoded",
    [
        ENCODED,
        ENCODED.rstrip(),
        ENCODED.replace(b"\r\n", b"\n"),
        base64.b64encode(FILE),
        ENCODED + b"\r\n" + b"\r\n",
        ENCODED[:40_000] + b"\r\n" + ENCODED[40_000:],
    ],
)
def test_file_comes_out_byte_for_byte_wherever_it_stands(encoded: bytes) -> None:
    for contents in ([file_part(encoded), TEXT], [TEXT, file_part(encoded)], [TEXT, file_part(encoded), TEXT]):
        mail = parse(mixed(*contents))
        (found,) = (one for one in mail.attachments if one.type == "image/png")
        assert found.content == FILE
        assert mime.contents(mixed(*contents), [found.part])[found.part] == FILE
        assert mail.text.startswith("Holaá")
        assert mail.defects == ()


def test_file_of_text_says_what_it_is_written_in() -> None:
    sheet = b"Content-Type: text/csv; charset=iso-8859-1\r\nContent-Disposition: attachment\r\n\r\na\xf1o"
    assert [one.charset for one in parse(mixed(TEXT, sheet, file_part(ENCODED))).attachments] == ["iso-8859-1", ""]


def test_several_files_do_not_change_places() -> None:
    files = [random.Random(number).randbytes(20_000) for number in range(5)]
    mail = parse(mixed(TEXT, *(file_part(base64.encodebytes(file)) for file in files)))
    assert [one.content for one in mail.attachments] == files


def test_text_that_looks_like_a_file_stays_as_it_is() -> None:
    text = ENCODED.decode().replace("\r\n", "\n")
    assert parse(b"From: ana@acme.example\r\n\r\nMira:\r\n" + ENCODED).text == "Mira:\n" + text
    assert parse(b"From: ana@acme.example\r\n" + ENCODED + b"\r\nx").text == text + "\nx"


@pytest.mark.parametrize(
    ("encoded", "defect"),
    [
        (ENCODED[:39_000] + b"AA==\r\n" + ENCODED[39_000:], "InvalidBase64CharactersDefect"),
        (ENCODED[:39_000] + b"!?\r\n" + ENCODED[39_000:], "InvalidBase64CharactersDefect"),
        (ENCODED.rstrip(b"\r\n")[:-3], "InvalidBase64LengthDefect"),
        (base64.encodebytes(FILE[:-1]).rstrip(b"=\n"), "InvalidBase64PaddingDefect"),
    ],
)
def test_long_file_with_a_fault_is_read_as_a_short_one_is(encoded: bytes, defect: str) -> None:
    mail = parse(mixed(TEXT, file_part(encoded)))
    as_library = message_from_bytes(file_part(encoded)).get_payload(decode=True)
    assert mail.attachments[0].content == as_library
    assert mail.defects == (defect,)


@pytest.mark.parametrize(("length", "held"), [(mime.MAX_HELD, True), (mime.MAX_HELD + 1, False)])
def test_big_file_is_not_held_and_read_again_when_it_is_asked_for(length: int, held: bool) -> None:
    file = random.Random(2).randbytes(length)
    raw = mixed(TEXT, file_part(base64.encodebytes(file)), file_part(ENCODED))
    big, small = parse(raw).attachments
    assert (big.size, big.content is not None, small.content) == (length, held, FILE)
    assert mime.contents(raw, [big.part, small.part]) == {big.part: file, small.part: FILE}


@pytest.mark.parametrize("stand_in", [b"\0000\000", b"\0007\000"])
def test_stand_in_that_the_sender_wrote_is_content(stand_in: bytes) -> None:
    octets = b"Content-Type: application/octet-stream\r\n\r\nx" + stand_in
    mail = parse(mixed(TEXT, octets, file_part(ENCODED)))
    assert [one.content for one in mail.attachments] == [b"x" + stand_in, FILE]


def test_files_lines_and_near_files_are_read_in_linear_time() -> None:
    line = b"A" * 76 + b"\r\n"
    for piece in (line, line * 50 + b"x y\r\n", b"A" * 76 + b" \r\n", b"A" * 80):
        with in_linear_time():
            parts.read(b"\r\n" + piece * (10_000_000 // len(piece)))
