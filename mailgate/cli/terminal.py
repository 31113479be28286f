"""What a terminal needs: its width, and foreign text that cannot command it."""

from __future__ import annotations

import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from typing import Any

# Beyond this a line of prose is hard to read.
_WIDEST = 96
_NARROWEST = 40
_GAP = 2  # between two columns of a table
# What the columns of a table keep: first the long ones give way, numbers and names last.
_FLOORS = (24, 16, 8)
# Whatever moves the cursor, changes colours or titles, or writes text backwards: C0, C1, and directions.
_COMMANDING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\ud800-\udfff]"
)


def harmless(text: str) -> str:
    """The text with what would command the terminal shown as a sign; lines stay lines."""
    return _COMMANDING.sub(_sign, text.replace("\r\n", "\n").expandtabs(4))


def harmless_line(text: str) -> str:
    """The same on one line."""
    return harmless(" ".join(text.split()))


def _sign(found: re.Match[str]) -> str:
    """Its picture (Unicode block 2400) where it has one, as ␛ for ESC."""
    code = ord(found[0])
    return chr(0x2400 + code) if code < 0x20 else "\N{REPLACEMENT CHARACTER}"


def coloured() -> bool:
    """Whether stdout is a terminal whose owner wants colour (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def prose_width() -> int:
    """How wide running text is set."""
    return max(_NARROWEST, min(shutil.get_terminal_size((_WIDEST, 24)).columns, _WIDEST))


def fitted(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """The cells of a table, the widest columns cut so that it fits into the terminal.

    Where nobody looks (a pipe or a file, and no COLUMNS) nothing is cut.
    """
    whole = shutil.get_terminal_size((0, 0)).columns
    widths = [max(cells(str(cell)) for cell in column) for column in zip(*rows, strict=True)]
    if whole:
        room = whole - _GAP * (len(widths) - 1)
        for floor in _FLOORS:
            _narrow(widths, room, floor)
    return [[cut(cell, width) for cell, width in zip(row, widths, strict=True)] for row in rows]


def _narrow(widths: list[int], room: int, floor: int) -> None:
    """Take cells off the widest column, one by one, until all fit or none is wider than `floor`."""
    for _ in range(sum(widths) - room):
        widest = widths.index(max(widths))
        if widths[widest] <= floor:
            return
        widths[widest] -= 1


def cut(cell: Any, width: int) -> Any:
    """A cell no wider than this, with … for what is missing."""
    if cells(str(cell)) <= width:
        return cell
    kept = str(cell)
    while cells(kept) > width - 1:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def cells(text: str) -> int:
    """How many cells of a terminal a text takes: none for accents that stand apart, two for wide letters."""
    if text.isascii():
        return len(text)
    return sum(_cells_of(letter) for letter in text)


def _cells_of(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
