"""Planned work by the clock: it starts on its day, and what is overdue is told once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailgate.core.model import Status
from mailgate.service.jobs import planned
from tests.story import ELENA, MARTA, Story, begun
from tests.support import NOW, desk

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# NOW is Tuesday, 3 November 2026, 11:00 in Madrid; the desk opens at 10:00.
THURSDAY = datetime(2026, 11, 5, 9, 0, tzinfo=UTC)
FRIDAY, MONDAY = THURSDAY + DAY, THURSDAY + 4 * DAY


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    with begun(tmp_path) as story:
        story.says("marta", "#plan 2026-11-05 2026-11-06", 1)
        story.told()
        yield story


def run(story: Story, at: datetime) -> list[tuple[str, str]]:
    with story.stored.store.write() as tx:
        planned.run(tx, story.stored.office, at)
    return story.told()


def test_on_its_day_at_opening_time_the_ticket_opens_and_its_technician_is_told(story: Story) -> None:
    assert [run(story, at) for at in (NOW, THURSDAY - DAY, THURSDAY - timedelta(minutes=1))] == [[], [], []]
    assert story.ticket().status is Status.SCHEDULED
    assert run(story, THURSDAY) == [("start_today", MARTA)]
    assert story.ticket().status is Status.OPEN
    assert "Entrega prevista: viernes, 6 de noviembre de 2026." in story.text_of("start_today")
    assert [run(story, THURSDAY + hours * HOUR) for hours in (0, 1, 5)] == [[], [], []]


def test_question_that_came_meanwhile_is_owed_from_the_start_on(story: Story) -> None:
    story.says("ana", "¿Va todo bien?", 1, NOW + HOUR)
    run(story, THURSDAY)
    assert story.ticket().answer_due_at == THURSDAY + 4 * HOUR


def test_planned_work_alone_owes_no_answer(story: Story) -> None:
    run(story, THURSDAY)
    assert story.ticket().answer_due_at is None


def test_start_that_was_missed_is_made_up_for_once_when_the_desk_is_open(story: Story) -> None:
    saturday = THURSDAY + 2 * DAY
    assert run(story, saturday) == []
    assert run(story, MONDAY) == [("start_today", MARTA), ("overdue", MARTA), ("overdue", ELENA)]
    assert run(story, MONDAY + HOUR) == []


def test_postponed_work_starts_on_its_new_day(story: Story) -> None:
    story.says("marta", "#postpone 2026-11-06 2026-11-09", 1)
    story.told()
    assert run(story, THURSDAY) == []
    assert run(story, FRIDAY) == [("start_today", MARTA)]


@pytest.mark.parametrize("order", ["#close", "#status waiting"])
def test_work_that_is_scheduled_no_more_does_not_start(story: Story, order: str) -> None:
    story.says("marta", order, 1)
    assert run(story, THURSDAY) == []
    assert story.ticket().status is not Status.OPEN


def test_delivery_that_is_over_is_told_once_to_technician_and_director(story: Story) -> None:
    run(story, THURSDAY)
    assert run(story, FRIDAY + 9 * HOUR) == [], "the day is not over"
    assert run(story, FRIDAY + 15 * HOUR) == [], "nor does anybody work at midnight"
    assert run(story, MONDAY) == [("overdue", MARTA), ("overdue", ELENA)]
    text = story.text_of("overdue")
    assert all(words in text for words in ("SOP-1", "Acme S.L.", "6 nov 2026", "«#close SOP-1»"))
    assert [run(story, MONDAY + hours * HOUR) for hours in (1, 24, 48)] == [[], [], []]


def test_closed_in_time_is_told_to_nobody(story: Story) -> None:
    run(story, THURSDAY)
    story.says("marta", "Entregado.\n\n#close", 1, FRIDAY)
    assert run(story, MONDAY) == []


def test_new_delivery_day_is_told_again_when_it_is_over(story: Story) -> None:
    run(story, THURSDAY)
    run(story, MONDAY)
    story.says("marta", "#postpone 2026-11-10 2026-11-11", 1, MONDAY)
    story.told()
    assert run(story, MONDAY + DAY) == [("start_today", MARTA)]
    assert run(story, MONDAY + 3 * DAY) == [("overdue", MARTA), ("overdue", ELENA)]


def test_work_whose_day_has_become_a_holiday_starts_on_the_next_open_day(story: Story, tmp_path: Path) -> None:
    closed = desk(hours={"holidays": {"closed": ["2026-11-05"]}, **dict.fromkeys(("thu", "fri"), "10:00-20:00")})
    office = story.stored.office
    story.stored.office = type(office)(closed, office.renderer)
    assert run(story, THURSDAY) == []
    assert run(story, FRIDAY) == [("start_today", MARTA)]
