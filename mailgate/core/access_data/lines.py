"""Access data that are known by how lines are laid out: "admin / Xk9!zz", a table with a head, two lines alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailgate.core.access_data.named import HINTS, NAME
from mailgate.core.access_data.strength import is_strong, is_very_strong, is_word, trimmed

# What says, some lines above at most, that people are let in somewhere.
_CONTEXT = re.compile(
    r"(?<![^\W_])(?:acces[os]{1,2}|usuarios?|users?|username|login|log in|credencial(?:es)?|credentials?|s?ftp|ssh"
    rf"|cpanel|plesk|phpmyadmin|wp-admin|{NAME})(?![^\W_])",
    re.IGNORECASE,
)
_CONTEXT_HINTS = ("acces", "usuario", "user", "login", "log in", "ftp", "ssh", "cpanel", "plesk", "phpmyadmin", *HINTS)
_PAIR_HINTS = (" / ", " | ", " > ", " → ", " - ")
_REACHES = 4
_LONGEST_LINE = 160
# "admin / Xk9!zz", "FTP: web01 / q9Z#rr", and near what says so "admin:Xk9!zz", too.
_PAIR = re.compile(
    r"^[ \t>*•|-]{0,12}(?:[^\s:][^\n:]{0,40}?:?[ \t]{1,3})?(?P<user>[A-Za-z_][\w.@+-]{1,60})"
    r"(?P<sign>[ \t]{1,3}[/|→>-]{1,2}[ \t]{1,3}|[ \t]?[/|:\t][ \t]?|[ \t])(?P<value>[^\s]{4,40})[ \t|.]{0,5}$"
)
_BOTH = re.compile(
    r"(?<![^\W_])(?:usuario|user|login)[ \t]?[/,y&+][ \t]?(?:contrase[nñ]a|clave|pass\w{0,5})[ \t]{0,3}[:=]?[ \t]{1,3}"
    r"(?P<user>[^\s/|]{2,60})(?:[ \t]{0,3}[/|,:][ \t]{0,3}|[ ]y[ ]|[ ]and[ ])(?P<value>[^\s]{3,60})",
    re.IGNORECASE,
)
_CELLS = re.compile(r"\t|[ ]{2,8}|[ \t]?\|[ \t]?|;")
_HEAD_USER = re.compile(
    r"\b(?:usuario|user|username|login|host|servidor|server|url|web|e-?mail|correo|cuenta|account)\b", re.IGNORECASE
)
_HEAD_VALUE = re.compile(rf"[ *]{{0,3}}(?:{NAME})[ *]{{0,3}}", re.IGNORECASE)
_MOST_ROWS = 50
_LONGEST_ALONE = 40
_USUAL = (
    "admin",
    "administrador",
    "administrator",
    "editor",
    "ftp",
    "info",
    "root",
    "user",
    "usuario",
    "web",
    "webmaster",
)


def spans(text: str, folded: str) -> Iterator[tuple[int, int]]:
    """Where they stand, in no order; folded: the text in lower case."""
    if not any(hint in folded for hint in (*_CONTEXT_HINTS, *_PAIR_HINTS)):
        return
    for found in _BOTH.finditer(text):
        value = trimmed(text, *found.span("value"))
        if not is_word(text[slice(*value)]):
            yield value
    start, near, table = 0, -1, _Table()
    for line in text.split("\n"):
        if line.strip(" \t>*|-") and len(line) <= _LONGEST_LINE:
            near = _REACHES if _is_context(line) else near - 1
            if span := table.cell(line) or _alone(line, near=near >= 0):
                yield start + span[0], start + span[1]
        start += len(line) + 1


def _is_context(line: str) -> bool:
    folded = line.lower()
    return any(hint in folded for hint in _CONTEXT_HINTS) and _CONTEXT.search(line) is not None


class _Table:
    """The table whose rows are read, from its head on: how many cells a row has, and which one the password is."""

    def __init__(self) -> None:
        self._cells, self._at, self._rows = 0, 0, 0

    def cell(self, line: str) -> tuple[int, int] | None:
        """Where the password of a row stands in its line; None for a line of no table."""
        if head := _head(line):
            (self._cells, self._at), self._rows = head, _MOST_ROWS
            return None
        found = _cell(line, self._cells, self._at) if self._rows else None
        self._rows = self._rows - 1 if found or "--" in line else 0
        return found


def _head(line: str) -> tuple[int, int] | None:
    """Of the head of a table: how many cells it has and which one has the passwords; None for another line."""
    if not _HEAD_USER.search(line):
        return None
    cells = _CELLS.split(line.strip(" \t>|"))
    if not 2 <= len(cells) <= 8:
        return None
    return next(((len(cells), at) for at, cell in enumerate(cells) if _HEAD_VALUE.fullmatch(cell)), None)


def _cell(line: str, count: int, at: int) -> tuple[int, int] | None:
    """Where the value of a row stands in its line."""
    start = len(line) - len(line.lstrip(" \t>|"))
    stop = len(line.rstrip(" \t|"))
    bounds = [start, *(edge for found in _CELLS.finditer(line, start, stop) for edge in found.span()), stop]
    if len(bounds) != 2 * count:
        return None
    begin, end = bounds[2 * at], bounds[2 * at + 1]
    return (begin, end) if line[begin:end].strip("- ") else None


def _alone(line: str, *, near: bool) -> tuple[int, int] | None:
    """The value of a line that is a user and a password, or a password and nothing else."""
    if not near and not any(hint in line for hint in _PAIR_HINTS):
        return None
    if found := _PAIR.match(line):
        start, stop = trimmed(line, *found.span("value"))
        value, user = line[start:stop], found["user"]
        apart = near or len(found["sign"]) >= 3
        if not apart or "/" in value or "://" in line or "=?" in value:
            return None
        usual = near and is_strong(value) and _named(user)
        return (start, stop) if usual or (is_very_strong(value) and found["sign"] != " ") else None
    start, stop = trimmed(line, len(line) - len(line.lstrip(" \t>*•-")), len(line.rstrip()))
    value = line[start:stop]
    alone = near and len(value) <= _LONGEST_ALONE and not any(char.isspace() or char in ":=" for char in value)
    return (start, stop) if alone and is_very_strong(value) else None


def _named(user: str) -> bool:
    """Whether somebody signs in with it: an address, a name with digits, or what everybody calls their own."""
    return "@" in user or user.lower() in _USUAL or (user[0].isalpha() and any(map(str.isdigit, user)))
