"""How `rules.toml` writes quantities: "4h", "60s", "25MB", "1y", "19:30", "10:00-20:00".

Every function raises ValueError with a sentence that says what is wrong and what would be right.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import NamedTuple

_MINUTES = {"m": 1, "h": 60}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_BYTES = {"B": 1, "kB": 1024, "KB": 1024, "MB": 1024**2, "GB": 1024**3}
_MONTHS = {"mo": 1, "y": 12}
_DAYS = {"d": 1, "w": 7}
DAY_MINUTES = 24 * 60


def _amount(text: str, units: dict[str, int], example: str) -> tuple[int, str]:
    """The whole number and the unit of "90m". At most six digits, so that nothing overflows."""
    match = re.fullmatch(r"([0-9]{1,6}) ?([A-Za-z]{1,2})", text)
    if match is None or match[2] not in units:
        raise ValueError(f'"{text}" cannot be read; write a whole number and its unit, as in {example}')
    if int(match[1]) == 0:
        raise ValueError(f'"{text}" is nothing at all; write at least 1{match[2]}')
    return int(match[1]), match[2]


def minutes(text: str) -> int:
    """Whole minutes of "4h" or "90m", at most a year."""
    number, unit = _amount(text, _MINUTES, '"4h" or "90m"')
    if (found := number * _MINUTES[unit]) > 365 * DAY_MINUTES:
        raise ValueError(f'"{text}" is more than a year; write at most "8760h"')
    return found


def seconds(text: str) -> int:
    """Whole seconds of "60s", "5m", "1h" or "5d"."""
    number, unit = _amount(text, _SECONDS, '"60s", "5m", "1h" or "5d"')
    return number * _SECONDS[unit]


def days(text: str) -> int:
    """Whole days of "2d" or "1w", at most a year."""
    number, unit = _amount(text, _DAYS, '"2d" or "1w"')
    if (found := number * _DAYS[unit]) > 365:
        raise ValueError(f'"{text}" is more than a year; write at most "365d"')
    return found


def size(text: str) -> int:
    """Bytes of "25MB"; a kB is 1024 of them, as mail programs count."""
    number, unit = _amount(text, _BYTES, '"25MB" or "500kB"')
    return number * _BYTES[unit]


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many in any so many seconds."""

    count: int
    seconds: int

    def __str__(self) -> str:
        return f"more than {self.count} in {self.seconds // 60} minutes"


def cap(text: str) -> Cap:
    """The cap of "20 in 10m", for a day at most."""
    count, word, window = text.partition(" in ")
    if not word or not re.fullmatch(r"[1-9][0-9]{0,5}", count):
        raise ValueError(f'"{text}" cannot be read; write how many in what time, as in "20 in 10m"')
    if (found := seconds(window)) > _SECONDS["d"] or found < _SECONDS["m"]:
        raise ValueError(f'"{text}": write a time from "1m" to "1d"')
    return Cap(int(count), found)


@dataclass(frozen=True, slots=True)
class Period:
    """A span of the calendar. A month is no number of days: only a date says how long it is."""

    months: int = 0
    days: int = 0

    def add_to(self, day: date) -> date:
        """The same day of a later month, or the last one of it: 29 February + 1y is 28 February."""
        return _months_on(day, self.months) + timedelta(days=self.days)

    def before(self, day: date) -> date:
        """The day that lies this long before `day`."""
        return _months_on(day, -self.months) - timedelta(days=self.days)


def _months_on(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return day.replace(year=year, month=month + 1, day=min(day.day, monthrange(year, month + 1)[1]))


def period(text: str) -> Period:
    """The period of "30d", "2w", "6mo" or "1y", at most a hundred years."""
    number, unit = _amount(text, _MONTHS | _DAYS, '"30d", "2w", "6mo" or "1y"')
    months, days = number * _MONTHS.get(unit, 0), number * _DAYS.get(unit, 0)
    if months > 1200 or days > 36500:
        raise ValueError(f'"{text}" is more than a hundred years; write "1y" for a year')
    return Period(months, days)


def clock(text: str) -> time:
    """The time of day of "19:30"."""
    minute = _minute(text)
    if minute == DAY_MINUTES:
        raise ValueError(f'"{text}" is no time of day; the last one is "23:59"')
    return time(*divmod(minute, 60))


def _minute(text: str) -> int:
    """Minutes from midnight of "19:30"; "24:00" is the end of the day."""
    match = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})", text)
    if match is None or int(match[2]) > 59 or (minute := int(match[1]) * 60 + int(match[2])) > DAY_MINUTES:
        raise ValueError(f'"{text}" is no time of day; write hours and minutes, as in "19:30"')
    return minute


class Span(NamedTuple):
    """Opening hours without a break, in minutes from midnight on the wall clock; end not included."""

    start: int
    end: int


def span(text: str) -> Span:
    """The span of "10:00-20:00"."""
    start, dash, end = (part.strip() for part in text.partition("-"))
    if not dash:
        raise ValueError(f'"{text}" cannot be read; write a start and an end, as in "10:00-20:00"')
    found = Span(_minute(start), _minute(end))
    if found.start >= found.end:
        raise ValueError(f'"{text}" ends before it starts; write "{end}-{start}", or two days for a night')
    return found


class MonthDay(NamedTuple):
    """A day of every year."""

    month: int
    day: int


def month_day(text: str) -> MonthDay:
    """The day of "08-31"; "02-29" is one."""
    if re.fullmatch(r"[0-9]{2}-[0-9]{2}", text):
        found = MonthDay(int(text[:2]), int(text[3:]))
        if 1 <= found.month <= 12 and 1 <= found.day <= monthrange(2024, found.month)[1]:
            return found
    raise ValueError(f'"{text}" is no day of the year; write month and day, as in "08-31"')


def day(text: str) -> date:
    """The date of "2026-12-24"."""
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise ValueError(f'"{text}" is no date; write year, month and day, as in "2026-12-24"')
