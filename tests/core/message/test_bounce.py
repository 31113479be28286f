from __future__ import annotations

import json
from pathlib import Path

import pytest

from mailgate.core.mail import Envelope
from mailgate.core.message import bounce, mime

CORPUS = Path(__file__).resolve().parents[4] / "shared" / "corpus" / "sisimai"


def report(*fields: str) -> bounce.Bounce:
    lines = "\r\n".join(fields)
    raw = (
        "From: MAILER-DAEMON@mx.example\r\nSubject: Undelivered\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n"
        "--x\r\n\r\nIt did not arrive.\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; mx.example\r\n\r\n{lines}\r\n--x--\r\n"
    )
    return bounce.read(mime.parse(raw.encode(), Envelope("smtp", "")))


def plain(text: str, subject: str = "failure notice") -> bounce.Bounce:
    raw = f"From: MAILER-DAEMON@mx.example\r\nSubject: {subject}\r\n\r\n{text}"
    return bounce.read(mime.parse(raw.encode(), Envelope("smtp", "")))


@pytest.mark.parametrize(
    ("fields", "grade"),
    [
        (("Action: failed", "Status: 5.1.1"), "hard"),
        (("Action: failed", "Status: 5.0.0", "Diagnostic-Code: smtp; 550 5.1.1 No such user"), "hard"),
        (("Action: failed", "Status: 5.0.0", "Diagnostic-Code: smtp; 550 user unknown"), "hard"),
        (("Action: failed", "Status: 5.0.0", "Diagnostic-Code: smtp; 550 protocol violation"), "soft"),
        (("Action: failed", "Status: 5.2.2", "Diagnostic-Code: smtp; 552 5.2.2 mailbox full"), "soft"),
        (("Action: failed", "Status: 5.7.1"), "soft"),
        (("Action: failed", "Status: 4.4.7"), "soft"),
        (("action: FAILED (mailbox)", "status: 5.1.1 (bad destination)"), "hard"),
        (("Action: expired", "Status: 4.4.7"), "soft"),
        (("Action: delayed", "Status: 4.4.1"), None),
        (("Action: delivered", "Status: 2.0.0"), None),
        (("Action: delivered", "Status: 2.0.0", "", "Action: failed", "Status: 5.1.1"), "hard"),
    ],
)
def test_report_says_whether_the_address_is_dead(fields: tuple[str, ...], grade: str | None) -> None:
    assert report(*fields).grade == grade


@pytest.mark.parametrize(
    ("text", "grade", "error"),
    [
        (
            "<ana@acme.example>:\nRemote host said: 550 5.1.1 no such user",
            "hard",
            "Remote host said: 550 5.1.1 no such user",
        ),
        ("Sorry, no mailbox here by that name.\n550 unknown user ana", "hard", "550 unknown user ana"),
        ("The recipient's mailbox is full.", "soft", "The recipient's mailbox is full."),
        ("A problem occurred.", "soft", "A problem occurred."),
        ("Su mensaje no pudo entregarse: el usuario no existe", "hard", None),
        ("Version 5.10.33.1 of the server at 192.0.2.5.1 says: mailbox unavailable", "hard", None),
    ],
)
def test_bounce_for_people_is_read_by_its_words(text: str, grade: str, error: str | None) -> None:
    said = plain(text)
    assert said.grade == grade
    assert error is None or said.error == error


def test_warning_of_a_delay_is_no_failure() -> None:
    late = plain("Your message waits in the queue.", subject="Warning: message 1abc delayed 24 hours")
    assert late.grade is None


def test_what_a_server_says_stays_one_short_line() -> None:
    said = report("Action: failed", "Status: 5.1.1", f"Diagnostic-Code: smtp; 550 no\r\n\tsuch user {'x' * 5000}")
    assert said.error.startswith("550 no such user xxx")
    assert len(said.error) == 300


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real mails is not beside this checkout")
def test_real_bounces_are_read_as_what_they_are() -> None:
    """The source's own classes are not in the corpus; its file names are by server. What is late was looked at."""
    cases = json.loads((CORPUS / "expected.json").read_text())["cases"]
    said = {
        name: bounce.read(mime.parse((CORPUS / name).read_bytes(), Envelope("smtp", "")))
        for name, claims in cases.items()
        if claims.get("is_bounce")
    }
    assert len(said) == 334
    assert all(one.error for one in said.values())
    assert {name.split("/")[1] for name, one in said.items() if one.grade is None} == {
        *("lhost-gmail-09.eml", "lhost-gmail-17.eml", "lhost-messagingserver-07.eml", "lhost-opensmtpd-13.eml"),
        *("lhost-opensmtpd-15.eml", "lhost-sendmail-29.eml", "lhost-sendmail-55.eml", "rfc3464-07.eml"),
        *("rfc3464-09.eml", "rfc3464-55.eml"),
    }
    nobody = [one for one in said.values() if "user unknown" in one.error.lower() or " 5.1.1 " in one.error]
    assert len(nobody) > 50
    assert sum(one.grade == "hard" for one in nobody) > 0.9 * len(nobody)
