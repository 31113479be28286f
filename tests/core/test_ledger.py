"""The account of a client: sums, charges, voids, statements, and the proofs of an audit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.core import ledger
from mailgate.core.model import Entry, Kind
from tests.support import NOW, debit


def purchase(number: int, minutes: int = 240, **values: object) -> Entry:
    bought = debit(number, kind=Kind.PURCHASE, worked=0, ticket=None, technician=None)
    return replace(bought, minutes=minutes, **values)


def courtesy(number: int, worked: int = 5) -> Entry:
    return debit(number, kind=Kind.COURTESY, minutes=0, worked=worked)


# ---- charging ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "left", "overdraft", "charged"),
    [
        (10, 10, "refuse", 10),
        (11, 10, "refuse", None),
        (11, 10, "cap", 10),
        (11, 10, "allow", 11),
        (5, -3, "cap", 0),
        (5, 0, "refuse", None),
        (5, -3, "allow", 5),
    ],
)
def test_debit_against_what_is_left(minutes: int, left: int, overdraft: str, charged: int | None):
    assert ledger.charged(minutes, left, overdraft) == charged


@given(st.integers(1, 720), st.integers(-500, 2000), st.sampled_from(["allow", "cap", "refuse"]))
def test_no_charge_is_ever_more_than_the_work_nor_less_than_nothing(minutes: int, left: int, overdraft: str):
    charged = ledger.charged(minutes, left, overdraft)
    assert charged is None or 0 <= charged <= minutes
    if overdraft == "cap":
        assert charged is not None
        assert left - charged >= min(left, 0)


# ---- state ---------------------------------------------------------------------------------------


def test_account_that_was_never_bought_is_none_even_in_debt():
    assert ledger.state([debit(1)], None, NOW.date()) == "none"


def test_account_with_nothing_left_has_ended():
    assert ledger.state([purchase(1, 12), debit(2, 12)], date(2027, 1, 1), NOW.date()) == "ended"


def test_account_is_active_on_its_last_day_and_expired_the_day_after():
    last = date(2027, 11, 3)
    assert ledger.state([purchase(1)], last, last) == "active"
    assert ledger.state([purchase(1)], last, last + timedelta(days=1)) == "expired"


def test_last_use_is_the_last_debit_before_any_the_last_purchase():
    bought = purchase(1, day=date(2026, 3, 1))
    assert ledger.last_used([]) is None
    assert ledger.last_used([bought]) == date(2026, 3, 1)
    assert ledger.last_used([bought, debit(2, day=date(2026, 2, 1))]) == date(2026, 2, 1)


# ---- statements ----------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 300), st.booleans()), max_size=30))
def test_statement_adds_up_and_months_join_without_a_gap(moves: list[tuple[int, int, bool]]):
    first = date(2026, 1, 1)
    booked = [
        (first + timedelta(days=day), purchase(n, minutes) if bought else debit(n, minutes))
        for n, (day, minutes, bought) in enumerate(sorted(moves), 1)
    ]
    january = ledger.statement(
        0, [entry for day, entry in booked if day.month == 1], date(2026, 1, 1), date(2026, 1, 31)
    )
    rest = [entry for day, entry in booked if day.month > 1]
    after = ledger.statement(january.closing, rest, date(2026, 2, 1), date(2026, 12, 31))
    assert january.opening == 0
    assert january.closing == after.opening
    assert after.closing == ledger.balance(entry for _, entry in booked)
    assert len(january.lines) + len(after.lines) == len(booked)


# ---- audit ---------------------------------------------------------------------------------------


def answer(number: int, kind: Kind, of: int | None, minutes: int, **values: object) -> Entry:
    """An adjustment, a refund, an expiry."""
    return replace(debit(number, kind=kind, worked=0, of=of, ticket=None), minutes=minutes, **values)


def test_honest_ledger_has_no_problems():
    taken_back = ledger.void(debit(2), NOW, NOW.date(), "twice", "marta")
    entries = [
        purchase(1),
        debit(2),
        courtesy(3),
        answer(4, Kind.ADJUST, 2, 5),
        replace(taken_back, id=5, minutes=7),
        answer(6, Kind.REFUND, 1, -40),
        answer(7, Kind.EXPIRY, None, -200),
        purchase(8, client="beta"),
    ]
    assert ledger.audit(entries) == []


@pytest.mark.parametrize(
    ("entries", "entry"),
    [
        ([purchase(1, -5)], 1),
        ([replace(debit(1), minutes=5)], 1),
        ([replace(courtesy(1), minutes=-5)], 1),
        ([replace(debit(1), worked=3)], 1),
        ([debit(1), replace(ledger.void(debit(1), NOW, NOW.date(), "", None), id=2, minutes=5)], 2),
        ([debit(1), replace(ledger.void(debit(1), NOW, NOW.date(), "", None), id=2, client="beta")], 2),
        ([replace(ledger.void(debit(9), NOW, NOW.date(), "", None), id=2)], 2),
        ([debit(1, message=7, line=0), debit(2, message=7, line=0)], 2),
        ([debit(1, at=NOW.replace(tzinfo=None))], 1),
        ([purchase(1), replace(ledger.void(purchase(1), NOW, NOW.date(), "", None), id=2)], 2),
        ([debit(1), answer(2, Kind.ADJUST, 1, 0)], 2),
        ([debit(1), answer(2, Kind.ADJUST, 1, 13)], 2),
        ([debit(1), answer(2, Kind.ADJUST, 1, 6), answer(3, Kind.ADJUST, 1, 7)], 3),
        ([debit(1), answer(2, Kind.ADJUST, 1, 5, client="beta")], 2),
        ([purchase(1), answer(2, Kind.ADJUST, 1, 5)], 2),
        ([answer(2, Kind.ADJUST, 9, 5)], 2),
        ([purchase(1), answer(2, Kind.REFUND, 1, 1)], 2),
        ([purchase(1), answer(2, Kind.REFUND, 1, -241)], 2),
        ([purchase(1), answer(2, Kind.REFUND, 1, 0, client="beta")], 2),
        ([purchase(1), answer(2, Kind.REFUND, 1, -5), answer(3, Kind.REFUND, 1, 0)], 3),
        ([debit(1), answer(2, Kind.REFUND, 1, 0)], 2),
        ([purchase(1), answer(2, Kind.EXPIRY, None, -239)], 2),
        ([purchase(1), answer(2, Kind.EXPIRY, None, -241)], 2),
        ([answer(1, Kind.EXPIRY, None, 0)], 1),
    ],
    ids=[
        "purchase-takes",
        "debit-adds",
        "courtesy-takes",
        "more-than-worked",
        "void-too-little",
        "void-of-another-client",
        "void-of-nothing",
        "line-books-twice",
        "time-without-zone",
        "void-of-a-purchase",
        "adjustment-of-nothing",
        "adjustment-past-the-debit",
        "adjustments-past-the-debit",
        "adjustment-of-another-client",
        "adjustment-of-a-purchase",
        "adjustment-without-an-entry",
        "refund-adds",
        "refund-past-the-purchase",
        "refund-of-another-client",
        "refund-twice",
        "refund-of-a-debit",
        "expiry-leaves-some",
        "expiry-takes-more",
        "expiry-of-nothing",
    ],
)
def test_each_broken_invariant_is_named_with_its_entry(entries: list[Entry], entry: int):
    assert [broken.entry for broken in ledger.audit(entries)] == [entry]


def test_void_that_forgets_an_adjustment_is_found():
    forgets = replace(ledger.void(debit(1), NOW, NOW.date(), "", None), id=3)
    assert [broken.entry for broken in ledger.audit([debit(1), answer(2, Kind.ADJUST, 1, 5), forgets])] == [3]


def test_adjustment_after_a_void_is_found():
    gone = replace(ledger.void(debit(1), NOW, NOW.date(), "", None), id=2)
    assert [broken.entry for broken in ledger.audit([debit(1), gone, answer(3, Kind.ADJUST, 1, 1)])] == [3]


def test_second_void_is_found():
    first = replace(ledger.void(debit(1), NOW, NOW.date(), "", None), id=2)
    assert [broken.entry for broken in ledger.audit([debit(1), first, replace(first, id=3)])] == [3]
