"""Words find tickets, whatever a person types, and no list reads the whole store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mailgate.core.model import Category, Priority, Status, Ticket
from mailgate.store import Connection, Store, search, tickets
from mailgate.store.tickets import Only
from tests.store.makes import NOW, message, ticket


def said(tx: Connection, number: int, subject: str, text: str, **changes: Any) -> None:
    """A ticket in which this stands."""
    if tickets.get(tx, number) is None:
        tickets.open_ticket(tx, Ticket(number, "acme", subject, "ana@acme.example", NOW, **changes))
    message(tx, int(tx.value("select count(*) from message")) + 1, of=number, subject=subject, text=text)


def found(store: Store, words: str, only: Only = tickets.EVERY) -> list[int]:
    with store.read() as tx:
        return [hit.ticket for hit in search.find(tx, words, only)]


@pytest.fixture
def filled(store: Store) -> Store:
    with store.write() as tx:
        said(tx, 1, "El carrito no cobra", "Desde ayer, la PASARELA de pago da error 500.")
        said(tx, 2, "Migración del correo", "¿Cuándo empezáis? El carrito puede esperar.")
        said(tx, 3, "Factura de octubre", "Falta el número de pedido.")
        said(tx, 3, "Re: Factura de octubre", "Corregida: era el pedido nº 81.")
    return store


WORDS = [
    ("pasarela", [1]),
    ("PASARELA", [1]),
    ("migracion", [2]),
    ("MIGRACIÓN", [2]),
    ("migracio\u0301n", [2]),
    ("numero", [3]),
    ("empezais", [2]),
    ("carrito", [1, 2]),
    ("carrito error", [1]),
    ("error carrito", [1]),
    ("carrito factura", []),
    ("carr", [1, 2]),
    ("carr pasarela", []),
    ("pasarela carr", [1]),
    ("error-500", [1]),
    ("factura: «octubre»", [3]),
    ("nowhere", []),
    ("", []),
    ("   ", []),
    ("🛒", []),
    ("🛒 carrito", [1, 2]),
]


@pytest.mark.parametrize(("words", "tickets_found"), WORDS)
def test_all_words_are_found_in_any_case_and_the_last_may_be_begun(
    filled: Store, words: str, tickets_found: list[int]
) -> None:
    assert found(filled, words) == tickets_found


@pytest.mark.parametrize("many", [False, True])
def test_same_is_found_in_a_list_of_few_messages_and_of_many(
    filled: Store, monkeypatch: pytest.MonkeyPatch, many: bool
) -> None:
    monkeypatch.setattr(search, "_are_many", lambda *_: many)
    assert [found(filled, words, Only(client="acme")) for words, _ in WORDS] == [numbers for _, numbers in WORDS]
    assert [found(filled, words, Only(client="beta")) for words, _ in WORDS] == [[] for _ in WORDS]


def test_in_a_list_of_many_messages_the_newest_are_looked_at_in_which_the_words_stand(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_RANKED", 1)
    monkeypatch.setattr(search, "_LOOKED_AT", 1)
    assert found(filled, "carrito", Only(client="acme")) == [2]
    assert found(filled, "pasarela", Only(client="acme")) == [1]


def test_word_of_the_subject_tells_more_than_one_of_the_text(store: Store) -> None:
    with store.write() as tx:
        said(tx, 1, "Copia de seguridad", "Falla desde el lunes.")
        said(tx, 2, "Otra cosa", "Y la copia de seguridad falla.")
    assert found(store, "copia") == [1, 2]


def test_ticket_is_found_once_however_often_a_word_stands_in_it(filled: Store) -> None:
    assert found(filled, "pedido") == [3]


def test_what_stands_in_no_ticket_is_not_found(filled: Store) -> None:
    with filled.write() as tx:
        message(tx, 90, of=None, subject="saldo", text="pasarela")
    assert found(filled, "pasarela") == [1]


def test_search_is_of_the_tickets_that_the_list_is_of(filled: Store) -> None:
    with filled.write() as tx:
        tickets.update(tx, replace(tickets.get(tx, 1), status=Status.CLOSED))  # type: ignore[type-var]
    assert found(filled, "carrito", Only(status="closed")) == [1]
    assert found(filled, "carrito", Only(client="beta")) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40))
@example('"')
@example("a\0b")
@example("subject: x")
@example("{subject text} : x")
@example("- carrito NOT x")
@example("NEAR(a b, 2)")
@example("carrito*")
@example("^carrito")
@example("'; drop table ticket; --")
@example("AND")
@example("²")
def test_nothing_that_a_person_types_is_an_error(filled: Store, words: str) -> None:
    assert set(found(filled, words)) <= {1, 2, 3}


# ---- lists ---------------------------------------------------------------------------------------

ONLY = {
    "client": "acme",
    "status": "waiting",
    "technician": "marta",
    "priority": "urgent",
    "category": "bug",
    "late_at": NOW,
}


@pytest.fixture
def mixed(store: Store) -> Store:
    """Ticket 2 is of each list, ticket 1 of none; 3 is as 2 and newer."""
    with store.write() as tx:
        ticket(tx, 1, "beta")
        for number in (2, 3):
            tickets.open_ticket(
                tx,
                replace(
                    Ticket(number, "acme", "x", "ana@acme.example", NOW),
                    status=Status.WAITING,
                    technician="marta",
                    priority=Priority.URGENT,
                    category=Category.BUG,
                    answer_due_at=NOW - timedelta(minutes=number),
                ),
            )
    return store


@pytest.mark.parametrize("name", ONLY)
def test_list_has_the_newest_of_what_was_asked_for(mixed: Store, name: str) -> None:
    only = Only(**{name: ONLY[name]})  # type: ignore[arg-type]
    with mixed.read() as tx:
        assert [one.id for one in tickets.listed(tx, only)] == [3, 2]
        assert [one.id for one in tickets.listed(tx, only, 1)] == [3]
        assert tickets.count(tx, only) == 2
        assert tickets.count(tx) == 3


def test_answer_that_is_due_this_very_moment_is_not_late(mixed: Store) -> None:
    with mixed.read() as tx:
        assert [one.id for one in tickets.listed(tx, Only(late_at=NOW - timedelta(minutes=2)))] == [3]


@pytest.mark.parametrize("name", ONLY)
def test_each_list_has_an_index(mixed: Store, name: str) -> None:
    asked: list[str] = []
    with mixed.read() as tx:
        tx.db.conn.set_trace_callback(asked.append)
        tickets.listed(tx, Only(**{name: ONLY[name]}), 50)  # type: ignore[arg-type]
        tx.db.conn.set_trace_callback(None)
        steps = [row["detail"] for row in tx.rows(f"explain query plan {asked[0]}")]
    assert steps[0].startswith("SEARCH t USING INDEX"), steps
    assert not any(step.startswith("SCAN") for step in steps)


def test_search_goes_from_words_to_messages_to_tickets(mixed: Store) -> None:
    asked: list[str] = []
    with mixed.read() as tx:
        tx.db.conn.set_trace_callback(asked.append)
        search.find(tx, "hola", Only())
        tx.db.conn.set_trace_callback(None)
        query = next(sql for sql in asked if "bm25" in sql)
        steps = [row["detail"] for row in tx.rows(f"explain query plan {query}")]
    assert [step for step in steps if step.startswith("SCAN")] == [steps[0]]
    assert "VIRTUAL TABLE" in steps[0]
