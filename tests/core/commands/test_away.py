"""`#away`: days ahead as people write them, and what is wrong with others."""

from __future__ import annotations

from datetime import date

import pytest

from mailgate.core.commands.command import parse
from mailgate.core.model import Command, Problem
from tests.core.commands.test_command import MARTA, only, problem

TODAY = MARTA.today  # 3 November 2026


@pytest.mark.parametrize(
    ("line", "since", "until"),
    [
        ("#away 2026-12-21 2026-12-24", date(2026, 12, 21), date(2026, 12, 24)),
        ("#fuera 2026-12-21", date(2026, 12, 21), date(2026, 12, 21)),
        ("#FUERA 21/12 al 24/12", date(2026, 12, 21), date(2026, 12, 24)),
        ("#fuera @21/12 - @7/1", date(2026, 12, 21), date(2027, 1, 7)),
        ("#fuera del lunes al viernes", date(2026, 11, 9), date(2026, 11, 13)),
        ("#fuera mañana", date(2026, 11, 4), date(2026, 11, 4)),
        ("#away today until tomorrow.", date(2026, 11, 3), date(2026, 11, 4)),
        ("#fuera 1/11 6/11", date(2026, 11, 1), date(2026, 11, 6)),
    ],
)
def test_first_and_last_day_are_read(line: str, since: date, until: date):
    assert only(line) == Command("away", line, 0, day=since, until=until)


@pytest.mark.parametrize("line", ["#away off", "#fuera no", "#Fuera No."])
def test_an_absence_is_taken_back_by_a_word(line: str):
    assert only(line) == Command("away", line, 0, value="off")


@pytest.mark.parametrize(
    ("line", "code", "right"),
    [
        ("#away", "argument_missing", "#away 2026-11-03 2026-11-04"),
        ("#fuera pronto", "away_unreadable", "#fuera 2026-11-03 2026-11-04"),
        ("#fuera hasta", "away_unreadable", "#fuera 2026-11-03 2026-11-04"),
        ("#fuera ayer", "away_over", "2026-11-03"),
        ("#away 2026-12-24 2026-12-21", "away_backwards", "#away 2026-12-21 2026-12-24"),
        ("#away 2026-10-20 2026-11-02", "away_over", "2026-11-03"),
        ("#away 2062-12-21", "away_too_far", "2027-11-04"),
        ("#fuera 21/12 24/12 médico", "too_much", "#fuera 21/12 24/12"),
        ("#vacaciones 21/12 24/12", "unknown_near", "#fuera 21/12 24/12"),
        ("#absent 2026-12-21", "unknown_near", "#away 2026-12-21"),
    ],
)
def test_what_is_wrong_says_what_would_be_right(line: str, code: str, right: str):
    found = problem(line)
    assert (found.code, found.right) == (code, right)


def test_several_absences_are_several_lines():
    script = parse("#away 2026-11-10\n#away 2026-12-21 2026-12-24", MARTA)
    assert [command.problem for command in script.commands] == [None, None]
    assert script.body == ""


def test_the_problem_names_what_was_written():
    assert problem("#fuera lunes quizá") == Problem("away_unreadable", "quizá", "#fuera 2026-11-03 2026-11-04")
