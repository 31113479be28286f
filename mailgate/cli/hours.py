"""`hours`: when the desk is open, as the rules make it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from mailgate.cli.common import Place, as_json, pass_place, show, table, when
from mailgate.core.hours import Calendar, Day
from mailgate.core.settings.rules import Rules
from mailgate.service.take import utc_now

_DECEMBER = 12


@click.command()
@click.option("--days", type=click.IntRange(1, 800), default=30, show_default=True, help="How many, from today on.")
@as_json
@pass_place
def hours(place: Place, days: int, json_wanted: bool) -> None:
    """Show the hours and holidays ahead, day by day."""
    rules = place.rules()
    today = utc_now().astimezone(rules.zone).date()
    ahead = list(Calendar(rules.hours, rules.zone, rules.desk.language).days(today, days))
    if json_wanted:
        show([_object(day, rules.zone) for day in ahead], json_wanted, str)
    else:
        rows = [_row(day, today, rules.zone) for day in ahead]
        show(rows, json_wanted, lambda rows: table(rows, ("day", "weekday", "open", "remarks"), "no days"))
        click.echo("".join(f"\n{hint}\n" for hint in _hints(rules, today)), nl=False)


def _object(day: Day, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "day": day.day.isoformat(),
        "open": [{"from": when(start, zone), "to": when(end, zone)} for start, end in day.spans],
        "closed": None if day.spans else _closed(day),
        "season": day.season or None,
    }


def _closed(day: Day) -> str:
    if day.holiday is None:
        return "no hours"
    return day.holiday or "closed by the rules"


def _row(day: Day, today: date, zone: ZoneInfo) -> dict[str, str]:
    spans = [f"{start.astimezone(zone):%H:%M}-{_until(end.astimezone(zone), day.day)}" for start, end in day.spans]
    return {
        "day": day.day.isoformat(),
        "weekday": f"{day.day:%A}",
        "open": ", ".join(spans) or "closed",
        "remarks": "; ".join(_remarks(day, today)),
    }


def _until(end: datetime, day: date) -> str:
    return f"{end:%H:%M}" if end.date() == day else "24:00"


def _remarks(day: Day, today: date) -> Iterator[str]:
    if day.day == today:
        yield "today"
    if day.holiday is not None:
        yield _closed(day)
    if day.season:
        yield f"season {day.season}"
    if day.shift:
        yield f"clocks go {'ahead' if day.shift > 0 else 'back'} {abs(day.shift)} min"


def _hints(rules: Rules, today: date) -> Iterator[str]:
    """In December the days of the town, which no library knows, are missing for the year that comes."""
    named = (*rules.hours.holidays.closed, *rules.hours.holidays.open)
    if today.month == _DECEMBER and not any(day.year > today.year for day in named):
        yield f"hours.holidays.closed names no day of {today.year + 1} yet: add the local holidays of the town"


VERBS = (hours,)
