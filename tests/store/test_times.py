"""Times as the store keeps them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from mailgate.store.times import moment, stamp


def test_the_hour_that_comes_twice_in_autumn_is_kept_as_two() -> None:
    """Python calls both equal, and gives both the same hash."""
    first = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Madrid"))
    second = first.replace(fold=1)
    assert [stamp(first), stamp(second)] == ["2026-10-25T00:30:00.000000Z", "2026-10-25T01:30:00.000000Z"]
    assert (moment(stamp(second)) - moment(stamp(first))).total_seconds() == 3600
