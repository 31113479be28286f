"""On which line of a TOML document a key stands; tomllib keeps no positions.

The document is known to be valid: tomllib has read it. One pass over its tokens, no recursion.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field

Path = tuple[str | int, ...]

_TOKEN = re.compile(
    r'''(?P<text>"""(?:[^"\\]|\\.|"(?!""))*+"{3,5}|\'\'\'(?:[^']|'(?!''))*+'{3,5}'''
    r"""|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
    r"""|(?P<comment>\#[^\n]*+)|(?P<newline>\n)|(?P<mark>[\[\]{}=,])|(?P<word>[^\s\[\]{}=,.\#"']++)""",
    re.DOTALL,
)


def locate(text: str, path: Path) -> int:
    """The line, from 1, of a key or a list's element; where it is missing, of what encloses it."""
    return nearest(index(text), path)


def nearest(lines: Mapping[Path, int], path: Path) -> int:
    """The same from an index, which is made once where many keys are to be found."""
    while path not in lines:
        path = path[:-1]
    return lines[path]


def index(text: str) -> dict[Path, int]:
    """The line of every table, key and list element; the document itself, (), is on line 1."""
    walk = _Walk()
    for match in _TOKEN.finditer(text):
        walk.take(str(match.lastgroup), match[0])
    walk.end_line()
    return walk.lines


@dataclass
class _Frame:
    """A table or list that is being read. begun: a value has begun, so no key is expected."""

    path: Path
    listing: bool = False
    element: int = 0
    key: list[str] = field(default_factory=list)
    begun: bool = False

    @property
    def here(self) -> Path:
        return (*self.path, self.element) if self.listing else (*self.path, *self.key)

    def next(self) -> None:
        self.element += 1
        self.key, self.begun = [], False


class _Walk:
    """Reads tokens one by one. frames: the table of the last header, and what is open within it."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {(): 1}
        self.line = 1
        self.frames = [_Frame(())]
        self.header = 0  # brackets of a header that opened on this line: 1 of [a], 2 of [[a]]
        self.lengths: dict[Path, int] = {}  # of the arrays of tables so far

    def take(self, kind: str, written: str) -> None:
        frame = self.frames[-1]
        if kind == "newline":
            self.end_line()
        elif kind in ("text", "word"):
            self._scalar(frame, kind, written)
        elif written == "=":
            self._note(frame.here)
            frame.begun = True
        elif written == ",":
            frame.next()
        elif written in ("[", "{"):
            self._open(frame, written)
        elif written in ("]", "}") and not self.header:
            self.frames.pop()
        self.line += written.count("\n")

    def _scalar(self, frame: _Frame, kind: str, written: str) -> None:
        if frame.begun:
            return
        if frame.listing:
            self._note(frame.here)
            frame.begun = True
        else:
            frame.key.append(_unquoted(written) if kind == "text" else written)

    def _open(self, frame: _Frame, bracket: str) -> None:
        if not (frame.listing or frame.begun):
            self.header += 1
            return
        if not frame.begun:
            self._note(frame.here)
            frame.begun = True
        self.frames.append(_Frame(frame.here, listing=bracket == "["))

    def end_line(self) -> None:
        """Outside of brackets a line's end ends a key's value, or a header."""
        if len(self.frames) > 1:
            return
        frame = self.frames[0]
        if self.header:
            self.frames = [_Frame(self._entered(frame.key, repeated=self.header == 2))]
            self.header = 0
        else:
            frame.next()

    def _entered(self, names: list[str], *, repeated: bool) -> Path:
        """The path of a header's table; in an array of tables it is the last one so far."""
        path: Path = ()
        for name in names[:-1]:
            path = self._last_of((*path, name))
        path = (*path, names[-1])
        if repeated:
            self.lengths[path] = self.lengths.get(path, 0) + 1
            path = self._last_of(path)
        self._note(path)
        self.lines[path] = self.line
        return path

    def _last_of(self, path: Path) -> Path:
        return (*path, self.lengths[path] - 1) if path in self.lengths else path

    def _note(self, path: Path) -> None:
        """Remember the line of a path and of the tables above it that nothing has named before."""
        while path not in self.lines:
            self.lines[path] = self.line
            path = path[:-1]


def _unquoted(key: str) -> str:
    return next(iter(tomllib.loads(f"{key}=0"))) if "\\" in key else key[1:-1]
