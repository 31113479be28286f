"""Whether the client area can do its work, for a reverse proxy that asks; no more than yes or no."""

from __future__ import annotations

from mailgate.edges.web.asking import Answer, Ask, Sent
from mailgate.store import journal


def health(ask: Ask) -> Answer:
    """ "ok" where the store can be read; else the 503 of any page."""
    with ask.read() as tx:
        journal.newest(tx)
    return Sent(b"ok\n", "text/plain; charset=utf-8")
