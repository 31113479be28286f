"""Who does what as people live it: a real store, mails in, mails out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from mailgate.core.model import Absence, Status
from mailgate.store import absences
from tests.stored import stored_desk
from tests.story import ANA, ELENA, MARTA, Story
from tests.support import NOW, RULES, desk

LUIS = "luis@example.es"
PEOPLE = {**RULES["technicians"], "luis": {"name": "Luis Soto", "addresses": [LUIS]}}
URGENT = {"name": "down", "match": {"any": ["web caída"]}, "set": {"priority": "urgent", "category": "bug"}}


@contextmanager
def told(folder: Path, **rules: Any) -> Iterator[Story]:
    with stored_desk(folder, desk(**{"technicians": PEOPLE, "rules": [URGENT], **rules})) as stored:
        stored.book(240, package="4h", price="160.00 EUR")
        story = Story(stored)
        yield story
        assert story.problems() == []


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    with told(tmp_path) as story:
        yield story


def away(story: Story, technician: str, since: int, until: int) -> None:
    """Days of November."""
    with story.stored.store.write() as tx:
        absences.note(tx, Absence(technician, date(2026, 11, since), date(2026, 11, until)), None)


def sent(story: Story, *templates: str) -> list[tuple[str, str]]:
    """Template and recipient of all mails so far, or of these templates."""
    return [(mail.template, mail.to) for mail in story.stored.mails() if not templates or mail.template in templates]


def asks(story: Story, text: str = "No va el carrito.", who: str = "ana", at: datetime = NOW, **parts: str) -> None:
    story.says(who, text, at=at, **parts)


def test_the_notice_says_why_it_is_this_technician(story: Story):
    asks(story)
    assert story.ticket().technician == "marta"
    assert "Marta Gil: es quien lleva a este cliente" in story.text_of("notice")


def test_who_worked_most_for_a_client_gets_their_next_ticket(story: Story):
    for number, subject in enumerate(("Uno", "Dos"), 1):
        story.says("hello@beta.example", "Hello.", subject=subject)
        story.says(LUIS, f"Hecho.\n\n#time {number}h", number)
    story.says("hello@beta.example", "Hello again.", subject="Tres")
    assert story.ticket(3).technician == "luis"
    assert "Luis Soto: 3 h con Beta Ltd" in story.text_of("notice")


def test_work_that_was_taken_back_counts_for_nothing(story: Story):
    story.says("hello@beta.example", "Hello.", subject="Uno")
    story.says(LUIS, "Hecho.\n\n#time 2h", 1)
    story.says(LUIS, "#void 2", 1)  # entry 1 is the purchase
    story.says("hello@beta.example", "Hello again.", subject="Dos")
    assert story.ticket(2).technician == "marta"
    assert "quien menos tickets abiertos tiene" in story.text_of("notice")


def test_tickets_that_nobody_has_a_claim_to_go_to_the_least_loaded(story: Story):
    for subject in ("Uno", "Dos", "Tres", "Cuatro"):
        story.says("hello@beta.example", "Hello.", subject=subject)
    assert [story.ticket(number).technician for number in (1, 2, 3, 4)] == ["marta", "luis", "marta", "luis"]


def test_away_for_short_the_acknowledgement_says_who_and_until_when(story: Story):
    away(story, "marta", 3, 4)
    asks(story)
    assert (story.ticket().status, story.ticket().held_for, story.ticket().technician) == (
        Status.HELD,
        "away",
        "marta",
    )
    assert "se ocupa Marta Gil, que vuelve el jueves a las 10:00" in story.text_of("ack")
    assert "Espera a Marta Gil" in story.text_of("notice")


def test_away_for_long_somebody_else_takes_it_and_reads_why(story: Story):
    away(story, "marta", 3, 12)
    asks(story)
    assert (story.ticket().status, story.ticket().technician) == (Status.NEW, "luis")
    assert "(Marta Gil está fuera)" in story.text_of("notice")
    assert sent(story) == [("ack", ANA), ("notice", LUIS)]


def test_what_is_urgent_waits_for_nobody(story: Story):
    away(story, "marta", 3, 3)
    asks(story, "La web caída desde hace una hora.")
    assert (story.ticket().status, story.ticket().technician) == (Status.NEW, "luis")


def test_an_answer_in_an_old_ticket_tells_the_client_once_that_it_waits(story: Story):
    asks(story)
    story.says("marta", "¿Qué navegador usa?", 1)
    away(story, "marta", 3, 4)
    before = len(sent(story))
    story.says("ana", "Firefox.", 1)
    assert sent(story)[before:] == [("waits_for_technician", ANA), ("notice", MARTA)]
    assert "Marta Gil" in story.text_of("waits_for_technician")
    story.says("ana", "La versión 140.", 1)
    # Nobody who is there would read the second one otherwise.
    assert sent(story)[before + 2 :] == [("notice", MARTA), ("notice", ELENA)]
    assert story.ticket().held_for == "away"


def test_an_answer_while_its_technician_is_away_for_long_is_handed_over_with_the_conversation(story: Story):
    asks(story)
    story.says("marta", "¿Qué navegador usa?", 1)
    away(story, "marta", 3, 20)
    before = len(sent(story))
    story.says("ana", "Firefox.", 1)
    assert sent(story)[before:] == [("handed_over", LUIS)]
    assert (story.ticket().technician, story.ticket().status) == ("luis", Status.OPEN)
    text = story.text_of("handed_over")
    assert all(words in text for words in ("¿Qué navegador usa?", "Firefox.", "Marta Gil está fuera"))


def test_a_held_ticket_that_turns_urgent_goes_to_who_is_there(story: Story):
    away(story, "marta", 3, 4)
    asks(story)
    story.says("ana", "Ahora la web caída entera.", 1)
    assert (story.ticket().technician, story.ticket().status, story.ticket().held_for) == ("luis", Status.OPEN, "")


def test_a_held_ticket_that_is_given_to_somebody_else_does_not_wait_any_more(story: Story):
    away(story, "marta", 3, 4)
    asks(story)
    story.says("elena", "#assign luis", 1)
    assert (story.ticket().technician, story.ticket().status, story.ticket().held_for) == ("luis", Status.OPEN, "")


def test_a_rule_assigns_and_says_its_name(tmp_path: Path):
    rule = {"name": "tiendas", "match": {"any": "carrito"}, "set": {"assign": "luis"}}
    with told(tmp_path, rules=[rule]) as story:
        asks(story)
        assert story.ticket().technician == "luis"
        assert "Luis Soto: lo asigna la regla «tiendas»" in story.text_of("notice")


def test_who_is_no_client_yet_stays_with_the_director(tmp_path: Path):
    with told(tmp_path, desk={"strangers": "prospect"}) as story:
        story.says("nuevo@otra.example", "¿Lleváis tiendas?")
        assert story.ticket().technician == "elena"


def test_work_that_waits_for_minutes_waits_for_them_and_not_for_somebody(story: Story):
    asks(story)
    story.says("marta", "Hecho.\n\n#time 4h", 1)
    away(story, "marta", 3, 4)
    asks(story, "Otra cosa.", subject="Otra")
    assert (story.ticket(2).technician, story.ticket(2).held_for) == ("marta", "balance")
