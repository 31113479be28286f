"""Money: read, written, summed and shared to the cent."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.core.contract import money
from mailgate.core.contract.money import Money

CENTS = st.integers(0, 99_999_999_999)


@pytest.mark.parametrize(
    ("text", "cents", "written"),
    [
        ("160.00 EUR", 16000, "160.00 EUR"),
        ("160 EUR", 16000, "160.00 EUR"),
        ("0.05 USD", 5, "0.05 USD"),
        ("0 EUR", 0, "0.00 EUR"),
        ("999999999.99 EUR", 99_999_999_999, "999999999.99 EUR"),
    ],
)
def test_price_of_the_rules_is_read_and_written(text: str, cents: int, written: str):
    found = money.parse(text)
    assert found.cents == cents
    assert str(found) == written


@pytest.mark.parametrize("text", ["", "160", "160,00 EUR", "160.0 EUR", "-1.00 EUR", "160.00 eur", "1 EUR + 1 USD"])
def test_what_is_no_price_is_refused(text: str):
    with pytest.raises(ValueError, match="is no price"):
        money.parse(text)


@given(CENTS, st.sampled_from(["EUR", "USD"]))
def test_writing_and_reading_give_the_same_amount(cents: int, currency: str):
    assert money.parse(str(Money(cents, currency))) == Money(cents, currency)


def test_total_of_nothing_is_nothing():
    assert money.total([]) == ""
    assert money.total(["", ""]) == ""


def test_total_keeps_each_currency_apart():
    assert money.total(["160.00 EUR", "", "420 EUR"]) == "580.00 EUR"
    assert money.total(["160.00 EUR", "20.00 USD", "0.01 EUR"]) == "160.01 EUR + 20.00 USD"


@pytest.mark.parametrize(
    ("price", "part", "whole", "shared"),
    [
        ("160.00 EUR", 240, 240, "160.00 EUR"),
        ("160.00 EUR", 0, 240, "0.00 EUR"),
        ("160.00 EUR", 1, 240, "0.67 EUR"),
        ("0.01 EUR", 1, 2, "0.01 EUR"),
        ("0.01 EUR", 1, 3, "0.00 EUR"),
    ],
)
def test_half_a_cent_is_rounded_up(price: str, part: int, whole: int, shared: str):
    assert money.share(price, part, whole) == shared


@given(CENTS, st.integers(1, 10_000), st.data())
def test_share_is_never_off_by_more_than_half_a_cent_nor_above_the_price(cents: int, whole: int, data: st.DataObject):
    part = data.draw(st.integers(0, whole))
    shared = money.parse(money.share(str(Money(cents, "EUR")), part, whole)).cents
    assert abs(shared - Fraction(cents * part, whole)) <= Fraction(1, 2)
    assert 0 <= shared <= cents
