"""A technician's evening and its answer, with a real store and a clock that is moved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailgate.core.address import DESK_ITSELF
from mailgate.core.model import Kind, Outcome
from mailgate.core.plan import Plan
from mailgate.service.schedule import JOBS
from tests.running import read
from tests.stored import stored_desk
from tests.story import ADDRESSES, ELENA, MARTA, Story
from tests.support import desk, reply_address

# A Tuesday in Madrid: at work, and when the desk closes.
NOON = datetime(2026, 11, 3, 11, 0, tzinfo=UTC)
EVENING = datetime(2026, 11, 3, 19, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@contextmanager
def a_story(folder: Path, **rules: Any) -> Iterator[Story]:
    """Acme has bought 240 minutes; Ana asked for two things, SOP-1 and SOP-2, which are Marta's."""
    with stored_desk(folder, desk(**rules)) as stored:
        stored.book(240, package="4h", price="160.00 EUR", at=NOON - DAY)
        story = Story(stored)
        story.says("ana", "No funciona el carrito.", at=NOON)
        story.says("ana", "El logo sale borroso.", at=NOON, subject="El logo")
        yield story
        assert story.problems() == []


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    with a_story(tmp_path) as story:
        yield story


def runs(story: Story, at: datetime = EVENING) -> int:
    """How many the job sent at a time."""
    with story.stored.store.write() as tx:
        return JOBS["evening"](tx, story.stored.office, at)


def text_of(story: Story, template: str = "evening") -> str:
    return story.text_of(template).replace("\r\n", "\n")


def answers(story: Story, text: str, who: str = "marta", at: datetime = EVENING + HOUR) -> Plan:
    """An answer to the evening's mail."""
    return story.says(who, text, at=at, to=reply_address(DESK_ITSELF, ADDRESSES[who]), subject="Re: Tu día")


def sent(story: Story) -> list[str]:
    return [mail.to for mail in story.stored.mails() if mail.template == "evening"]


# ---- when ----------------------------------------------------------------------------------------


def test_it_comes_when_the_desk_closes_once_to_who_did_something(story: Story):
    story.says("marta", "Hecho.\n\n#time 30m", 1, at=NOON)
    assert [runs(story, EVENING + late) for late in (-MINUTE, 0 * MINUTE, MINUTE, 4 * HOUR)] == [0, 1, 0, 0]
    assert sent(story) == [MARTA]


def test_a_desk_that_slept_through_its_first_evening_tells_of_it_in_the_next(story: Story):
    story.says("marta", "Hecho.\n\n#time 30m", 1, at=NOON)
    assert [runs(story, EVENING + DAY - MINUTE), runs(story, EVENING + DAY)] == [0, 1]
    assert "30 min" in text_of(story)


def test_on_a_closed_day_it_comes_at_eight_where_somebody_worked(story: Story):
    runs(story)
    saturday = NOON + 4 * DAY
    story.says("elena", "#time SOP-1 30m", at=saturday, to=reply_address(DESK_ITSELF, ELENA))
    assert [runs(story, EVENING + 4 * DAY - MINUTE), runs(story, EVENING + 4 * DAY)] == [0, 1]
    assert sent(story) == [ELENA]


def test_what_is_done_after_it_is_in_the_next_one(story: Story):
    story.says("marta", "#time 30m", 1, at=NOON)
    runs(story)
    story.says("marta", "#time 7m", 2, at=EVENING + HOUR)
    assert runs(story, EVENING + DAY) == 1
    assert "Has anotado 7 min." in text_of(story)


def test_after_a_week_off_there_is_one_for_what_came_meanwhile_and_none_for_what_is_long_ago(story: Story):
    runs(story, EVENING - DAY)
    story.says("marta", "#time 30m", 1, at=NOON)
    assert runs(story, EVENING + 5 * DAY) == 1
    assert runs(story, EVENING + 6 * DAY) == 0
    story.says("marta", "#time 30m", 2, at=EVENING + 7 * DAY)
    assert runs(story, EVENING + 30 * DAY) == 0


def test_a_desk_that_closes_at_midnight_has_its_evening_before(tmp_path: Path):
    with a_story(tmp_path, hours={"tue": "10:00-24:00"}) as story:
        story.says("marta", "#time 30m", 1, at=NOON)
        assert [runs(story, EVENING), runs(story, EVENING + 3 * HOUR + 55 * MINUTE)] == [0, 1]


# ---- what ----------------------------------------------------------------------------------------


