"""Desk hours counted minute by minute: slow, and simple enough to be believed. The desk's own calendar is not asked."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MADRID = ZoneInfo("Europe/Madrid")
MINUTE = timedelta(minutes=1)
CLOSED = frozenset({date(2026, 10, 30), date(2026, 11, 2)})


def is_open(at: datetime) -> bool:
    """Monday to Friday from ten to eight, but not on the days above."""
    wall = at.astimezone(MADRID)
    return wall.weekday() < 5 and time(10) <= wall.time() < time(20) and wall.date() not in CLOSED


def later(at: datetime, minutes: int) -> datetime:
    """The instant at which so many minutes of desk time have passed."""
    at = at.astimezone(UTC)
    while minutes or not is_open(at - MINUTE):
        step = MINUTE - timedelta(seconds=at.second, microseconds=at.microsecond)
        minutes -= is_open(at)
        at += step
        if not minutes and is_open(at - MINUTE):
            break
    return at


def passed(since: datetime, until: datetime) -> int:
    """The minutes of desk time between two instants on whole minutes."""
    steps = int((until - since) / MINUTE)
    return sum(is_open(since + number * MINUTE) for number in range(max(steps, 0)))
