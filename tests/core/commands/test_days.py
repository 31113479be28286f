"""Days ahead, as technicians write them in a plan."""

from __future__ import annotations

from datetime import date

import pytest

from mailgate.core.commands import days

TODAY = date(2026, 11, 3)  # a Tuesday


@pytest.mark.parametrize(
    ("word", "day"),
    [
        ("2026-12-01", date(2026, 12, 1)),
        ("@2026-12-01", date(2026, 12, 1)),
        ("1/12", date(2026, 12, 1)),
        ("@1/12,", date(2026, 12, 1)),
        ("1/12/2027", date(2027, 12, 1)),
        ("hoy", TODAY),
        ("Today", TODAY),
        ("mañana", date(2026, 11, 4)),
        ("MANANA", date(2026, 11, 4)),
        ("tomorrow", date(2026, 11, 4)),
        ("miércoles", date(2026, 11, 4)),
        ("lunes", date(2026, 11, 9)),
        ("Tuesday", date(2026, 11, 10)),
        ("7/1", date(2027, 1, 7)),
        ("2/11", date(2026, 11, 2)),
        ("ayer", date(2026, 11, 2)),
        ("32/1", None),
        ("29/2", None),
        ("2026-13-01", None),
        ("pronto", None),
        ("", None),
    ],
)
def test_day_ahead_is_read_as_people_write_it(word: str, day: date | None):
    assert days.coming(word, TODAY) == day


def test_day_of_work_done_is_never_a_weekday_or_tomorrow():
    assert days.named("lunes", TODAY) is None
    assert days.named("mañana", TODAY) is None
