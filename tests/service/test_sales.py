"""Selling time: what may be bought first, the receipt, and the work that goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mailgate.core.model import Kind, Status
from mailgate.errors import NotFound, Refused
from mailgate.service import sales
from mailgate.service.audit import audited
from mailgate.service.sales import Order, Sale
from mailgate.store import entries, tickets
from tests import support
from tests.running import read, text_of
from tests.stored import StoredDesk, stored_desk
from tests.support import NOW, ticket


def sell(desk: StoredDesk, package: str = "4h", **values: Any) -> Sale:
    with desk.store.write() as tx:
        return sales.sell(tx, desk.office, Order(**{"client": "acme", "package": package, **values}), NOW)


def told(desk: StoredDesk) -> list[tuple[str, str]]:
    return [(mail.template, mail.to) for mail in desk.mails()]


def held(desk: StoredDesk, number: int, client: str = "acme", **values: Any) -> None:
    given = {"client": client, "status": Status.HELD, "held_for": "balance", "subject": f"Asunto {number}"}
    with desk.store.write() as tx:
        tickets.open_ticket(tx, ticket(number, **{**given, **values}))


# ---- what may be bought --------------------------------------------------------------------------


def test_purchase_adds_the_package_s_minutes_with_price_and_payment(desk: StoredDesk) -> None:
    sale = sell(desk, paid_by="transfer", reference="T-1")
    assert (sale.minutes, sale.balance, sale.resumed) == (240, 240, ())
    with desk.store.read() as tx:
        entry = entries.get(tx, sale.entry)
    assert entry is not None
    assert (entry.kind, entry.package, entry.price) == (Kind.PURCHASE, "4h", "160.00 EUR")
    assert (entry.paid_by, entry.reference, entry.note) == ("transfer", "T-1", "")


def test_first_purchase_of_another_package_is_refused_and_names_what_may_be_bought(desk: StoredDesk) -> None:
    with pytest.raises(Refused, match=r"12h: acme has not bought anything yet.* can only be: 4h; --force"):
        sell(desk, "12h")
    assert told(desk) == []
    with desk.store.read() as tx:
        assert entries.everything(tx) == []


def test_second_purchase_may_be_any_package(desk: StoredDesk) -> None:
    sell(desk, "4h")
    assert sell(desk, "12h").balance == 960


def test_another_client_s_purchase_does_not_count(desk: StoredDesk) -> None:
    sell(desk, "4h", client="beta")
    with pytest.raises(Refused):
        sell(desk, "12h")


def test_forced_first_purchase_is_booked_and_says_so(desk: StoredDesk) -> None:
    sale = sell(desk, "12h", force=True)
    with desk.store.read() as tx:
        entry = entries.get(tx, sale.entry)
    assert entry is not None
    assert entry.note == "first purchase, forced"


def test_force_that_was_not_needed_is_not_noted(desk: StoredDesk) -> None:
    sale = sell(desk, "4h", force=True)
    with desk.store.read() as tx:
        entry = entries.get(tx, sale.entry)
    assert entry is not None
    assert entry.note == ""


def test_rules_without_a_first_package_are_named_as_the_reason(tmp_path: Path) -> None:
    packages = {"4h": {"minutes": 240, "price": "160.00 EUR"}}
    with (
        stored_desk(tmp_path, support.desk(packages=packages)) as desk,
        pytest.raises(Refused, match="no package of the rules has first = true"),
    ):
        sell(desk, "4h")


def test_unknown_package_is_named_with_those_that_there_are(desk: StoredDesk) -> None:
    with pytest.raises(NotFound, match="5h: no such package; the rules have: 4h, 12h"):
        sell(desk, "5h")


# ---- receipt and what goes on --------------------------------------------------------------------


def test_client_gets_a_receipt(desk: StoredDesk) -> None:
    sell(desk, "4h", paid_by="paypal", reference="PP-77")
    assert told(desk) == [("receipt", "ana@acme.example")]
    receipt = text_of(read(desk.raws()[0]))
    assert "160,00" in receipt
    assert "PP-77" in receipt
    assert "PayPal" in receipt
    assert "3 de noviembre de 2027" in receipt


def test_purchase_lets_waiting_tickets_go_on_and_tells_their_technicians(desk: StoredDesk) -> None:
    held(desk, 3)
    held(desk, 4, technician=None)
    held(desk, 5, held_for="rule")
    held(desk, 6, client="beta")
    sale = sell(desk, "4h")
    assert sale.resumed == (3, 4)
    with desk.store.read() as tx:
        stand = {one.id: (one.status, one.held_for) for one in tickets.listed(tx)}
    assert stand[3] == stand[4] == (Status.OPEN, "")
    assert stand[5] == (Status.HELD, "rule")
    assert stand[6] == (Status.HELD, "balance")
    assert told(desk) == [
        ("receipt", "ana@acme.example"),
        ("resumed", "marta@example.es"),
        ("resumed", "elena@example.es"),
    ]
    assert "Asunto 3" in text_of(read(desk.raws()[0]))


def test_purchase_that_a_debt_swallows_lets_nothing_go_on(desk: StoredDesk) -> None:
    desk.book(1)
    desk.book(-300, Kind.REFUND)
    held(desk, 3)
    assert sell(desk, "4h").resumed == ()
    assert told(desk) == [("receipt", "ana@acme.example")]


def test_process_killed_before_the_commit_has_sold_nothing(desk: StoredDesk) -> None:
    held(desk, 3)
    with pytest.raises(KeyboardInterrupt), desk.store.write() as tx:
        sales.sell(tx, desk.office, Order("acme", "4h"), NOW)
        raise KeyboardInterrupt
    assert told(desk) == []
    assert sell(desk, "4h").resumed == (3,)


def test_books_add_up_after_a_sale(desk: StoredDesk) -> None:
    sell(desk, "4h")
    sell(desk, "12h")
    with desk.store.read() as tx:
        assert audited(tx).problems == []
        assert audited(tx).balances == {"acme": 960}
