"""When the service ends, resumes and expires, and what is said about it, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.core import ledger
from mailgate.core.contract import account
from mailgate.core.contract.account import DueEvent
from mailgate.core.model import Kind
from mailgate.core.settings.schema import Time
from mailgate.core.settings.units import Period
from tests.core.contract.books import MADRID, Books
from tests.support import debit

YEAR = Period(months=12)
WINDOW = Period(days=15)
RULES = Time()
NOTHING: frozenset[str] = frozenset()
DAY = timedelta(days=1)


# ---- marks, end, limits --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "mark"),
    [
        (61, 60, 60),
        (61, 61, None),
        (60, 59, None),
        (60, 30, 30),
        (100, 20, 30),
        (100, 1, 30),
        (100, 0, None),
        (100, -5, None),
        (20, 200, None),
    ],
)
def test_lowest_mark_that_a_booking_falls_through_is_told(before: int, after: int, mark: int | None):
    assert account.mark_crossed(before, after, (60, 30)) == mark


@given(st.lists(st.integers(-100, 300), min_size=2, max_size=40), st.sets(st.integers(1, 200), max_size=4))
def test_no_mark_is_told_twice_for_one_fall(balances: list[int], marks: set[int]):
    armed = {mark for mark in marks if balances[0] > mark}
    for before, after in pairwise(balances):
        told = account.mark_crossed(before, after, marks)
        assert told is None or told in armed
        armed = {mark for mark in marks if after > mark}


@pytest.mark.parametrize(
    ("before", "after", "ends", "resumes"),
    [(1, 0, True, False), (1, -9, True, False), (2, 1, False, False), (0, -9, False, False), (0, 1, False, True)],
)
def test_service_ends_at_nothing_and_resumes_above(before: int, after: int, ends: bool, resumes: bool):
    assert account.ends(before, after) is ends
    assert account.resumes(before, after) is resumes


@pytest.mark.parametrize(
    ("before", "after", "estimate", "passed"),
    [
        (60, 99, 90, False),
        (60, 100, 90, True),
        (99, 100, 90, True),
        (100, 120, 90, False),
        (0, 9999, None, False),
    ],
)
def test_estimate_is_passed_once_past_its_margin(before: int, after: int, estimate: int | None, passed: bool):
    assert account.estimate_passed(before, after, estimate, 10) is passed


def test_margin_is_not_rounded():
    assert not account.estimate_passed(0, 5, 5, 10)
    assert account.estimate_passed(5, 6, 5, 10)


def test_limit_may_be_reached_but_not_passed():
    assert account.within_limit(20, 10, 30)
    assert not account.within_limit(20, 11, 30)
    assert account.within_limit(20, 1000, None)


# ---- end and refund window -----------------------------------------------------------------------


def test_service_that_was_never_bought_or_still_runs_has_not_ended():
    books = Books()
    assert account.ended_on(books.entries, MADRID) is None
    books.work(10)
    assert account.ended_on(books.entries, MADRID) is None
    books.buy(240)
    assert account.ended_on(books.entries, MADRID) is None
    assert account.refund_until(books.entries, WINDOW, MADRID) is None


def test_service_ends_on_the_local_day_of_the_booking_not_of_the_work():
    books = Books(day=date(2026, 8, 3))
    books.buy(60)
    books.work(60, at=datetime(2026, 8, 31, 22, 30, tzinfo=UTC))  # half past midnight in Madrid
    assert account.ended_on(books.entries, MADRID) == date(2026, 9, 1)
    assert account.refund_until(books.entries, WINDOW, MADRID) == date(2026, 9, 16)


def test_work_past_the_end_does_not_end_it_again():
    books = Books(day=date(2026, 8, 3))
    books.buy(60)
    books.work(60)
    books.day += 5 * DAY
    books.work(10)
    assert account.ended_on(books.entries, MADRID) == date(2026, 8, 3)


def test_service_that_resumed_and_ended_again_ended_the_second_time():
    books = Books(day=date(2026, 8, 3))
    books.buy(60)
    spent = books.work(60)
    books.day += DAY
    books.adjust(spent, 50)
    assert account.ended_on(books.entries, MADRID) is None
    books.day += DAY
    books.work(10)
    assert account.ended_on(books.entries, MADRID) == date(2026, 8, 5)


def test_purchase_that_a_debt_swallows_can_be_asked_back_from_its_own_day():
    books = Books(day=date(2026, 8, 3))
    books.buy(60)
    books.work(400)
    books.day = date(2026, 10, 1)
    books.buy(240)
    assert books.left == -100
    assert account.refund_until(books.entries, WINDOW, MADRID) == date(2026, 10, 16)


# ---- expiry --------------------------------------------------------------------------------------


def test_time_to_expiry_runs_from_the_later_of_last_use_and_last_purchase():
    books = Books(day=date(2026, 5, 4))
    books.buy()
    assert account.expires_on(books.entries, YEAR) == date(2027, 5, 4)
    books.day = date(2026, 6, 1)
    books.work(10)
    assert account.expires_on(books.entries, YEAR) == date(2027, 6, 1)
    books.day = date(2026, 9, 1)
    books.buy()
    assert account.expires_on(books.entries, YEAR) == date(2027, 9, 1)


@pytest.mark.parametrize(
    ("used", "after", "last"),
    [
        (date(2028, 2, 29), YEAR, date(2029, 2, 28)),
        (date(2027, 2, 28), YEAR, date(2028, 2, 28)),
        (date(2028, 2, 29), Period(months=48), date(2032, 2, 29)),
        (date(2027, 8, 31), Period(months=6), date(2028, 2, 29)),
    ],
)
def test_expiry_goes_by_the_calendar(used: date, after: Period, last: date):
    books = Books(day=used)
    books.buy()
    assert account.expires_on(books.entries, after) == last


def test_nothing_left_or_nothing_bought_does_not_expire():
    books = Books()
    assert account.expires_on(books.entries, YEAR) is None
    books.buy(60)
    books.work(60)
    assert account.expires_on(books.entries, YEAR) is None


def test_void_does_not_bring_expiry_nearer():
    books = Books(day=date(2026, 5, 4))
    books.buy()
    books.day = date(2026, 8, 1)
    books.void(books.work(10))
    assert account.expires_on(books.entries, YEAR) == date(2027, 8, 1)


def test_minutes_given_back_after_expiry_run_from_that_day():
    books = Books(day=date(2026, 5, 4))
    books.buy()
    spent = books.work(40)
    books.day = date(2027, 5, 5)
    books.expire()
    books.day = date(2027, 5, 20)
    books.adjust(spent, 10)
    assert account.expires_on(books.entries, YEAR) == date(2028, 5, 20)


def test_ruling_after_a_new_purchase_is_no_use():
    books = Books(day=date(2026, 5, 4))
    books.buy()
    spent = books.work(40)
    books.day = date(2027, 5, 5)
    books.expire()
    books.buy()
    books.day = date(2027, 5, 20)
    books.void(spent)
    assert account.expires_on(books.entries, YEAR) == date(2028, 5, 5)


# ---- events --------------------------------------------------------------------------------------


def bought(day: date = date(2026, 5, 2)) -> Books:
    """An account that expires on 2 May 2027."""
    books = Books(day=day)
    books.buy()
    return books


def due(books: Books, today: date, happened: frozenset[str] = NOTHING, disputed: bool = False) -> list[DueEvent]:
    return list(account.due_events(books.entries, RULES, today, disputed=disputed, happened=happened))


LAST = date(2027, 5, 2)
FIRST_WARNING = DueEvent("expiry_warning", "2027-05-02/30d", LAST, True)
SECOND_WARNING = DueEvent("expiry_warning", "2027-05-02/7d", LAST, True)
EXPIRY = DueEvent("expiry", "2027-05-02", LAST, True)


@pytest.mark.parametrize(
    ("today", "found"),
    [
        (date(2027, 4, 1), []),
        (date(2027, 4, 2), [FIRST_WARNING]),
        (date(2027, 4, 24), [FIRST_WARNING]),
        (date(2027, 4, 25), [replace(FIRST_WARNING, send=False), SECOND_WARNING]),
        (date(2027, 5, 2), [replace(FIRST_WARNING, send=False), SECOND_WARNING]),
        (date(2027, 5, 3), [EXPIRY]),
        (date(2027, 9, 1), [EXPIRY]),
    ],
)
def test_first_look_on_each_day_finds_what_is_due(today: date, found: list[DueEvent]):
    assert due(bought(), today) == found


def test_what_happened_is_not_due_again():
    books = bought()
    assert due(books, date(2027, 4, 3), frozenset({FIRST_WARNING.key})) == []
    assert due(books, date(2027, 4, 26), frozenset({FIRST_WARNING.key})) == [SECOND_WARNING]
    assert due(books, date(2027, 5, 3), frozenset({EXPIRY.key})) == []


def test_warning_that_the_rules_name_later_is_not_sent_after_a_nearer_one():
    assert due(bought(), date(2027, 4, 26), frozenset({SECOND_WARNING.key})) == [replace(FIRST_WARNING, send=False)]


def test_use_after_a_warning_makes_new_ones():
    books = bought()
    books.day = date(2027, 4, 10)
    books.work(10)
    assert due(books, date(2027, 4, 26), frozenset({FIRST_WARNING.key})) == []
    found = due(books, date(2028, 3, 11), frozenset({FIRST_WARNING.key}))
    assert [event.key for event in found] == ["2028-04-10/30d"]


def test_expiry_waits_for_a_dispute_and_warnings_do_not():
    books = bought()
    assert due(books, date(2027, 4, 2), disputed=True) == [FIRST_WARNING]
    assert due(books, date(2027, 5, 3), disputed=True) == []
    assert due(books, date(2027, 5, 9)) == [EXPIRY]


def test_account_with_nothing_left_has_nothing_due():
    books = bought()
    books.work(240)
    assert due(books, date(2027, 5, 3)) == []


def test_months_of_a_warning_are_in_its_key():
    rules = Time(expiry_warnings=["1mo", "2w"])
    found = account.due_events(bought().entries, rules, LAST, disputed=False, happened=NOTHING)
    assert [event.key for event in found] == ["2027-05-02/1mo", "2027-05-02/14d"]


def walked(books: Books, days: list[date], disputed: set[date]) -> list[DueEvent]:
    """What a desk that runs on these days records, expiry booked as the rule says."""
    happened: list[DueEvent] = []
    for books.day in days:
        keys = frozenset(event.key for event in happened)
        found = due(books, books.day, keys, books.day in disputed)
        assert sum(event.send for event in found) <= 1
        if any(event.kind == "expiry" for event in found):
            books.expire()
        happened += found
    return happened


@given(st.sets(st.integers(300, 500), max_size=60), st.sets(st.integers(300, 500), max_size=60))
def test_however_the_days_are_walked_expiry_comes_once_and_no_warning_twice(runs: set[int], disputes: set[int]):
    books = bought()
    start = books.day
    days = [start + n * DAY for n in (*sorted(runs), 501)]
    happened = walked(books, days, {start + n * DAY for n in disputes})
    assert [event.kind for event in happened].count("expiry") == 1
    assert happened[-1].kind == "expiry"
    assert len({event.key for event in happened}) == len(happened)
    assert books.left == 0
    assert ledger.audit(books.entries) == []


def test_walked_day_by_day_each_warning_is_sent_and_then_it_expires():
    days = [date(2027, 1, 1) + n * DAY for n in range(400)]
    assert walked(bought(), days, set()) == [FIRST_WARNING, SECOND_WARNING, EXPIRY]


# ---- monthly statements --------------------------------------------------------------------------


def test_statement_is_due_for_each_month_that_is_over_and_saw_a_booking():
    books = Books(day=date(2026, 8, 3))
    books.buy()
    books.work(5, at=datetime(2026, 9, 30, 22, 30, tzinfo=UTC))  # October in Madrid
    books.work(5, at=datetime(2026, 12, 1, 9, tzinfo=UTC))
    booked = [entry.at.astimezone(MADRID).date() for entry in books.entries]
    assert account.statement_months(booked, date(2026, 12, 31), NOTHING) == ("2026-08", "2026-10")
    sent = frozenset({"2026-08"})
    assert account.statement_months(booked, date(2027, 1, 1), sent) == ("2026-10", "2026-12")


def test_account_without_entries_gets_no_statement():
    assert account.statement_months([], date(2027, 1, 1), NOTHING) == ()


# ---- state ---------------------------------------------------------------------------------------


def test_account_is_expired_only_while_the_expiry_is_what_ended_it():
    books = bought()
    spent = books.work(60)
    books.day = date(2027, 5, 3)
    books.expire()
    assert ledger.state(books.entries, None, books.day) == "expired"
    books.work(10)
    assert ledger.state(books.entries, None, books.day) == "expired"
    books.void(spent)
    assert ledger.state(books.entries, account.expires_on(books.entries, YEAR), books.day) == "active"
    books.work(50)
    assert ledger.state(books.entries, None, books.day) == "ended"


def test_debts_alone_have_no_end():
    assert ledger.ended_by([debit(1), debit(2)]) is None
    assert ledger.ended_by([]) is None


def test_entry_that_used_up_what_was_left_is_named():
    books = Books()
    books.buy(60)
    last = books.work(70)
    books.work(5)
    assert ledger.ended_by(books.entries) == last
    assert last.kind is Kind.DEBIT
