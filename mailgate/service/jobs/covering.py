"""Take access data out of what an earlier version stored in clear, once, in portions; the vault keeps them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from mailgate.core.access_data.covering import Covering, unnumbered
from mailgate.service.office import Office
from mailgate.store import Connection, messages, uncovered, vault, walks
from mailgate.store.messages import Message

# In one transaction, so that mail is hardly held up.
_MOST = 500
# What is recognised: once it is more, all is gone through again under another key.
_KEY = "1"


def run(tx: Connection, office: Office, now: datetime) -> int:
    """Go on with each table; how many rows were changed."""
    done = sum(_texts(tx, table, now) for table in uncovered.TEXTS) + _messages(tx, now)
    if done:
        walks.go_on(tx, "search", f"since {now.isoformat()}", 0, 0, now)  # `retention` writes the index anew
    return done


def _texts(tx: Connection, table: str, now: datetime) -> int:
    after = walks.standing(tx, f"covering {table}", _KEY)
    if after is None:
        return 0
    following, changed = uncovered.change(tx, table, after, _MOST, _covered, now)
    walks.go_on(tx, f"covering {table}", _KEY, following, changed, now)
    return changed


def _covered(text: str) -> str:
    """Beside messages the places lead to no value: it stands in the vault for the message that told it."""
    return unnumbered(Covering().covered(text))


def _messages(tx: Connection, now: datetime) -> int:
    after = walks.standing(tx, "covering message", _KEY)
    if after is None:
        return 0
    numbers, following = uncovered.messages_after(tx, after, _MOST)
    changed = sum(_message(tx, message) for number in numbers if (message := messages.get(tx, number)))
    walks.go_on(tx, "covering message", _KEY, following, changed, now)
    return changed


def _message(tx: Connection, message: Message) -> bool:
    known = vault.of_tickets(tx, [message.ticket] if message.ticket else [])
    covering = Covering(known, first=vault.next_id(tx))
    told = [covering.learns(text) for text in (message.text, message.subject)]
    names = [covering.name(file.name) for file in message.attachments]
    if not any(told) and not covering.values:
        return False
    files = tuple(replace(file, name=name) for file, name in zip(message.attachments, names, strict=True))
    covered = replace(
        message,
        text=covering.covered(message.text),
        subject=covering.covered(message.subject),
        why=covering.covered(message.why),
        attachments=files,
    )
    if covered == message:
        return False
    messages.rewrite(tx, message, covered)
    vault.keep(tx, message.id, message.ticket, covering.values)
    return True
