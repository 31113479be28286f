"""Alerts before and at a broken promise: in hours of the desk, once each, one mail however many they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailgate.core.model import Status
from mailgate.service.jobs import promises
from mailgate.service.sales import Order, sell
from mailgate.service.schedule import tick
from mailgate.store.writer import Writer
from tests.story import ANA, ELENA, MARTA, Story, begun
from tests.support import NOW, reply_address

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
# Ana writes on NOW, a Tuesday at 11:00 in Madrid: her answer is due at 15:00.
DUE = NOW + 4 * HOUR
SOON, BROKEN = "promise_soon", "promise_broken"


def opened(folder: Path, **rules: Any) -> Iterator[Story]:
    with begun(folder, **rules) as story:
        yield story


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    yield from opened(tmp_path)


@pytest.fixture
def story_of(tmp_path: Path) -> Iterator[Callable[..., Story]]:
    """A desk with rules of its own."""
    opening: list[Iterator[Story]] = []

    def begin(**rules: Any) -> Story:
        opening.append(opened(tmp_path, **rules))
        return next(opening[0])

    yield begin
    for each in opening:
        next(each, None)


def run(story: Story, at: datetime) -> list[tuple[str, str]]:
    """What the job tells at a moment."""
    with story.stored.store.write() as tx:
        promises.run(tx, story.stored.office, at)
    return story.told()


def both(template: str) -> list[tuple[str, str]]:
    return [(template, MARTA), (template, ELENA)]


def test_technician_and_director_are_told_an_hour_before_and_at_the_break_once_each(story: Story) -> None:
    told = {}
    for minute in range(6 * 60):
        if mails := run(story, NOW + minute * MINUTE):
            told[minute] = mails
    assert told == {180: both(SOON), 240: both(BROKEN)}


def test_answer_in_time_is_told_to_nobody(story: Story) -> None:
    story.says("marta", "Ya está.", 1, NOW + HOUR)
    assert [run(story, NOW + hours * HOUR) for hours in range(9)] == [[]] * 9


def test_new_promise_of_the_same_ticket_has_alerts_of_its_own(story: Story) -> None:
    assert run(story, DUE) == both(BROKEN)
    story.says("marta", "Ya está.", 1, DUE)
    story.says("ana", "Sigue igual.", 1, DUE + MINUTE)
    again = DUE + MINUTE + 4 * HOUR
    assert run(story, again - HOUR) == both(SOON)
    assert run(story, again) == both(BROKEN)


def test_alert_says_which_ticket_and_until_when(story: Story) -> None:
    run(story, DUE - HOUR)
    text = story.text_of(SOON)
    assert all(words in text for words in ("SOP-1", "Acme S.L.", "El carrito", "responder hoy antes de las 15:00"))
    run(story, DUE)
    text = story.text_of(BROKEN)
    assert "escribió: 3 nov 2026, 11:00 · prometido para: 3 nov 2026, 15:00" in text


def test_director_whose_ticket_it_is_gets_one_mail(story: Story) -> None:
    story.says("elena", "#assign elena", 1)
    story.told()
    assert run(story, DUE - HOUR) == [(SOON, ELENA)]
    assert run(story, DUE) == [(BROKEN, ELENA)]


def test_promise_that_breaks_at_closing_time_is_told_at_the_next_opening(story: Story) -> None:
    closing, opening = NOW + 9 * HOUR, NOW + 23 * HOUR
    story.says("marta", "Ya está.", 1, NOW + HOUR)
    story.says("ana", "Sigue igual.", 1, NOW + 5 * HOUR)
    assert story.ticket().answer_due_at == closing
    assert run(story, closing - MINUTE) == both(SOON)
    assert [run(story, closing), run(story, closing + HOUR), run(story, opening - MINUTE)] == [[], [], []]
    assert run(story, opening) == both(BROKEN)


def test_nobody_is_told_of_the_weekend_s_lateness_before_monday(story: Story) -> None:
    friday = datetime(2026, 11, 6, 18, 30, tzinfo=UTC)  # 19:30: due on Monday at 13:30
    story.says("marta", "Ya está.", 1, NOW)
    story.says("ana", "Sigue igual.", 1, friday)
    assert [run(story, friday + hours * HOUR) for hours in range(1, 62)] == [[]] * 61
    monday = datetime(2026, 11, 9, 11, 30, tzinfo=UTC)
    assert (run(story, monday - MINUTE), run(story, monday)) == ([], both(SOON))


def test_after_a_week_off_one_mail_tells_all_that_broke_and_nothing_as_due_soon(story: Story) -> None:
    for number in range(40):
        story.says("ana", "Otra cosa.", subject=f"Cosa {number}", at=NOW + number * MINUTE)
    story.told()
    week_later = NOW + timedelta(days=7)
    assert run(story, week_later) == both(BROKEN)
    assert story.text_of(BROKEN).count("SOP-") == 42, "41 tickets, and the example"
    assert [run(story, week_later + minutes * MINUTE) for minutes in (0, 1, 60)] == [[], [], []]


def test_of_many_the_first_five_stand_in_full_the_urgent_before_the_rest(story: Story) -> None:
    for number in range(2, 61):
        story.says("ana", "No va.", subject=f"Parte {number}")
    story.says("elena", "#priority urgent", 24)
    run(story, DUE)
    told = story.text_of(BROKEN)
    full = [line.split()[1] for line in told.splitlines() if line.startswith("- SOP")]
    assert full == ["SOP-24", "SOP-1", "SOP-2", "SOP-3", "SOP-4"]
    assert "- y 55 más: SOP-5, SOP-6," in told
    assert "SOP-55…" in told
    assert "SOP-56" not in told
    assert [mail.subject for mail in story.stored.mails() if mail.template == BROKEN] == [
        "60 respuestas fuera de plazo"
    ] * 2


def test_what_is_due_soon_and_what_broke_are_two_mails(story: Story) -> None:
    story.says("ana", "Otra cosa.", subject="El logo", at=NOW + HOUR)
    story.told()
    assert run(story, DUE) == both(BROKEN) + both(SOON)


def test_promise_that_is_no_longer_than_the_warning_is_not_warned_of(story_of: Callable[..., Story]) -> None:
    story = story_of(promise={"first_answer": "1h"})
    assert [run(story, NOW + minutes * MINUTE) for minutes in (0, 30, 59)] == [[], [], []]
    assert run(story, NOW + HOUR) == both(BROKEN)


def test_rules_may_warn_earlier_or_never(story_of: Callable[..., Story]) -> None:
    story = story_of(promise={"warn_before": "2h"})
    assert (run(story, NOW + 119 * MINUTE), run(story, NOW + 2 * HOUR)) == ([], both(SOON))


def test_rules_that_warn_never_tell_only_of_the_break(story_of: Callable[..., Story]) -> None:
    story = story_of(promise={"warn_before": ""})
    assert (run(story, DUE - MINUTE), run(story, DUE)) == ([], both(BROKEN))


def test_promise_that_was_paused_is_told_once_whatever_comes_after(story: Story) -> None:
    run(story, DUE - HOUR)
    assert run(story, DUE) == both(BROKEN)
    story.says("marta", "#status waiting", 1, DUE + MINUTE)
    story.says("marta", "#status open", 1, DUE + HOUR)
    assert story.ticket().status is Status.OPEN
    assert run(story, DUE + 2 * HOUR) == []


def test_ticket_that_is_held_breaks_no_promise(story: Story) -> None:
    story.says("marta", "Hecho.\n\n#time 4h", 1, NOW)
    story.says("ana", "Otra cosa.", subject="El logo", at=NOW)
    story.told()
    assert run(story, NOW + 48 * HOUR) == []
    with story.stored.store.write() as tx:
        sell(tx, story.stored.office, Order("acme", "4h"), NOW + 48 * HOUR)
    story.told()
    assert run(story, NOW + 51 * HOUR) == both(SOON)


def test_alert_is_answered_with_commands_that_name_the_ticket(story: Story) -> None:
    run(story, DUE)
    subject = story.stored.mails()[-1].subject
    story.says("marta", "#plan SOP-1 2026-11-05", at=DUE, to=reply_address(0, MARTA), subject=f"Re: {subject}")
    assert story.ticket().status is Status.SCHEDULED
    assert ("planned", ANA) in story.told()


def test_text_in_answer_to_an_alert_never_reaches_the_client(story: Story) -> None:
    run(story, DUE)
    subject = story.stored.mails()[-1].subject
    story.says("marta", "Voy a ello.", at=DUE, to=reply_address(0, MARTA), subject=f"Re: {subject}")
    assert story.told() == [("no_ticket", MARTA)]
    assert story.ticket().first_answer_at is None


def test_two_processes_at_once_tell_it_once(story: Story) -> None:
    writers = [Writer(story.stored.store) for _ in range(2)]
    for writer in writers:
        tick(writer, story.stored.office, DUE, {"promises": promises.run})
        writer.close()
    assert story.told() == both(BROKEN)


def test_killed_before_the_commit_nothing_is_told_and_later_all_is(story: Story) -> None:
    with pytest.raises(KeyboardInterrupt), story.stored.store.write() as tx:
        assert promises.run(tx, story.stored.office, DUE) == 1
        raise KeyboardInterrupt
    assert story.told() == []
    assert run(story, DUE) == both(BROKEN)
