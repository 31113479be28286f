"""When the desk is open. All instants that come out are aware UTC, all that go in are aware.

Hours are on the wall clock of the desk's zone. A wall time that the clocks skip is taken as the
instant of the change, one that comes twice as its first coming; so spans never overlap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from mailgate.core.settings.countries import public_holidays
from mailgate.core.settings.schema import Hours, Season

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
# Days without an opening after which the search ends: more than a year of holidays is no desk.
LONGEST_CLOSED = 400


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the desk.

    spans: (start, end) of each time that it is open. holiday: None, or the name of one that closes it, "" where
    the rules just say so. season: "" for the usual week. shift: minutes by which the clocks go ahead.
    """

    day: date
    spans: tuple[tuple[datetime, datetime], ...]
    holiday: str | None
    season: str
    shift: int


class Calendar:
    """The desk's hours with seasons, public holidays and the days named in the rules.

    language: of the names of holidays, "es" or "en".
    """

    def __init__(self, hours: Hours, zone: ZoneInfo, language: str = "es") -> None:
        self._hours = hours
        self._zone = zone
        self._language = language
        self._closed = frozenset(hours.holidays.closed)
        self._open = frozenset(hours.holidays.open)
        self._holidays: dict[tuple[int, str], dict[date, str]] = {}
        self._spans: dict[date, tuple[tuple[datetime, datetime], ...]] = {}

    def holiday(self, day: date, language: str = "") -> str | None:
        """The name of a day on which the desk is closed, "" if the rules just say closed; else None."""
        if day in self._open:
            return None
        return self._public(day.year, language or self._language).get(day, "" if day in self._closed else None)

    def _public(self, year: int, language: str) -> dict[date, str]:
        rules = self._hours.holidays
        if (year, language) not in self._holidays and rules.country:
            found = public_holidays(rules.country, subdiv=rules.region or None, years=year, language=language)
            self._holidays[year, language] = dict(found)
        return self._holidays.get((year, language), {})

    def spans(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        """The (start, end) of each time that the desk is open on a day, in order; () if it is closed."""
        if day not in self._spans:
            self._spans[day] = self._worked_out(day)
        return self._spans[day]

    def _worked_out(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        week = self._hours.week_of(day)
        plan = week.on(day.weekday())
        if not plan or self.holiday(day) is not None:
            return ()
        found = ((self._instant(day, span.start), self._instant(day, span.end)) for span in plan)
        return tuple((start, end) for start, end in found if start < end)

    def _instant(self, day: date, minute: int) -> datetime:
        """The first instant at which the wall clock shows this time or a later one."""
        wall = datetime(day.year, day.month, day.day) + minute * _MINUTE
        while True:
            instant = wall.replace(tzinfo=self._zone).astimezone(UTC)
            if instant.astimezone(self._zone).replace(tzinfo=None) == wall:
                return instant
            wall += _MINUTE

    def days(self, first: date, count: int) -> Iterator[Day]:
        """Days one after the other, as the rules make them."""
        for day in (first + number * _DAY for number in range(count)):
            week = self._hours.week_of(day)
            season = week.name if isinstance(week, Season) else ""
            yield Day(day, self.spans(day), self.holiday(day), season, self._shift(day))

    def _shift(self, day: date) -> int:
        midnights = (datetime(each.year, each.month, each.day, tzinfo=self._zone) for each in (day, day + _DAY))
        before, after = (midnight.utcoffset() or timedelta() for midnight in midnights)
        return (after - before) // _MINUTE

    def is_open(self, at: datetime) -> bool:
        """Whether the desk works at this instant."""
        return any(start <= at < end for start, end in self.spans(self._day(at)))

    def _day(self, at: datetime) -> date:
        return at.astimezone(self._zone).date()

    def _ahead(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """What is left of the open spans from `at` on, until the desk is closed for too long."""
        at = at.astimezone(UTC)
        day, closed = self._day(at), 0
        while closed <= LONGEST_CLOSED:
            spans = self.spans(day)
            closed = 0 if spans else closed + 1
            yield from ((max(start, at), end) for start, end in spans if end > at)
            day += _DAY

    def closed_for(self, at: datetime, back: datetime, language: str) -> str:
        """The first holiday for which the desk is closed from `at` until it is back, "" if none that has a name."""
        days = (self._day(at) + number * _DAY for number in range((self._day(back) - self._day(at)).days))
        names = (self.holiday(day, language) for day in days if self._hours.week_of(day).on(day.weekday()))
        return next(filter(None, names), "")

    def next_opening(self, at: datetime) -> datetime | None:
        """The first instant from `at` on at which the desk is open: `at` itself if it is."""
        return next((start for start, _ in self._ahead(at)), None)

    def open_day(self, day: date) -> date | None:
        """The first day from this one on, itself included, on which the desk is open; None if it never is."""
        ahead = (day + number * _DAY for number in range(LONGEST_CLOSED))
        return next((each for each in ahead if self.spans(each)), None)

    def add(self, at: datetime, minutes: int) -> datetime | None:
        """The instant at which `minutes` >= 0 of desk time have passed since `at`, or None."""
        left = minutes * _MINUTE
        for start, end in self._ahead(at):
            if start + left <= end:
                return start + left
            left -= end - start
        return None

    def between(self, start: datetime, end: datetime) -> int:
        """The whole minutes of desk time from `start` to `end`; 0 if `end` is not later."""
        total = timedelta()
        for opening, closing in self._ahead(start):
            if opening >= end:
                break
            total += min(closing, end) - opening
        return total // _MINUTE
