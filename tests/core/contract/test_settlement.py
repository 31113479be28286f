"""What is given back: refunds in full, settlements pro rata, adjustments; whatever happened before."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.core import ledger
from mailgate.core.contract import money, proofs, settlement
from mailgate.core.model import Entry, Kind
from tests.core.contract.books import Books, noon


def minutes(entries: tuple[Entry, ...]) -> list[tuple[int | None, int, str | None]]:
    return [(entry.of, entry.minutes, entry.price) for entry in entries]


# ---- periods -------------------------------------------------------------------------------------


def test_period_starts_with_the_purchase_that_finds_nothing_left():
    books = Books()
    assert settlement.period(books.entries) == ()
    books.buy(60)
    books.work(60)
    second, third = books.buy(240), books.buy(720, "420.00 EUR")
    assert settlement.period(books.entries) == (second, third)
    assert settlement.amount(settlement.period(books.entries)) == "580.00 EUR"


def test_period_goes_on_after_its_end_and_after_a_void_that_revives_it():
    books = Books()
    first = books.buy(60)
    spent = books.work(60)
    assert settlement.period(books.entries) == (first,)
    books.void(spent)
    assert settlement.period(books.entries) == (first,)
    second = books.buy(60)
    assert settlement.period(books.entries) == (first, second)


def test_amount_of_nothing_or_of_gifts_is_nothing():
    books = Books()
    books.buy(60, price=None)
    assert settlement.amount([]) == ""
    assert settlement.amount(books.entries) == ""


# ---- refunds -------------------------------------------------------------------------------------


def test_refund_gives_the_money_back_in_full_and_takes_what_is_left_newest_first():
    books = Books()
    books.buy(240)
    books.buy(720, "420.00 EUR")
    books.work(100)
    assert minutes(books.refund()) == [(2, -720, "420.00 EUR"), (1, -140, "160.00 EUR")]
    assert books.left == 0
    assert ledger.audit(books.entries) == []


def test_refund_after_the_end_takes_no_minutes():
    books = Books()
    books.buy(240)
    books.work(250)
    assert minutes(books.refund()) == [(1, 0, "160.00 EUR")]
    assert books.left == -10


def test_nothing_is_refunded_twice():
    books = Books()
    books.buy(240)
    books.refund()
    assert settlement.period(books.entries) == ()
    assert books.refund() == ()
    again = books.buy(240)
    assert settlement.period(books.entries) == (again,)


def test_minutes_left_of_an_earlier_period_stay():
    books = Books()
    books.buy(240)
    spent = books.work(240)
    books.buy(60, "50.00 EUR")
    books.void(spent)
    assert minutes(books.refund()) == [(3, -60, "50.00 EUR")]
    assert books.left == 240


def test_refund_says_who_why_and_when():
    books = Books(day=date(2026, 8, 3))
    books.buy(240)
    (refund,) = books.refund()
    assert (refund.client, refund.kind, refund.technician, refund.note) == ("acme", Kind.REFUND, "elena", "sorry")
    assert (refund.at, refund.day, refund.message) == (noon(date(2026, 8, 3)), date(2026, 8, 3), None)


# ---- settlement ----------------------------------------------------------------------------------


def test_settlement_pays_what_is_left_pro_rata_newest_first():
    books = Books()
    books.buy(240)
    books.buy(720, "420.00 EUR")
    books.work(741)
    assert minutes(books.settle()) == [(2, -219, "127.75 EUR")]
    assert books.left == 0


def test_settlement_goes_back_to_older_purchases_as_far_as_needed():
    books = Books()
    books.buy(240)
    spent = books.work(240)
    books.buy(60, "50.00 EUR")
    books.adjust(spent, 239)
    assert minutes(books.settle()) == [(3, -60, "50.00 EUR"), (1, -1, "0.67 EUR")]
    assert books.left == 0


def test_settlement_of_nothing_left_is_nothing():
    books = Books()
    assert books.settle() == ()
    books.buy(60)
    books.work(70)
    assert books.settle() == ()
    assert books.left == -10


def test_minutes_that_nobody_paid_for_expire_in_a_settlement():
    books = Books()
    books.buy(240)
    spent = books.work(240)
    books.refund()
    books.void(spent)
    (entry,) = books.settle()
    assert (entry.kind, entry.minutes, entry.price) == (Kind.EXPIRY, -240, None)
    assert ledger.audit(books.entries) == []


def test_gift_is_settled_without_money():
    books = Books()
    books.buy(60, price=None)
    assert minutes(books.settle()) == [(1, -60, None)]


# ---- expiry, adjustments -------------------------------------------------------------------------


def test_expiry_takes_all_that_is_left():
    books = Books()
    books.buy(240)
    books.work(12)
    assert books.expire().minutes == -228
    assert books.left == 0


def test_adjustment_gives_back_all_but_what_is_kept():
    books = Books()
    books.buy(240)
    spent = books.work(30)
    adjusted = books.adjust(spent, 10)
    assert (adjusted.kind, adjusted.minutes, adjusted.of, adjusted.worked) == (Kind.ADJUST, 20, spent.id, 0)
    assert (adjusted.ticket, adjusted.technician, adjusted.message) == (spent.ticket, "elena", None)


def test_adjustment_may_keep_nothing_but_must_give_something():
    books = Books()
    spent = books.work(30)
    with pytest.raises(ValueError, match="took 30 minutes"):
        books.adjust(spent, 30)
    assert books.adjust(spent, 0).minutes == 30


# ---- whatever happens ----------------------------------------------------------------------------

MOVES = st.tuples(
    st.sampled_from(["buy", "work", "work", "void", "adjust", "refund", "settle", "expire"]),
    st.integers(1, 300),
    st.integers(0, 40),
)


def moved(books: Books, move: str, number: int) -> None:
    """Carry out a move where it is possible."""
    ruled_on = {entry.of for entry in books.entries}
    standing = [entry for entry in books.entries if entry.kind is Kind.DEBIT and entry.id not in ruled_on]
    match move:
        case "buy":
            books.buy(number, f"{number * 2 // 3}.{number % 100:02} EUR")
        case "work":
            books.work(number)
        case "void" if standing:
            books.void(standing[number % len(standing)])
        case "adjust" if standing:
            of = standing[number % len(standing)]
            books.adjust(of, number % -of.minutes)
        case "refund":
            _refunded(books)
        case "settle":
            _settled(books)
        case "expire" if books.left > 0:
            books.expire()
            assert books.left == 0


def _refunded(books: Books) -> None:
    before, promised = books.left, settlement.amount(settlement.period(books.entries))
    assert settlement.amount(books.refund()) == promised
    assert min(before, 0) <= books.left <= before


def _settled(books: Books) -> None:
    before = books.left
    books.settle()
    assert books.left == min(before, 0)


@given(st.lists(MOVES, max_size=40))
def test_whatever_happens_the_books_add_up_and_no_more_is_paid_back_than_was_paid(moves: list[tuple[str, int, int]]):
    books = Books()
    for move, number, days in moves:
        books.day += timedelta(days=days)
        moved(books, move, number)
    assert ledger.audit(books.entries) == []
    assert list(proofs.prices_fit(books.entries)) == []
    assert books.left == sum(entry.minutes for entry in books.entries)
    assert _cents(books, Kind.REFUND) <= _cents(books, Kind.PURCHASE)


def _cents(books: Books, kind: Kind) -> int:
    total = settlement.amount(entry for entry in books.entries if entry.kind is kind)
    return money.parse(total).cents if total else 0
