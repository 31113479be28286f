"""The bounds, seen from outside: through `mime.parse`."""

from __future__ import annotations

import pytest

from mailgate.core.mail import Envelope, Mail
from mailgate.core.message import mime, parts
from tests.support import in_linear_time

HERE = Envelope("inject")
ANA = b"From: Ana Prieto <ana@acme.example>\r\nMessage-ID: <1@acme.example>\r\nSubject: Hola\r\n"


def parse(raw: bytes) -> Mail:
    return mime.parse(raw, HERE)


def plain(body: bytes, *fields: bytes) -> bytes:
    return ANA + b"".join(field + b"\r\n" for field in fields) + b"\r\n" + body


def mixed(*contents: bytes, kind: bytes = b"mixed") -> bytes:
    inner = b"".join(b"--cut\r\n" + content + b"\r\n" for content in contents)
    return plain(inner + b"--cut--\r\n", b"Content-Type: multipart/" + kind + b'; boundary="cut"')


def part(kind: bytes, content: bytes, *fields: bytes) -> bytes:
    return b"".join(field + b"\r\n" for field in (b"Content-Type: " + kind, *fields)) + b"\r\n" + content


def over_limit(raw: bytes) -> bool:
    mail = parse(raw)
    assert mail.unreadable == "" or mail.defects == (mail.unreadable,)
    return bool(mail.unreadable)


@pytest.mark.slow
@pytest.mark.parametrize(("more", "over"), [(0, False), (1, True)])
def test_each_bound_has_two_sides(more: int, over: bool) -> None:
    block = b"X: " + b"y" * 65_000 + b"\r\n"
    fill = parts.MAX_HEADER_BLOCK - 4 * len(block) + more
    assert over_limit(block * 4 + b"Z: " + b"y" * (fill - 3) + b"\r\n\r\n") is over
    assert over_limit(b"X: " + b"y" * (parts.MAX_FIELD - 3 + more) + b"\r\n\r\n") is over
    assert over_limit(b"X: y\r\n" * (parts.MAX_FIELDS + more - 1) + b"Y: z\r\n\r\n") is over
    assert over_limit(b"\n" * (parts.MAX_LINES + more)) is over
    assert over_limit(mixed(*[b"\r\nx"] * (parts.MAX_PARTS - 1 + more))) is over
    nested = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (depth, depth)
        for depth in range(parts.MAX_DEPTH + more)
    )
    assert over_limit(ANA + nested + b"\r\nx") is over


def test_message_over_a_bound_still_shows_its_fields_but_has_no_text() -> None:
    mail = parse(b"X: " + b"y" * 70_000 + b"\r\n" + plain(b"#time 5h", b"Content-Type: text/plain"))
    assert (mail.sender, mail.subject, mail.text) == ("ana@acme.example", "Hola", "")
    assert mail.digest != parse(b"X: " + b"y" * 70_001 + b"\r\n" + plain(b"#time 5h")).digest


def test_field_that_the_bound_cuts_off_is_not_read() -> None:
    author = b"From: ana@acme.example.evil.example\r\n"
    lines = (b"X: " + b"y" * 60_000 + b"\r\n") * 5
    cut = lines[: parts.MAX_HEADER_BLOCK - 24]
    mail = parse(cut + b"\r\n" + author + b"\r\n")
    assert mail.unreadable == "header of more than 262144 bytes"
    assert mail.sender is None
    assert "from" not in mail.headers


def test_part_of_a_message_over_a_bound_is_an_error() -> None:
    with pytest.raises(LookupError, match="header field of more than"):
        mime.contents(b"X: " + b"y" * 70_000 + b"\r\n\r\n", [0])[0]


@pytest.mark.parametrize(("length", "whole"), [(parts.MAX_BOUNDARY, False), (parts.MAX_BOUNDARY + 1, True)])
def test_boundary_of_absurd_length_parts_nothing(length: int, whole: bool) -> None:
    cut = b"c" * length
    raw = plain(b"--" + cut + b"\r\n\r\nHola\r\n--" + cut + b"--", b"Content-Type: multipart/mixed; boundary=" + cut)
    assert parse(raw).text.startswith("--c") is whole


@pytest.mark.slow
@pytest.mark.parametrize(
    "raw",
    [
        b"Subject: " + b"=?utf-8?q?a?= " * 4600 + b"\r\n\r\n",
        plain(b"x", b"Content-Type: text/plain" + b";" * 60_000),
        plain(b"x", b"Content-Type: text/plain" + b"".join(b";a*%d*=x" % n for n in range(5000))),
        mixed(part(b"text/plain" + b';a="b' * 400_000, b"x")),
        ANA + b"Content-Type: message/rfc822\r\n\r\n" * 10_000,
        plain(b"--cut\r\n" * 300_000, b"Content-Type: multipart/mixed; boundary=cut"),
        plain(b" " * 2_000_000 + b"\n"),
        plain(b">" * 2_000_000, b"Content-Type: text/plain; format=flowed"),
        plain(b"\x80" * 2_000_000),
    ],
)
def test_hostile_message_takes_linear_time(raw: bytes) -> None:
    with in_linear_time():
        parse(raw)
