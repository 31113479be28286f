"""Access data in a text: passwords, keys and the like, which are shown only to who may see them.

By the words that people put before them (`named`), by their own shape (`shapes`) and by how lines are laid out
(`lines`). What is covered by mistake costs a click; what is missed is shown as it would have been anyway.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mailgate.core.access_data import lines, named, shapes

MASK = "••••••••"

Span = tuple[int, int]

# Of longer texts people's words are at the beginning; what is far down is a log or a page.
_LONGEST = 1_000_000


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text; secret: it is access data."""

    text: str
    secret: bool = False


def spans(text: str) -> list[Span]:
    """Where access data stand, in order and apart from each other; of a very long text in its first million."""
    text = text[:_LONGEST]
    folded = text.lower()
    found = [*shapes.spans(text, folded), *named.spans(text, folded), *lines.spans(text, folded)]
    return list(apart(sorted(found))) if found else []


def pieces(text: str) -> tuple[Piece, ...]:
    """The text, parted where access data begin and end."""
    found = spans(text)
    return tuple(_pieces(text, found)) if found else (Piece(text),)


def masked(text: str) -> str:
    """The text with a mask in place of access data."""
    return "".join(MASK if piece.secret else piece.text for piece in pieces(text))


def apart(found: list[Span]) -> Iterator[Span]:
    """What overlaps, as one; found: sorted."""
    start, stop = -1, -1
    for begin, end in found:
        if begin < stop:
            stop = max(stop, end)
            continue
        if stop > start:
            yield start, stop
        start, stop = begin, end
    if stop > start:
        yield start, stop


def _pieces(text: str, found: list[Span]) -> Iterator[Piece]:
    end = 0
    for start, stop in found:
        if start > end:
            yield Piece(text[end:start])
        yield Piece(text[start:stop], secret=True)
        end = stop
    if end < len(text):
        yield Piece(text[end:])
