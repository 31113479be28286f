"""The director's board: what is late, what is due, what is planned or held, and who carries what."""

from __future__ import annotations

from typing import get_args

from mailgate.edges.web.asking import Answer, Ask, Shown
from mailgate.edges.web.seen import theirs
from mailgate.edges.web.tickets import people, row
from mailgate.store import board as stored

_SHOWN = 12


def board(ask: Ask) -> Answer:
    """Each section with its first tickets, of the client and the technician that were chosen."""
    only, today = theirs(ask), ask.desk.local_day(ask.now)
    with ask.read() as tx:
        found = {name: stored.page(tx, name, only, ask.now, today, _SHOWN + 1) for name in get_args(stored.Section)}
        waiting = stored.load(tx)
    most = max(waiting.values(), default=0) or 1
    values = {
        "here": "board",
        "sections": [
            {"name": name, "tickets": [row(ask, ticket) for ticket in some[:_SHOWN]], "more": len(some) > _SHOWN}
            for name, some in found.items()
        ],
        "load": [
            {"id": key, "name": person.name, "waiting": waiting.get(key, 0), "share": 100 * waiting.get(key, 0) // most}
            for key, person in ask.desk.rules.technicians.items()
        ],
        **people(ask),
    }
    return Shown("board", values)
