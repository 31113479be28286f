"""The audit names what is off, each thing with its number, and finds nothing where all is well."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from mailgate.core.mail import Notice, Outgoing
from mailgate.core.model import Kind, Matter, MatterKind, MatterState, Role, Status
from mailgate.service.audit import MOST_TOLD, audited, halt, resume
from mailgate.store import Connection, entries, events, matters, outbox, tickets
from tests.running import read, text_of
from tests.store import makes
from tests.stored import StoredDesk
from tests.support import NOW, debit, in_linear_time, ticket

DAY = timedelta(days=1)
Spoil = Callable[[Connection], object]


@pytest.fixture
def kept(desk: StoredDesk) -> StoredDesk:
    """A desk with a purchase (1), work (2) that a technician's message booked, and its ticket (12)."""
    desk.book(100)
    with desk.store.write() as tx:
        tickets.open_ticket(tx, ticket(12))
        message = makes.message(tx, 1, 12, role=Role.TECHNICIAN)
        entries.append(tx, debit(2, 12, message=message, line=0))
    return desk


def problems(desk: StoredDesk) -> list[str]:
    with desk.store.read() as tx:
        return audited(tx).problems


def spoilt(desk: StoredDesk, *spoils: Spoil) -> list[str]:
    with desk.store.write() as tx:
        for spoil in spoils:
            spoil(tx)
    return problems(desk)


def run(sql: str) -> Spoil:
    return lambda tx: tx.run(sql)


def test_good_books_have_no_problems(kept: StoredDesk) -> None:
    assert problems(kept) == []
    with kept.store.read() as tx:
        result = audited(tx)
    assert (result.entries, result.balances) == (2, {"acme": 88})
    assert result.told() == "good: 2 entries of 1 client, sums, chains and store agree"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("update ticket set status = 'closed'", "ticket 12: closed without a time, or with one and not closed"),
        ("update ticket set closed_at = 'x'", "ticket 12: closed without a time, or with one and not closed"),
        ("update ticket set status = 'held'", "ticket 12: held for no reason, or with one and not held"),
        ("update ticket set held_for = 'away'", "ticket 12: held for no reason, or with one and not held"),
        ("update message set role = 'client'", "entry 2: comes from a message that no technician wrote"),
        (
            "insert into event (kind, client, key, at) values ('expiry', 'acme', '2027-11-03', 'x')",
            "event 1: an expiry that booked no entry",
        ),
    ],
)
def test_row_that_contradicts_itself_is_named(kept: StoredDesk, change: str, expected: str) -> None:
    assert spoilt(kept, run(change)) == [expected]


def test_ticket_that_is_closed_or_held_as_it_should_is_good(kept: StoredDesk) -> None:
    closed = ticket(12, status=Status.CLOSED, closed_at=NOW)
    assert spoilt(kept, lambda tx: tickets.update(tx, closed)) == []
    held = ticket(12, status=Status.HELD, held_for="rule")
    assert spoilt(kept, lambda tx: tickets.update(tx, held)) == []


def test_void_without_its_entry_is_named(kept: StoredDesk) -> None:
    kept.book(12, Kind.VOID, of=1, client="beta")
    assert problems(kept) == ["entry 3: does not cancel entry 1"]


def test_work_that_no_message_booked_is_named(kept: StoredDesk) -> None:
    with kept.store.write() as tx:
        entries.append(tx, debit(3, 12))
        entries.append(tx, debit(4, 0, kind=Kind.COURTESY, worked=5))
    assert problems(kept) == ["entry 3: work that no message booked", "entry 4: work that no message booked"]


def test_work_whose_message_is_gone_is_named(kept: StoredDesk) -> None:
    with closing(sqlite3.connect(kept.store.path)) as other, other:
        other.execute("delete from journal")
        other.execute("delete from message")
    assert "entry 2: refers to a message that is not there" in problems(kept)


def test_expiry_without_its_event_is_named(kept: StoredDesk) -> None:
    kept.book(-88, Kind.EXPIRY)
    assert problems(kept) == ["entry 3: an expiry that no event of the clock booked"]


def test_expiry_by_the_clock_or_by_the_director_s_word_is_good(kept: StoredDesk) -> None:
    with kept.store.write() as tx:
        events.record(tx, "expiry", "acme", "2027-11-03", NOW)
    kept.book(-88, Kind.EXPIRY)
    kept.book(10, at=NOW + DAY)
    kept.book(-10, Kind.EXPIRY, NOW + DAY, message=1)
    assert problems(kept) == []


