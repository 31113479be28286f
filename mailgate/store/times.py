"""Times and days as the store keeps them: text that sorts, UTC, of one width."""

from __future__ import annotations

from datetime import UTC, date, datetime


def stamp(at: datetime) -> str:
    """An aware time as `2026-11-22T19:41:26.000000Z`."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def opt_stamp(at: datetime | None) -> str | None:
    """The same, None for None."""
    return None if at is None else stamp(at)


def moment(text: str) -> datetime:
    """The aware UTC time that `stamp` wrote."""
    return datetime.fromisoformat(text)


def opt_moment(text: str | None) -> datetime | None:
    """The same, None for None."""
    return None if text is None else moment(text)


def opt_day(text: str | None) -> date | None:
    """A day written as `2026-11-22`, None for None."""
    return None if text is None else date.fromisoformat(text)
