"""Technicians go and come back, with a real store and a clock that is moved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from mailgate.core.desk import Desk
from mailgate.core.model import Status
from mailgate.core.settings.checks import build
from mailgate.core.settings.rules import Rules
from mailgate.service.schedule import JOBS
from mailgate.store import absences
from tests.service.test_technicians import LUIS, away, sent, told
from tests.stored import stored_desk
from tests.story import ANA, ELENA, MARTA, Story
from tests.support import KEY, RULES

# Monday was a holiday; the desk opens on Tuesday at 10:00 in Madrid.
FRIDAY = datetime(2026, 10, 30, 10, 0, tzinfo=UTC)
TUESDAY, WEDNESDAY, THURSDAY, FRIDAY_AFTER = (datetime(2026, 11, day, 9, 0, tzinfo=UTC) for day in (3, 4, 5, 6))
MINUTE = timedelta(minutes=1)


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """Ana asked on Friday, and Marta has her ticket."""
    with told(tmp_path) as story:
        story.says("ana", "No va el carrito.", at=FRIDAY)
        sent_so_far(story)
        yield story


def runs(story: Story, at: datetime) -> int:
    with story.stored.store.write() as tx:
        return JOBS["absences"](tx, story.stored.office, at)


def sent_so_far(story: Story) -> None:
    story.before = len(sent(story))  # type: ignore[attr-defined]


def since_then(story: Story) -> list[tuple[str, str]]:
    found = sent(story)[story.before :]  # type: ignore[attr-defined]
    sent_so_far(story)
    return found


def test_when_a_short_absence_begins_the_ticket_waits_and_the_client_is_told_once(story: Story):
    away(story, "marta", 3, 4)
    assert runs(story, TUESDAY - MINUTE) == 0
    assert [runs(story, TUESDAY + minutes * MINUTE) for minutes in (0, 1, 60)] == [1, 0, 0]
    held = story.ticket()
    assert (held.status, held.held_for, held.technician, held.answer_due_at) == (Status.HELD, "away", "marta", None)
    assert since_then(story) == [("waits_for_technician", ANA)]
    assert "vuelve el jueves" in story.text_of("waits_for_technician")
    assert runs(story, WEDNESDAY) == 0


def test_when_it_ends_the_tickets_go_on_and_one_mail_lists_them(story: Story):
    story.says("ana", "Y el logo.", subject="El logo", at=FRIDAY)
    away(story, "marta", 3, 4)
    runs(story, TUESDAY)
    sent_so_far(story)
    assert [runs(story, at) for at in (THURSDAY - MINUTE, THURSDAY, THURSDAY + MINUTE)] == [0, 2, 0]
    assert since_then(story) == [("back_again", MARTA)]
    assert all(tag in story.text_of("back_again") for tag in ("SOP-1", "SOP-2"))
    assert (story.ticket().status, story.ticket().held_for) == (Status.OPEN, "")
    assert story.ticket().answer_due_at is not None


def test_when_a_long_absence_begins_the_tickets_are_handed_over_with_the_reason(story: Story):
    away(story, "marta", 3, 20)
    assert [runs(story, TUESDAY), runs(story, TUESDAY + MINUTE)] == [1, 0]
    assert since_then(story) == [("handed_over", LUIS)]
    assert (story.ticket().technician, story.ticket().status) == ("luis", Status.NEW)
    text = story.text_of("handed_over")
    assert all(words in text for words in ("No va el carrito.", "Marta Gil está fuera", "Luis Soto"))


def test_an_urgent_ticket_is_handed_over_even_for_a_day(story: Story):
    story.says("elena", "#prioridad urgente", 1, at=FRIDAY)
    away(story, "marta", 3, 3)
    runs(story, TUESDAY)
    assert story.ticket().technician == "luis"


def test_a_daemon_that_was_off_for_all_of_it_says_nothing(story: Story):
    away(story, "marta", 3, 4)
    assert runs(story, FRIDAY_AFTER) == 0
    assert since_then(story) == []


def test_a_ticket_that_came_in_held_is_not_told_again_but_goes_on(story: Story):
    away(story, "marta", 3, 4)
    story.says("ana", "Otra cosa.", subject="Otra", at=TUESDAY + 5 * MINUTE)
    runs(story, TUESDAY + 6 * MINUTE)
    assert [to for template, to in since_then(story) if template == "waits_for_technician"] == [ANA]
    runs(story, THURSDAY)
    assert "SOP-2" in story.text_of("back_again")


def test_somebody_who_stays_away_for_longer_lets_the_client_know_or_lets_go(story: Story):
    away(story, "marta", 3, 3)
    runs(story, TUESDAY)
    away(story, "marta", 4, 4)
    sent_so_far(story)
    assert [runs(story, TUESDAY + 60 * MINUTE), runs(story, TUESDAY + 61 * MINUTE)] == [1, 0]
    assert since_then(story) == [("waits_for_technician", ANA)]
    away(story, "marta", 5, 20)
    assert runs(story, TUESDAY + 90 * MINUTE) == 1
    assert since_then(story) == [("handed_over", LUIS)]
    assert story.ticket().held_for == ""


def test_what_a_person_decides_during_the_absence_stays(story: Story):
    away(story, "marta", 3, 4)
    runs(story, TUESDAY)
    story.says("elena", "#estado abierto", 1, at=TUESDAY + MINUTE)
    assert runs(story, TUESDAY + 2 * MINUTE) == 0
    assert story.ticket().status is Status.OPEN


def test_who_takes_an_absence_back_has_their_tickets_at_once(story: Story):
    away(story, "marta", 3, 4)
    runs(story, TUESDAY)
    with story.stored.store.write() as tx:
        absences.withdraw(tx, "marta", date(2026, 11, 3))
    assert runs(story, TUESDAY + MINUTE) == 1
    assert story.ticket().status is Status.OPEN


def test_what_waits_for_minutes_or_for_the_client_is_left_alone(story: Story):
    story.says("marta", "¿Qué navegador usa?", 1, at=FRIDAY)
    away(story, "marta", 3, 20)
    assert runs(story, TUESDAY) == 0


def desk_of(*people: str) -> Desk:
    """A desk with these people alone."""
    technicians = {id_: {"name": id_.title(), "addresses": [f"{id_}@example.es"]} for id_ in people}
    clients = {"acme": {"name": "Acme S.L.", "addresses": [ANA]}}
    rules = build({**RULES, "technicians": technicians, "clients": clients})
    assert isinstance(rules, Rules)
    return Desk(rules, KEY)


def test_what_waits_for_somebody_whom_the_rules_no_longer_have_goes_to_somebody_else(tmp_path: Path):
    with told(tmp_path) as story:
        away(story, "marta", 3, 4)
        story.says("ana", "No va.", at=TUESDAY)
        story.stored.office = replace(story.stored.office, desk=desk_of("elena", "luis"))
        assert [runs(story, TUESDAY + MINUTE), runs(story, TUESDAY + 2 * MINUTE)] == [1, 0]
        assert (story.ticket().technician, story.ticket().status) == ("luis", Status.OPEN)


def test_a_desk_of_one_who_is_away_for_long_keeps_its_tickets(tmp_path: Path):
    with stored_desk(tmp_path, desk_of("elena")) as stored:
        story = Story(stored)
        story.says("ana", "No va.", at=FRIDAY)
        away(story, "elena", 3, 20)
        assert runs(story, TUESDAY) == 0
        assert (story.ticket().technician, story.ticket().status) == ("elena", Status.NEW)


# ---- planned work whose technician is away on its day ---------------------------------------------


def starts(story: Story, at: datetime) -> None:
    """The jobs in their order, as each minute runs them, twice."""
    for _ in range(2):
        with story.stored.store.write() as tx:
            for job in ("planned", "promises", "absences"):
                JOBS[job](tx, story.stored.office, at)


def planned_for_thursday(story: Story) -> None:
    story.says("marta", "#plan 2026-11-05 2026-11-06", 1, at=TUESDAY)
    sent_so_far(story)


def test_planned_work_of_who_is_away_for_short_waits_on_its_day_and_client_and_director_are_told_once(story: Story):
    planned_for_thursday(story)
    away(story, "marta", 4, 5)
    starts(story, THURSDAY)
    assert since_then(story) == [("waits_for_technician", ANA), ("starts_without", ELENA)]
    assert (story.ticket().status, story.ticket().held_for) == (Status.HELD, "away")
    told = story.text_of("starts_without")
    assert all(words in told for words in ("Marta Gil está fuera", "espera a que vuelva, mañana", "6 de noviembre"))
    starts(story, FRIDAY_AFTER)
    assert since_then(story) == [("back_again", MARTA)]
    assert story.ticket().status is Status.OPEN


def test_planned_work_of_who_is_away_for_long_goes_to_somebody_else_on_its_day(story: Story):
    planned_for_thursday(story)
    away(story, "marta", 4, 30)
    starts(story, THURSDAY)
    assert since_then(story) == [("handed_over", LUIS), ("starts_without", ELENA)]
    assert (story.ticket().status, story.ticket().technician) == (Status.OPEN, "luis")
    assert "Planificado: 5 nov 2026 – 6 nov 2026" in story.text_of("handed_over")
    assert "Pasa a Luis" in story.text_of("starts_without")


def test_who_is_given_planned_work_back_by_a_person_keeps_it(story: Story):
    planned_for_thursday(story)
    away(story, "marta", 4, 30)
    starts(story, THURSDAY)
    story.says("elena", "#assign marta", 1, at=THURSDAY)
    sent_so_far(story)
    starts(story, THURSDAY + MINUTE)
    assert (since_then(story), story.ticket().technician) == ([], "marta")


def test_where_nobody_is_there_planned_work_opens_and_the_director_is_told(story: Story):
    planned_for_thursday(story)
    for who in ("marta", "luis", "elena"):
        away(story, who, 4, 30)
    starts(story, THURSDAY)
    assert since_then(story) == [("starts_without", ELENA)]
    assert "sigue con Marta" in story.text_of("starts_without")
    assert story.ticket().status is Status.OPEN
