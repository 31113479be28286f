"""A text that is being cut: each step takes lines away from what counts as fresh, and says why.

The steps are in `marks` and `recall`; the policies for clients and technicians are in `fresh`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import groupby

from mailgate.core.reading import opening
from mailgate.core.reading.opening import Opening
from mailgate.core.reading.past import Past

_UNSEEN = "\ufeff\u200b\u2060"


class Kind(Enum):
    """What a line is."""

    FRESH = "fresh"
    QUOTED = "quoted"
    SIGNATURE = "signature"


@dataclass(slots=True)
class Cut:
    """A text on its way through the steps.

    bare: the lines as they are compared, without quote marks in those that are `marked`. fenced: the
    lines of code between "```", where a ">" is no quote mark.
    unmarked: what introduces a quote without marks, which goes on to the end; None where nothing does.
    unsure: whether what was cut may hold something written now. doubt: whether `fresh` may be wrong.
    """

    lines: list[str]
    bare: list[str]
    marked: list[bool]
    fenced: frozenset[int]
    kinds: list[Kind]
    history: Sequence[str]
    why: list[str] = field(default_factory=list)
    unmarked: Opening | None = None
    unsure: bool = False
    doubt: bool = False
    forward: bool = False
    _earlier: Past | None = None

    @classmethod
    def of(cls, text: str, history: Sequence[str]) -> Cut:
        """A text of which nothing is cut yet."""
        lines = text.split("\n")
        bare = [opening.bare(line) for line in lines]
        fenced = _fenced(bare) if "```" in text else frozenset[int]()
        marked = [line[:1] == ">" and line != ">:" and at not in fenced for at, line in enumerate(bare)]
        bare = [line.lstrip("> ") if mark else line for line, mark in zip(bare, marked, strict=True)]
        return cls(lines, bare, marked, fenced, [Kind.FRESH] * len(lines), history)

    def earlier(self) -> Past:
        """What was said before in the ticket, indexed when first asked for."""
        if self._earlier is None:
            self._earlier = Past.of(self.history)
        return self._earlier

    def take(self, lines: Iterable[int], kind: Kind) -> None:
        """Say of lines that they are not fresh."""
        for at in lines:
            self.kinds[at] = kind

    def fresh_lines(self) -> list[int]:
        """The lines that still count as fresh and are not blank."""
        return [at for at, kind in enumerate(self.kinds) if kind is Kind.FRESH and self.bare[at]]

    def fresh_stretches(self) -> list[range]:
        """The stretches of lines between what is quoted."""
        if self.kinds.count(Kind.FRESH) == len(self.kinds):
            return [range(len(self.kinds))]
        runs = groupby(range(len(self.kinds)), key=lambda at: self.kinds[at] is Kind.FRESH)
        stretches = (list(lines) for is_fresh, lines in runs if is_fresh)
        return [range(lines[0], lines[-1] + 1) for lines in stretches]

    def text(self) -> str:
        """The lines that count as fresh; where something was cut between them, one blank line."""
        kept: list[str] = []
        cut_here = True
        for line, bare, kind in zip(self.lines, self.bare, self.kinds, strict=True):
            if kind is Kind.FRESH and bare:
                kept.append(line.rstrip().lstrip(_UNSEEN))
                cut_here = False
            elif not cut_here:
                cut_here = kind is not Kind.FRESH
                if kept[-1] or not cut_here:
                    kept.append("")
        return "\n".join(kept).rstrip("\n")


def _fenced(bare: Sequence[str]) -> frozenset[int]:
    """The lines between fences; the last of an odd number of fences opens nothing."""
    fences = [at for at, line in enumerate(bare) if line.startswith("```")]
    pairs = zip(fences[::2], fences[1::2], strict=False)
    return frozenset(at for opens, closes in pairs for at in range(opens, closes))
