"""Lines of the evening's form: what books, what corrects, and what was left blank."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from mailgate.core.commands import form
from mailgate.core.commands.command import Context, parse
from mailgate.core.commands.vocabulary import PROBLEMS
from mailgate.core.model import Command, Problem, Role

CONTEXT = Context(Role.TECHNICIAN, "SOP", date(2026, 11, 3), 720, {"marta": "Marta Gil"}, form=True)


def only(line: str) -> Command:
    (command,) = parse(line, CONTEXT).commands
    return command


@pytest.mark.parametrize(
    ("line", "minutes", "note"),
    [
        ("SOP-12 15m", 15, ""),
        ("sop-12 1h 05m el certificado", 65, "el certificado"),
        ("[SOP-12] 15", 15, ""),
        ("SOP-12 __15m", 15, ""),
        ("SOP-12 15__m", 15, ""),
        ("SOP-12 15 __m  wp_config.php", 15, "wp_config.php"),
    ],
)
def test_a_blank_that_is_filled_in_books_on_its_ticket(line: str, minutes: int, note: str) -> None:
    found = only(line)
    assert (found.name, found.ticket, found.minutes, found.note, found.problem) == ("time", 12, minutes, note, None)


def test_a_day_may_stand_behind_the_minutes() -> None:
    assert only("SOP-12 15m @ayer").day == date(2026, 11, 2)


@pytest.mark.parametrize(("line", "note"), [("345 10m", ""), ("#345 10 min", ""), ("345 10m era menos", "era menos")])
def test_a_number_and_minutes_correct_an_entry(line: str, note: str) -> None:
    found = only(line)
    assert (found.name, found.entry, found.minutes, found.note, found.problem) == ("correct", 345, 10, note, None)


@pytest.mark.parametrize(
    "line",
    [
        "SOP-12 __m",
        "SOP-12 m",
        "SOP-12",
        "SOP-12 sigue pendiente de Ana",
        "WEB-12 15m",
        "- SOP-12 24h Fitness: El carrito",
        "- 345 · SOP-12 · 45 min · Certificado",
        "· El carrito",
        "3 nov 2026",
        "Responde con su número: «345 10m».",
    ],
)
def test_blanks_that_are_left_and_other_lines_are_no_commands(line: str) -> None:
    assert parse(line, CONTEXT).commands == ()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("SOP-12 99h", Problem("duration_too_long", "99h", "720")),
        ("SOP-12 0m", Problem("duration_zero", "0m", "1m")),
        ("345 1,33h", Problem("duration_not_whole", "1,33h", "79m, 80m")),
        ("345 0m", Problem("adjust_to_nothing", "0m", "#void 345")),
        ("SOP-12 15m llamada @ayer", Problem("order", "SOP-12 15m llamada @ayer", "#time SOP-12 15m @ayer llamada")),
    ],
)
def test_a_wrong_line_says_what_would_be_right(line: str, expected: Problem) -> None:
    assert expected.code in PROBLEMS
    assert only(line).problem == expected


def test_two_equal_lines_are_asked_about() -> None:
    problems = parse("SOP-12 15m\nSOP-12 15m", CONTEXT).problems
    assert [wrong.problem.code for wrong in problems if wrong.problem] == ["twice"]


def test_what_stands_around_the_lines_is_text_for_nobody() -> None:
    script = parse("Hola:\n\nSOP-12 15m\n· El carrito\n\nSOP-14 __m\n\nGracias,\nMarta", CONTEXT)
    assert ([found.line for found in script.commands], script.body) == (["SOP-12 15m"], "")


def test_elsewhere_such_lines_are_text() -> None:
    text = "SOP-12 15m\n345 10m"
    script = parse(text, replace(CONTEXT, form=False))
    assert (script.commands, script.body) == ((), text)


def test_lines_that_were_filled_in_are_found_in_a_quote() -> None:
    quoted = "El martes, Soporte escribió:\n> SOP-12 15m\n> > 345 10m\n> SOP-14 __m\n> - SOP-9 24h Fitness: Hola"
    assert form.filled_in_quote(quoted, CONTEXT) == ["SOP-12 15m", "345 10m"]
