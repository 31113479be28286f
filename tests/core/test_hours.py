"""The desk's hours, against a clock that is read minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailgate.core.hours import LONGEST_CLOSED, Calendar
from mailgate.core.settings.schema import Hours

MADRID = ZoneInfo("Europe/Madrid")
MINUTE = timedelta(minutes=1)
WEEK = ("mon", "tue", "wed", "thu", "fri")


def calendar(zone: ZoneInfo = MADRID, **hours: object) -> Calendar:
    usual = dict.fromkeys(WEEK, "10:00-20:00")
    return Calendar(Hours.model_validate(usual | hours), zone)


def local(text: str, zone: ZoneInfo = MADRID, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)


def test_a_promise_runs_over_the_weekend_on_which_the_clocks_change():
    due = calendar().add(local("2026-10-23 19:30"), 60)
    assert due == local("2026-10-26 10:30")


def test_a_promise_runs_over_a_holiday():
    assert calendar().add(local("2026-12-04 19:50"), 30) == local("2026-12-09 10:20")


def test_a_promise_runs_over_one_holiday_where_the_monday_is_worked():
    there = calendar(holidays={"country": "ES", "region": "MD", "open": ["2026-12-07"]})
    assert there.add(local("2026-12-07 19:50"), 30) == local("2026-12-09 10:20")


def test_a_promise_may_end_at_the_very_end_of_the_day():
    assert calendar().add(local("2026-11-03 19:00"), 60) == local("2026-11-03 20:00")
    assert calendar().add(local("2026-11-03 19:00"), 61) == local("2026-11-04 10:01")


def test_what_comes_out_is_utc_whatever_goes_in():
    due = calendar().add(local("2026-11-03 12:00:30"), 5)
    assert due is not None
    assert (due.tzinfo, due) == (UTC, datetime(2026, 11, 3, 11, 5, 30, tzinfo=UTC))
    back = calendar().next_opening(local("2026-11-03 21:00"))
    assert back is not None
    assert (back.tzinfo, back) == (UTC, local("2026-11-04 10:00"))


@pytest.mark.parametrize(
    ("at", "opened"),
    [
        ("2026-11-03 09:59:59", False),
        ("2026-11-03 10:00", True),
        ("2026-11-03 19:59:59", True),
        ("2026-11-03 20:00", False),
        ("2026-11-07 12:00", False),  # a Saturday
        ("2026-11-02 12:00", False),  # All Saints' Day, moved to Monday
        ("2026-05-15 12:00", True),  # a holiday of the town, not of the region
    ],
)
def test_the_desk_is_open_in_its_hours(at, opened):
    assert calendar().is_open(local(at)) is opened


def test_a_day_that_the_rules_close_or_open_is_so():
    own = calendar(holidays={"country": "ES", "region": "MD", "closed": ["2026-05-15"], "open": ["2026-12-08"]})
    assert not own.is_open(local("2026-05-15 12:00"))
    assert own.is_open(local("2026-12-08 12:00"))
    assert own.holiday(date(2026, 5, 15)) == ""
    assert own.holiday(date(2026, 12, 8)) is None
    assert "Natividad" in (own.holiday(date(2026, 12, 25)) or "")


def test_without_a_country_only_the_named_days_are_closed():
    own = calendar(holidays={"closed": ["2026-12-24"]})
    assert own.is_open(local("2026-12-25 12:00"))
    assert not own.is_open(local("2026-12-24 12:00"))


def test_a_break_is_closed():
    split = calendar(tue=["16:00-19:00", "09:00-14:00"])
    assert split.next_opening(local("2026-11-03 14:00")) == local("2026-11-03 16:00")
    assert split.add(local("2026-11-03 13:30"), 60) == local("2026-11-03 16:30")
    assert [end - start for start, end in split.spans(date(2026, 11, 3))] == [
        5 * 60 * MINUTE,
        3 * 60 * MINUTE,
    ]


def test_a_season_has_a_week_of_its_own_even_over_new_year():
    seasons = [
        {"from": "08-01", "to": "08-31", "mon": "09:00-14:00"},
        {"from": "12-28", "to": "01-05", "wed": "12:00-13:00"},
    ]
    there = calendar(seasons=seasons)
    assert there.is_open(local("2026-08-03 09:30"))
    assert not there.is_open(local("2026-08-04 12:00"))
    assert there.is_open(local("2026-09-01 12:00"))
    assert there.next_opening(local("2026-12-28 12:00")) == local("2026-12-30 12:00")
    assert not there.is_open(local("2027-01-05 12:00"))


def test_an_open_desk_opens_now():
    at = local("2026-11-03 12:00:30")
    assert calendar().next_opening(at) == at
    assert calendar().add(at, 0) == at
    assert calendar().add(local("2026-11-03 21:00"), 0) == local("2026-11-04 10:00")


def test_time_between_counts_whole_minutes_of_the_desk():
    there = calendar()
    assert there.between(local("2026-10-23 19:30"), local("2026-10-26 10:30")) == 60
    assert there.between(local("2026-11-03 12:00:30"), local("2026-11-03 12:02:29")) == 1
    assert there.between(local("2026-11-03 12:00"), local("2026-11-03 12:00")) == 0
    assert there.between(local("2026-11-03 13:00"), local("2026-11-03 12:00")) == 0


def test_a_night_desk_works_an_hour_more_or_less_when_the_clocks_change():
    nights = calendar(sun="00:00-24:00", holidays={})
    assert nights.between(local("2026-10-25 00:00"), local("2026-10-26 00:00")) == 25 * 60
    assert nights.between(local("2026-03-29 00:00"), local("2026-03-30 00:00")) == 23 * 60


def test_hours_that_the_clocks_skip_do_not_exist():
    early = calendar(sun=["02:00-03:00", "04:00-05:00"], holidays={})
    assert len(early.spans(date(2026, 3, 29))) == 1
    assert early.next_opening(local("2026-03-29 00:00")) == local("2026-03-29 04:00")


def test_a_desk_that_closes_for_too_long_has_no_next_opening():
    days = [(date(2026, 1, 1) + timedelta(days=day)).isoformat() for day in range(LONGEST_CLOSED + 200)]
    for last, known in ((LONGEST_CLOSED, True), (LONGEST_CLOSED + 8, False)):
        gone = calendar(holidays={"closed": days[:last]}, sat="10:00-20:00", sun="10:00-20:00")
        found = gone.next_opening(local("2026-01-01 00:00"))
        assert (found is not None) is known
        assert (gone.add(local("2026-01-01 00:00"), 5) is not None) is known
        assert gone.between(local("2026-01-01 00:00"), local("2027-01-01 00:00")) == 0


ZONES = (
    "Europe/Madrid",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Havana",
    "Asia/Kathmandu",
    "UTC",
)
# The days before the clocks change in these zones in 2026, and one of no change.
DAYS = ("03-28", "10-24", "03-07", "10-31", "04-04", "10-03", "06-15")
CHANGES = tuple(date.fromisoformat(f"2026-{day}") for day in DAYS)


@st.composite
def weeks(draw):
    """Up to three spans for each day, on quarters of an hour, night hours among them."""
    week = {}
    for day in (*WEEK, "sat", "sun"):
        marks = sorted(draw(st.sets(st.integers(0, 96), max_size=6)))
        pairs = zip(marks[::2], marks[1::2], strict=False)
        week[day] = ["-".join(f"{m // 4:02}:{m % 4 * 15:02}" for m in pair) for pair in pairs]
    week["mon"] = week["mon"] or "10:00-20:00"
    return week


class Oracle:
    """Walks through four days minute by minute; a wall time is its first coming, or what follows a gap."""

    def __init__(self, week: dict, zone: ZoneInfo, first: date) -> None:
        self.start = datetime.combine(first, datetime.min.time(), UTC) - 24 * 60 * MINUTE
        self.walls = [(self.start + n * MINUTE).astimezone(zone).replace(tzinfo=None) for n in range(6 * 1440)]
        hours = Hours.model_validate(week)
        self.open = [False] * len(self.walls)
        for number in range(-1, 4):
            day = first + timedelta(days=number)
            for span in hours.on(day.weekday()):
                begin, end = (self.first(datetime.combine(day, datetime.min.time()) + m * MINUTE) for m in span)
                self.open[begin:end] = [True] * max(0, end - begin)

    def first(self, wall: datetime) -> int:
        return next(n for n, shown in enumerate(self.walls) if shown >= wall)

    def minutes(self, start: int, end: int) -> int:
        return sum(self.open[start:end])


@pytest.mark.slow
@given(weeks(), st.sampled_from(ZONES), st.sampled_from(CHANGES), st.data())
@settings(max_examples=60)
def test_every_minute_is_as_a_clock_on_the_wall_says(week, zone_name, first, data):
    zone = ZoneInfo(zone_name)
    oracle, there = Oracle(week, zone, first), Calendar(Hours.model_validate(week | {"holidays": {}}), zone)
    offset = (
        1440
        + int(datetime.combine(first, datetime.min.time(), zone).timestamp() // 60)
        - int(datetime.combine(first, datetime.min.time(), UTC).timestamp() // 60)
    )
    start = offset + data.draw(st.integers(0, 2 * 1440))
    end = start + data.draw(st.integers(0, 1440))
    at, until = oracle.start + start * MINUTE, oracle.start + end * MINUTE
    assert there.is_open(at) is oracle.open[start]
    passed = there.between(at, until)
    assert passed == oracle.minutes(start, end)
    opening = there.next_opening(at)
    ahead = oracle.open[start : offset + 4 * 1440]
    if True in ahead[:1440]:
        assert opening == at + ahead.index(True) * MINUTE
    if passed:
        due = there.add(at, passed)
        assert due is not None
        assert due <= until
        assert there.between(at, due) == passed
        assert there.is_open(due - MINUTE)
