"""Days, as technicians write them: "@ayer", "@2026-11-02", "2/11" of work done, "mañana", "lunes" of work to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta

from mailgate.core.commands.vocabulary import folded
from mailgate.core.model import Problem

OLDEST = timedelta(days=366)
_AGO: Mapping[str, int] = {"hoy": 0, "today": 0, "ayer": 1, "yesterday": 1}
_AHEAD: Mapping[str, int] = {"hoy": 0, "today": 0, "manana": 1, "tomorrow": 1}
_WEEKDAYS: Mapping[str, int] = {
    word: number
    for words in (
        "lunes martes miercoles jueves viernes sabado domingo",
        "monday tuesday wednesday thursday friday saturday sunday",
    )
    for number, word in enumerate(words.split())
}
# A day and month that were so long ago are of the next year.
_LONG_AGO = timedelta(days=90)
_ISO = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_SPANISH = re.compile(r"([0-9]{1,2})/([0-9]{1,2})(?:/([0-9]{4}))?")


def parse(word: str, today: date) -> date | Problem | None:
    """The day that "@ayer" or the like names; None for today, and where there is no word."""
    day = named(word, today) if word else today
    if day is None:
        return Problem("day_unreadable", word, f"@{today}")
    if day > today:
        return Problem("day_future", word, f"@{today}")
    if day < today - OLDEST:
        return Problem("day_too_old", word, f"@{today - OLDEST}")
    return None if day == today else day


def named(word: str, today: date) -> date | None:
    """The day that a word such as "@ayer", "@2026-11-02" or "@2/11" names, None if it names none.

    Without a year it is this year's, but early in a year November and December are the last one's.
    """
    word = folded(word).removeprefix("@").rstrip(".,;:")
    if word in _AGO:
        return today - timedelta(days=_AGO[word])
    if iso := _ISO.fullmatch(word):
        return _date(int(iso[1]), int(iso[2]), int(iso[3]))
    if spanish := _SPANISH.fullmatch(word):
        day, month = int(spanish[1]), int(spanish[2])
        year = int(spanish[3] or today.year - (month > 10 and today.month < 3))
        return _date(year, month, day)
    return None


def coming(word: str, today: date) -> date | None:
    """The day ahead that "mañana", "lunes", "@2026-12-01" or "1/12" names, None if it names none.

    A weekday is the next one after today. Without a year it is this year's, unless that was months ago. A
    day that is just over is given as it is, so that its writer can be told.
    """
    word = folded(word).removeprefix("@").rstrip(".,;:")
    if word in _AHEAD:
        return today + timedelta(days=_AHEAD[word])
    if word in _WEEKDAYS:
        return today + timedelta(days=(_WEEKDAYS[word] - today.weekday() - 1) % 7 + 1)
    if (short := _SPANISH.fullmatch(word)) and not short[3]:
        day, month = int(short[1]), int(short[2])
        this_year = _date(today.year, month, day)
        return _date(today.year + 1, month, day) if this_year and this_year < today - _LONG_AGO else this_year
    return named(word, today)


def delivery(word: str, start: date, today: date) -> date | None:
    """The day that ends what begins on `start`: a weekday is meant as seen from there, "lunes jueves"."""
    first = coming(word, start - timedelta(days=1))
    return first if folded(word).strip("@.,;:") in _WEEKDAYS else coming(word, today)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
