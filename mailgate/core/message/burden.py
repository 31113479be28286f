"""Whether a message may be dear to read: such ones are read where it harms nobody (see `service.parsing`).

A look at the bytes that costs next to nothing, for every message pays for it. What slips through is bounded by
`parts` all the same; files, however big, are cheap there.
"""

from __future__ import annotations

from mailgate.core.message.parts import header_block, without_files

MUCH_TEXT = 524_288
"""Bytes beside files of base64."""
MUCH_HEADER = 32_768
MANY_DELIMITERS = 200
DEEP = 8
"""Multiparts and attached messages, each of which may lie in the one before."""


def burdensome(raw: bytes) -> str:
    """Why a message may be dear to read, "" for nearly every one."""
    if raw.count(b"\n--") > MANY_DELIMITERS:
        return "many parts"
    if raw.count(b"boundary") + raw.count(b"message/") > DEEP:
        return "nested deep"
    if len(raw) > MUCH_HEADER and len(header_block(raw)) > MUCH_HEADER:
        return "a long header"
    if len(raw) > MUCH_TEXT and len(without_files(raw)[0]) > MUCH_TEXT:
        return "much text"
    return ""
