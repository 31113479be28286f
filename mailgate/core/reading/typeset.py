"""A sheet on which the text of an HTML body is set, line by line."""

from __future__ import annotations

import re

from mailgate.core.reading.opening import COMMAND_LINE
from mailgate.core.reading.signature import is_mark

_CELL = "\x1f"
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_AROUND_CELL = re.compile(rf" ?{_CELL} ?")
_UNSEEN = dict.fromkeys(map(ord, "\u200b\ufeff\xad"))
_NBSP = "\xa0"


class Sheet:
    """Lines set so far and the pieces of the one being set. depth: of quoting."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.pieces: list[str] = []
        self.depth = 0
        self._bullet = ""
        self._gap = False
        self._signing = False
        self._depth_above = 0

    def add(self, text: str) -> None:
        """Text in which blanks and line ends count as one blank."""
        self.pieces.append(text)

    def add_preformatted(self, text: str) -> None:
        """Text whose blanks and line ends stand as they are."""
        first, *others = text.expandtabs(4).replace(" ", _NBSP).split("\n")
        self.pieces.append(first)
        for line in others:
            self.break_line()
            self.pieces.append(line)

    def add_cell(self) -> None:
        """Begin the next cell of a table, on the same line."""
        if self.pieces:
            self.pieces.append(_CELL)

    def add_line(self, line: str) -> None:
        """A line of its own."""
        self.end_line()
        self.pieces.append(line)
        self.end_line()

    def end_line(self) -> None:
        """End the line if there is something in it."""
        if not self.pieces:
            return
        line = _BLANKS.sub(" ", "".join(self.pieces)).strip(f" {_CELL}")
        if line:
            self._set(_AROUND_CELL.sub("\t", line).replace(_NBSP, " ").translate(_UNSEEN).rstrip())
        self.pieces.clear()

    def break_line(self) -> None:
        """End the line, also an empty one."""
        before = len(self.lines)
        self.end_line()
        if before == len(self.lines):
            self._set("")

    def leave_gap(self) -> None:
        """End the line; a blank one comes before the next."""
        self.end_line()
        self._gap = True

    def quote(self, levels: int) -> None:
        """Go so many levels of quoting deeper, or out again."""
        self.leave_gap()
        self.depth += levels

    def sign(self) -> None:
        """What follows is a signature."""
        self.end_line()
        self._signing = True

    def begin_item(self, bullet: str) -> None:
        """Begin an item of a list."""
        self.end_line()
        self._bullet = bullet

    def text(self) -> str:
        """All that was set."""
        self.end_line()
        return "\n".join(self.lines).strip("\n")

    def _set(self, line: str) -> None:
        if line.strip():
            self._set_gap()
            self._set_signature_mark(line)
            if not COMMAND_LINE.match(line):
                line = self._bullet + line
            self._bullet = ""
        if is_mark(line.rstrip()) and self.lines and is_mark(self.lines[-1].rstrip()):
            return
        self.lines.append(self._marked(line))
        self._depth_above = self.depth

    def _set_gap(self) -> None:
        if self._gap and self.lines and self.lines[-1].strip("> "):
            self.lines.append(">" * min(self.depth, self._depth_above))
        self._gap = False

    def _set_signature_mark(self, line: str) -> None:
        if self._signing and not is_mark(line.rstrip()):
            last = next((line for line in reversed(self.lines[-3:]) if line.strip()), "")
            if not is_mark(last.rstrip()):
                self.lines.append(self._marked("-- "))
        self._signing = False

    def _marked(self, line: str) -> str:
        return f"{'>' * self.depth} {line}".rstrip() if self.depth else line
