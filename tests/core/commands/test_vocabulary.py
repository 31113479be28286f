"""The words of the desk and the questions of clients."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.core.commands import vocabulary
from mailgate.core.commands.arguments import READERS
from mailgate.core.commands.vocabulary import PROBLEMS, VERBS, Question, folded, period, question
from mailgate.core.model import Category, Priority, Problem, Status
from tests.support import in_linear_time

TODAY = date(2026, 11, 3)
CORE = Path(vocabulary.__file__).parent
SOURCES = ("arguments", "command", "duration", "../stages/orders")

# ---- folding


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("Categoría", "categoria"),
        ("Categori\u0301a", "categoria"),
        ("AÑO", "ano"),
        ("＃Time\u00a012m", "#time 12m"),
        ("\ufeff#ti\u200bme", "#time"),
        ("\u200e\u202a#close\u202c", "#close"),
        ("１２", "１２"),
    ],
)
def test_folding_leaves_what_a_reader_would_say_aloud(text: str, result: str) -> None:
    assert folded(text) == result


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert folded(folded(text)) == folded(text)


# ---- commands


def test_names_are_folded_and_belong_to_one_command() -> None:
    names = [name for verb in VERBS for name in (verb.name, verb.spanish)]
    assert len(names) == len(set(names))
    assert all(name == folded(name) and name.isalpha() for name in names)


def test_every_available_command_has_a_reader_and_no_other() -> None:
    assert set(READERS) == {verb.name for verb in VERBS if verb.available}


@pytest.mark.parametrize(("word", "name"), [("Sí", "yes"), ("CATEGORÍA", "category"), ("cortesía", "free")])
def test_a_command_is_found_in_both_languages_whatever_its_case_and_accents(word: str, name: str) -> None:
    found = vocabulary.verb(word)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("tme", "time"),
        ("tmie", "time"),
        ("times", "time"),
        ("Tiempos", "tiempo"),
        ("timpo", "tiempo"),
        ("colse", "close"),
        ("closed", "close"),
        ("solved", "close"),
        ("resuelto", "cerrar"),
        ("estdao", "estado"),
        ("prioirdda", "prioridad"),
        ("spend", "time"),
        ("horas", "tiempo"),
        ("pending", "status waiting"),
        ("asigna", "asignar"),
    ],
)
def test_a_slip_or_another_tools_word_finds_what_was_meant(word: str, meant: str) -> None:
    assert vocabulary.nearest(word) == meant


@pytest.mark.parametrize(
    "words",
    [
        "header footer main menu nav page logo sidebar container root app top wrapper content modal search",
        "include define undef ifdef endif else elif pragma import region error item title type list form",
        "fff ok id se is yse wordpress prestashop seguridad factura urgencias ana marta",
    ],
)
def test_names_of_pages_code_and_hashtags_are_near_no_command(words: str) -> None:
    assert [word for word in words.split() if vocabulary.nearest(word)] == []


def test_two_letters_off_is_near_only_for_names_of_six_letters_or_more() -> None:
    assert vocabulary.nearest("clsoed") is None
    assert vocabulary.nearest("sttaus") == "status"
    assert vocabulary.nearest("sttuas") == "status"
    assert vocabulary.nearest("xttuas") is None


# ---- values


@pytest.mark.parametrize("words", [vocabulary.STATUSES, vocabulary.PRIORITIES, vocabulary.CATEGORIES])
def test_each_word_of_either_language_stands_for_one_value(words: tuple[vocabulary.Word, ...]) -> None:
    for word in words:
        for name in word.english + word.spanish:
            assert vocabulary.meaning(words, name.upper()) is word.value


def test_all_statuses_priorities_and_categories_have_words() -> None:
    assert [word.value for word in vocabulary.STATUSES] == list(Status)
    assert [word.value for word in vocabulary.PRIORITIES] == list(Priority)
    assert [word.value for word in vocabulary.CATEGORIES] == list(Category)


# ---- problems


def test_the_list_of_problems_is_what_the_readers_say() -> None:
    """Codes made from a command's name, as in "status_unknown", are written out in the list only."""
    sources = "".join((CORE / f"{name}.py").read_text() for name in SOURCES)
    after = (CORE / "vocabulary.py").read_text().partition("PROBLEMS: ")[2].partition("\n)\n")[2]
    said = set(re.findall(r'"((?:[a-z]+_)*[a-z]+)"', sources + after))
    said |= {f"{name}_unknown" for name in ("status", "priority", "category")}
    assert set(PROBLEMS) <= said
    assert len(PROBLEMS) == len(set(PROBLEMS))


# ---- questions


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
        ("informe pdf", "", Question("report")),
        ("informe 2026-10 PDF", "", Question("report", "2026-10")),
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
        ("Re: saldo", "Gracias, pero faltan 20 minutos"),
        ("asaldo", "historiales"),
    ],
)
def test_any_other_mail_is_no_question(subject: str, first_line: str) -> None:
    assert question(subject, first_line) is None


@given(st.text(), st.text())
def test_no_mail_makes_the_reading_of_questions_fail(subject: str, first_line: str) -> None:
    asked = question(subject, first_line)
    assert asked is None or asked.name in vocabulary.QUESTIONS.values()


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
@pytest.mark.parametrize("unit", ["re: ", "re:", "re[", "  ", "informe 1", "1 ", "#", "¿", "a\u0301"])
def test_hostile_subjects_take_linear_time(unit: str) -> None:
    text = unit * (500_000 // len(unit))
    with in_linear_time():
        question(text, text)
        period(text, TODAY)
        question("informe " + text, "")
