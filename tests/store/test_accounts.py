"""What is read of an account instead of all of it says the same as all of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.core import ledger
from mailgate.core.contract import account
from mailgate.core.contract.over_time import by_month
from mailgate.core.model import Entry, Kind
from mailgate.core.settings.units import Period
from mailgate.service.audit import audited
from mailgate.store import Connection, Store, accounts, entries
from tests.store.makes import ticket

MADRID = ZoneInfo("Europe/Madrid")
YEAR = Period(months=12)
DAY = timedelta(days=1)
_clients = count(1)

# What happens next, after how many hours, of how many minutes.
moves = st.lists(
    st.tuples(
        st.sampled_from(("buy", "work", "work", "work", "void", "expire", "carry")),
        st.integers(0, 900),
        st.integers(1, 300),
    ),
    max_size=40,
)


def _booked(tx: Connection, client: str, happened: list[tuple[str, int, int]]) -> Iterator[Entry]:
    """Book it; each entry as it stands in the ledger."""
    at, left, open_debits = datetime(2024, 1, 10, tzinfo=UTC), 0, list[Entry]()
    for what, hours, minutes in happened:
        at += timedelta(hours=hours)
        entry = Entry(0, client, Kind.PURCHASE, minutes, at, at.astimezone(MADRID).date())
        if what == "carry":
            accounts.carry_forward(tx, client)
            continue
        if what == "work":
            worked_on = entry.day - (minutes % 3) * DAY
            entry = replace(entry, kind=Kind.DEBIT, minutes=-minutes, worked=minutes, day=worked_on, ticket=1)
        elif what == "void" and open_debits:
            entry = ledger.void(open_debits.pop(), at, entry.day, "", None)
        elif what == "expire" and left > 0:
            entry = replace(entry, kind=Kind.EXPIRY, minutes=-left)
        elif what != "buy":
            continue
        entry = replace(entry, id=entries.append(tx, entry))
        open_debits += [entry] if entry.kind is Kind.DEBIT else []
        left += entry.minutes
        yield entry


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store that carries forward after a few entries."""
    before, accounts._CARRIED_AFTER = accounts._CARRIED_AFTER, 3
    store = Store(tmp_path_factory.mktemp("store") / "mailgate.db")
    with store.write() as tx:
        ticket(tx, 1)
    yield store
    store.close()
    accounts._CARRIED_AFTER = before


@given(moves, st.integers(0, 800))
def test_account_stands_by_its_last_entries_as_by_all(carried: Store, happened: list[tuple[str, int, int]], ago: int):
    client = f"c{next(_clients)}"
    with carried.write() as tx:
        every = list(_booked(tx, client, happened))
    with carried.read() as tx:
        standing = accounts.standing(tx, client)
        assert entries.balance(tx, client) == ledger.balance(every) == ledger.balance(standing)
        assert [entry for entry in standing if entry.id][-5:] == every[-5:]
        expires = account.expires_on(every, YEAR)
        assert account.expires_on(standing, YEAR) == expires
        assert ledger.last_used(standing) == ledger.last_used(every)
        assert account.ended_on(standing, MADRID) == account.ended_on(every, MADRID)
        today = date(2026, 6, 1) - ago * DAY
        assert ledger.state(standing, expires, today) == ledger.state(every, expires, today)


@given(moves, st.integers(0, 900), st.integers(0, 900))
def test_period_of_an_account_is_read_alone(carried: Store, happened: list[tuple[str, int, int]], one: int, other: int):
    client = f"c{next(_clients)}"
    first, last = sorted((date(2024, 1, 1) + one * DAY, date(2024, 1, 1) + other * DAY))
    since, until = (datetime.combine(day, time.min, MADRID) for day in (first, last))
    with carried.write() as tx:
        every = list(_booked(tx, client, happened))
    with carried.read() as tx:
        assert accounts.between(tx, client, since, until) == [one for one in every if since <= one.at < until]
        assert entries.balance_at(tx, client, since) == ledger.balance(one for one in every if one.at < since)
        days = [(entry.at.astimezone(MADRID).date(), entry) for entry in every]
        months = list(accounts.months(tx, client, MADRID))
        assert months == sorted({day.replace(day=1) for day, _ in days})
        sums = [(month, one) for month in months for one in accounts.summed_up(tx, client, month, MADRID)]
        assert by_month(sums, date(2026, 6, 1), 24) == by_month(days, date(2026, 6, 1), 24)


def test_wrong_sum_that_is_carried_forward_is_found(carried: Store):
    with carried.write() as tx:
        list(_booked(tx, "wrong", [("buy", 0, 60)] * 5 + [("carry", 0, 1)]))
    with carried.write() as tx:
        assert tx.run("update carried_forward set minutes = minutes + 1 where client = 'wrong'") == 1
        found = audited(tx).problems
        tx.run("update carried_forward set minutes = minutes - 1 where client = 'wrong'")
    assert "client wrong: the store says 301 minutes, the entries sum to 300" in found
