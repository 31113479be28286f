from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from mailgate.core.retry import WAITS, next_try

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
FIVE_DAYS = timedelta(days=5)
# A wait may be a tenth longer, so that mails which failed together do not come back together.
LONGEST = WAITS[-1] * 1.1


def story(give_up: timedelta, mail: int = 0) -> list[datetime]:
    """The times at which a mail is tried while every try fails at once."""
    tries = [NOW]
    while (following := next_try(tries[-1], NOW, len(tries), give_up, mail)) is not None:
        tries.append(following)
    return tries


def test_waits_grow_from_a_minute_to_hours() -> None:
    waits = [next_try(NOW, NOW, tries, FIVE_DAYS) for tries in range(1, 9)]
    minutes = [(at - NOW).total_seconds() / 60 for at in waits if at]
    assert minutes == [1, 5, 15, 60, 120, 240, 240, 240]


def test_a_hop_that_is_down_is_asked_every_quarter_of_an_hour_for_as_long_as_it_takes() -> None:
    waits = [next_try(NOW, NOW, tries, FIVE_DAYS, hop=True) for tries in range(1, 200)]
    minutes = [(at - NOW).total_seconds() / 60 for at in waits if at]
    assert minutes[:3] == [1, 5, 15]
    assert set(minutes[3:]) == {15}


def test_a_mail_younger_than_the_limit_is_tried_again() -> None:
    assert next_try(NOW, NOW - FIVE_DAYS + timedelta(seconds=1), 30, FIVE_DAYS) is not None


def test_a_mail_as_old_as_the_limit_is_given_up() -> None:
    assert next_try(NOW, NOW - FIVE_DAYS, 30, FIVE_DAYS) is None


def test_five_days_make_some_thirty_tries() -> None:
    assert 30 <= len(story(FIVE_DAYS)) <= 40


def test_a_clock_that_was_set_back_still_gives_a_time_ahead() -> None:
    assert next_try(NOW, NOW + timedelta(days=400), 1, FIVE_DAYS) == NOW + WAITS[0]


def test_mails_that_failed_together_come_back_apart() -> None:
    times = {next_try(NOW, NOW, 4, FIVE_DAYS, mail) for mail in range(11)}
    assert len(times) == 11


@given(give_up=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=30)), mail=st.integers(0))
def test_tries_end_and_waits_never_shrink(give_up: timedelta, mail: int) -> None:
    tries = story(give_up, mail)
    waits = [later - earlier for earlier, later in pairwise(tries)]
    assert waits == sorted(waits)
    assert all(timedelta(minutes=1) <= wait <= LONGEST for wait in waits)
    assert tries[-1] <= NOW + give_up + LONGEST
