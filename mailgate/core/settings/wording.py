"""How sentences about a wrong rule name values, kinds and what would be right."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Collection, Iterable
from difflib import get_close_matches

_LONGEST = 60
_FEW = 16
_NEAR = 50
_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "a yes or no"),
    (str, "text"),
    (int, "a whole number"),
    (float, "a decimal number"),
    (list, "a list"),
    (dict, "a table"),
    (object, "a date or time"),
)


def quoted(value: object) -> str:
    """A value as the file has it, cut to a readable length and without control characters."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) >= 10**15:
        return "this long number"
    if isinstance(value, list | dict):
        return "this"
    if not isinstance(value, str):
        return str(value)
    clean = "".join(letter if letter.isprintable() else "·" for letter in value[:_LONGEST])
    return f'"{clean}{"…" if len(value) > _LONGEST else ""}"'


def shown(value: object) -> str:
    """A value of a wrong type as a sentence names it: `"yes" is text`, `5 is a whole number`."""
    return f"{quoted(value)} is {next(kind for of, kind in _KINDS if isinstance(value, of))}"


def choices(words: Iterable[str]) -> str:
    """`urgent, high, normal or low`."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def did_you_mean(word: str, names: Collection[str]) -> str:
    """The likeliest name; if there is none, all of them where they are few; else nothing.

    Of very many only those are compared that stand near the word in the alphabet.
    """
    near = sorted(names)
    if len(near) > 2 * _NEAR:
        place = bisect(near, word)
        near = near[max(0, place - _NEAR) : place + _NEAR]
    if close := get_close_matches(word, near, n=1):
        return f'; did you mean "{close[0]}"?'
    return f"; use {choices(names)}" if 0 < len(names) <= _FEW else ""
