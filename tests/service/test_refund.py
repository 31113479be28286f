"""The admin notes a request for the money back, and the director's word on it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from mailgate.core.model import Entry, Kind, Matter, MatterState
from mailgate.errors import Refused
from mailgate.service import refunds
from mailgate.service.audit import audited, halt
from mailgate.service.refunds import Refund
from mailgate.store import entries, matters
from tests.running import read, text_of
from tests.stored import StoredDesk
from tests.support import NOW

DAY = timedelta(days=1)


@pytest.fixture
def bought(desk: StoredDesk) -> StoredDesk:
    desk.book(240, price="160.00 EUR", package="4h")
    return desk


def ask(desk: StoredDesk, reason: str = "No nos sirve.", at: datetime = NOW) -> Refund:
    with desk.store.write() as tx:
        return refunds.ask(tx, desk.office, "acme", reason, at)


def rule(desk: StoredDesk, granted: bool, reason: str = "Conforme.", at: datetime = NOW + DAY) -> Refund:
    with desk.store.write() as tx:
        return refunds.rule(tx, desk.office, "acme", granted, reason, at)


def told(desk: StoredDesk) -> list[tuple[str, str]]:
    return [(mail.template, mail.to) for mail in desk.mails()]


def kept(desk: StoredDesk) -> list[Matter]:
    with desk.store.read() as tx:
        return matters.everything(tx)


def ledger(desk: StoredDesk) -> list[Entry]:
    with desk.store.read() as tx:
        assert audited(tx).problems == []
        return entries.of_client(tx, "acme")


def test_request_is_kept_and_both_sides_are_told(bought: StoredDesk) -> None:
    stands = ask(bought)
    assert (stands.state, stands.amount, stands.balance) == (MatterState.OPEN, "160.00 EUR", 240)
    assert [(one.state, one.reason, one.message) for one in kept(bought)] == [(MatterState.OPEN, "No nos sirve.", None)]
    assert told(bought) == [("refund_asked", "ana@acme.example"), ("refund_request", "elena@example.es")]
    request = text_of(read(bought.raws()[1]))
    assert "No nos sirve." in request
    assert "160,00" in request


def test_request_that_is_open_is_not_opened_twice(bought: StoredDesk) -> None:
    ask(bought)
    with pytest.raises(Refused, match="acme: a refund is asked for already, since 2026-11-03"):
        ask(bought)
    assert len(kept(bought)) == 1
    assert len(told(bought)) == 2


def test_client_who_paid_nothing_has_nothing_to_ask_for(desk: StoredDesk) -> None:
    with pytest.raises(Refused, match="acme: has paid nothing that could be given back"):
        ask(desk)


def test_accepted_request_books_the_refund_and_tells_both(bought: StoredDesk) -> None:
    ask(bought)
    stands = rule(bought, granted=True)
    assert (stands.state, stands.amount, stands.balance) == (MatterState.GRANTED, "160.00 EUR", 0)
    last = ledger(bought)[-1]
    assert (last.kind, last.of, last.minutes, last.price) == (Kind.REFUND, 1, -240, "160.00 EUR")
    assert stands.entries == (last.id,)
    assert [one.state for one in kept(bought)] == [MatterState.GRANTED]
    assert told(bought)[2:] == [("refund_decided", "ana@acme.example"), ("refund_decided", "elena@example.es")]
    assert "Conforme." in text_of(read(bought.raws()[2]))


def test_declined_request_books_nothing(bought: StoredDesk) -> None:
    ask(bought)
    stands = rule(bought, granted=False, reason="Fuera de plazo.")
    assert (stands.state, stands.balance, stands.entries) == (MatterState.REFUSED, 240, ())
    assert [entry.kind for entry in ledger(bought)] == [Kind.PURCHASE]
    assert "Fuera de plazo." in text_of(read(bought.raws()[2]))


def test_declined_client_may_ask_again(bought: StoredDesk) -> None:
    ask(bought)
    rule(bought, granted=False)
    assert ask(bought, at=NOW + 2 * DAY).state is MatterState.OPEN


def test_nothing_is_decided_that_nobody_asked_for(bought: StoredDesk) -> None:
    with pytest.raises(Refused, match="acme: no refund is asked for"):
        rule(bought, granted=True)
    ask(bought)
    rule(bought, granted=True)
    with pytest.raises(Refused):
        rule(bought, granted=True)
    assert len(ledger(bought)) == 2


def test_what_was_bought_after_the_request_is_not_given_back(bought: StoredDesk) -> None:
    bought.book(-240, Kind.EXPIRY)
    bought_again = NOW + DAY
    ask(bought)
    bought.book(240, at=bought_again, price="160.00 EUR", package="4h")
    stands = rule(bought, granted=True, at=NOW + 2 * DAY)
    assert stands.amount == "160.00 EUR"
    assert stands.balance == 240
    with bought.store.read() as tx:
        last = entries.of_client(tx, "acme")[-1]
    assert (last.of, last.minutes, last.price) == (1, 0, "160.00 EUR")


def test_nothing_is_granted_while_the_books_do_not_add_up(bought: StoredDesk) -> None:
    ask(bought)
    with bought.store.write() as tx:
        halt(tx, bought.office, ["entry 1: off"], NOW)
    with pytest.raises(Refused, match="mailgate audit"):
        rule(bought, granted=True)
    assert rule(bought, granted=False).state is MatterState.REFUSED


def test_process_killed_before_the_commit_has_decided_nothing(bought: StoredDesk) -> None:
    ask(bought)
    with pytest.raises(KeyboardInterrupt), bought.store.write() as tx:
        refunds.rule(tx, bought.office, "acme", True, "Conforme.", NOW)
        raise KeyboardInterrupt
    assert len(ledger(bought)) == 1
    assert rule(bought, granted=True).entries == (2,)
