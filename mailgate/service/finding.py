"""Tickets by words: what the command line and the client area search with."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from mailgate.core import access_data
from mailgate.core.excerpt import excerpt
from mailgate.core.model import Ticket
from mailgate.store import Connection, messages, search, tickets
from mailgate.store.tickets import Only


@dataclass(frozen=True, slots=True)
class Found:
    """A ticket that was found. excerpt: where the words stand, each between « »; "" for one found by its number.

    message: the one in which they stand best, 0 for none.
    """

    ticket: Ticket
    excerpt: str = ""
    message: int = 0


def find(
    tx: Connection, tag: str, words: str, only: Only, most: int | None, *, internal: bool = True
) -> tuple[list[Found], int]:
    """The tickets in which the words stand, the one whose number they are before all, and how many besides.

    tag: of the desk. internal: whether what only the desk sees is looked through, too. Access data are covered.
    """
    words.encode()  # raises where it is not UTF-8
    named = re.fullmatch(rf"\s*\[?(?:{re.escape(tag)}-)?(\d{{1,18}})\]?\s*", words, re.IGNORECASE)
    first = tickets.listed(tx, replace(only, id=int(named[1]))) if named else []
    hits = search.find(tx, words, only, internal=internal)
    hits = [hit for hit in hits if [hit.ticket] != [ticket.id for ticket in first]]
    shown = hits[: most - len(first)] if most else hits
    found = tickets.get_many(tx, [hit.ticket for hit in shown])
    excerpts = [Found(found[hit.ticket], _excerpt(tx, words, hit.message), hit.message) for hit in shown]
    return [*(Found(ticket) for ticket in first), *excerpts], len(hits) - len(shown)


def _excerpt(tx: Connection, words: str, message: int) -> str:
    """Where the words stand, of a message that was found: in its text, else in its subject."""
    text, subject = messages.said(tx, message)
    wanted = search.parted(words)
    return excerpt(access_data.masked(text), wanted) or excerpt(subject, wanted)
