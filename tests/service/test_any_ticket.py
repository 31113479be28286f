"""What staff order from outside of a ticket, with a real store: any ticket by name, rulings, the quarantine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailgate.core.address import DESK_ITSELF
from mailgate.core.mail import Notice
from mailgate.core.model import MatterState, Outcome, Status
from mailgate.core.plan import Plan
from mailgate.core.stages.proof import LACKS
from mailgate.service.process import FAILED
from mailgate.store import messages, quarantine
from tests.stored import RENDERER, stored_desk
from tests.story import ADDRESSES, ELENA, MARTA, Story
from tests.support import reply_address, written


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """Acme has bought 240 minutes, and Ana has asked for something: SOP-1 is Marta's."""
    with stored_desk(tmp_path) as stored:
        stored.book(240, package="4h", price="160.00 EUR")
        story = Story(stored)
        story.says("ana", "No funciona el carrito.")
        story.told()
        yield story
        assert story.problems() == []


def to_desk(story: Story, who: str, text: str) -> Plan:
    """An answer to a mail of the desk that belongs to no ticket."""
    return story.says(who, text, to=reply_address(DESK_ITSELF, ADDRESSES[who]), subject="Re: Hoy")


def waiting(story: Story) -> list[int]:
    with story.stored.store.read() as tx:
        return [held.id for held in quarantine.waiting(tx)]


def test_a_ticket_is_handed_over_from_outside_with_what_was_said_in_it(story: Story):
    to_desk(story, "elena", "#assign SOP-1 elena\n#assign SOP-1 marta")
    assert story.told() == [("handed_over", MARTA)]
    assert "No funciona el carrito." in story.text_of("handed_over")
    assert story.ticket().technician == "marta"


def test_a_dispute_is_ruled_on_from_outside_and_its_ticket_has_its_answer(story: Story):
    story.says("marta", "Hecho.\n\n#time 30m", 1)
    story.says("ana", "#reclamar 2 no fueron treinta", 1)
    assert story.ticket().status is Status.OPEN
    story.told()
    to_desk(story, "elena", "#adjust 2 10m\n\nEran diez.")
    assert [matter.state for matter in story.matters()] == [MatterState.REDUCED]
    assert (story.ticket().status, story.balance()) == (Status.WAITING, 230)
    assert "Eran diez." in story.text_of("dispute_decided")


def test_a_refund_is_refused_from_outside_by_the_ticket_in_which_it_was_asked(story: Story):
    story.says("ana", "#devolucion", 1)
    story.told()
    to_desk(story, "elena", "#decline SOP-1 el plazo ha pasado")
    assert [matter.state for matter in story.matters()] == [MatterState.REFUSED]
    assert story.ticket().status is Status.WAITING


def test_a_released_message_is_processed_as_if_it_had_just_come(story: Story):
    story.stored.take(written("Listo.", sender=f"Marta <{MARTA}>", subject="[SOP-1]", message_id="<u1@example.es>"))
    (number,) = waiting(story)
    story.told()
    to_desk(story, "elena", f"#release {number}")
    assert waiting(story) == []
    assert story.ticket().status is Status.WAITING, "Marta's answer went out"
    assert story.told() == [], "what is released needs no answer"


def test_a_released_message_keeps_the_doubt(story: Story):
    story.stored.take(written("Listo.", sender=f"Marta <{MARTA}>", subject="[SOP-1]", message_id="<u1@example.es>"))
    (number,) = waiting(story)
    to_desk(story, "elena", f"#release {number}")
    with story.stored.store.read() as tx:
        kept = next(one for one in messages.of_ticket(tx, 1) if one.message_id == "u1@example.es")
    doubt = f"released from quarantine, where it was number {number}: a technician's mail that did not come to"
    assert kept.proof.startswith(doubt)
    assert kept.why.splitlines()[-1] == kept.proof


REASONS = [
    *(f"a technician's mail that {lack}" for lack in LACKS.values()),
    "x@y.example asks that it be not believed (DMARC fail, p=reject)",
    "nothing proves who wrote (trust.clients)",
    "cannot be read safely: more than 1000 parts",
    "From does not name exactly one plain address",
    "eva@nueva.example is nobody that the rules know",
    "more than 20 unknown people in a day (desk.prospects_per_day)",
    FAILED,
    "processing ended the program 5 times",
]


@pytest.mark.parametrize("language", ["es", "en"])
def test_each_reason_of_the_quarantine_has_plain_words(story: Story, language: str):
    values = {"number": 18, "sender": "x@y.example", "subject": "Hola"}
    told = []
    for reason in REASONS:
        notice = Notice("still_quarantined", ELENA, language, ticket=0, values={**values, "reason": reason})
        text, _ = RENDERER.preview(notice, story.stored.office.desk.rules.zone, "Soporte")
        assert reason not in text
        told.append(text)
    assert len(set(told)) == len(REASONS) - 1, "the program failed, or ended: for a reader it is the same"


def test_a_message_that_waits_again_is_told_with_its_new_number(story: Story):
    story.stored.take(written("Hola.", sender="eva@nueva.example", message_id="<e1@nueva.example>"))
    (number,) = waiting(story)
    to_desk(story, "elena", f"#release {number}")
    (again,) = waiting(story)
    assert again != number
    assert story.told() == [("still_quarantined", ELENA)]
    assert f"número {again}" in story.text_of("still_quarantined")
    to_desk(story, "elena", f"#drop {again}")
    assert (waiting(story), story.told()) == ([], [])


def test_a_message_on_which_the_program_fails_does_not_take_the_directors_mail_with_it(
    story: Story, monkeypatch: pytest.MonkeyPatch
):
    story.stored.take(written("Hola.", sender="eva@nueva.example", message_id="<e1@nueva.example>"))
    (number,) = waiting(story)

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("a defect of ours")

    monkeypatch.setattr("mailgate.service.process.process_released", fails)
    decided = to_desk(story, "elena", f"#release {number}\n#close SOP-1")
    assert decided.outcome is Outcome.APPEND
    assert (story.ticket().status, waiting(story)) == (Status.CLOSED, [number])
    assert story.told() == [("still_quarantined", ELENA)]
    assert "falla" in story.text_of("still_quarantined")
