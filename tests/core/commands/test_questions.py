"""The questions of clients, and the periods of their reports."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.core.commands.questions import QUESTIONS, Question, period, question
from mailgate.core.model import Problem
from tests.support import in_linear_time

TODAY = date(2026, 11, 3)


@pytest.mark.parametrize(
    ("subject", "first_line", "asked"),
    [
        ("saldo", "", Question("balance")),
        ("  SALDO?  ", "", Question("balance")),
        ("¿Saldo?", "Hola", Question("balance")),
        ("#balance", "", Question("balance")),
        ("Hola", "# Saldo", Question("balance")),
        ("＃saldo", "", Question("balance")),
        ("(sin asunto)", "Ayuda!", Question("help")),
        ("help.", "", Question("help")),
        ("Historial", "", Question("history")),
        ("history", "", Question("history")),
        ("informe", "", Question("report")),
        ("Informe 2026-10", "", Question("report", "2026-10")),
        ("report 2026-10-01..2026-11-15", "", Question("report", "2026-10-01..2026-11-15")),
        ("Informe 2026-10-01 .. 2026-11-15", "", Question("report", "2026-10-01..2026-11-15")),
        ("informe\u00a02026-13?", "", Question("report", "2026-13")),
        ("informe pdf", "", Question("report", pdf=True)),
        ("Report as PDF", "", Question("report", pdf=True)),
        ("informe en pdf 2026-10", "", Question("report", "2026-10", pdf=True)),
        ("informe 2026-10 PDF", "", Question("report", "2026-10", pdf=True)),
        ("Hola", "report pdf 2026-10-01..2026-11-15", Question("report", "2026-10-01..2026-11-15", pdf=True)),
        ("informe csv", "", Question("report")),
        ("Re: saldo", "", Question("balance")),
        ("RE: Fwd: RV: Saldo", "", Question("balance")),
        ("Re[2]: informe 2026-10", "", Question("report", "2026-10")),
        ("Re: saldo", "informe", Question("report")),
        ("Re: web caída", "saldo", Question("balance")),
    ],
)
def test_one_word_in_the_subject_or_first_line_is_a_question(subject: str, first_line: str, asked: Question) -> None:
    assert question(subject, first_line) == asked


@pytest.mark.parametrize(
    ("subject", "first_line"),
    [
        ("", ""),
        ("La web no va", "Hola"),
        ("saldo de stock equivocado", "Hola"),
        ("Informe de errores", "Adjunto el informe"),
        ("ayuda urgente", "no carga"),
        ("saldo 2026-10", ""),
        ("ayuda pdf", ""),
        ("informe pdf del hosting", ""),
        ("pdf", ""),
        ("Re: saldo", "Gracias, pero faltan 20 minutos"),
        ("asaldo", "historiales"),
    ],
)
def test_any_other_mail_is_no_question(subject: str, first_line: str) -> None:
    assert question(subject, first_line) is None


@given(st.text(), st.text())
def test_no_mail_makes_the_reading_of_questions_fail(subject: str, first_line: str) -> None:
    asked = question(subject, first_line)
    assert asked is None or asked.name in QUESTIONS.values()


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("", None),
        ("2026-10", (date(2026, 10, 1), date(2026, 10, 31))),
        ("2026-11", (date(2026, 11, 1), date(2026, 11, 30))),
        ("2024-02", (date(2024, 2, 1), date(2024, 2, 29))),
        ("2026-10-01..2026-11-15", (date(2026, 10, 1), date(2026, 11, 15))),
        ("2026-10..2026-11", (date(2026, 10, 1), date(2026, 11, 30))),
        ("2026-11-03", (TODAY, TODAY)),
        ("2026-11-03..2026-11-03", (TODAY, TODAY)),
        ("2026-9", (date(2026, 9, 1), date(2026, 9, 30))),
    ],
)
def test_a_period_has_both_its_days(text: str, days: tuple[date, date] | None) -> None:
    assert period(text, TODAY) == days


@pytest.mark.parametrize(
    ("text", "code", "right"),
    [
        ("2026-13", "period_unreadable", "2026-10, 2026-10-01..2026-11-15"),
        ("2026-02-30", "period_unreadable", "2026-10, 2026-10-01..2026-11-15"),
        ("0000-01", "period_unreadable", "2026-10, 2026-10-01..2026-11-15"),
        ("2026-10..", "period_unreadable", "2026-10, 2026-10-01..2026-11-15"),
        ("octubre", "period_unreadable", "2026-10, 2026-10-01..2026-11-15"),
        ("２０２６-10", "period_unreadable", "2026-10, 2026-10-01..2026-11-15"),
        ("2026-11-15..2026-10-01", "period_backwards", "2026-10-01..2026-11-15"),
        ("2026-11-04", "period_future", "2026-11"),
        ("2027-01", "period_future", "2026-11"),
    ],
)
def test_a_wrong_period_is_refused_with_the_right_form(text: str, code: str, right: str) -> None:
    assert period(text, TODAY) == Problem(code, text, right)


@given(st.text(alphabet="0123456789-. x", max_size=30))
def test_any_text_is_a_period_in_order_or_a_problem(text: str) -> None:
    days = period(text, TODAY)
    assert days is None or isinstance(days, Problem) or (days[0] <= days[1] and days[0] <= TODAY)


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["re: ", "re:", "re[", "  ", "informe 1", "1 ", " pdf", "#", "¿", "a\u0301"])
def test_hostile_subjects_take_linear_time(unit: str) -> None:
    text = unit * (500_000 // len(unit))
    with in_linear_time():
        question(text, text)
        period(text, TODAY)
        question("informe " + text, "")