def test_it_lists_what_was_booked_by_client_and_nobody_elses(story: Story):
    story.says("marta", "Hecho.\n\n#time 30m certificado\n#free 5m", 1, at=NOON)
    story.says("marta", "#void 3", 1, at=NOON)
    story.says("elena", "#time SOP-1 90m", at=NOON, to=reply_address(DESK_ITSELF, ELENA))
    assert runs(story) == 2
    text = next(
        found
        for mail, found in zip(story.stored.mails(), _texts(story), strict=True)
        if mail.template == "evening" and mail.to == MARTA
    )
    assert "Acme S.L. · 30 min\n\n- 2 · SOP-1 · 30 min · certificado\n" in text
    assert "90" not in text
    assert "Elena" not in text


def _texts(story: Story) -> list[str]:
    bodies = (read(raw).get_body(("plain",)) for raw in story.stored.raws())
    return [str(body.get_content()).replace("\r\n", "\n") if body else "" for body in bodies]


def test_answers_without_time_are_a_form_a_line_for_each_ticket(story: Story):
    story.says("marta", "Hola, Ana: ya está.", 1, at=NOON)
    story.says("marta", "Y probado.", 1, at=NOON + MINUTE)
    story.says("marta", "Hecho.\n\n#time 10m", 2, at=NOON)
    story.says("marta", "#note\nEsto queda entre nosotros.", 2, at=NOON)
    runs(story)
    text = text_of(story)
    assert "SOP-1 __m\n· El carrito\n· Hola, Ana: ya está.\n· Y probado." in text
    assert text.count("__m") == 1
    assert story.stored.mails()[-1].subject == "Tu día: 10 min · 1 respuesta sin tiempo"


def test_work_past_the_clients_limit_is_no_answer_without_time(story: Story):
    story.says("ana", "#tope 5m", 1, at=NOON)
    story.says("marta", "Hecho.\n\n#time 30m", 1, at=NOON + MINUTE)
    assert runs(story) == 0


def test_the_form_can_be_turned_off(tmp_path: Path):
    with a_story(tmp_path, time={"missing": "off"}) as story:
        story.says("marta", "Ya está.", 1, at=NOON)
        assert runs(story) == 0


def test_what_is_held_back_is_told_with_the_day_on_which_it_was_written(story: Story):
    story.says("ana", "Otra cosa más.", 1, at=NOON + MINUTE)
    story.says("marta", "Ya está.", 1, at=NOON + 2 * MINUTE, headers="In-Reply-To: <s1@acme.example>\n")
    assert runs(story) == 1
    assert "- SOP-1 · se cruzó con otro mensaje" in text_of(story)
    assert runs(story, EVENING + DAY) == 0


# ---- its answer ----------------------------------------------------------------------------------


def test_an_answer_books_and_corrects_in_one_go(story: Story):
    story.says("marta", "Ya está.", 1, at=NOON)
    story.says("marta", "Hecho.\n\n#time 40m el logo", 2, at=NOON)
    runs(story)
    story.told()
    quoted = "\n".join(f"> {line}" for line in text_of(story).splitlines())
    done = answers(story, f"SOP-1 15m\n2 10m\n\nUn saludo,\nMarta\n\nEl martes, Soporte escribió:\n{quoted}")
    assert done.outcome is Outcome.APPEND
    _, *booked = story.ledger()
    assert [(entry.kind, entry.minutes, entry.ticket, entry.note) for entry in booked] == [
        (Kind.DEBIT, -40, 2, "el logo"),
        (Kind.DEBIT, -15, 1, "El carrito"),
        (Kind.VOID, 40, 2, ""),
        (Kind.DEBIT, -10, 2, "el logo"),
    ]
    assert {entry.day for entry in booked} == {NOON.date()}
    assert story.told() == [], "nothing of it goes to the client, and it needs no answer"


def test_the_same_form_sent_again_books_once_and_other_work_is_told_apart_by_a_note(story: Story):
    story.says("marta", "Ya está.", 1, at=NOON)
    story.says("marta", "#time 15m", 1, at=NOON)
    runs(story)
    form = f"In-Reply-To: {read(story.stored.raws()[-1])['Message-ID']}\n"
    to = reply_address(DESK_ITSELF, MARTA)
    assert story.says("marta", "SOP-1 15m", at=EVENING + HOUR, to=to, headers=form).outcome is Outcome.APPEND
    assert story.says("marta", "SOP-1 15m", at=EVENING + 2 * HOUR, to=to, headers=form).outcome is Outcome.REJECT
    assert "Ya está anotado: es el apunte 3." in text_of(story, "problems")
    story.says("marta", "SOP-1 15m la copia", at=EVENING + 2 * HOUR, to=to, headers=form)
    story.says("marta", "#void 3", 1, at=EVENING + 2 * HOUR)
    story.says("marta", "SOP-1 15m", at=EVENING + 3 * HOUR, to=to, headers=form)
    assert story.balance() == 240 - 15 - 15 - 15, "the first was taken back"


