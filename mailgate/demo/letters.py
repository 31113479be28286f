"""Mails as real programs write them: Thunderbird, Gmail on a phone, an Exchange server, a web mailer."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

from mailgate.core.mail import Mail
from mailgate.demo.cast import Somebody


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to hand in. sender, to: of the envelope; the sender is "" where a machine writes."""

    sender: str
    to: str
    message_id: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Heading:
    """What every mail begins with. answers: the mail that it replies to."""

    author: Somebody
    to: str
    subject: str
    message_id: str
    at: datetime
    answers: Mail | None = None


def from_thunderbird(heading: Heading, text: str, pictures: Mapping[str, bytes]) -> Letter:
    """Plain text (RFC 3676), pictures attached by name."""
    message = _begun(heading, {"User-Agent": "Mozilla Thunderbird"})
    message.set_content(text + "\n", params={"format": "flowed"})
    for name, picture in pictures.items():
        message.add_attachment(picture, maintype="image", subtype="png", filename=name)
    return _sealed(heading, message)


def from_gmail(heading: Heading, text: str, attribution: str, quoted: str) -> Letter:
    """Text and HTML, the answer on top and below it all that was answered."""
    message = _begun(heading, {})
    below = "\n".join(f"> {line}".rstrip() for line in quoted.splitlines())
    message.set_content(f"{text}\n\n{attribution}\n\n{below}\n")
    message.add_alternative(
        f'{_divided(text)}<br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">'
        f'{escape(attribution)}<br></div><blockquote class="gmail_quote" style="margin:0 0 0 .8ex;'
        f'border-left:1px #ccc solid;padding-left:1ex">{_divided(quoted)}</blockquote></div>\n',
        subtype="html",
    )
    return _sealed(heading, message)


def from_exchange(heading: Heading, text: str) -> Letter:
    """The automatic answer of a mail server for somebody who is away (RFC 3834)."""
    marks = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
    message = _begun(heading, marks)
    message.set_content(text + "\n")
    return _sealed(heading, message, sender="")


def from_webmail(heading: Heading, text: str) -> Letter:
    """Plain text and nothing else."""
    message = _begun(heading, {"User-Agent": "Roundcube Webmail"})
    message.set_content(text + "\n" if text else "\n")
    return _sealed(heading, message)


def screenshot(width: int = 320, height: int = 180) -> bytes:
    """A picture of a page with a red bar across it, as PNG."""
    rows = (b"\xd0\x30\x30" if 60 < y < 120 else b"\xf4\xf4\xf4" for y in range(height))
    pixels = b"".join(b"\0" + colour * width for colour in rows)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(pixels)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _begun(heading: Heading, marks: Mapping[str, str]) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["Message-ID"] = f"<{heading.message_id}>"
    message["Date"] = format_datetime(heading.at)
    message["From"] = f'"{heading.author.name}" <{heading.author.address}>'
    message["To"] = heading.to
    message["Subject"] = heading.subject
    if heading.answers:
        thread = (*heading.answers.references, heading.answers.message_id)
        message["In-Reply-To"] = f"<{heading.answers.message_id}>"
        message["References"] = " ".join(f"<{one}>" for one in thread)
    for name, value in marks.items():
        message[name] = value
    return message


def _sealed(heading: Heading, message: EmailMessage, sender: str | None = None) -> Letter:
    envelope = heading.author.address if sender is None else sender
    return Letter(envelope, heading.to, heading.message_id, message.as_bytes())


def _divided(text: str) -> str:
    """The lines of a text as Gmail's app sets them."""
    return "".join(f'<div dir="auto">{escape(line) or "<br>"}</div>' for line in text.splitlines())


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
