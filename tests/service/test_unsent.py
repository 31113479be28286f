"""An answer that waits is known to who has its ticket next, and to the director; they may send it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from mailgate.core.model import Outcome, Status
from mailgate.service.schedule import JOBS
from tests.service.test_together import MINUTE, Desk, _crossed
from tests.story import ADDRESSES, ELENA, MARTA, begun
from tests.support import NOW, RULES, reply_address

LUIS = "luis@example.es"
DAY = timedelta(days=1)
AWAY = [{"from": date(2026, 11, 5), "to": date(2026, 12, 4)}]
HELD = ["Lo miro yo."]


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Elena has answered Ana, and Marta's answer, which did not see it, waits."""
    monkeypatch.setitem(ADDRESSES, "luis", LUIS)
    people = {
        **RULES["technicians"],
        "marta": {**RULES["technicians"]["marta"], "away": AWAY},
        "luis": {"name": "Luis Soto", "addresses": [LUIS]},
    }
    with begun(tmp_path, Desk, minutes=2000, technicians=people) as story:
        _crossed(story)
        story.told()
        yield story


def _handed_to_luis(story: Desk) -> int:
    story.says("elena", "#assign luis", 1, at=NOW + 15 * MINUTE)
    return story.newest("handed_over", LUIS)


def _digest(story: Desk) -> str:
    with story.stored.store.write() as tx:
        JOBS["digest"](tx, story.stored.office, NOW + DAY)
    return story.text_of("digest")


def test_who_is_given_the_ticket_is_told_that_an_answer_waits_and_sends_it(story: Desk) -> None:
    handed = _handed_to_luis(story)
    assert "hay una respuesta de Marta Gil retenida" in story.text_of("handed_over")
    assert "«#enviar marta»" in story.text_of("handed_over")
    for _ in range(2):
        story.answers("luis", "#enviar marta", handed, at=NOW + 20 * MINUTE)
    assert (story.answered()[1:], story.debits()) == (HELD, [20])
    assert story.stored.mails()[-1].template == "problems", "it is sent once"
    assert story.ticket().technician == "luis"


def test_a_sent_answer_goes_out_and_is_booked_under_the_name_of_its_writer(story: Desk) -> None:
    story.answers("luis", "#send marta", _handed_to_luis(story))
    sent = [
        raw for mail, raw in zip(story.stored.mails(), story.stored.raws(), strict=True) if mail.to == ADDRESSES["ana"]
    ]
    assert b"From: Marta Gil " in sent[-1]
    assert [entry.technician for entry in story.ledger() if entry.minutes < 0] == ["marta"]


def test_when_the_ticket_moves_because_its_technician_is_away_the_next_one_is_told(story: Desk) -> None:
    story.says("ana", "Sigue igual.", 1, at=NOW + DAY)
    with story.stored.store.write() as tx:
        JOBS["absences"](tx, story.stored.office, NOW + 2 * DAY)
    told = [mail for mail in story.stored.mails() if mail.template == "handed_over"]
    assert len(told) == 1
    assert "hay una respuesta de Marta Gil retenida" in story.text_of("handed_over")


def test_who_gets_a_ticket_back_is_told_of_their_own_answer(story: Desk) -> None:
    _handed_to_luis(story)
    story.says("elena", "#assign marta", 1)
    assert "hay una respuesta tuya retenida" in story.text_of("handed_over")
    story.says("marta", "#send", 1)
    assert story.answered()[1:] == HELD


def test_where_nothing_waits_nothing_is_said_of_it(story: Desk) -> None:
    story.answers("marta", "#send", story.newest("held", MARTA))
    _handed_to_luis(story)
    assert "retenida" not in story.text_of("handed_over")


def test_a_colleague_who_does_not_have_the_ticket_may_not_send_it(story: Desk) -> None:
    done = story.says("luis", "#send marta", 1)
    assert done.outcome is Outcome.REJECT
    assert "La respuesta de Marta Gil solo la puede enviar" in story.text_of("problems")
    assert story.answered()[1:] == []


def test_plain_send_never_means_a_colleagues(story: Desk) -> None:
    handed = _handed_to_luis(story)
    assert story.answers("luis", "#send", handed).outcome is Outcome.REJECT
    assert story.says("elena", "#send", 1).outcome is Outcome.REJECT


def test_an_answer_of_who_has_the_ticket_now_leaves_the_other_one_waiting(story: Desk) -> None:
    story.answers("luis", "Ya está.", _handed_to_luis(story))
    assert "Respuestas sin enviar (1)" in _digest(story)
    story.says("marta", "#send", 1)
    assert story.answered()[1:] == ["Ya está.", *HELD]


def test_a_colleagues_forward_is_a_note_and_nobody_elses_to_send(story: Desk) -> None:
    text = "Mira:\n\n---------- Forwarded message ---------\nFrom: x@h.example\nSubject: Caduca\n\nCaduca."
    story.says("elena", text, 1, subject="Fwd: [SOP-1] Caduca")
    story.says("marta", "#send", 1)
    assert story.says("marta", "#send elena", 1).outcome is Outcome.REJECT
    story.says("ana", "Otra cosa.", subject="El logo", at=NOW + 16 * MINUTE)
    assert "Respuestas sin enviar" not in _digest(story)


def test_the_digest_shows_it_and_is_answered_with_the_word(story: Desk) -> None:
    told = _digest(story)
    assert (
        "Respuestas sin enviar (1)\n\n- SOP-1 · Acme S.L.: El carrito\n  desde el 3 nov 2026 · la escribió: Marta Gil"
        in told
    )
    assert "«#enviar SOP-1 marta»" in told
    story.says("elena", "#enviar SOP-1 marta", subject="Re: Hoy", to=reply_address(0, ELENA), at=NOW + DAY)
    assert (story.answered()[1:], story.debits(), story.ticket().status) == (HELD, [20], Status.WAITING)


def test_in_a_closed_ticket_nothing_is_left_to_look_at(story: Desk) -> None:
    story.says("elena", "#close", 1)
    story.says("ana", "Otra cosa.", subject="El logo", at=NOW + 16 * MINUTE)
    assert "Respuestas sin enviar" not in _digest(story)


def test_one_mail_sends_one_answer(story: Desk) -> None:
    done = story.says("elena", "#send SOP-1 marta\n#send SOP-1", subject="Re: Hoy", to=reply_address(0, ELENA))
    assert done.outcome is Outcome.REJECT
    assert story.answered()[1:] == []


def test_of_a_technician_that_nobody_knows_the_line_is_wrong(story: Desk) -> None:
    assert story.says("elena", "#send nadie", 1).outcome is Outcome.REJECT
    assert "«nadie»" in story.text_of("problems")
