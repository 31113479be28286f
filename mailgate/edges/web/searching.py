"""Search by words over all that was said, with the words marked where they stand."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailgate.edges.web.asking import Answer, Ask, Shown
from mailgate.edges.web.seen import theirs
from mailgate.service import finding

_FOUND = 25
_LONGEST = 200
_MARKED = re.compile("«([^«»]*)»")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an excerpt; wanted: it was looked for."""

    text: str
    wanted: bool


def found(ask: Ask) -> Answer:
    """The tickets in which the words stand, the best first."""
    words = ask.query.get("q", "")[:_LONGEST].encode("utf-8", "replace").decode()
    with ask.read() as tx:
        only, staff = theirs(ask), ask.who.role.staff
        hits, more = (
            finding.find(tx, ask.desk.rules.desk.tag, words, only, _FOUND, internal=staff) if words else ([], 0)
        )
    values = {
        "here": "search",
        "q": words,
        "hits": [
            {
                "ticket": hit.ticket,
                "tag": ask.desk.tag(hit.ticket.id),
                "client_name": ask.desk.client_name(hit.ticket.client) if staff else "",
                "message": hit.message,
                "pieces": _marked(hit.excerpt),
            }
            for hit in hits
        ],
        "more": more,
    }
    return Shown("search", values)


def _marked(excerpt: str) -> list[Piece]:
    """An excerpt in parts."""
    return [Piece(text, number % 2 == 1) for number, text in enumerate(_MARKED.split(excerpt)) if text]
