"""Quantities as `rules.toml` writes them."""

from __future__ import annotations

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.core.settings import units
from mailgate.core.settings.units import Cap, Period, Span


@pytest.mark.parametrize(("text", "minutes"), [("4h", 240), ("90m", 90), ("1m", 1), ("60 m", 60), ("8760h", 525_600)])
def test_minutes_are_read(text, minutes):
    assert units.minutes(text) == minutes


@pytest.mark.parametrize(
    "text",
    ["", "4", "h", "0h", "-4h", "1.5h", "1,5h", "٤h", "４h", "1_0m", "4d", "4h\n", "8761h", "9" * 5000 + "m"],
)
def test_what_is_no_number_of_minutes_is_refused_with_a_proposal(text):
    with pytest.raises(ValueError, match=r"; write (a whole number|at least|at most)"):
        units.minutes(text)


@pytest.mark.parametrize(("text", "seconds"), [("60s", 60), ("5m", 300), ("1h", 3600), ("5d", 432_000)])
def test_seconds_are_read(text, seconds):
    assert units.seconds(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"), [("25MB", 26_214_400), ("500kB", 512_000), ("100B", 100), ("1GB", 1_073_741_824)]
)
def test_sizes_are_bytes(text, size):
    assert units.size(text) == size


@pytest.mark.parametrize("text", ["25", "25mb", "0MB", "25 Mb", "MB", "2.5MB"])
def test_what_is_no_size_is_refused_with_a_proposal(text):
    with pytest.raises(ValueError, match=r"25MB|at least 1"):
        units.size(text)


@pytest.mark.parametrize(
    ("text", "period"),
    [("1y", Period(months=12)), ("6mo", Period(months=6)), ("2w", Period(days=14)), ("30d", Period(days=30))],
)
def test_periods_are_read(text, period):
    assert units.period(text) == period


@pytest.mark.parametrize("text", ["0d", "4h", "1Y", "101y", "36501d", "1200w1d", "year"])
def test_what_is_no_period_is_refused(text):
    with pytest.raises(ValueError, match="; write"):
        units.period(text)


@pytest.mark.parametrize(
    ("text", "day", "later"),
    [
        ("1y", date(2024, 2, 29), date(2025, 2, 28)),
        ("4y", date(2024, 2, 29), date(2028, 2, 29)),
        ("1mo", date(2026, 1, 31), date(2026, 2, 28)),
        ("1mo", date(2026, 12, 15), date(2027, 1, 15)),
        ("15d", date(2026, 12, 20), date(2027, 1, 4)),
        ("1y", date(2026, 11, 2), date(2027, 11, 2)),
    ],
)
def test_a_period_ends_on_the_day_that_the_calendar_says(text, day, later):
    assert units.period(text).add_to(day) == later


def test_a_period_is_counted_back_as_well():
    assert units.period("30d").before(date(2027, 3, 1)) == date(2027, 1, 30)
    assert units.period("1mo").before(date(2026, 3, 31)) == date(2026, 2, 28)


@given(st.dates(date(1990, 1, 1), date(2200, 1, 1)), st.integers(1, 1200))
def test_months_later_is_the_same_day_or_the_last_of_the_month(day, months):
    later = Period(months=months).add_to(day)
    assert later.year * 12 + later.month == day.year * 12 + day.month + months
    assert later.day == day.day or (later.day < day.day and Period(days=1).add_to(later).day == 1)


def test_times_of_day_are_read():
    assert units.clock("19:30") == time(19, 30)
    assert units.clock("9:05") == time(9, 5)


@pytest.mark.parametrize("text", ["24:00", "19:60", "7pm", "19.30", "19:3", "", "１９:30"])
def test_what_is_no_time_of_day_is_refused(text):
    with pytest.raises(ValueError, match="is no time of day"):
        units.clock(text)


def test_a_span_may_last_until_midnight():
    assert units.span("10:00-24:00") == Span(600, 1440)
    assert units.span("00:00 - 24:00") == Span(0, 1440)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("20:00-10:00", "ends before it starts"),
        ("10:00-10:00", "ends before it starts"),
        ("10:00", "write a start and an end"),
        ("10:00-24:01", "no time of day"),
        ("10:00-20:00-22:00", "no time of day"),
    ],
)
def test_a_span_that_makes_no_sense_is_refused(text, what):
    with pytest.raises(ValueError, match=what):
        units.span(text)


@pytest.mark.parametrize("text", ["02-30", "13-01", "00-10", "8-1", "08/01", "2026-08-01"])
def test_what_is_no_day_of_the_year_is_refused(text):
    with pytest.raises(ValueError, match="no day of the year"):
        units.month_day(text)


@pytest.mark.parametrize("text", ["2026-02-29", "24-12-2026", "2026-12", "20261224", "2026-W52-1"])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(ValueError, match="no date"):
        units.day(text)


def test_a_cap_is_so_many_in_a_time():
    assert units.cap("20 in 10m") == Cap(20, 600)
    assert units.cap("200 in 1d") == Cap(200, 86_400)
    assert str(units.cap("20 in 10m")) == "more than 20 in 10 minutes"


@pytest.mark.parametrize(
    "text", ["20", "0 in 10m", "20 in 10", "20 in 30s", "20 in 2d", "many in 1h", "20 per 1h", "-1 in 1h"]
)
def test_a_cap_that_makes_no_sense_is_refused(text):
    with pytest.raises(ValueError, match=r"write"):
        units.cap(text)
