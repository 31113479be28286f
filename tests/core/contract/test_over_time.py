"""A balance month by month, and its picture."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from mailgate.core.contract.over_time import HEIGHT, WIDTH, Month, by_month, picture
from mailgate.core.model import Entry, Kind
from tests.support import debit


def entry(kind: Kind, minutes: int) -> Entry:
    return debit(1, kind=kind, minutes=-minutes, worked=0)


def test_each_month_says_what_was_bought_spent_and_left() -> None:
    booked = [
        (date(2025, 12, 1), entry(Kind.DEBIT, -60)),
        (date(2025, 11, 30), entry(Kind.PURCHASE, 240)),
        (date(2025, 12, 9), entry(Kind.VOID, 10)),
        (date(2026, 2, 1), entry(Kind.EXPIRY, -190)),
    ]
    assert by_month(booked, date(2026, 2, 28), 24) == (
        Month(date(2025, 11, 1), 240, 0, 0, 240),
        Month(date(2025, 12, 1), 0, 50, 0, 190),
        Month(date(2026, 1, 1), 0, 0, 0, 190),
        Month(date(2026, 2, 1), 0, 0, -190, 0),
    )
    assert [one.left for one in by_month(booked, date(2026, 2, 28), 2)] == [190, 0]


def test_an_account_in_which_nothing_moved_has_no_months() -> None:
    assert by_month([], date(2026, 2, 28), 24) == ()


@given(st.lists(st.integers(-1_000_000, 1_000_000), min_size=1, max_size=24))
def test_every_bar_stands_in_the_picture_and_on_the_line_of_nothing(left: list[int]) -> None:
    drawn = picture([Month(date(2026, 1, 1), 0, 0, 0, minutes) for minutes in left])
    for bar, minutes in zip(drawn.bars, left, strict=True):
        assert drawn.left <= bar.x <= bar.x + bar.width <= WIDTH
        assert 0 <= bar.y <= bar.y + bar.height <= HEIGHT
        assert abs((bar.y if minutes < 0 else bar.y + bar.height) - drawn.zero) < 0.2
    assert 2 <= len(drawn.marks) <= 8
    assert drawn.bars[-1].label
