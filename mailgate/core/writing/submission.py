"""What somebody writes in the client area, as the mail that they would have sent: it goes the way of every mail."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from mailgate.core import address
from mailgate.core.desk import Desk
from mailgate.core.mail import Envelope, Part
from mailgate.core.model import Person, Ticket
from mailgate.core.writing.compose import compose

_ONCE = re.compile(r"(\d{10})\.([A-Za-z0-9_-]{16,40})")
_LONGEST_OPEN = timedelta(days=2)
_SUBJECT = 200


@dataclass(frozen=True, slots=True)
class Submission:
    """A form that was sent. ticket: None for a new request. once: names the form, see `once`; peer: who sent it."""

    person: Person
    text: str
    ticket: Ticket | None = None
    subject: str = ""
    files: Sequence[Part] = ()
    once: str = ""
    peer: str = ""


def once(now: datetime, secret: str) -> str:
    """What a form carries: when it was opened, and something that no other form has.

    Sent twice it is the same mail twice, which counts once. The time says how far its writer had read.
    """
    return f"{int(now.timestamp())}.{secret}"


def as_mail(sent: Submission, desk: Desk, now: datetime, otherwise: str) -> tuple[bytes, Envelope]:
    """The message, and how it comes. otherwise: names a form that carries nothing right."""
    to = desk.rules.desk.address
    if sent.ticket is not None:
        to = address.reply_address(desk.key, to, sent.ticket.id, sent.person.address)
    name, written_at = _named(sent.once, now) or (otherwise, now)
    headers = [
        ("From", sent.person.address),
        ("To", to),
        ("Subject", _subject(sent, desk)),
        ("Date", format_datetime(written_at)),
        ("Message-ID", f"<web.{name}@{desk.rules.desk.address.rpartition('@')[2]}>"),
    ]
    text = sent.text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    raw = compose(headers, text, None, sent.files)
    return raw, Envelope("web", sent.person.address, (to,), sent.peer)


def on_one_line(text: str) -> str:
    """Words that are to stand on the line of a command. Braces would make it a line of code."""
    return " ".join(text.translate({ord("{"): "(", ord("}"): ")"}).split())


def _subject(sent: Submission, desk: Desk) -> str:
    if sent.ticket is None:
        return " ".join(sent.subject.split())[:_SUBJECT]
    staff = f"[{desk.tag(sent.ticket.id)}] " if sent.person.role.staff else ""
    return f"Re: {staff}{sent.ticket.subject}"[:_SUBJECT]


def _named(once: str, now: datetime) -> tuple[str, datetime] | None:
    found = _ONCE.fullmatch(once)
    at = datetime.fromtimestamp(int(found[1]), UTC) if found else None
    if found is None or at is None or not now - _LONGEST_OPEN <= at <= now + timedelta(seconds=1):
        return None
    return f"{found[1]}.{found[2]}", at
