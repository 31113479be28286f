"""Work that has a day: what technicians write, what clients are told, what becomes of the ticket."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from mailgate.core.model import Absence, Status
from mailgate.store import absences
from tests.stored import stored_desk
from tests.story import ANA, ELENA, MARTA, Story, begun
from tests.support import NOW, desk, reply_address

HOUR = timedelta(hours=1)
# NOW is Tuesday, 3 November 2026.
THURSDAY, FRIDAY, MONDAY = date(2026, 11, 5), date(2026, 11, 6), date(2026, 11, 9)


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    with begun(tmp_path) as story:
        yield story


def days(story: Story) -> tuple[Status, date | None, date | None]:
    ticket = story.ticket()
    return ticket.status, ticket.planned_start, ticket.planned_delivery


# ---- plan ----------------------------------------------------------------------------------------


def test_plan_tells_the_client_start_and_delivery_and_is_the_first_answer(story: Story) -> None:
    story.says("marta", "#plan 2026-11-05 2026-11-06", 1, NOW + HOUR)
    assert days(story) == (Status.SCHEDULED, THURSDAY, FRIDAY)
    assert story.told() == [("planned", ANA)]
    text = story.text_of("planned")
    assert "Inicio: jueves, 5 de noviembre de 2026" in text
    assert "Entrega: viernes, 6 de noviembre de 2026" in text
    ticket = story.ticket()
    assert (ticket.first_answer_at, ticket.asked_at, ticket.answer_due_at) == (NOW + HOUR, None, None)


def test_plan_in_spanish_with_days_as_people_say_them(story: Story) -> None:
    story.says("marta", "#planificar jueves 6/11", 1)
    assert days(story) == (Status.SCHEDULED, THURSDAY, FRIDAY)


def test_weekday_of_the_delivery_is_the_next_one_after_the_start(story: Story) -> None:
    story.says("marta", "#plan lunes jueves", 1)
    assert days(story) == (Status.SCHEDULED, MONDAY, date(2026, 11, 12))
    story.says("marta", "#postpone 2026-11-12 Thursday", 1)
    assert days(story) == (Status.SCHEDULED, date(2026, 11, 12), date(2026, 11, 12))


def test_plan_without_a_delivery_promises_none(story: Story) -> None:
    story.says("marta", "#plan @2026-11-05", 1)
    assert days(story) == (Status.SCHEDULED, THURSDAY, None)
    assert "Entrega" not in story.text_of("planned")


def test_plan_that_starts_today_opens_the_ticket(story: Story) -> None:
    story.says("marta", "#plan hoy mañana", 1)
    assert days(story) == (Status.OPEN, NOW.date(), date(2026, 11, 4))
    assert story.told() == [("planned", ANA)]


def test_plan_beside_an_answer_sends_both(story: Story) -> None:
    plan = story.says("marta", "Lo hacemos el jueves.\n\n#plan 2026-11-05 2026-11-06\n#time 5m", 1)
    assert [notice.template for notice in plan.notices] == ["planned", "answer"]
    assert days(story)[0] is Status.SCHEDULED


def test_director_plans_any_ticket_and_its_technician_is_told(story: Story) -> None:
    story.says("elena", "#plan SOP-1 2026-11-05 2026-11-06", to=reply_address(0, "elena@example.es"))
    assert days(story) == (Status.SCHEDULED, THURSDAY, FRIDAY)
    assert story.told() == [("planned", ANA), ("planned_for_you", MARTA)]


def test_director_who_plans_what_is_theirs_is_told_nothing(story: Story) -> None:
    story.says("elena", "#assign elena", 1)
    story.told()
    story.says("elena", "#plan 2026-11-05", 1)
    assert story.told() == [("planned", ANA)]


def test_client_who_writes_meanwhile_leaves_the_plan_and_the_technician_is_told(story: Story) -> None:
    story.says("marta", "#plan 2026-11-05 2026-11-06", 1)
    plan = story.says("ana", "¿Podría ser antes?", 1, NOW + HOUR)
    assert days(story)[0] is Status.SCHEDULED
    assert [(notice.template, notice.to) for notice in plan.notices] == [("notice", MARTA)]
    assert story.ticket().answer_left == 240


def test_answer_meanwhile_leaves_the_plan_and_is_the_answer_that_was_owed(story: Story) -> None:
    story.says("marta", "#plan 2026-11-05 2026-11-06", 1)
    story.says("ana", "¿Podría ser antes?", 1, NOW + HOUR)
    story.says("marta", "Lo siento, será el jueves.\n\n#time 2m", 1, NOW + 2 * HOUR)
    assert days(story) == (Status.SCHEDULED, THURSDAY, FRIDAY)
    assert (story.ticket().asked_at, story.ticket().answer_left) == (None, None)


@pytest.mark.parametrize(("order", "status"), [("#close", Status.CLOSED), ("#status open", Status.OPEN)])
def test_other_status_ends_the_schedule_and_keeps_its_days_as_history(story: Story, order: str, status: Status) -> None:
    story.says("marta", "#plan 2026-11-05 2026-11-06", 1)
    story.says("marta", order, 1)
    assert days(story) == (status, THURSDAY, FRIDAY)


def test_closed_ticket_that_is_planned_is_closed_no_more(story: Story) -> None:
    story.says("marta", "#close", 1)
    story.says("marta", "#plan 2026-11-05", 1)
    assert (days(story)[0], story.ticket().closed_at) == (Status.SCHEDULED, None)


# ---- postpone ------------------------------------------------------------------------------------


def test_postponement_tells_the_new_days_and_that_something_urgent_came(story: Story) -> None:
    story.says("marta", "#plan 2026-11-04 2026-11-05", 1)
    story.told()
    story.says("marta", "#postpone 2026-11-06 2026-11-09", 1)
    assert days(story) == (Status.SCHEDULED, FRIDAY, MONDAY)
    assert story.told() == [("planned", ANA)]
    text = story.text_of("planned")
    assert "algo urgente" in text
    assert "Entrega: lunes, 9 de noviembre" in text


def test_postponement_with_a_reason_gives_that_reason(story: Story) -> None:
    story.says("marta", "#plan 2026-11-04 2026-11-05", 1)
    story.says("marta", "#aplazar 6/11 9/11 Falta el acceso al servidor.", 1)
    text = story.text_of("planned")
    assert "El motivo: Falta el acceso al servidor." in text
    assert "urgente" not in text


def test_postponed_start_before_the_delivery_keeps_the_delivery(story: Story) -> None:
    story.says("marta", "#plan 2026-11-04 2026-11-09", 1)
    story.says("marta", "#postpone 2026-11-05", 1)
    assert days(story) == (Status.SCHEDULED, THURSDAY, MONDAY)


def test_english_client_reads_of_the_plan_in_english(story: Story) -> None:
    story.says("hello@beta.example", "Please add a page.", subject="A page")
    story.says("elena", "#plan 2026-11-05", 2)
    assert "Start: Thursday, 5 November 2026" in story.text_of("planned")


# ---- what is wrong -------------------------------------------------------------------------------


def wrong(story: Story, line: str) -> tuple[str, str]:
    """The problem of a line, and what would be right; nothing of it may have been done."""
    before = days(story)
    problems = [command.problem for command in story.says("marta", line, 1).script.problems]
    assert story.told() == [("problems", MARTA)]
    assert days(story) == before
    (problem,) = problems
    assert problem is not None
    return problem.code, problem.right


@pytest.mark.parametrize(
    ("line", "code", "right"),
    [
        ("#plan", "argument_missing", "#plan 2026-11-04 2026-11-06"),
        ("#plan pronto", "plan_unreadable", "#plan 2026-11-04 2026-11-06"),
        ("#plan 2026-11-05 2026-13-06", "plan_unreadable", "#plan 2026-11-04 2026-11-06"),
        ("#plan 2026-11-05 2026-11-06 y algo", "too_much", "#plan 2026-11-05 2026-11-06"),
        ("#plan 2026-11-05 cuando pueda", "too_much", "#plan 2026-11-05"),
        ("#plan 2062-12-01", "plan_too_far", "2027-11-04"),
        ("#plan 9999-12-31 9999-12-31", "plan_too_far", "2027-11-04"),
        ("#plan 0001-01-01", "plan_past", "#plan 2026-11-03"),
        ("#planificar ayer 2026-11-06", "plan_past", "#planificar 2026-11-03 2026-11-06"),
        ("#plan 2026-11-06 2026-11-05", "plan_backwards", "#plan 2026-11-05 2026-11-06"),
        ("#plan sábado 9/11", "plan_closed", "#plan 2026-11-09 2026-11-09"),
        ("#plan 2026-12-04 2026-12-07", "plan_closed", "#plan 2026-12-04 2026-12-09"),
        ("#postpone 2026-11-06", "not_planned", "#plan 2026-11-06"),
        ("#aplazar SOP-1 2026-11-06 2026-11-09 Sin tiempo", "not_planned", "#planificar SOP-1 2026-11-06 2026-11-09"),
    ],
)
def test_days_that_cannot_be_are_explained_and_nothing_is_done(story: Story, line: str, code: str, right: str) -> None:
    assert wrong(story, line) == (code, right)


def test_postponement_past_the_planned_delivery_asks_for_a_new_one(story: Story) -> None:
    story.says("marta", "#plan 2026-11-04 2026-11-05", 1)
    story.told()
    assert wrong(story, "#postpone 2026-11-09 Sin tiempo") == (
        "delivery_missing",
        "#postpone 2026-11-09 2026-11-09 Sin tiempo",
    )


def test_one_mail_plans_a_ticket_once(story: Story) -> None:
    assert wrong(story, "#plan 2026-11-04\n#plan 2026-11-05")[0] == "contradicts"


def test_prospect_s_ticket_cannot_be_planned(tmp_path: Path) -> None:
    with stored_desk(tmp_path, desk(desk={"strangers": "prospect"})) as stored:
        story = Story(stored)
        story.says("luis@tienda.test", "Busco quien lleve mi tienda.")
        plan = story.says("elena", "#plan 2026-11-05", 1)
        assert [command.problem and command.problem.code for command in plan.script.problems] == ["no_client"]


# ---- days on which its technician is away ---------------------------------------------------------


def _away(story: Story, technician: str, since: int, until: int) -> None:
    """Days of November."""
    with story.stored.store.write() as tx:
        absences.note(tx, Absence(technician, date(2026, 11, since), date(2026, 11, until)), None)


def test_a_plan_for_days_of_ones_own_absence_is_done_and_its_writer_is_told(story: Story) -> None:
    _away(story, "marta", 4, 5)
    story.says("marta", "#plan 2026-11-05 2026-11-09", 1)
    assert story.told() == [("planned", ANA), ("planned_away", MARTA)]
    assert story.ticket().status is Status.SCHEDULED
    told = story.text_of("planned_away").replace("\r\n", "\n")
    assert "estarás fuera:\n\n- miércoles, 4 de noviembre de 2026 – jueves, 5 de noviembre de 2026" in told


def test_who_plans_for_a_colleague_who_is_away_is_told_of_it(story: Story) -> None:
    _away(story, "marta", 9, 9)
    story.says("elena", "#plan 2026-11-05 2026-11-09", 1)
    assert story.told() == [("planned", ANA), ("planned_for_you", MARTA), ("planned_away", ELENA)]
    assert "Marta Gil estará fuera" in story.text_of("planned_away")


def test_the_absence_of_somebody_else_or_of_other_days_is_not_spoken_of(story: Story) -> None:
    _away(story, "elena", 5, 5)
    _away(story, "marta", 6, 6)
    story.says("marta", "#plan 2026-11-05 2026-11-09", 1)
    assert story.told() == [("planned", ANA)]


def test_an_answer_to_the_warning_postpones_it(story: Story) -> None:
    _away(story, "marta", 5, 5)
    story.says("marta", "#plan 2026-11-05 2026-11-09", 1)
    story.told()
    story.says("marta", "#aplazar SOP-1 2026-11-06 2026-11-10", to=reply_address(0, MARTA), subject="Re: SOP-1")
    assert story.told() == [("planned", ANA)]
    assert story.ticket().planned_start == date(2026, 11, 6)
