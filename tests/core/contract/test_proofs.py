"""Matters and prices that the ledger contradicts are named."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from mailgate.core.contract import proofs
from mailgate.core.model import Entry, Kind, Matter, MatterKind, MatterState
from tests.core.contract.books import Books, noon

AT = noon(date(2026, 8, 3))
DISPUTE = Matter(id=7, kind=MatterKind.DISPUTE, client="acme", at=AT, entry=2)
WORK = Matter(id=8, kind=MatterKind.DEBIT, client="acme", at=AT, minutes=20, message=31, line=2)
HONEST = (MatterState.OPEN, MatterState.REFUSED, MatterState.WITHDRAWN)


def ruled(ruling: str = "") -> list[Entry]:
    """A purchase, a debit and a ruling on it: the ledger that a dispute of entry 2 belongs to."""
    books = Books()
    books.buy()
    spent = books.work(30)
    if ruling == "void":
        books.void(spent)
    if ruling == "adjust":
        books.adjust(spent, 10)
    return books.entries


@pytest.mark.parametrize(
    ("ruling", "state"),
    [*(("", state) for state in HONEST), ("void", MatterState.GRANTED), ("adjust", MatterState.REDUCED)],
)
def test_honest_dispute_has_no_problem(ruling: str, state: MatterState):
    assert list(proofs.matters_fit([replace(DISPUTE, state=state)], ruled(ruling))) == []


@pytest.mark.parametrize(
    ("ruling", "state", "problem"),
    [
        ("void", MatterState.OPEN, "disputes entry 2, which is void"),
        ("", MatterState.GRANTED, "was granted, but entry 2 is not void"),
        ("adjust", MatterState.GRANTED, "was granted, but entry 2 is not void"),
        ("", MatterState.REDUCED, "was reduced, but entry 2 is not adjusted"),
    ],
)
def test_ruling_without_its_entry_is_named(ruling: str, state: MatterState, problem: str):
    assert list(proofs.matters_fit([replace(DISPUTE, state=state)], ruled(ruling))) == [f"matter 7: {problem}"]


@pytest.mark.parametrize("wrong", [{"entry": 1}, {"entry": 99}, {"client": "beta"}])
def test_dispute_of_what_is_no_debit_of_the_client_is_named(wrong: dict[str, object]):
    (found,) = proofs.matters_fit([replace(DISPUTE, **wrong)], ruled())
    assert "which is no debit of" in found


def test_work_past_a_limit_that_was_granted_must_be_booked_from_its_line():
    granted = replace(WORK, state=MatterState.GRANTED)
    entries = ruled()
    assert list(proofs.matters_fit([WORK], entries)) == []
    assert list(proofs.matters_fit([granted], entries)) == ["matter 8: was granted but never booked"]
    entries[1] = replace(entries[1], message=31, line=2)
    assert list(proofs.matters_fit([granted], entries)) == []


def test_other_matters_have_nothing_to_prove():
    kinds = (MatterKind.REFUND, MatterKind.ESTIMATE)
    matters = [Matter(id=9, kind=kind, client="acme", at=AT, state=MatterState.GRANTED) for kind in kinds]
    assert list(proofs.matters_fit(matters, [])) == []


@pytest.mark.parametrize(
    ("price", "wrong"),
    [("160.00 EUR", 0), ("159.99 EUR", 0), ("160.01 EUR", 1), ("1.00 USD", 1), ("a lot", 1)],
)
def test_refund_of_more_than_was_paid_is_named(price: str, wrong: int):
    books = Books()
    books.buy()
    books.refund()
    books.entries[-1] = replace(books.entries[-1], price=price)
    assert len(list(proofs.prices_fit(books.entries))) == wrong


def test_refund_of_money_for_what_was_no_purchase_is_named():
    books = Books()
    spent = books.work(30)
    books.add(Entry(0, "acme", Kind.REFUND, 0, AT, AT.date(), of=spent.id, price="1.00 EUR"))
    assert [broken.entry for broken in proofs.prices_fit(books.entries)] == [2]
