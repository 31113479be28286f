"""The clocks of promises as people move them: by mails, purchases and commands, in a real store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mailgate.core.model import Status
from mailgate.service.sales import Order, sell
from tests.stored import stored_desk
from tests.story import Story, begun
from tests.support import NOW, desk

HOUR = timedelta(hours=1)


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    with begun(tmp_path) as story:
        yield story


def due(story: Story, number: int = 1) -> tuple[datetime | None, datetime | None]:
    ticket = story.ticket(number)
    return ticket.answer_due_at, ticket.quick_due_at


def test_new_ticket_is_due_in_four_hours_and_quickly_in_one(story: Story) -> None:
    assert due(story) == (NOW + 4 * HOUR, NOW + HOUR)


def test_answer_ends_the_promise_whatever_status_it_leaves(story: Story) -> None:
    story.says("marta", "Ya está.\n\n#time 5m", 1, NOW + HOUR)
    assert due(story) == (None, None)
    story.says("ana", "Sigue sin ir.", 1, NOW + 2 * HOUR)
    assert due(story)[0] == NOW + 6 * HOUR
    story.says("marta", "Lo miro.\n\n#status open", 1, NOW + 3 * HOUR)
    assert (story.ticket().status, due(story)) == (Status.OPEN, (None, None))
    story.says("ana", "¿Y bien?", 1, NOW + 4 * HOUR)
    assert due(story)[0] == NOW + 8 * HOUR


def test_note_and_commands_alone_leave_the_promise(story: Story) -> None:
    story.says("marta", "#note\nEs el DNS.", 1)
    story.says("marta", "#priority high", 1)
    assert due(story) == (NOW + 4 * HOUR, NOW + HOUR)


def test_waiting_stops_the_clock_and_opening_again_resumes_it(story: Story) -> None:
    story.says("marta", "#status waiting", 1, NOW + HOUR)
    assert (due(story), story.ticket().answer_left) == ((None, None), 180)
    story.says("marta", "#status open", 1, NOW + 5 * HOUR)
    assert due(story) == (NOW + 8 * HOUR, None)


def test_closed_ticket_has_no_due_time_and_the_client_s_return_begins_anew(story: Story) -> None:
    story.says("marta", "#close", 1)
    assert due(story) == (None, None)
    story.says("ana", "Ha vuelto a fallar.", 1, NOW + 2 * HOUR)
    assert (story.ticket().status, due(story)[0]) == (Status.OPEN, NOW + 6 * HOUR)


def test_ticket_held_for_want_of_minutes_is_due_when_minutes_were_bought(story: Story) -> None:
    story.says("marta", "Hecho.\n\n#time 4h", 1)
    story.says("ana", "Otra cosa.", subject="El logo", at=NOW + HOUR)
    held = story.ticket(2)
    assert (held.status, held.answer_due_at, held.answer_left) == (Status.HELD, None, 240)
    with story.stored.store.write() as tx:
        sell(tx, story.stored.office, Order("acme", "4h"), NOW + 3 * HOUR)
    assert due(story, 2) == (NOW + 7 * HOUR, NOW + 4 * HOUR)


def test_void_that_brings_minutes_back_starts_the_clock_of_what_was_held(story: Story) -> None:
    story.says("marta", "Hecho.\n\n#time 4h", 1)
    story.says("ana", "Otra cosa.", subject="El logo", at=NOW + HOUR)
    story.says("elena", "#void 2", 1, NOW + 3 * HOUR)
    assert (story.ticket(2).status, due(story, 2)[0]) == (Status.OPEN, NOW + 7 * HOUR)


def test_ticket_that_a_rule_holds_is_due_when_the_desk_opens_it(tmp_path: Path) -> None:
    rule = {"name": "money", "match": {"any": ["factura"]}, "set": {"hold": True}}
    with stored_desk(tmp_path, desk(rules=[rule])) as stored:
        story = Story(stored)
        story.says("ana", "Una factura.")
        assert due(story) == (None, None)
        story.says("elena", "#status open", 1, NOW + 2 * HOUR)
        assert due(story)[0] == NOW + 6 * HOUR


# ---- thank you -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("order", "status"), [("#close", Status.CLOSED), ("#time 5m", Status.WAITING)])
def test_thank_you_is_filed_and_told_and_changes_nothing(story: Story, order: str, status: Status) -> None:
    story.says("marta", f"Ya está.\n\n{order}", 1)
    seen = len(story.stored.mails())
    plan = story.says("ana", "Muchas gracias.\n\nAna", 1, NOW + HOUR)
    assert plan.outcome == "append"
    assert (story.ticket().status, due(story)) == (status, (None, None))
    assert [(mail.template, mail.to) for mail in story.stored.mails()[seen:]] == [("notice", "marta@example.es")]


def test_thank_you_long_after_the_end_opens_no_new_ticket(story: Story) -> None:
    story.says("marta", "Ya está.\n\n#close", 1)
    plan = story.says("ana", "Perfecto, gracias", 1, NOW + 24 * 20 * HOUR)
    assert (plan.opens, plan.filed_in) == (False, 1)
    assert story.ticket().status is Status.CLOSED


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("Gracias. ¿Y el logo?", "Re: El carrito"),
        ("Gracias, pero sigue igual.", "Re: El carrito"),
        ("Gracias", "La web está caída"),
    ],
)
def test_thank_you_that_says_more_reopens_and_starts_a_clock(story: Story, text: str, subject: str) -> None:
    story.says("marta", "Ya está.\n\n#close", 1)
    story.says("ana", text, 1, NOW + HOUR, subject=subject)
    assert (story.ticket().status, due(story)[0]) == (Status.OPEN, NOW + 5 * HOUR)


def test_thank_you_with_a_file_reopens(story: Story) -> None:
    story.says("marta", "Ya está.\n\n#close", 1)
    parts = (
        'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/plain\n\nGracias\n'
    )
    file = '--b\nContent-Type: image/png; name="a.png"\nContent-Disposition: attachment; filename="a.png"\n\nx\n--b--\n'
    head = "From: Ana <ana@acme.example>\nTo: soporte@example.es\nSubject: Re: [SOP-1] El carrito\nMessage-ID: <f@x>\n"
    story.stored.take((head + parts + file).encode(), NOW + HOUR)
    assert story.ticket().status is Status.OPEN


def test_yes_to_an_estimate_is_no_thank_you(story: Story) -> None:
    story.says("marta", "#estimate 60m ask", 1)
    story.says("ana", "Ok, gracias", 1, NOW + HOUR)
    assert (story.ticket().status, due(story)[0]) == (Status.OPEN, NOW + 5 * HOUR)
