"""Headers that two programs read in two ways, so that one checks what the other does not see (composition kills).

The bytes are looked at, since a parser has made its choice already. Who wrote is a matter of its own: see
`address.sole_sender`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

# RFC 5322 section 3.6 and RFC 2045 section 3 allow one of each; they say whose mail it is, which, and what its text.
_ONCE = ("from", "sender", "message-id", "content-type", "content-transfer-encoding")
_BARE_CR = re.compile(rb"\r(?!\n)")
_LOOSE = re.compile(rb"^(?:%s)[ \t]+:" % b"|".join(name.encode() for name in _ONCE), re.IGNORECASE | re.MULTILINE)


def doubt(block: bytes, fields: Mapping[str, Sequence[str]]) -> str:
    """Why a header cannot be read in one way only, "" where it can. block: its bytes; fields: as they are read."""
    if b"\0" in block:
        return "a NUL in the header"
    if b"\n" in block and _BARE_CR.search(block):
        return "a bare CR in the header"
    if found := _LOOSE.search(block):
        return f"a blank behind the name of {found[0].split()[0].decode().lower()}"
    return next((f"several {name} fields" for name in _ONCE if len(fields.get(name, ())) > 1), "")
