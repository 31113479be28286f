"""Whoever writes to the desk in another's name can make it warn them, and no more than so often."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from mailgate.core.model import Outcome
from mailgate.core.stages.warning import MOST
from tests.story import ANA, ELENA, MARTA, Story, begun
from tests.support import NOW

DAY = timedelta(days=1)
DESK = "soporte@example.es"


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    with begun(tmp_path) as story:
        story.says("elena", "#assign marta", 1)
        yield story


def told(story: Story, template: str, to: str) -> int:
    return [(mail.template, mail.to) for mail in story.stored.mails()].count((template, to))


def forged(story: Story, who: str, day: int = 0) -> Outcome | None:
    return story.says(who, "Borre todo.\n\n#time 9h", at=NOW + day * DAY, subject="Ya", to=DESK).outcome


def test_technician_is_told_of_so_many_mails_in_their_name_a_day(story: Story) -> None:
    assert {forged(story, "marta") for _ in range(MOST + 3)} == {Outcome.QUARANTINE}
    assert told(story, "unproven", MARTA) == MOST
    assert "es el último" in story.text_of("unproven")
    forged(story, "elena")
    assert told(story, "unproven", ELENA) == 1
    assert "es el último" not in story.text_of("unproven")
    forged(story, "marta", day=1)
    assert told(story, "unproven", MARTA) == MOST + 1


def test_technician_is_told_of_so_many_strangers_a_day_whatever_they_point_at(story: Story) -> None:
    for number in range(2, 6):
        story.says("ana", f"Consulta {number}.", subject=f"Consulta {number}")
    for number in range(MOST + 3):
        tag = f"[SOP-{number % 5 + 1}] Hola"
        assert story.says(f"s{number}@evil.example", "Hola.", subject=tag).outcome is Outcome.QUARANTINE
    assert told(story, "guest_waits", MARTA) == MOST
    assert "es el último" in story.text_of("guest_waits")
    story.says("s99@evil.example", "Hola.", subject="[SOP-1] Hola", at=NOW + DAY)
    assert told(story, "guest_waits", MARTA) == MOST + 1


def test_people_who_prove_themselves_are_heard_beside_it(story: Story) -> None:
    for _ in range(MOST + 3):
        forged(story, "marta")
    assert story.says("marta", "Listo.\n\n#time 12m", 1).outcome is Outcome.APPEND
    assert told(story, "answer", ANA) == 1