# ---- mails and what caused them ------------------------------------------------------------------


def _mail(tx: Connection, template: str, cause: str) -> None:
    """A mail of a template, of which only the name and the cause matter here."""
    notice = Notice(template, "ana@acme.example", "es")
    message_id = f"{cause}.mac.mailgate@example.es"
    outbox.queue(tx, Outgoing(notice, message_id, "x", "", message_id.encode(), ""), NOW)


@pytest.mark.parametrize(
    ("template", "kind"),
    [("expiry_warning", "expiry_warning"), ("statement", "statement"), ("books_halted", "halt")],
)
def test_mail_of_the_clock_goes_out_once_for_its_event(kept: StoredDesk, template: str, kind: events.Kind) -> None:
    with kept.store.write() as tx:
        number = events.record(tx, kind, "acme", "key", NOW)
        _mail(tx, template, f"x{number}.0")
    assert problems(kept) == []
    with kept.store.write() as tx:
        _mail(tx, template, f"x{number}.1")
    assert problems(kept) == [f"outbox 2: a {template} that no event of the clock caused"]


def test_mail_of_the_clock_without_an_event_is_named(kept: StoredDesk) -> None:
    with kept.store.write() as tx:
        events.record(tx, "statement", "acme", "2026-10", NOW)
        _mail(tx, "expiry_warning", "x1.0")
    assert problems(kept) == ["outbox 1: a expiry_warning that no event of the clock caused"]


def test_low_balance_is_told_no_oftener_than_the_balance_fell(kept: StoredDesk) -> None:
    with kept.store.write() as tx:
        _mail(tx, "low_balance", "j1.0")
    assert problems(kept) == []
    with kept.store.write() as tx:
        _mail(tx, "low_balance", "j1.1")
    assert problems(kept) == ["outbox 2: a low_balance that no booking caused"]


def test_end_of_service_is_told_to_both_once(kept: StoredDesk) -> None:
    kept.book(-88, Kind.REFUND, of=1)
    with kept.store.write() as tx:
        _mail(tx, "service_ended", "j1.0")
        _mail(tx, "service_ended", "j1.1")
    assert problems(kept) == []
    with kept.store.write() as tx:
        _mail(tx, "service_ended", "j2.0")
    assert problems(kept) == ["outbox 3: a service_ended that no booking caused"]


def test_end_of_service_that_never_was_is_named(kept: StoredDesk) -> None:
    with kept.store.write() as tx:
        _mail(tx, "service_ended", "j1.0")
    assert problems(kept) == ["outbox 1: a service_ended that no booking caused"]


# ---- matters -------------------------------------------------------------------------------------


def test_matter_that_the_ledger_contradicts_is_named(kept: StoredDesk) -> None:
    with kept.store.write() as tx:
        number = matters.open_matter(tx, Matter(0, MatterKind.DISPUTE, "acme", NOW, ticket=12, entry=2, reason="no"))
    assert problems(kept) == []
    with kept.store.write() as tx:
        matters.decide(tx, number, MatterState.GRANTED, NOW, None)
    assert problems(kept) == ["matter 1: was granted, but entry 2 is not void"]


# ---- the halt ------------------------------------------------------------------------------------


def test_admin_is_told_the_first_of_many_problems_and_how_many_more_there_are(desk: StoredDesk) -> None:
    for count, more in ((MOST_TOLD, False), (MOST_TOLD + 7, True)):
        with desk.store.write() as tx:
            resume(tx, events.halts(tx), NOW)
            halt(tx, desk.office, [f"entry {number}: off" for number in range(1, count + 1)], NOW + count * DAY)
        mail = text_of(read(desk.raws()[-1]))
        assert f"entry {MOST_TOLD}: off" in mail
        assert f"entry {MOST_TOLD + 1}: off" not in mail
        assert ("7: mailgate audit" in mail) is more


@pytest.mark.slow
def test_audit_is_a_few_passes_over_the_ledger_however_many_clients_there_are(desk: StoredDesk) -> None:
    with desk.store.write() as tx:
        bought = replace(debit(0), kind=Kind.PURCHASE, minutes=10, worked=0, ticket=None)
        for number in range(20_000):
            entries.append(tx, replace(bought, client=f"c{number}"))
    with desk.store.read() as tx, in_linear_time():
        assert len(audited(tx).balances) == 20_000
