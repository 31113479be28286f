"""Who knows what: the sums that choose a technician are those of the ledger at all times."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailgate.core.model import Category, Kind
from mailgate.store import Store, experience, tickets
from tests.store.makes import booked, debit, ticket, void


def test_work_and_courtesies_count_with_the_client_and_the_area(store: Store) -> None:
    with store.write() as tx:
        opened = ticket(tx)
        tickets.update(tx, replace(opened, category=Category.SECURITY))
        booked(tx, debit(12))
        booked(tx, replace(debit(30), kind=Kind.COURTESY, minutes=0))
        booked(tx, debit(5, technician="luis"))
        assert experience.with_client(tx, "acme") == {"marta": 42, "luis": 5}
        assert experience.by_category(tx) == {"security": {"marta": 42, "luis": 5}}
        assert list(experience.problems(tx)) == []


def test_a_void_takes_the_work_back_and_who_has_none_is_not_named(store: Store) -> None:
    with store.write() as tx:
        ticket(tx)
        booked(tx, replace(void(booked(tx, debit(12))), technician="elena"))
        assert experience.with_client(tx, "acme") == {}
        assert list(experience.problems(tx)) == []


def test_another_category_takes_the_work_of_the_ticket_along(store: Store) -> None:
    with store.write() as tx:
        opened = ticket(tx)
        ticket(tx, 2)
        booked(tx, debit(12))
        booked(tx, debit(7, ticket=2))
        for category in (Category.BUG, Category.DESIGN):
            tickets.update(tx, replace(opened, category=category))
        assert experience.by_category(tx) == {"design": {"marta": 12}}
        tickets.update(tx, opened)
        assert experience.by_category(tx) == {}


def test_a_sum_that_the_entries_do_not_give_is_named(store: Store) -> None:
    with store.write() as tx:
        ticket(tx)
        booked(tx, debit(12))
        tx.run("update experience set minutes = 13")
        told = ["experience: marta has 13 minutes with client acme, the entries sum to 12"]
        assert list(experience.problems(tx)) == told
        tx.run("delete from experience")
        assert len(list(experience.problems(tx))) == 1


DEEDS = st.lists(
    st.tuples(st.sampled_from(["work", "void", "category"]), st.integers(0, 3), st.sampled_from(["marta", "luis"])),
    max_size=20,
)


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DEEDS)
def test_the_sums_agree_whatever_is_booked_voided_and_renamed(store: Store, deeds: list[tuple[str, int, str]]) -> None:
    with store.write() as tx:
        first = tickets.next_id(tx)
        opened = [ticket(tx, first + number) for number in range(2)]
        work = []
        for deed, number, technician in deeds:
            if deed == "work":
                on = opened[number % 2].id
                work.append(booked(tx, debit(number + 1, ticket=on, technician=technician)))
            elif deed == "void" and work:
                booked(tx, void(work.pop()))
            elif deed == "category":
                category = [None, *Category][number]
                tickets.update(tx, replace(opened[number % 2], category=category))
        assert list(experience.problems(tx)) == []
