"""Until when an answer is owed: when clocks start, stand still, go on and end; a table of edges worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.core import promise
from mailgate.core.model import Status, Ticket
from tests.support import NOW, desk, ticket

DESK = desk()
MADRID, CANARY, CAPITAL = "Europe/Madrid", "Atlantic/Canary", "America/Mexico_City"
HOUR = timedelta(hours=1)


def at(text: str, zone: str = MADRID) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def opened(now: datetime = NOW, **values: Any) -> Ticket:
    return promise.clocked(promise.asked(ticket(**values), DESK, now), DESK, now)


# ---- the table -----------------------------------------------------------------------------------

USUAL = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "10:00-20:00")
MD, CT, ISLANDS = ({"holidays": {"country": "ES", "region": region}} for region in ("MD", "CT", "CN"))
MEXICO = {"holidays": {"country": "MX"}}
WORKED = {"holidays": {**MD["holidays"], "open": ["2026-12-07"]}}
OFF = {"holidays": {**MD["holidays"], "closed": ["2026-12-24"]}}
AUGUST = {"seasons": [{"from": "08-01", "to": "08-31", **dict.fromkeys(USUAL, "09:00-14:00")}]}
SIESTA = {day: ["09:00-14:00", "16:00-19:00"] for day in USUAL}
NIGHTS = {**dict.fromkeys((*USUAL, "sat", "sun"), "00:00-24:00"), "holidays": {}}

# hours, zone, when the client writes, until when the answer is due (in 4 hours), and the quick one (in 1), if any.
EDGES = [
    # the middle of a day, and its ends
    ({}, MADRID, "2026-11-03 11:00", "2026-11-03 15:00", "2026-11-03 12:00"),
    ({}, MADRID, "2026-11-03 16:00", "2026-11-03 20:00", "2026-11-03 17:00"),
    ({}, MADRID, "2026-11-03 16:01", "2026-11-04 10:01", "2026-11-03 17:01"),
    ({}, MADRID, "2026-11-03 19:30", "2026-11-04 13:30", "2026-11-04 10:30"),
    ({}, MADRID, "2026-11-03 19:31", "2026-11-04 13:31", None),
    ({}, MADRID, "2026-11-03 20:00", "2026-11-04 14:00", None),
    ({}, MADRID, "2026-11-03 09:59", "2026-11-03 14:00", None),
    # Friday 19:59: one minute of Friday, the rest on Monday
    ({}, MADRID, "2026-11-13 19:59", "2026-11-16 13:59", None),
    ({}, MADRID, "2026-11-13 19:30", "2026-11-16 13:30", "2026-11-16 10:30"),
    # the October Sunday, with its Saturday and Monday: the clocks go back at three
    ({}, MADRID, "2026-10-23 19:30", "2026-10-26 13:30", "2026-10-26 10:30"),
    ({}, MADRID, "2026-10-24 12:00", "2026-10-26 14:00", None),
    ({}, MADRID, "2026-10-25 02:30", "2026-10-26 14:00", None),
    ({}, MADRID, "2026-10-26 11:00", "2026-10-26 15:00", "2026-10-26 12:00"),
    (NIGHTS, MADRID, "2026-10-25 00:30", "2026-10-25 03:30", "2026-10-25 01:30"),
    # the March Sunday: the hour between two and three is not there
    ({}, MADRID, "2026-03-27 19:00", "2026-03-30 13:00", "2026-03-27 20:00"),
    (NIGHTS, MADRID, "2026-03-29 00:30", "2026-03-29 05:30", "2026-03-29 01:30"),
    # Monday 7 December 2026 is a holiday in Madrid, not in Catalonia; Tuesday 8 in both
    (MD, MADRID, "2026-12-04 19:00", "2026-12-09 13:00", "2026-12-04 20:00"),
    (CT, MADRID, "2026-12-04 19:00", "2026-12-07 13:00", "2026-12-04 20:00"),
    # San Juan is one in Catalonia alone
    (CT, MADRID, "2026-06-24 11:00", "2026-06-25 14:00", None),
    (MD, MADRID, "2026-06-24 11:00", "2026-06-24 15:00", "2026-06-24 12:00"),
    # `open` undoes a holiday, `closed` makes one
    (WORKED, MADRID, "2026-12-07 11:00", "2026-12-07 15:00", "2026-12-07 12:00"),
    (OFF, MADRID, "2026-12-23 19:00", "2026-12-28 13:00", "2026-12-23 20:00"),
    # August: 9 to 14; over its first day and its last
    (AUGUST, MADRID, "2026-08-03 09:30", "2026-08-03 13:30", "2026-08-03 10:30"),
    (AUGUST, MADRID, "2026-08-03 14:00", "2026-08-04 13:00", None),
    (AUGUST, MADRID, "2026-07-31 18:00", "2026-08-03 11:00", "2026-07-31 19:00"),
    (AUGUST, MADRID, "2026-08-31 12:00", "2026-09-01 12:00", "2026-08-31 13:00"),
    # 31 December 2026 is a Thursday: New Year's Day and the weekend follow
    ({}, MADRID, "2026-12-31 19:00", "2027-01-04 13:00", "2026-12-31 20:00"),
    ({}, MADRID, "2027-01-02 12:00", "2027-01-04 14:00", None),
    # a break
    (SIESTA, MADRID, "2026-11-03 13:00", "2026-11-03 19:00", "2026-11-03 14:00"),
    (SIESTA, MADRID, "2026-11-03 13:30", "2026-11-04 09:30", "2026-11-03 16:30"),
    (SIESTA, MADRID, "2026-11-03 15:00", "2026-11-04 10:00", None),
    # other zones: Canary is an hour behind, Mexico City has no summer time any more
    (ISLANDS, CANARY, "2026-10-23 19:30", "2026-10-26 13:30", "2026-10-26 10:30"),
    (MEXICO, CAPITAL, "2026-11-13 19:30", "2026-11-17 13:30", "2026-11-17 10:30"),
    (MEXICO, CAPITAL, "2026-10-23 18:00", "2026-10-26 12:00", "2026-10-23 19:00"),
]


@pytest.mark.parametrize(("hours", "zone", "written", "due", "quick"), EDGES)
def test_answer_is_due_when_four_hours_of_the_desk_have_passed(
    hours: dict[str, Any], zone: str, written: str, due: str, quick: str | None
):
    there = desk(desk={"timezone": zone}, hours=USUAL | hours)
    now = at(written, zone)
    found = promise.clocked(promise.asked(ticket(), there, now), there, now)
    assert found.answer_due_at == at(due, zone)
    assert found.quick_due_at == (at(quick, zone) if quick else None)
    assert (found.answer_left, found.quick_left) == (None, None)


# ---- when clocks run -----------------------------------------------------------------------------


def test_second_message_leaves_the_first_promise_as_it_is():
    first = opened()
    assert promise.clocked(promise.asked(first, DESK, NOW + HOUR / 2), DESK, NOW + HOUR / 2) == first


def test_quick_answer_is_promised_only_where_it_is_the_quicker_one():
    brisk = desk(promise={"first_answer": "30m"})
    found = promise.clocked(promise.asked(ticket(), brisk, NOW), brisk, NOW)
    assert (found.answer_due_at, found.quick_due_at) == (NOW + HOUR / 2, None)


def test_quick_answer_that_did_not_come_is_promised_no_more():
    late = promise.clocked(promise.asked(opened(), DESK, NOW + HOUR), DESK, NOW + HOUR)
    assert (late.answer_due_at, late.quick_due_at) == (NOW + 4 * HOUR, None)


def test_answer_ends_the_promise_and_the_next_message_begins_another():
    answered = promise.clocked(replace(promise.kept(opened()), status=Status.WAITING), DESK, NOW)
    assert (answered.asked_at, answered.answer_due_at, answered.answer_left) == (None, None, None)
    again = promise.clocked(replace(promise.asked(answered, DESK, NOW + HOUR), status=Status.OPEN), DESK, NOW + HOUR)
    assert (again.asked_at, again.answer_due_at) == (NOW + HOUR, NOW + 5 * HOUR)


@pytest.mark.parametrize("status", [Status.WAITING, Status.SCHEDULED, Status.HELD])
def test_clock_stands_still_where_the_ball_is_not_with_the_desk_and_goes_on_later(status):
    still = promise.clocked(replace(opened(), status=status), DESK, NOW + HOUR)
    assert (still.answer_due_at, still.answer_left) == (None, 180)
    assert (still.quick_due_at, still.quick_left) == (None, None), "the hour of the quick answer is over"
    days_later = NOW + 48 * HOUR
    on = promise.clocked(replace(still, status=Status.OPEN), DESK, days_later)
    assert (on.answer_due_at, on.answer_left, on.asked_at) == (days_later + 3 * HOUR, None, NOW)


def test_clock_that_goes_on_at_night_runs_from_the_next_opening():
    still = promise.clocked(replace(opened(), status=Status.HELD), DESK, NOW + HOUR)
    on = promise.clocked(replace(still, status=Status.OPEN), DESK, at("2026-11-07 03:00"))
    assert on.answer_due_at == at("2026-11-09 13:00")


def test_ticket_opened_while_held_has_no_due_time_and_its_whole_promise_left():
    held = opened(status=Status.HELD, held_for="balance")
    assert (held.answer_due_at, held.answer_left, held.quick_left) == (None, 240, 60)
    on = promise.clocked(replace(held, status=Status.OPEN, held_for=""), DESK, NOW + 2 * HOUR)
    assert (on.answer_due_at, on.quick_due_at) == (NOW + 6 * HOUR, NOW + 3 * HOUR)


def test_message_in_a_held_ticket_does_not_wind_the_clock_up_again():
    held = promise.clocked(replace(opened(), status=Status.HELD), DESK, NOW + HOUR)
    assert promise.clocked(promise.asked(held, DESK, NOW + 2 * HOUR), DESK, NOW + 2 * HOUR) == held


def test_message_after_the_ball_was_given_to_the_client_begins_a_new_promise():
    waiting = promise.clocked(replace(opened(), status=Status.WAITING), DESK, NOW + HOUR)
    again = replace(promise.asked(waiting, DESK, NOW + 2 * HOUR), status=Status.OPEN)
    assert promise.clocked(again, DESK, NOW + 2 * HOUR).answer_due_at == NOW + 6 * HOUR


def test_closed_ticket_has_no_clock_and_a_reopened_one_a_new_promise():
    closed = promise.clocked(replace(opened(), status=Status.CLOSED, closed_at=NOW), DESK, NOW)
    assert (closed.asked_at, closed.answer_due_at, closed.answer_left) == (None, None, None)
    by_desk = promise.clocked(replace(closed, status=Status.OPEN, closed_at=None), DESK, NOW)
    assert by_desk.answer_due_at is None, "nobody asked"
    by_client = replace(promise.asked(closed, DESK, NOW + HOUR), status=Status.OPEN, closed_at=None)
    assert promise.clocked(by_client, DESK, NOW + HOUR).answer_due_at == NOW + 5 * HOUR


def test_broken_promise_that_is_put_aside_is_due_at_once_when_it_goes_on():
    late = promise.clocked(replace(opened(), status=Status.HELD), DESK, NOW + 6 * HOUR)
    assert late.answer_left == 0
    on = promise.clocked(replace(late, status=Status.OPEN), DESK, NOW + 7 * HOUR)
    assert (on.answer_due_at, on.asked_at) == (NOW + 7 * HOUR, NOW)


@given(st.lists(st.tuples(st.sampled_from(list(Status)), st.integers(0, 3000)), max_size=12))
def test_pauses_neither_shorten_a_promise_nor_lengthen_it_by_more_than_their_odd_seconds(steps):
    """What is left, in desk time, is what was left before less the desk time in which the clock ran."""
    now, now_ticket, spent = NOW, opened(), 0
    for status, minutes in steps:
        if status is Status.CLOSED:
            continue
        ran = now_ticket.status in (Status.NEW, Status.OPEN)
        before, now = now, now + timedelta(minutes=minutes)
        spent += DESK.calendar.between(before, now) if ran else 0
        now_ticket = promise.clocked(replace(now_ticket, status=status), DESK, now)
        assert promise.clocked(now_ticket, DESK, now) == now_ticket
        left = now_ticket.answer_left
        if left is None and now_ticket.answer_due_at is not None:
            left = DESK.calendar.between(now, now_ticket.answer_due_at)
        assert left == max(0, 240 - spent)
