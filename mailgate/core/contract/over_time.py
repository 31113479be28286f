"""How a balance changed, month by month; and the same as a picture of bars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter

from mailgate.core.model import Entry, Kind

_SPENDING = (Kind.DEBIT, Kind.VOID, Kind.ADJUST)


@dataclass(frozen=True, slots=True)
class Month:
    """What happened to an account in a month. first: its first day. bought, spent: minutes, spent > 0 for work.

    other: expiries and refunds, signed. left: minutes at its end.
    """

    first: date
    bought: int
    spent: int
    other: int
    left: int


def by_month(booked: Sequence[tuple[date, Entry]], today: date, most: int) -> tuple[Month, ...]:
    """The last months up to this one, from the first in which anything was booked.

    booked: every entry of a client with the day on which it was booked.
    """
    return tuple(_months(booked, today))[-most:] if booked else ()


def _months(booked: Sequence[tuple[date, Entry]], today: date) -> Iterator[Month]:
    rest = sorted(booked, key=itemgetter(0))
    first, left = rest[0][0].replace(day=1), 0
    while first <= today:
        after = _next(first)
        here = [entry for day, entry in rest if day < after]
        rest = rest[len(here) :]
        left += sum(entry.minutes for entry in here)
        bought = sum(entry.minutes for entry in here if entry.kind is Kind.PURCHASE)
        spent = -sum(entry.minutes for entry in here if entry.kind in _SPENDING)
        yield Month(first, bought, spent, sum(entry.minutes for entry in here) - bought + spent, left)
        first = after


def _next(first: date) -> date:
    return first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)


WIDTH, HEIGHT = 720, 220
_TOP, _BOTTOM, _LEFT, _RIGHT = 14, 28, 72, 12
# So many marks at the side, so many words below, at most.
_MARKS = 4
_LABELS = 6
_STEPS = (30, 60, 120, 240, 300, 600, 1200, 2400, 3000, 6000, 12_000, 24_000, 60_000, 120_000, 600_000)


@dataclass(frozen=True, slots=True)
class Bar:
    """One month in the picture. label: whether its name stands below. All in units of the picture."""

    month: Month
    x: float
    y: float
    width: float
    height: float
    label: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """Bars over a line of nothing. marks: minutes, and how far down they are drawn."""

    bars: tuple[Bar, ...]
    zero: float
    marks: tuple[tuple[int, float], ...]
    left: int = _LEFT
    width: int = WIDTH
    height: int = HEIGHT


def picture(months: Sequence[Month]) -> Picture:
    """Draw what was left at the end of each month; below nothing where minutes are owed."""
    highest, lowest = max(0, *(one.left for one in months)), min(0, *(one.left for one in months))
    step = next((step for step in _STEPS if step * _MARKS >= highest - lowest), highest - lowest)
    top, bottom = -(-highest // step) * step or step, lowest // step * step
    scale = (HEIGHT - _TOP - _BOTTOM) / (top - bottom)

    def down(minutes: int) -> float:
        return round(_TOP + (top - minutes) * scale, 1)

    each = (WIDTH - _LEFT - _RIGHT) / len(months)
    every = -(-len(months) // _LABELS)
    bars = tuple(
        Bar(
            one,
            x=round(_LEFT + number * each + each * 0.14, 1),
            y=down(max(one.left, 0)),
            width=round(each * 0.72, 1),
            height=round(abs(one.left) * scale, 1),
            label=(len(months) - 1 - number) % every == 0,
        )
        for number, one in enumerate(months)
    )
    return Picture(bars, down(0), tuple((minutes, down(minutes)) for minutes in range(bottom, top + 1, step)))
