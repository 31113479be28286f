"""How long something took, as technicians write it: "12", "1h 05m", "1:05", "1,5h" -> whole minutes.

Digits are 0-9 only: `int()` would take those of every script, and "1_000" and "1e3" too.
"""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from math import ceil, floor

from mailgate.core.model import Problem

_HOURS = r"(?:horas?|hours?|hrs?|h)"
_MINUTES = r"(?:minutos?|minutes?|mins?\.?|m)"
_FLAGS = re.ASCII | re.IGNORECASE
# The longer forms first: `lead` takes the first that ends before a space.
_FORM = re.compile(
    rf"""
      (?P<clock>[0-9]{{1,9}}):(?P<clock_minutes>[0-5][0-9])(?:[ ]?{_HOURS})?
    | (?P<hours>[0-9]{{1,9}})[ ]?{_HOURS}[ ]?(?P<over>[0-5]?[0-9])(?:[ ]?{_MINUTES})?
    | (?P<whole>[0-9]{{1,9}})(?:[.,](?P<part>[0-9]{{1,9}}))?[ ]?{_HOURS}
    | (?P<minutes>[0-9]{{1,9}})(?:[.,](?P<fraction>[0-9]{{1,9}}))?(?:[ ]?{_MINUTES})?
    """,
    _FLAGS | re.VERBOSE,
)
_JOINED = "y|and|con|plus|más|o|or|a|to"
_PART = "media|medio|un cuarto|cuarto|tres cuartos|a half|half|a quarter|quarter|three quarters"
_LEAD = re.compile(
    rf"""
    (?:{_FORM.pattern})
    (?:
        # a second length, or a bare number before the end or the day: one duration, written wrongly
        [.,;:!]*
        (?: [ ]?[-+–—/&][ ]?|[ ](?:(?:{_JOINED})[ ])?) [0-9]+(?:[.,:][0-9]+)?
        (?: [ ]?(?:{_HOURS}|{_MINUTES}|s|seg|sec)(?=[ ]|$) | (?=$|[ ]@) )
      | [ ](?:y|and)[ ](?:{_PART.replace(" ", "[ ]")})(?=[ ]|$)
      # "2 horas, reunión": the sign belongs to the length, which is not the "2" before it
      | [.,;:!]+(?=[ ]|$)
      | (?=[ ]|$)
    )
    """,
    _FLAGS | re.VERBOSE,
)
_PIECES = re.compile(rf"[0-9 .,:;!+/&–—-]+|(?:{_HOURS}|{_MINUTES}|{_JOINED}|{_PART})(?![a-z])", _FLAGS)
_EXAMPLE, _LONG_EXAMPLE = "12m", "1h05m"


def parse(text: str, most: int) -> int | Problem:
    """Minutes, from 1 to `most`, or why not. Takes the whole text: no note may follow."""
    text = " ".join(text.split())
    form = _FORM.fullmatch(text)
    if form is None:
        return _unread(text, most)
    length = _length(form)
    if form["fraction"] or length.denominator > 1:  # "1.000" may mean one or a thousand
        around = sorted({max(1, floor(length)), max(1, ceil(length))})
        return Problem("duration_not_whole", text, ", ".join(f"{minutes}m" for minutes in around))
    if length > most:
        return Problem("duration_too_long", text, str(most))
    return int(length) or Problem("duration_zero", text, "1m")


def lead(text: str) -> tuple[str, str]:
    """The duration at the start of a line, and the note after it; `parse` judges the first.

    The longest duration that ends before a space or at the end: "12 min llamada" is 12 minutes,
    "1h 30 llamada" 90, "1h 5 mensajes" 65, "10m 3 productos" 10 and "1h 75 productos" 60. A second
    length ("12 m 5", "10m 3h reunión") is no note: it stays with the first, for `parse` to refuse.
    Where no duration stands, the first word is given in its place.
    """
    text = " ".join(text.split())
    found = _LEAD.match(text)
    end = found.end() if found else len(text.partition(" ")[0])
    return text[:end], text[end:].strip()


def _length(form: re.Match[str]) -> Fraction:
    """Minutes as written, before any check."""
    if form["clock"]:
        return Fraction(int(form["clock"]) * 60 + int(form["clock_minutes"]))
    if form["hours"]:
        return Fraction(int(form["hours"]) * 60 + int(form["over"]))
    if form["whole"]:
        return Fraction(f"{form['whole']}.{form['part'] or 0}") * 60
    return Fraction(f"{form['minutes']}.{form['fraction'] or 0}")


def _unread(text: str, most: int) -> Problem:
    """Why a text is no duration, as near as can be told."""
    in_ascii = "".join(str(unicodedata.decimal(sign, sign)) for sign in text)
    bare = text.rstrip(".,:; ")
    pieces_only = bool(re.match(r"[0-9]", text)) and not _PIECES.sub("", text)
    causes = (
        (not text, "duration_missing", _EXAMPLE),
        (text != in_ascii, "duration_digits", in_ascii),
        (re.match(r"[-−–] ?[0-9]", text), "duration_negative", text[1:].strip()),
        (re.match(r"[0-9]+(?:e|_[0-9])", text, _FLAGS), "duration_notation", _EXAMPLE),
        (_FORM.fullmatch(bare), "duration_unreadable", bare),
        (re.match(r"[0-9]{10}", text), "duration_too_long", str(most)),
        (pieces_only, "duration_parts", _LONG_EXAMPLE),
        (True, "duration_unreadable", _EXAMPLE),
    )
    return next(Problem(code, text, right) for holds, code, right in causes if holds)
