"""The ledger is append-only whatever program opens the file."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import Any

import pytest

from mailgate.core.model import Kind
from mailgate.store import Store, entries
from tests.store.makes import booked, debit, message, ticket, void


@pytest.mark.parametrize(
    "sql",
    [
        "update entry set minutes = 0",
        "update entry set note = 'x' where id = 1",
        "delete from entry",
        "delete from entry where id = 1",
        "insert or replace into entry select * from entry where id = 1",
        "update or replace entry set id = 2 where id = 1",
    ],
)
def test_entry_is_never_changed_nor_removed(store: Store, sql: str) -> None:
    with store.write() as tx:
        ticket(tx)
        before = booked(tx, debit())
    with pytest.raises(sqlite3.IntegrityError), store.write() as tx:
        tx.run(sql)
    with store.read() as tx:
        assert entries.everything(tx) == [before]


def test_entry_is_read_back_as_it_was_booked(store: Store) -> None:
    with store.write() as tx:
        ticket(tx)
        written = debit(message=message(tx, of=1), line=3, phone=True)
        assert replace(booked(tx, written), id=0) == written


def test_second_void_of_an_entry_is_refused(store: Store) -> None:
    with store.write() as tx:
        ticket(tx)
        first = booked(tx, debit())
        assert not entries.voided(tx, first.id)
        booked(tx, void(first))
        assert entries.voided(tx, first.id)
    with pytest.raises(sqlite3.IntegrityError), store.write() as tx:
        booked(tx, void(first))


def test_line_of_a_message_books_once(store: Store) -> None:
    with store.write() as tx:
        ticket(tx)
        source = message(tx, of=1)
        booked(tx, debit(message=source, line=0))
        booked(tx, debit(message=source, line=1))
    with pytest.raises(sqlite3.IntegrityError), store.write() as tx:
        booked(tx, debit(5, message=source, line=1))


@pytest.mark.parametrize(
    "wrong",
    [
        {"minutes": 12},
        {"worked": 0},
        {"worked": -1},
        {"ticket": None},
        {"ticket": 99},
        {"kind": Kind.PURCHASE},
        {"kind": Kind.COURTESY},
        {"kind": Kind.VOID},
        {"message": 99},
        {"of": 99},
    ],
)
def test_entry_that_makes_no_sense_is_refused(store: Store, wrong: dict[str, Any]) -> None:
    with store.write() as tx:
        ticket(tx)
    with pytest.raises(sqlite3.IntegrityError), store.write() as tx:
        entries.append(tx, replace(debit(), **wrong))
    with store.read() as tx:
        assert entries.everything(tx) == []


def test_balance_is_the_sum_of_the_clients_own_entries(store: Store) -> None:
    purchase = debit(kind=Kind.PURCHASE, minutes=240, worked=0, ticket=None)
    with store.write() as tx:
        ticket(tx)
        ticket(tx, 2, "beta")
        assert entries.balance(tx, "acme") == 0
        entries.append(tx, replace(purchase, minutes=240))
        first = booked(tx, debit(12))
        entries.append(tx, void(first))
        entries.append(tx, debit(30))
        entries.append(tx, debit(7, client="beta", ticket=2))
        assert (entries.balance(tx, "acme"), entries.balance(tx, "beta")) == (210, -7)
        assert [entry.minutes for entry in entries.of_ticket(tx, 1)] == [-12, 12, -30]
        assert sum(entry.minutes for entry in entries.of_client(tx, "acme")) == 210


def test_to_know_that_a_client_never_bought_takes_no_look_at_all_that_they_used(store: Store) -> None:
    def steps() -> int:
        count = 0

        def tick() -> None:
            nonlocal count
            count += 1

        with store.read() as tx:
            tx.db.conn.set_progress_handler(tick, 1)
            assert not entries.bought(tx, "acme")
            tx.db.conn.set_progress_handler(None, 0)
        return count

    with store.write() as tx:
        ticket(tx)
        booked(tx, debit())
    before = steps()
    with store.write() as tx:
        for _ in range(200):
            booked(tx, debit())
    assert steps() == before
