"""What introduces a quote, and what is to be known of a line to find that."""

from __future__ import annotations

import re
from dataclasses import dataclass

ATTRIBUTION = "attribution"
HEADER_BLOCK = "header block"
ORIGINAL_MESSAGE = "original message"
FORWARDED_MESSAGE = "forwarded message"

RULE = "_" * 32
"""What Outlook draws above its header block; in HTML, `html.to_text` draws it."""

LONGEST_LINE = 500
"""Characters; longer lines introduce nothing."""

COMMAND_LINE = re.compile(r"[ \t\xa0]*[#＃][^\W\d_]")
"""A line that may be a command, right or wrong: never one that introduces a quote."""

TIME = re.compile(r"\d{1,2} ?[:.h] ?\d{2}")

_UNSEEN = re.compile("[\xad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")


@dataclass(frozen=True, slots=True)
class Opening:
    """Lines that introduce a quote: from `start` up to but without `end`.

    kind: for `why`. sure: whether it is one wherever it stands, also above text without marks.
    forward: whether what follows is handed on rather than answered.
    """

    start: int
    end: int
    kind: str
    language: str = ""
    sure: bool = True
    forward: bool = False

    def __str__(self) -> str:
        return f"{self.kind} ({self.language})" if self.language else self.kind


def bare(line: str) -> str:
    """A line without what does not show: zero-width and direction marks, NBSP, blanks at its ends."""
    if not line.isascii():
        line = _UNSEEN.sub("", line).replace("\xa0", " ")
    return line.strip()


def is_rule(line: str) -> bool:
    """Whether a bare line is drawn: nothing but four or more dashes, underscores and the like."""
    return len(line) > 3 and not line.strip("-_=*~. —–─")