def test_a_correction_keeps_the_day_of_the_work_and_that_it_was_a_call_or_a_courtesy(story: Story):
    story.says("marta", "#call 40m @ayer\n#free 20m", 1, at=NOON)
    answers(story, "2 10m\n3 5m")
    calls = [entry for entry in story.ledger() if entry.phone and entry.kind is Kind.DEBIT]
    assert [(entry.minutes, entry.day) for entry in calls] == [(-40, (NOON - DAY).date()), (-10, (NOON - DAY).date())]
    courtesies = [entry for entry in story.ledger() if entry.kind is Kind.COURTESY]
    assert [(entry.minutes, entry.worked) for entry in courtesies] == [(0, 20), (0, 5)]
    assert story.balance() == 230


def test_one_wrong_line_stops_all_and_can_be_corrected_by_answering(story: Story):
    story.says("marta", "#time 40m", 1, at=NOON)
    story.told()
    answers(story, "SOP-1 15m\n99 10m")
    assert (story.told(), len(story.ledger())) == ([("problems", MARTA)], 2)
    last = story.stored.raws()[-1].decode()
    assert reply_address(DESK_ITSELF, MARTA) in last
    answers(story, "SOP-1 15m\n2 10m")
    assert story.balance() == 240 - 15 - 10


@pytest.mark.parametrize(
    ("who", "line", "later"),
    [("elena", "2 10m", HOUR), ("marta", "2 10m", 2 * DAY), ("marta", "2 10m\n2 12m", HOUR), ("marta", "1 10m", HOUR)],
    ids=["somebody-elses", "too-late", "twice", "a-purchase"],
)
def test_what_cannot_be_corrected_is_handed_back(story: Story, who: str, line: str, later: timedelta):
    story.says("marta", "#time 40m", 1, at=NOON)
    assert answers(story, line, who, NOON + later).outcome is Outcome.REJECT
    assert story.balance() == 200


def test_an_entry_that_the_client_disputes_is_not_corrected_by_the_way(story: Story):
    story.says("marta", "Hecho.\n\n#time 40m", 1, at=NOON)
    story.says("ana", "#reclamar 2 no fueron cuarenta", 1, at=NOON + MINUTE)
    assert answers(story, "2 10m eran diez").outcome is Outcome.REJECT


def test_minutes_past_the_balance_are_refused_where_the_rules_say_so(tmp_path: Path):
    with a_story(tmp_path, time={"overdraft": "refuse"}) as story:
        story.says("marta", "#time 200m", 1, at=NOON)
        assert answers(story, "2 250m").outcome is Outcome.REJECT
        assert answers(story, "2 240m").outcome is Outcome.APPEND
        assert story.balance() == 0


def test_in_any_other_mail_such_lines_are_text(story: Story):
    story.says("marta", "2 10m\nSOP-2 15m", 1, at=NOON)
    assert story.balance() == 240
    assert "SOP-2 15m" in story.text_of("answer")


def test_a_form_that_is_filled_in_where_it_is_quoted_is_handed_back_ready_to_copy(story: Story):
    story.says("marta", "Ya está.", 1, at=NOON)
    runs(story)
    story.told()
    filled = text_of(story).replace("SOP-1 __m", "SOP-1 15m")
    quoted = "\n".join(f"> {line}" for line in filled.splitlines())
    answers(story, f"Ahí va.\n\nEl martes, Soporte <soporte@example.es> escribió:\n{quoted}")
    assert (story.told(), story.balance()) == ([("form_in_quote", MARTA)], 240)
    lines = [line for line in text_of(story, "form_in_quote").splitlines() if line.startswith("SOP-1")]
    assert lines == ["SOP-1 15m"]
    answers(story, "\n".join(lines))
    assert story.balance() == 225


def test_an_answer_that_leaves_the_form_blank_is_told_that_it_says_nothing(story: Story):
    story.says("marta", "Ya está.", 1, at=NOON)
    runs(story)
    story.told()
    quoted = "\n".join(f"> {line}" for line in text_of(story).splitlines())
    answers(story, f"Mañana lo miro.\n\nEl martes, Soporte <soporte@example.es> escribió:\n{quoted}")
    assert story.told() == [("no_ticket", MARTA)]
