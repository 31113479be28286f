"""Where a command may stand in fresh text: on a line of its own, not in code, above the signature."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from mailgate.core.commands.vocabulary import plain

_FENCE = re.compile(r" {0,3}(?:(`{3,})[^`]*|(~{3,}).*)")
_INDENTED = re.compile(r" {4}| {0,3}\t")


@dataclass(frozen=True, slots=True)
class Lines:
    """A text in lines.

    written: as they are. seen: as they look (see `vocabulary.plain`). fenced: numbers of those
    between closed fences, the fences with them, as CommonMark 4.5 has it. open_from: number of the
    line with a fence that nothing closes, which is taken for a slip; past the end if there is none.
    """

    written: Sequence[str]
    seen: Sequence[str]
    fenced: frozenset[int]
    open_from: int

    @classmethod
    def of(cls, text: str) -> Self:
        """Lines ended as any system ends them."""
        written = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        seen = [plain(line) for line in written]
        return cls(written, seen, *_fences(seen))

    def standing(self) -> Iterator[tuple[int, str]]:
        """Number and look, trimmed, of each line on which a command may stand (RFC 3676 section 4.3)."""
        for number, line in enumerate(self.seen):
            if number in self.fenced or _INDENTED.match(line):
                continue
            if line.rstrip() == "--":
                return
            yield number, line.strip()


def _fences(lines: Sequence[str]) -> tuple[frozenset[int], int]:
    fenced: set[int] = set()
    fence, start = "", len(lines)
    for number, line in enumerate(lines):
        if fence:
            if _closes(line, fence):
                fenced.update(range(start, number + 1))
                fence, start = "", len(lines)
        elif opened := _FENCE.fullmatch(line):
            fence, start = opened[1] or opened[2], number
    return frozenset(fenced), start


def _closes(line: str, fence: str) -> bool:
    mark = line.strip()
    return len(mark) >= len(fence) and set(mark) == {fence[0]} and not _INDENTED.match(line)
