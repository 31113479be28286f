"""The director's morning, with a real store and a clock that is moved."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from mailgate.core.address import DESK_ITSELF
from mailgate.core.model import Kind, Priority, Status
from mailgate.service.schedule import JOBS
from mailgate.store import entries, outbox, tickets
from mailgate.store.times import stamp
from tests.stored import stored_desk
from tests.story import ELENA, Story
from tests.support import desk, reply_address, written

# Tuesday at 10:00 in Madrid, when the desk opens after a holiday.
TUESDAY = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    with stored_desk(tmp_path) as stored:
        stored.book(240, package="4h", price="160.00 EUR", at=TUESDAY - DAY)
        yield Story(stored)


def runs(story: Story, at: datetime) -> int:
    """What the job did at a time."""
    with story.stored.store.write() as tx:
        return JOBS["digest"](tx, story.stored.office, at)


def subjects(story: Story) -> list[str]:
    """Subjects of the digests that were sent."""
    return [mail.subject for mail in story.stored.mails() if mail.template == "digest"]


def text_of(story: Story) -> str:
    """The newest digest as plain text."""
    return story.text_of("digest").replace("\r\n", "\n")


def change(story: Story, number: int, **values: object) -> None:
    with story.stored.store.write() as tx:
        found = tickets.get(tx, number)
        assert found is not None
        tickets.update(tx, replace(found, **values))  # type: ignore[arg-type]


# ---- when ----------------------------------------------------------------------------------------


def test_it_comes_at_opening_time_once_a_day_to_the_director(story: Story):
    story.says("ana", "No funciona el carrito.", at=TUESDAY - HOUR)
    assert [runs(story, TUESDAY + late) for late in (-MINUTE, 0 * MINUTE, MINUTE, 5 * HOUR)] == [0, 1, 0, 0]
    assert [mail.to for mail in story.stored.mails() if mail.template == "digest"] == [ELENA]
    assert subjects(story) == ["Hoy: 1 nuevo"]


def test_it_comes_late_where_the_daemon_was_off_but_not_once_the_desk_is_closed(story: Story):
    story.says("ana", "No funciona el carrito.", at=TUESDAY - HOUR)
    assert runs(story, TUESDAY + 10 * HOUR) == 0
    assert runs(story, TUESDAY + DAY + 7 * HOUR) == 1


def test_a_week_off_is_one_digest_with_all_that_came_meanwhile(story: Story):
    story.says("ana", "No funciona el carrito.", at=TUESDAY)
    runs(story, TUESDAY)
    for day in range(1, 7):
        story.says("ana", f"Petición {day}.", at=TUESDAY + day * DAY, subject=f"Otra {day}")
        change(story, day + 1, answer_due_at=TUESDAY + 8 * DAY)
    assert runs(story, TUESDAY + 7 * DAY) == 1
    assert "6 nuevos" in subjects(story)[-1]
    assert "y 1 más" in text_of(story)


def test_on_a_closed_day_there_is_none(story: Story):
    story.says("ana", "No funciona el carrito.", at=TUESDAY - 2 * DAY)
    assert [runs(story, TUESDAY - days * DAY + late) for days in (1, 2, 3) for late in (0 * HOUR, 5 * HOUR)] == [0] * 6


def test_where_there_is_nothing_to_tell_it_does_not_come_and_not_later_that_day(tmp_path: Path):
    with stored_desk(tmp_path) as stored:
        story = Story(stored)
        assert runs(story, TUESDAY) == 0
        story.says("ana", "No funciona el carrito.", at=TUESDAY + MINUTE)
        assert runs(story, TUESDAY + HOUR) == 0
        assert runs(story, TUESDAY + DAY) == 1


# ---- what ----------------------------------------------------------------------------------------


def test_each_ticket_stands_once_in_the_most_pressing_section(story: Story):
    for number in range(1, 7):
        story.says("ana", "Una cosa.", at=TUESDAY - 30 * DAY, subject=f"Tema {number}")
    change(story, 1, answer_due_at=TUESDAY - HOUR, planned_delivery=date(2026, 11, 2))
    change(story, 2, answer_due_at=TUESDAY + HOUR)
    change(story, 3, answer_due_at=TUESDAY + 2 * DAY)
    change(story, 4, answer_due_at=None, status=Status.SCHEDULED, planned_start=date(2026, 11, 3))
    change(story, 5, answer_due_at=None, status=Status.HELD, held_for="away")
    change(story, 6, answer_due_at=None, status=Status.WAITING, planned_delivery=date(2026, 11, 2))
    runs(story, TUESDAY)
    text = text_of(story)
    assert subjects(story) == ["Hoy: 1 tarde · 1 vence hoy"]
    titles = ["Con retraso", "Vencen hoy", "Entregas con retraso", "Empiezan hoy", "Retenidos", "Carga"]
    order = [text.index(words) for words in titles]
    assert order == sorted(order)
    assert [text.count(f"- SOP-{number} ") for number in range(1, 7)] == [1, 1, 0, 1, 1, 1]
    assert "su técnico está fuera" in text


def test_what_is_urgent_is_never_among_those_that_are_left_out(story: Story):
    for number in range(1, 8):
        story.says("ana", "Una cosa.", at=TUESDAY - HOUR, subject=f"Tema {number}")
    change(story, 7, priority=Priority.URGENT)
    runs(story, TUESDAY)
    shown = [line[2:7] for line in text_of(story).splitlines() if line.startswith("- SOP-")]
    assert shown == ["SOP-7", "SOP-1", "SOP-2", "SOP-3", "SOP-4"]


def test_a_new_ticket_that_is_closed_already_is_no_news(story: Story):
    story.says("ana", "Una cosa.", at=TUESDAY - HOUR)
    change(story, 1, status=Status.CLOSED, answer_due_at=None)
    assert runs(story, TUESDAY) == 0


def test_what_waits_for_the_directors_word_names_the_command_that_gives_it(story: Story):
    story.says("ana", "Una cosa.", at=TUESDAY - HOUR)
    story.says("marta", "Hecho.\n\n#time 30m", 1, at=TUESDAY - HOUR)
    story.says("ana", "#reclamar 2 no fueron treinta", 1, at=TUESDAY - HOUR)
    story.stored.take(
        written("#release 1", sender="eva@nueva.example", subject="#release 1", message_id="<e@nueva.example>"),
        TUESDAY - HOUR,
    )
    runs(story, TUESDAY)
    text = text_of(story)
    assert subjects(story) == ["Hoy: 1 nuevo · 1 reclamación · 1 en cuarentena"]
    assert "apunte 2 · Acme S.L. · 30 min" in text
    assert "1 · eva@nueva.example\n  no se sabe quién es" in text
    assert all(words in text for words in ("«#confirmar 2 motivo»", "«#liberar 1»", "«#asignar SOP-1 elena»"))
    assert not any(line.lstrip(" ->").startswith("#") for line in text.splitlines()), "nothing in it is a command"


def test_its_examples_change_something_for_the_better(story: Story):
    for subject in ("Una cosa", "Otra cosa"):
        story.says("ana", subject, at=TUESDAY - HOUR, subject=subject)
    change(story, 1, answer_due_at=TUESDAY - HOUR, priority=Priority.URGENT)
    change(story, 2, technician="elena")
    runs(story, TUESDAY)
    examples = [line for line in text_of(story).splitlines() if line.startswith("- «#")]
    assert examples == ["- «#asignar SOP-1 elena»", "- «#prioridad SOP-2 alta»"], "Marta has SOP-1, and it is urgent"


def test_its_answer_is_proven_and_its_commands_are_carried_out(story: Story):
    story.says("ana", "Una cosa.", at=TUESDAY - HOUR)
    runs(story, TUESDAY)
    quoted = "\n".join(f"> {line}" for line in text_of(story).splitlines())
    answer = f"#asignar SOP-1 elena\n\nEl martes, Soporte <soporte@example.es> escribió:\n{quoted}"
    story.says("elena", answer, at=TUESDAY, to=reply_address(DESK_ITSELF, ELENA), subject="Re: Hoy: 1 nuevo")
    assert story.ticket().technician == "elena"


def test_load_is_in_the_order_of_the_rules_with_the_minutes_of_the_last_working_day(story: Story):
    friday = TUESDAY - 4 * DAY
    story.says("ana", "Una cosa.", at=friday)
    story.says("marta", "#time 95m", 1, at=friday + HOUR)
    story.says("marta", "#time 10m", 1, at=friday + HOUR)
    story.says("marta", "#void 3", 1, at=friday + 2 * HOUR)
    change(story, 1, answer_due_at=None)
    runs(story, TUESDAY)
    text = text_of(story)
    assert "- Elena Ruiz: 0 abiertos · 0 min\n- Marta Gil: 1 abierto · 1 h 35 min\n" in text
    assert "30 oct 2026" in text, "the Monday between was a holiday"


def test_low_balances_are_told_while_their_account_moves(story: Story):
    story.stored.book(-200, Kind.DEBIT, worked=200, ticket=_ticket(story), at=TUESDAY - DAY)
    story.stored.book(30, client="beta", at=TUESDAY - 40 * DAY)
    runs(story, TUESDAY)
    text = text_of(story)
    assert "Saldos bajos (1)\n\n- Acme S.L. · 40 min" in text


def _ticket(story: Story) -> int:
    story.says("ana", "Una cosa.", at=TUESDAY - 3 * DAY)
    change(story, 1, status=Status.WAITING, answer_due_at=None)
    return 1


def test_mails_that_were_given_up_are_told_for_a_week(story: Story):
    story.says("ana", "Una cosa.", at=TUESDAY - HOUR)
    with story.stored.store.write() as tx:
        outbox.mark_failed(tx, 1, "550 no such user", None)
    runs(story, TUESDAY)
    assert "Correos sin entregar (1)" in text_of(story)
    runs(story, TUESDAY + 8 * DAY)
    assert "Correos sin entregar" not in text_of(story)


def test_it_is_written_in_the_language_of_the_desk(tmp_path: Path):
    with stored_desk(tmp_path, desk(desk={"language": "en"})) as stored:
        story = Story(stored)
        story.says("ana", "No funciona el carrito.", at=TUESDAY - HOUR)
        stored.take(written("Hi.", sender="eva@nueva.example", message_id="<e@nueva.example>"), TUESDAY - HOUR)
        runs(story, TUESDAY)
        assert subjects(story) == ["Today: 1 new · 1 in quarantine"]
        assert all(words in text_of(story) for words in ("nobody knows who it is", "“#assign SOP-1 elena”"))


# ---- what it costs -------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_hundred_thousand_entries_take_less_than_a_second(story: Story):
    number = _ticket(story)
    with story.stored.store.write() as tx:
        tx.db.conn.executemany(
            "insert into entry (client, kind, minutes, worked, at, day, ticket, technician, note, phone)"
            " values (?, 'debit', -1, 1, ?, '2026-01-02', ?, 'marta', '', 0)",
            ((f"c{n % 500}", stamp(TUESDAY - (100_000 - n) * MINUTE), number) for n in range(100_000)),
        )
    begun = time.perf_counter()
    with story.stored.store.read() as tx:
        assert entries.low(tx, 60, TUESDAY - 30 * DAY)
    low = time.perf_counter() - begun
    assert runs(story, TUESDAY) == 1
    assert low < 1
    assert time.perf_counter() - begun < 2
