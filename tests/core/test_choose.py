"""Who does a ticket: the strongest claim of who is there, and what happens while somebody is away."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.core.absence import ahead, gone
from mailgate.core.choose import Choice, Roster, choose, placed, why
from mailgate.core.desk import Desk
from mailgate.core.model import Absence, Category, Priority, Status
from tests.support import NOW, desk, ticket

TODAY = date(2026, 11, 3)  # a Tuesday
DAY = timedelta(days=1)
PEOPLE = {
    "elena": {"name": "Elena Ruiz", "addresses": ["elena@example.es"]},
    "marta": {"name": "Marta Gil", "addresses": ["marta@example.es"]},
    "luis": {"name": "Luis Soto", "addresses": ["luis@example.es"], "categories": ["security"]},
    "sara": {"name": "Sara Pons", "addresses": ["sara@example.es"]},
}


def people(**changes: Any) -> Desk:
    return desk(**{"technicians": PEOPLE, **changes})


def away(technician: str, days: int, begins: date = TODAY) -> dict[str, tuple[Absence, ...]]:
    """An absence of so many days."""
    return {technician: (Absence(technician, begins, begins + (days - 1) * DAY),)}


BETA = {"client": "beta", "technician": None, "category": Category.SECURITY}


def chosen(roster: Roster, rule: str = "", at: datetime = NOW, **values: Any) -> Choice:
    return choose(people(), ticket(**{**BETA, **values}), roster, at, rule)


FULL: dict[str, Any] = {
    "on_client": {"sara": 60, "luis": 840},
    "on_category": {"security": {"marta": 30, "luis": 10}},
    "load": {"marta": 2, "luis": 1, "sara": 1},
}


@pytest.mark.parametrize(
    ("values", "facts", "rule", "technician", "reason"),
    [
        ({"client": "acme", "technician": "sara"}, FULL, "", "sara", "ticket"),
        ({"client": "acme", "technician": "sara"}, FULL, "site down", "sara", "rule"),
        ({"client": "acme"}, FULL, "", "marta", "client"),
        ({}, FULL, "", "luis", "on_client"),
        ({}, {**FULL, "on_client": {}}, "", "marta", "on_category"),
        ({}, {**FULL, "on_client": {}, "on_category": {}}, "", "luis", "category"),
        ({"category": "design"}, {**FULL, "on_client": {}}, "", "luis", "load"),
        ({"category": None}, {"load": {"marta": 3, "luis": 2, "sara": 1}}, "", "sara", "load"),
        ({"category": None}, {}, "", "marta", "load"),
        ({"technician": "gone"}, {"on_client": {"gone": 900, "sara": 1}}, "", "sara", "on_client"),
    ],
)
def test_the_strongest_claim_wins(values: Any, facts: Any, rule: str, technician: str, reason: str):
    found = chosen(Roster(**facts), rule, **values)
    assert (found.technician, found.reason, found.back_at, found.instead_of) == (technician, reason, None, "")


def test_the_reason_is_said_in_words_with_the_time_that_was_worked():
    found = chosen(Roster(**FULL))
    assert why(people(), found, ticket(**BETA)) == "Luis Soto: 14 h on Beta Ltd"
    waits = chosen(Roster(**FULL, absences=away("luis", 1)))
    assert why(people(), waits, ticket(**BETA)) == (
        "Luis Soto: 14 h on Beta Ltd; away until 2026-11-04 09:00 UTC, waits"
    )


def test_away_for_short_the_ticket_waits_for_who_knows_it():
    found = chosen(Roster(**FULL, absences=away("luis", 2)))
    assert (found.technician, found.back_at) == ("luis", datetime(2026, 11, 5, 9, 0, tzinfo=UTC))
    held = placed(ticket(), found)
    assert (held.technician, held.status, held.held_for) == ("luis", Status.HELD, "away")


@pytest.mark.parametrize(("days", "priority"), [(3, Priority.NORMAL), (1, Priority.URGENT)])
def test_away_for_long_or_urgent_the_next_in_the_order_takes_it(days: int, priority: Priority):
    found = chosen(Roster(**FULL, absences=away("luis", days)), priority=priority)
    assert (found.technician, found.reason, found.minutes, found.instead_of) == ("sara", "on_client", 60, "luis")
    assert placed(ticket(status=Status.HELD, held_for="away"), found).status is Status.OPEN


def test_who_is_chosen_for_load_alone_makes_no_ticket_wait():
    found = chosen(Roster(absences=away("marta", 1)), category=None)
    assert (found.technician, found.reason, found.back_at) == ("luis", "load", None)


def test_the_director_is_asked_when_nobody_else_is_there():
    absences = away("marta", 9) | away("luis", 9) | away("sara", 9)
    found = chosen(Roster(absences=absences), category=None)
    assert (found.technician, found.reason) == ("elena", "only")


def test_with_nobody_there_the_ticket_stays_with_who_has_the_strongest_claim_and_waits_for_nobody():
    absences = away("marta", 9) | away("luis", 9) | away("sara", 9) | away("elena", 9)
    found = chosen(Roster(**FULL, absences=absences))
    assert (found.technician, found.reason, found.back_at) == ("luis", "nobody", None)


@pytest.mark.parametrize("held_for", ["balance", "rule"])
def test_a_ticket_that_waits_for_something_else_goes_on_waiting_for_it(held_for: str):
    before = ticket(status=Status.HELD, held_for=held_for)
    after = placed(before, Choice("luis", "client", back_at=NOW))
    assert (after.technician, after.held_for) == ("luis", held_for)


# ---- how long somebody is away -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begins", "days", "back", "short"),
    [
        (TODAY, 2, (11, 5), True),  # Tuesday and Wednesday
        (TODAY, 3, (11, 6), False),
        (date(2026, 11, 6), 1, None, True),  # Friday: there on Tuesday
        (date(2026, 11, 1), 1, None, True),  # was over before
    ],
)
def test_away_is_counted_in_open_days(begins: date, days: int, back: tuple[int, int] | None, short: bool):
    found = gone(people(), away("luis", days, begins)["luis"], NOW)
    assert (found is not None) == (back is not None)
    if found is not None and back is not None:
        assert (found.back_at, found.short) == (datetime(2026, *back, 9, 0, tzinfo=UTC), short)


def test_a_weekend_and_a_holiday_count_for_nothing():
    friday = datetime(2026, 12, 4, 10, 0, tzinfo=UTC)
    # Friday to Tuesday; the Monday is no holiday in Madrid in 2026, the Tuesday is.
    found = gone(people(), away("luis", 5, date(2026, 12, 4))["luis"], friday)
    assert found is not None
    assert (found.back_at, found.short) == (datetime(2026, 12, 9, 9, 0, tzinfo=UTC), True)


def test_on_a_sunday_what_counts_is_the_day_on_which_the_desk_opens():
    sunday = datetime(2026, 11, 8, 12, 0, tzinfo=UTC)
    assert gone(people(), away("luis", 1, date(2026, 11, 8))["luis"], sunday) is None
    assert gone(people(), away("luis", 1, date(2026, 11, 9))["luis"], sunday) is not None


def test_absences_that_follow_on_each_other_are_one():
    friday, monday = date(2026, 11, 6), date(2026, 11, 9)
    noted = (*away("luis", 1, friday)["luis"], *away("luis", 2, monday)["luis"])
    found = gone(people(), noted, datetime(2026, 11, 6, 10, 0, tzinfo=UTC))
    assert found is not None
    assert (found.back_at, found.short) == (datetime(2026, 11, 11, 9, 0, tzinfo=UTC), False)


def test_the_rules_and_what_people_wrote_count_together():
    luis = {**PEOPLE["luis"], "away": [{"from": "2026-11-10", "to": "2026-11-12"}]}
    at = people(technicians={**PEOPLE, "luis": luis})
    noted = away("luis", 1)["luis"] + away("marta", 1)["marta"]
    assert [(one.since.day, one.until.day) for one in ahead(at, "luis", noted, TODAY)] == [(3, 3), (10, 12)]
    assert [one.since.day for one in ahead(at, "luis", noted, date(2026, 11, 12))] == [10]


def test_how_short_is_short_stands_in_the_rules():
    at = people(promise={"short_absence": "1d"})
    found = gone(at, away("luis", 2)["luis"], NOW)
    assert found is not None
    assert not found.short


# ---- whatever the facts are ----------------------------------------------------------------------

IDS = [*PEOPLE, "gone"]
minutes = st.dictionaries(st.sampled_from(IDS), st.integers(1, 900))
rosters = st.builds(
    Roster,
    on_client=minutes,
    on_category=st.dictionaries(st.sampled_from(["security", "bug"]), minutes),
    load=minutes,
    absences=st.dictionaries(st.sampled_from(IDS), st.integers(1, 12)).map(
        lambda found: {id_: away(id_, days)[id_] for id_, days in found.items()}
    ),
)
tickets_of_any_kind = st.builds(
    ticket,
    client=st.sampled_from(["acme", "beta", "gone"]),
    technician=st.sampled_from([None, *IDS]),
    category=st.sampled_from([None, Category.SECURITY, Category.DESIGN]),
    priority=st.sampled_from(Priority),
)


@given(rosters, tickets_of_any_kind, st.sampled_from(["", "rule"]))
def test_never_who_is_away_or_unknown_and_always_somebody_while_anybody_is_there(roster: Roster, of: Any, rule: str):
    at = people()
    found = choose(at, of, roster, NOW, rule)
    there = [id_ for id_ in PEOPLE if id_ not in roster.absences]
    assert found.technician in PEOPLE
    if found.back_at:
        absences = roster.absences[found.technician]
        assert (absences[0].until - TODAY).days < 2
        assert of.priority is not Priority.URGENT
        assert found.reason not in ("load", "only", "nobody")
    else:
        assert found.technician in there or not there
        assert (found.reason == "nobody") == (not there)
    if found.reason == "load":
        others = [id_ for id_ in there if id_ != "elena"]
        assert roster.load.get(found.technician, 0) == min(roster.load.get(id_, 0) for id_ in others)
