"""What must be looked up before a mail is decided on: all that its commands may name, however written."""

from __future__ import annotations

import pytest

from mailgate.core.facts import wanted
from mailgate.core.mail import Envelope
from mailgate.core.message import mime
from tests.support import NOW, desk, from_marta, mail, reply_address

HTML = (
    "From: marta@example.es\nTo: soporte@example.es\nSubject: x\nMessage-ID: <h@x>\n"
    "MIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n\n"
)


@pytest.mark.parametrize("line", ["#void 345 mal", "#void #345", "＃anular 345", "#VOID 345"])
def test_entry_that_a_void_names_is_wanted(line: str):
    assert wanted(from_marta(line), desk(), NOW).entries == {345}


@pytest.mark.parametrize("body", ["<div>#void&nbsp;4 error</div>", "<p>#anular <b>4</b></p>"])
def test_entry_in_html_is_wanted(body: str):
    assert wanted(mime.parse((HTML + body).encode(), Envelope("imap")), desk(), NOW).entries == {4}


def test_ticket_in_html_is_wanted():
    raw = (HTML + "<p>#time <span>SOP</span>-67 5m</p>").encode()
    assert 67 in wanted(mime.parse(raw, Envelope("imap")), desk(), NOW).tickets


def test_long_day_on_many_tickets_is_wanted_whole():
    lines = "\n".join(f"#time SOP-{1 + number % 40} {number + 1}m" for number in range(80))
    assert wanted(from_marta(lines), desk(), NOW).tickets >= set(range(1, 41))


def test_client_names_tickets_by_address_and_subject_alone():
    message = mail("#time SOP-9 5m\n#void 3", to=reply_address(12, "ana@acme.example"), subject="[SOP-7] y SOP-8")
    found = wanted(message, desk(), NOW)
    assert (found.tickets, found.entries, found.client) == ({12, 7, 8}, frozenset(), "acme")
