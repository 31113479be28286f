"""Technicians say when they are away, by mail; or their robot does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailgate.core.model import Absence, Outcome, Status
from mailgate.store import absences
from tests.service.test_technicians import PEOPLE, asks, away, sent, told
from tests.story import ANA, ELENA, MARTA, Story
from tests.support import NOW, reply_address

DAY = timedelta(days=1)
TODAY = date(2026, 11, 3)
ROBOT = "Auto-Submitted: auto-replied\n"


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    with told(tmp_path) as story:
        asks(story)
        yield story


def noted(story: Story, technician: str = "marta") -> list[tuple[date, date]]:
    with story.stored.store.read() as tx:
        found = absences.since(tx, TODAY - 99 * DAY).get(technician, ())
    return [(one.since, one.until) for one in found]


def tells(story: Story, text: str, **more: Any) -> None:
    """Marta, in answer to a mail of the desk that belongs to no ticket."""
    more = {"to": reply_address(0, MARTA), "subject": "Ausencia", **more}
    story.says("marta", text, **more)


DECEMBER = (date(2026, 12, 21), date(2026, 12, 24))


def test_an_absence_is_noted_and_confirmed_with_the_tickets_that_fall_into_it(story: Story):
    tells(story, "#fuera 2026-12-21 2026-12-24")
    assert noted(story) == [DECEMBER]
    assert sent(story)[-1] == ("away_noted", MARTA)
    text = story.text_of("away_noted")
    assert "lunes, 21 de diciembre de 2026 – jueves, 24 de diciembre de 2026" in text
    assert "SOP-1 · Acme S.L. · nuevo: El carrito" in text


def test_it_may_stand_in_an_answer_to_a_client_who_does_not_see_it(story: Story):
    story.says("marta", "Lo miro.\n\n#fuera 2026-12-21 2026-12-24", 1)
    assert noted(story) == [DECEMBER]
    assert story.ticket().status is Status.WAITING
    assert "fuera" not in story.text_of("answer")
    assert "De momento no tienes ningún ticket" in story.text_of("away_noted")


def test_without_proof_nothing_is_noted(story: Story):
    plan = story.says("marta", "#fuera 2026-12-21", subject="Fuera")
    assert (plan.outcome, noted(story)) == (Outcome.QUARANTINE, [])


def test_with_one_wrong_line_nothing_is_noted(story: Story):
    tells(story, "#fuera 2026-12-21\n#fuera pronto")
    assert noted(story) == []
    assert "«pronto» no es un día" in story.text_of("problems")


def test_a_rehearsal_notes_nothing(story: Story):
    tells(story, "#prueba\n#fuera 2026-12-21")
    assert noted(story) == []


def test_told_twice_it_is_noted_once(story: Story):
    for _ in range(2):
        tells(story, "#fuera 2026-12-21 2026-12-24")
    assert noted(story) == [DECEMBER]


def test_off_takes_back_what_is_ahead_and_ends_what_has_begun(story: Story):
    away(story, "marta", 1, 6)
    away(story, "luis", 1, 6)
    tells(story, "#fuera 2026-12-21 2026-12-24")
    tells(story, "#fuera no")
    assert noted(story) == [(date(2026, 11, 1), TODAY - DAY)]
    assert noted(story, "luis") == [(date(2026, 11, 1), date(2026, 11, 6))]
    assert "No queda ninguna ausencia tuya" in story.text_of("away_noted")


def test_off_beside_new_days_replaces_the_old_ones(story: Story):
    tells(story, "#fuera 2026-12-21 2026-12-24")
    tells(story, "#fuera 2026-12-28\n#fuera no")
    assert noted(story) == [(date(2026, 12, 28), date(2026, 12, 28))]


def test_what_stands_in_the_rules_is_listed_and_stays(tmp_path: Path):
    marta = {**PEOPLE["marta"], "away": [{"from": "2026-11-20", "to": "2026-11-21"}]}
    with told(tmp_path, technicians={**PEOPLE, "marta": marta}) as story:
        asks(story)
        tells(story, "#fuera no")
        assert "20 de noviembre de 2026 – sábado, 21 de noviembre de 2026 (puesto en rules.toml)" in story.text_of(
            "away_noted"
        )


def test_planned_work_is_listed_where_it_falls_into_the_absence(story: Story):
    story.says("elena", "#estado espera", 1)
    with story.stored.store.write() as tx:
        tx.run("update ticket set status = 'scheduled', planned_start = '2026-12-22'")
    tells(story, "#fuera 2026-12-28")
    assert "SOP-1" not in story.text_of("away_noted")
    tells(story, "#fuera 2026-12-21 2026-12-24")
    assert "SOP-1 · Acme S.L. · planificado · 22 dic 2026: El carrito" in story.text_of("away_noted")


def test_a_client_is_away_for_nobody(story: Story):
    story.says("ana", "#fuera 2026-12-21 2026-12-24", 1)
    assert noted(story) == []


# ---- robots --------------------------------------------------------------------------------------


def robot(story: Story, who: str = "marta", days: int = 0, ticket: int | None = 1) -> None:
    story.says(who, "Estoy fuera hasta el lunes.\n\n#time 5m", ticket, at=NOW + days * DAY, headers=ROBOT)


def test_a_robot_of_a_technician_is_an_internal_note_and_the_director_learns_of_it(story: Story):
    before = len(sent(story))
    robot(story)
    assert sent(story)[before:] == [("maybe_away", ELENA)]
    assert "Estoy fuera hasta el lunes." in story.text_of("maybe_away")
    assert "Tiene 1 ticket abierto." in story.text_of("maybe_away")
    assert len(story.ledger()) == 1, "a robot runs no command"
    assert story.ticket().status is Status.NEW


def test_the_director_is_told_once_in_a_few_days_and_of_each_technician(story: Story):
    for days in (0, 0, 1, 3):
        robot(story, days=days)
    robot(story, "luis@example.es", ticket=None)
    assert len(sent(story, "maybe_away")) == 2
    robot(story, days=8)
    assert len(sent(story, "maybe_away")) == 3


def test_who_is_known_to_be_away_is_no_news(story: Story):
    with story.stored.store.write() as tx:
        absences.note(tx, Absence("marta", TODAY, TODAY), None)
    robot(story)
    robot(story, "elena")
    robot(story, "ana")
    assert sent(story, "maybe_away") == []
    assert ANA not in [to for _, to in sent(story)[2:]]
