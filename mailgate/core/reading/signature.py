"""Where a signature begins: the mark of RFC 3676 section 4.3, its relatives, and what telephones add."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mailgate.core.reading.opening import COMMAND_LINE, RULE
from mailgate.core.reading.quotewords import SENT_FROM, folded

LONGEST_DEVICE_LINE = 100
LINES_OF_SIGNATURE = 8
LONGEST_SIGNATURE_LINE = 80

_SENT_FROM = re.compile("|".join(f"(?:{folded(words)})" for words in SENT_FROM.values()))
_ADDRESS = re.compile(r"[\s(]*[<(]?https?:\S*")


def is_mark(line: str) -> bool:
    """Whether a bare line is the signature mark; many programs lose the blank of "-- "."""
    return line == "--"


def is_weak_mark(line: str, below: Sequence[str]) -> bool:
    """Whether a bare line that may as well divide a text stands above what looks like a signature.

    "---" (Roundcube, corpus es/09) and underscores (mailing lists): a few short lines, none of them
    a sentence, and no command right below.
    """
    if line != "---" and (line.strip("_") or len(line) < 2 or line == RULE):
        return False
    tail = [text for text in below if text]
    return bool(tail) and not COMMAND_LINE.match(tail[0]) and looks_signed(tail)


def looks_signed(lines: Sequence[str]) -> bool:
    """Whether lines that are not blank may be a name, a firm, an address: few, short, no sentences."""
    return len(lines) <= LINES_OF_SIGNATURE and all(_short(line) for line in lines)


def is_device_line(line: str) -> bool:
    """Whether a bare line is what a telephone or webmail adds: "Enviado desde mi iPhone"."""
    if not line or len(line) > LONGEST_DEVICE_LINE + line.find("<") + 1:
        return False
    if ("," in line or ";" in line or "!" in line) and "http" not in line.lower():
        return False  # seen without folding it
    text = _ADDRESS.sub("", folded(line)).strip(" .*_[]()>")
    return not any(char in text for char in ".,;:!?") and bool(_SENT_FROM.match(text))


def _short(line: str) -> bool:
    return len(line) <= LONGEST_SIGNATURE_LINE and not line.endswith((".", "?", "!", ":", ";"))
