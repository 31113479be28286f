"""The lines with which mail programs introduce a quote: separators, header blocks, attributions.

Each finder looks at a few lines of bounded length, so that a mail is read in linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from mailgate.core.reading import attribution, headerblock
from mailgate.core.reading.opening import (
    FORWARDED_MESSAGE,
    HEADER_BLOCK,
    LONGEST_LINE,
    ORIGINAL_MESSAGE,
    Opening,
    is_rule,
)
from mailgate.core.reading.quotewords import FORWARDED, ORIGINAL, any_of, folded, language_of

_ORIGINAL = re.compile(rf"[-_*\s]{{2,}}(?P<words>{any_of(ORIGINAL)})\s*[-_*]{{2}}")
_FORWARDED = re.compile(rf"(?:[-_*\s]{{2,}}(?P<dashed>{any_of(FORWARDED)})|(?P<alone>{any_of(FORWARDED)})\s*:$)")


def openings(lines: Sequence[str], marked: Sequence[bool]) -> Iterator[Opening]:
    """Every opening among the lines that carry no quote mark, from the top."""
    floor = 0
    for at, line in enumerate(lines):
        if marked[at]:
            floor = at + 1
        elif at >= floor and line and _may_open(line) and (opening := find(lines, at, floor)):
            yield opening
            floor = opening.end


def _may_open(line: str) -> bool:
    """Whether a line has any of what the finders below look for first; most lines of a text have none."""
    if ":" in line or "：" in line or "@" in line or line[0] in "-_*":
        return True
    return len(line.rstrip("-* >")) <= attribution.SHORT


def find(lines: Sequence[str], at: int, floor: int) -> Opening | None:
    """The opening that begins or, for an attribution, ends at a bare line.

    floor: the first line that may belong to it; what is above is quoted or marked already.
    """
    line = lines[at]
    if not line or len(line) > LONGEST_LINE:
        return None
    opening = _separator(lines, at) or headerblock.find(lines, at) or attribution.find(lines, at, floor)
    return opening and _with_what_is_above(opening, lines, floor)


def _separator(lines: Sequence[str], at: int) -> Opening | None:
    line = lines[at]
    if len(line) > LONGEST_LINE or not (line[0] in "-_*" or line[-1] == ":"):
        return None
    text = folded(line)
    if match := _ORIGINAL.match(text):
        opening = Opening(at, at + 1, ORIGINAL_MESSAGE, language_of(ORIGINAL, match["words"]))
    elif match := _FORWARDED.match(text):
        words = match["dashed"] or match["alone"]
        opening = Opening(at, at + 1, FORWARDED_MESSAGE, language_of(FORWARDED, words), forward=True)
    else:
        return None
    header = next((at for at in range(opening.end, min(opening.end + 3, len(lines))) if lines[at]), 0)
    block = headerblock.find(lines, header) if header else None
    return replace(opening, end=block.end) if block else opening


def _with_what_is_above(opening: Opening, lines: Sequence[str], floor: int) -> Opening:
    """Programs draw a line above what they introduce, or say who wrote when above a header block."""
    start = opening.start
    for at in range(start - 1, max(floor, start - 4) - 1, -1):
        line = lines[at]
        if is_rule(line) or (opening.kind == HEADER_BLOCK and attribution.says_who_when(line)):
            start = at
        elif line:
            break
    return replace(opening, start=start)
