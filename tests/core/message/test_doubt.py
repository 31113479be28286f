"""Headers that two programs read in two ways have no effect; whatever else is odd has one meaning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.core.intake import decide
from mailgate.core.mail import Envelope
from mailgate.core.message import mime
from mailgate.core.model import Outcome
from mailgate.core.plan import Plan
from tests.support import NOW, desk, in_linear_time, known, ticket

DESK = desk()
FROM = b"From: Ana <ana@acme.example>\r\n"
REST = b"To: soporte@example.es\r\nSubject: Hola\r\nMessage-ID: <a@b.example>\r\n"
BODY = b"\r\nNo funciona.\r\n"


def decided(raw: bytes) -> Plan:
    mail = mime.parse(raw, Envelope("smtp", "ana@acme.example", ("soporte@example.es",)))
    return decide(mail, known(ticket()), DESK, NOW)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (b"From: ana\0@acme.example\r\n", "NUL"),
        (b"From: ana@acme.example\0, mal@evil.example\r\n", "NUL"),
        (FROM + b"X-A: \0\r\n", "NUL"),
        (FROM + b"X-A: b\rFrom: mal@evil.example\r\n", "bare CR"),
        (FROM + b"X-A: b\rX-B: c\r\n", "bare CR"),
        (b"From : mal@evil.example\r\n" + FROM, "blank"),
        (FROM + b"from\t: mal@evil.example\r\n", "blank"),
        (FROM + FROM, "several from"),
        (FROM + b"Message-ID: <c@d.example>\r\n", "several message-id"),
        (FROM + b"Content-Type: text/plain\r\nContent-Type: text/html\r\n", "several content-type"),
        (
            FROM + b"Content-Transfer-Encoding: 8bit\r\nContent-Transfer-Encoding: base64\r\n",
            "several content-transfer",
        ),
    ],
)
def test_header_with_two_meanings_waits_in_quarantine(header: bytes, reason: str) -> None:
    plan = decided(header + REST + BODY)
    assert plan.outcome is Outcome.QUARANTINE
    assert reason in plan.reason
    assert plan.notices == ()


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"ana@acme.example <mal@evil.example>",
        b"<ana@acme.example><mal@evil.example>",
        b"ana@acme.example; mal@evil.example",
        b"amigos: ana@acme.example, mal@evil.example;",
        b"ana@acme.example(<mal@evil.example>)",
        b"ana(x)@acme.example(.evil.example)",
        b"<@acme.example:mal@evil.example>",
        b"=?utf-8?q?ana=40acme.example?=",
        "an\u0430@acme.example".encode(),
        b"\x0cana@acme.example",
        b"(" * 900 + b")" * 900 + b" ana@acme.example",
    ],
)
def test_sender_who_is_not_one_plain_address_is_nobody(value: bytes) -> None:
    plan = decided(b"From: " + value + b"\r\n" + REST + BODY)
    assert (plan.outcome, plan.person, plan.notices) == (Outcome.QUARANTINE, None, ())


@pytest.mark.parametrize(
    "header",
    [
        FROM,
        b"From:\r\n ana@acme.example\r\n",
        b'From: "mal@evil.example" <ana@acme.example>\r\n',
        b"From: =?utf-8?q?Ana=0D=0ABcc=3A_x=40y?= <ana@acme.example>\r\n",
        FROM + b"Date: Mon, 01 Jan 9999 00:00:00 -2359\r\n",
        FROM + b"In-Reply-To: <x@y\r\n Bcc: z>\r\n",
    ],
)
@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
def test_what_is_odd_and_has_one_meaning_is_taken(header: bytes, end: bytes) -> None:
    plan = decided((header + REST + BODY).replace(b"\r\n", end))
    assert (plan.outcome, plan.mail.sender) == (Outcome.OPEN, "ana@acme.example")


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_bare_cr_or_nul_in_the_text_is_text(end: bytes) -> None:
    plan = decided((FROM + REST).replace(b"\r\n", end) + end + b"uno\rdos\0tres" + end)
    assert plan.outcome is Outcome.OPEN


PIECES = st.sampled_from(
    [
        *(FROM, REST, b"\r\n", b"\n", b"\r", b"\0", b"From: x@y.example\r\n", b"From : ", b"Subject: #time 12m\r\n"),
        *(b"Content-Type: multipart/mixed; boundary=x\r\n", b"--x\r\n", b"--x--\r\n", b"Content-Type: text/html\r\n"),
        *(b"Content-Transfer-Encoding: base64\r\n", b"=?utf-8?b?", b"?=", b"#time 12m\r\n", b"> ", b"<a ", b"On "),
        *(b"Content-Type: message/delivery-status\r\n", b"Action: failed\r\n", b"Auto-Submitted: auto-replied\r\n"),
    ]
)


@given(st.lists(st.one_of(PIECES, st.binary(max_size=40)), max_size=40))
def test_any_bytes_are_decided_on_and_only_the_known_are_answered(pieces: list[bytes]) -> None:
    plan = decided(b"".join(pieces))
    assert plan.outcome is not None
    people = {*DESK.rules.clients["acme"].addresses, "marta@example.es", "elena@example.es"}
    assert {notice.to for notice in plan.notices} <= people
    assert plan.entries == ()  # nothing of a client's costs minutes, whatever stands in it


@pytest.mark.slow
@pytest.mark.parametrize(
    "raw",
    [
        FROM + b"Subject: " + b"A " * 500_000,
        FROM + b"To: " + b"," * 1_000_000,
        FROM + b"Subject: " + b"=?utf-8?q?a?= " * 20_000,
        b"From: " + b'"' * 50_000 + b" <ana@acme.example>",
        FROM + b"Content-Type: text/plain" + b";" * 20_000,
        FROM + b"Content-Type: text/plain" + b"".join(b"; a*%d=b" % number for number in range(5_000)),
        FROM + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n\r\na\r\n" * 10_000,
        FROM + REST + b"\r\n" + b"On " * 300_000,
        FROM + REST + b"Content-Type: text/html\r\n\r\n" + b"<a " * 300_000,
        FROM + REST + b"Content-Type: text/html\r\n\r\n" + b"<div>" * 300_000,
        FROM + REST + b"Content-Type: text/html\r\n\r\n" + b"<blockquote>" * 100_000 + b"x",
    ],
)
def test_what_is_built_to_cost_time_costs_little(raw: bytes) -> None:
    with in_linear_time():
        decided(raw + b"\r\n" + REST + BODY)
