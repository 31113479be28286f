"""A request for the money back, as values: what is asked, what is granted, who is told what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from mailgate.core.contract import refund
from mailgate.core.mail import Notice
from mailgate.core.model import Entry, Kind, Matter, MatterKind
from tests.support import NOW, desk

DAY = timedelta(days=1)
DESK = desk()


def entry(number: int, minutes: int, kind: Kind = Kind.PURCHASE, at: datetime = NOW, of: int | None = None) -> Entry:
    price = "160.00 EUR" if kind is Kind.PURCHASE else None
    worked = -minutes if kind is Kind.DEBIT else 0
    return Entry(number, "acme", kind, minutes, at, at.date(), worked=worked, of=of, package="4h", price=price)


def asked(entries: Sequence[Entry], at: datetime = NOW, ticket: int | None = 12) -> tuple[Matter, tuple[Notice, ...]]:
    return refund.asked(DESK, "acme", entries, person_name="Ana Prieto", text="No.", at=at, ticket=ticket)


def decided(
    entries: Sequence[Entry], *, granted: bool, asked_at: datetime = NOW
) -> tuple[tuple[Entry, ...], tuple[Notice, ...]]:
    matter = Matter(7, MatterKind.REFUND, "acme", asked_at, ticket=12)
    return refund.decided(
        DESK, matter, entries, granted=granted, reason="Bien.", now=asked_at + 9 * DAY, technician="elena"
    )


ENDED = (entry(1, 240), entry(2, -240, Kind.DEBIT))


def test_request_is_a_matter_of_the_client_and_the_ticket() -> None:
    matter, notices = asked(ENDED)
    assert (matter.kind, matter.client, matter.ticket, matter.reason) == (MatterKind.REFUND, "acme", 12, "No.")
    assert [(one.template, one.to, one.ticket) for one in notices] == [
        ("refund_asked", "ana@acme.example", 12),
        ("refund_request", "elena@example.es", 12),
    ]


def test_request_within_the_window_is_not_late_and_one_after_it_is() -> None:
    for days, late in ((15, False), (16, True)):
        _, (client, director) = asked(ENDED, NOW + days * DAY)
        assert client.values["late"] is director.values["late"] is late
        assert client.values["refund_until"] == (NOW + 15 * DAY).date()
        assert client.values["ended_on"] == NOW.date()


def test_request_while_the_service_runs_has_no_window_and_is_not_late() -> None:
    _, (client, _) = asked([entry(1, 240)], NOW + 100 * DAY)
    assert (client.values["late"], client.values["refund_until"], client.values["ended_on"]) == (False, None, None)


def test_director_sees_who_asked_and_what_was_paid() -> None:
    _, (_, director) = asked(ENDED)
    assert director.values["person_name"] == "Ana Prieto"
    assert director.values["amount"] == "160.00 EUR"
    assert director.values["balance"] == 0
    assert director.values["purchases"] == [
        {"id": 1, "day": NOW.date(), "package": "4h", "minutes": 240, "price": "160.00 EUR"}
    ]


def test_granting_answers_each_purchase_of_the_period() -> None:
    booked, notices = decided((entry(1, 240), entry(2, 240), entry(3, -300, Kind.DEBIT)), granted=True)
    assert [(one.of, one.minutes, one.technician, one.note) for one in booked] == [
        (2, -180, "elena", "Bien."),
        (1, 0, "elena", "Bien."),
    ]
    assert [(one.values["amount"], one.values["balance"], one.values["copy"]) for one in notices] == [
        ("320.00 EUR", 0, False),
        ("320.00 EUR", 0, True),
    ]


def test_refusing_books_nothing() -> None:
    booked, notices = decided(ENDED, granted=False)
    assert booked == ()
    assert [one.values["granted"] for one in notices] == [False, False]


def test_time_bought_after_the_request_stays_with_the_client() -> None:
    later = entry(3, 240, at=NOW + DAY)
    work = entry(4, -100, Kind.DEBIT, NOW + 2 * DAY)
    booked, (client, _) = decided((*ENDED, later, work), granted=True)
    assert [(one.of, one.minutes) for one in booked] == [(1, 0)]
    assert client.values["balance"] == 140
    assert client.values["amount"] == "160.00 EUR"


def test_later_purchase_that_was_refunded_already_takes_nothing_from_the_request() -> None:
    later = entry(3, 240, at=NOW + DAY)
    answer = entry(4, -240, Kind.REFUND, NOW + 2 * DAY, of=3)
    booked, _ = decided((entry(1, 240), later, answer), granted=True)
    assert [(one.of, one.minutes) for one in booked] == [(1, -240)]
