"""What came with a message: its files, and the message as its writer made it. Nothing of it ever runs in a page."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta

from mailgate.core.access_data import Piece
from mailgate.core.access_data.covering import Covering
from mailgate.core.access_data.covering import shown as parted
from mailgate.core.mail import Envelope, Mail
from mailgate.core.message import mime
from mailgate.core.model import Role
from mailgate.core.reading import fresh
from mailgate.core.reading.html import to_text
from mailgate.edges.web.asking import Answer, Ask, Elsewhere, NotThere, Sent, Shown
from mailgate.edges.web.cleaning import clean, may_be_shown
from mailgate.edges.web.seen import the_message
from mailgate.edges.web.tickets import weight
from mailgate.service import parsing
from mailgate.store import Connection, blobs, looks, vault
from mailgate.store.messages import Message

# A frame of its own origin: no script, no form, no picture from outside, and no way to lead the page elsewhere.
_FRAME = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none';"
    " frame-ancestors 'self'"
)
_FILE = "sandbox; default-src 'none'; frame-ancestors 'none'"
_LOOKED = timedelta(minutes=10)
_BYTES = 30_000
_FILES = 50
# What a picture inside a mail may be, and how big, to be shown in it.
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_BIGGEST = 500_000
_STYLE = "body{font:15px/1.5 sans-serif;margin:1em;overflow-wrap:anywhere}img{max-width:100%;height:auto}"


def shown(ask: Ask) -> Answer:
    """A message whole: its text with what it quotes, and a frame with its HTML."""
    with ask.read() as tx:
        message, mail = _the_original(tx, ask)
        covered = _is_covered(tx, ask, message, mail)
        covering, _ = _covering(tx, message, mail)
    text = fresh.source(mail)[0]
    cut = text[:_BYTES]
    while weight(cut) > _BYTES:
        cut = cut[: len(cut) * 3 // 4]
    values = {
        "here": "tickets",
        "message": message,
        "tag": ask.desk.tag(message.ticket or 0),
        "pieces": parted(covering.covered(cut), covering.values, show=False) if covered else (Piece(cut),),
        "cut": len(text) > len(cut),
        "covered": covered,
        "html": may_be_shown(mail.html),
        "files": message.attachments[:_FILES],
    }
    return Shown("original", values)


def look(ask: Ask) -> Answer:
    """Ask to see the access data of a message whole; that is recorded."""
    with ask.read() as tx:
        message, _ = _the_original(tx, ask)
    ask.write(lambda tx: looks.note(tx, message.id, ask.who.address, ask.now))
    return Elsewhere(f"/messages/{message.id}")


def html(ask: Ask) -> Answer:
    """The HTML of a message, for the frame on its page."""
    with ask.read() as tx:
        message, mail = _the_original(tx, ask)
        if not may_be_shown(mail.html) or _is_covered(tx, ask, message, mail):
            raise NotThere
        pictures = _pictures(tx, message)
    page = f"<!doctype html><meta charset=utf-8><title>·</title><style>{_STYLE}</style>{clean(mail.html, pictures)}"
    return Sent(page.encode("utf-8", "replace"), "text/html; charset=utf-8", policy=_FRAME)


def raw(ask: Ask) -> Answer:
    """The message as it came, to be saved: for what is longer than a page."""
    with ask.read() as tx:
        message, mail = _the_original(tx, ask)
        if _is_covered(tx, ask, message, mail):
            raise NotThere
        content = _raw(tx, message)
    return Sent(content, "application/octet-stream", name=f"{ask.desk.tag(message.ticket or 0)}.eml", policy=_FILE)


def file(ask: Ask) -> Answer:
    """A file of a message: to be saved, and never opened in the page.

    With access data in it, it is for who has asked to see them, where the message stands.
    """
    part = ask.number("part")
    with ask.read() as tx:
        message, ticket = the_message(tx, ask)
        found = next((one for one in message.attachments if one.part == part), None)
        if found is None or not found.kept:
            raise NotThere
        if found.guarded and not _has_asked(tx, ask, message):
            return Elsewhere(f"/tickets/{ticket.id}?from={message.id}#m{message.id}")
        content = mime.contents(_raw(tx, message), [part])[part]
    return Sent(content, "application/octet-stream", name=found.name, policy=_FILE)


def _the_original(tx: Connection, ask: Ask) -> tuple[Message, Mail]:
    """A message as it came. What the desk wrote has commands, and quotes, that are no client's business."""
    message, _ = the_message(tx, ask)
    if not ask.who.role.staff and message.role is not Role.CLIENT:
        raise NotThere
    return message, parsing.parse(_raw(tx, message), Envelope("web"))


def _raw(tx: Connection, message: Message) -> bytes:
    """The mail as it came. Raises NotThere where it is kept no longer."""
    if message.blob is None:
        raise NotThere
    return blobs.get(tx, message.blob)


def _is_covered(tx: Connection, ask: Ask, message: Message, mail: Mail) -> bool:
    """Whether there are access data in it that this person has not asked for just now."""
    return _covering(tx, message, mail)[1] and not _has_asked(tx, ask, message)


def _has_asked(tx: Connection, ask: Ask, message: Message) -> bool:
    return looks.asked_since(tx, message.id, ask.who.address, ask.now - _LOOKED)


def _covering(tx: Connection, message: Message, mail: Mail) -> tuple[Covering, bool]:
    """What covers the access data of a mail as it came, and whether there are any."""
    covering = Covering(vault.of_tickets(tx, [message.ticket or 0]))
    told = [covering.learns(text) for text in (*_texts(mail), *(file.name for file in mail.attachments))]
    return covering, any(told) or any(file.guarded for file in message.attachments)


def _texts(mail: Mail) -> tuple[str, str]:
    """The plain text of a mail, and what its HTML says."""
    return mail.text, to_text(mail.html)


def _pictures(tx: Connection, message: Message) -> dict[str, str]:
    """The pictures inside a mail, as addresses that hold them, by their Content-ID."""
    inside = [one for one in message.attachments if one.kept and one.content_id]
    small = [one for one in inside if one.type in _PICTURES and one.size <= _BIGGEST]
    held = mime.contents(_raw(tx, message), [one.part for one in small]) if small else {}
    return {one.content_id or "": f"data:{one.type};base64,{b64encode(held[one.part]).decode()}" for one in small}
