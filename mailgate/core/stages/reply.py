"""How our mails are threaded to the mails that they answer (RFC 5322 section 3.6.4)."""

from __future__ import annotations

from dataclasses import replace

from mailgate.core.mail import Mail, Notice
from mailgate.core.message import mime


def answering(notice: Notice, mail: Mail) -> Notice:
    """The notice, threaded to the mail that it answers."""
    return replace(notice, in_reply_to=real_id(mail.message_id), references=chain(mail.references, mail.message_id))


def real_id(message_id: str) -> str:
    """The ID, "" for one that we made up because the message has none."""
    return "" if mime.is_made_up(message_id) else message_id


def chain(references: tuple[str, ...], message_id: str) -> tuple[str, ...]:
    """The References of an answer to a message with these references."""
    return (*references, *([message_id] if real_id(message_id) else []))
