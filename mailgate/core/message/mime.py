"""From the bytes of a message to a Mail. Never raises: what is wrong with a message is part of its value."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256

from mailgate.core import address
from mailgate.core.mail import Attachment, Envelope, Mail
from mailgate.core.message import charset
from mailgate.core.message.doubt import doubt
from mailgate.core.message.parts import Leaf, OverLimitError, Part, header_block, leaves, read, read_fields

MAX_NAME = 150
MAX_HELD = 500_000
"""Bytes of an attachment: bigger ones are not held in memory; `contents` reads them again."""

_SINGLE = (
    "from",
    "to",
    "cc",
    "subject",
    "date",
    "message-id",
    "reply-to",
    "sender",
    "in-reply-to",
    "references",
)
_IDENTITY = ("from", "subject", "date", "message-id")
_EXTENSIONS = {
    "message/rfc822": ".eml",
    "text/plain": ".txt",
    "text/html": ".html",
    "text/calendar": ".ics",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "application/pdf": ".pdf",
}
_MADE_UP = "@mailgate.invalid"


def parse(raw: bytes, envelope: Envelope) -> Mail:
    """The message as far as it can be understood.

    Of one that breaks a bound only the header fields are read, for people to look at: `unreadable` and the
    one defect name the bound. Such a message is to be kept, not acted on.
    """
    try:
        root = read(raw)
    except OverLimitError as reason:
        return head(raw, envelope, str(reason))
    found = list(leaves(root))
    why = doubt(header_block(raw), root.fields)
    content = digest(root.headers, ((leaf.part.content_type[0], leaf.canonical) for leaf in found))
    return replace(_mail(root, found, envelope, content, _defects(root)), doubt=why)


def head(raw: bytes, envelope: Envelope, reason: str) -> Mail:
    """A message of which only the header fields are read. reason: why the rest is not."""
    mail = _mail(read_fields(raw), [], envelope, sha256(raw).hexdigest(), [reason])
    return replace(mail, unreadable=reason)


def closed(raw: bytes, envelope: Envelope, reason: str) -> Mail:
    """A message of which nothing is read. reason: why."""
    content = sha256(raw).hexdigest()
    return replace(head(b"", envelope, reason), digest=content, message_id=f"{content[:32]}{_MADE_UP}")


def contents(raw: bytes, parts: Collection[int]) -> dict[int, bytes]:
    """The decoded contents by `Attachment.part`, byte for byte; of message/rfc822 the inner message.

    Raises LookupError where the message has no such part.
    """
    try:
        found = {number: part for number, part in enumerate(read(raw).walk()) if number in parts}
    except OverLimitError as reason:
        raise LookupError(str(reason)) from reason
    octets = {
        number: part.octets() for number, part in found.items() if isinstance(part, Part) and not part.is_multipart()
    }
    if missing := [number for number in parts if number not in octets]:
        raise LookupError(f"no content in part {missing[0]}")
    return octets


def digest(headers: Mapping[str, Sequence[str]], contents: Iterable[tuple[str, bytes]]) -> str:
    """Identity of content, hex SHA-256: equal for the same message by whatever road it came.

    headers: decoded values by lower-case name. contents: type and canonical octets of each part. Only what
    the author's program wrote counts, not what was added or changed on the way.
    """
    state = sha256()
    for name in _IDENTITY:
        state.update(repr((name, tuple(headers.get(name, ())))).encode())
    for kind, octets in contents:
        state.update(repr((kind, len(octets))).encode() + octets)
    return state.hexdigest()


def is_made_up(message_id: str) -> bool:
    """Whether the ID was made by us, for a message that has none: nobody can thread to it."""
    return message_id.endswith(_MADE_UP)


def unflow(text: str, *, delete_space: bool = False) -> str:
    """Soft line breaks of format=flowed taken out (RFC 3676 section 4.2); quoted lines keep their ">"."""
    paragraphs: list[tuple[int, list[str]]] = []
    open_depth = -1
    for line in text.split("\n"):
        rest = line.lstrip(">")
        depth = len(line) - len(rest)
        rest = rest.removeprefix(" ")
        soft = rest.endswith(" ") and rest != "-- "
        if open_depth != depth or rest == "-- ":
            paragraphs.append((depth, []))
        paragraphs[-1][1].append(rest[:-1] if soft and delete_space else rest)
        open_depth = depth if soft else -1
    return "\n".join(_flowed_line(depth, "".join(pieces)) for depth, pieces in paragraphs)


def _flowed_line(depth: int, content: str) -> str:
    return f"{'>' * depth} {content}".rstrip(" ") if depth else content


def _mail(root: Part, found: list[Leaf], envelope: Envelope, content: str, defects: list[str]) -> Mail:
    fields, headers = root.fields, root.headers
    name, sender = address.sole_sender(fields.get("from", ()))
    to = _addresses(fields, "to")
    cc = _addresses(fields, "cc")
    reply_to = _addresses(fields, "reply-to")
    ids = address.message_ids(fields.get("message-id", ())[:1])
    return Mail(
        message_id=ids[0] if ids else f"{content[:32]}{_MADE_UP}",
        digest=content,
        sender=sender,
        sender_name=name,
        reply_to=reply_to[0] if len(reply_to) == 1 else None,
        recipients=_recipients(envelope, fields, to + cc),
        to=to,
        cc=cc,
        subject=headers.get("subject", ("",))[0],
        date=_date(root.field("date")),
        in_reply_to=address.message_ids(headers.get("in-reply-to", ())),
        references=address.message_ids(headers.get("references", ())),
        text=_joined(found, "text/plain"),
        html=_joined(found, "text/html"),
        attachments=tuple(_attachment(leaf) for leaf in found if not leaf.part.body_type),
        headers=headers,
        envelope=envelope,
        defects=tuple(defects),
    )


def _addresses(fields: Mapping[str, Sequence[str]], name: str) -> tuple[str, ...]:
    return tuple(plain for _, plain in address.mailboxes(fields.get(name, ())))


def _recipients(envelope: Envelope, fields: Mapping[str, Sequence[str]], written: tuple[str, ...]) -> tuple[str, ...]:
    """Whom it was for: the envelope says; where the road has none, the headers together do."""
    given = [plain for one in envelope.recipients if (plain := address.canonical(one))]
    delivered = _addresses(fields, "delivered-to") + _addresses(fields, "x-original-to")
    return tuple(given) or tuple(dict.fromkeys(delivered + written))


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value[:200])
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _joined(found: list[Leaf], kind: str) -> str:
    """The text of all parts of a kind, in order, each beginning on a line of its own."""
    texts = [_text(leaf) for leaf in found if leaf.part.body_type == kind]
    return "".join(text if text.endswith("\n") else text + "\n" for text in texts[:-1]) + "".join(texts[-1:])


def _text(leaf: Leaf) -> str:
    parameters = leaf.part.content_type[1]
    text = charset.decode(leaf.octets, parameters.get("charset", ""))
    if parameters.get("format", "").lower() == "flowed" and leaf.part.body_type == "text/plain":
        return unflow(text, delete_space=parameters.get("delsp", "").lower() == "yes")
    return text


def _attachment(leaf: Leaf) -> Attachment:
    part = leaf.part
    kind, parameters = part.content_type
    content_id = part.field("content-id").strip(" <>") or None
    shown = part.disposition[0]
    return Attachment(
        part=leaf.index,
        name=display_name(part.file_name) or f"part-{leaf.index}{_EXTENSIONS.get(kind, '')}",
        type=kind,
        size=len(leaf.octets),
        content_id=content_id,
        inline=shown == "inline" or (content_id is not None and shown != "attachment"),
        content=leaf.octets if len(leaf.octets) <= MAX_HELD else None,
        charset=parameters.get("charset", ""),
    )


def display_name(name: str) -> str:
    """A file name to show and to hand on: no path, no control or invisible characters, not hidden."""
    visible = "".join(char for char in name if unicodedata.category(char)[0] != "C")
    last = unicodedata.normalize("NFC", re.split(r"[/\\]", visible)[-1]).strip(". ")
    stem, dot, extension = last.rpartition(".")
    if len(last) <= MAX_NAME or not dot or len(extension) > 10:
        return last[:MAX_NAME]
    return f"{stem[: MAX_NAME - len(extension) - 1]}.{extension}"


def _defects(root: Part) -> list[str]:
    repeated = [f"several {name} fields" for name in _SINGLE if len(root.fields.get(name, ())) > 1]
    found = {type(defect).__name__: None for part in root.walk() for defect in part.defects}
    return repeated + list(found)
