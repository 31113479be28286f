"""Subjects: the client's own words, without the marks that mail programs put before them."""

from __future__ import annotations

import re

# RFC 5322 section 3.6.5 knows "Re:"; programs translate it, and count it ("Re[2]:").
_REPLY = re.compile(r"\s*(?:re|aw|sv|antw|res|rép|ré)(?:\[\d{1,3}\])?\s?:\s*", re.IGNORECASE)
_LONGEST = 250


def bare(subject: str) -> str:
    """A subject without the reply marks before it; "Fwd:" stays, it says something of the message."""
    position = 0
    while found := _REPLY.match(subject, position):
        position = found.end()
    return subject[position : position + _LONGEST].strip()
