"""What a technician's fresh text says to the desk, and what is left of it for the client."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.core.commands.command import Context, Script, parse
from mailgate.core.commands.vocabulary import PROBLEMS, VERBS, Verb
from mailgate.core.model import Command, Problem, Role
from tests.support import in_linear_time

TODAY = date(2026, 11, 3)
MARTA = Context(
    role=Role.TECHNICIAN,
    tag="SOP",
    today=TODAY,
    most=720,
    technicians={"elena": "Elena Ruiz", "marta": "Marta Gil", "mar": "Mar Núñez", "jl": "José Luis Peña"},
)
ELENA = replace(MARTA, role=Role.DIRECTOR)


def only(line: str, context: Context = MARTA) -> Command:
    """The one command of a mail that has nothing else."""
    script = parse(line, context)
    assert len(script.commands) == 1, script
    return script.commands[0]


def problem(line: str, context: Context = MARTA) -> Problem:
    found = only(line, context).problem
    assert found is not None, line
    assert found.code in PROBLEMS
    return found


def is_text(text: str, context: Context = MARTA) -> bool:
    return parse(text, context) == Script((), text)


# ---- the commands of the interface


@pytest.mark.parametrize("name", ["time", "tiempo", "Time", "TIEMPO"])
def test_time_debits_minutes_with_its_note_as_written(name: str) -> None:
    line = f"#{name} 12m Llamada con José, 3 productos"
    assert only(line) == Command("time", line, 0, minutes=12, note="Llamada con José, 3 productos")


@pytest.mark.parametrize(
    ("line", "name"),
    [("#call 10m", "call"), ("#llamada 10m", "call"), ("#free 10m", "free"), ("#Cortesía 10m", "free")],
)
def test_calls_and_courtesies_are_booked_like_time(line: str, name: str) -> None:
    assert only(line) == Command(name, line, 0, minutes=10)


@pytest.mark.parametrize("line", ["#time SOP-12 10m nota", "#tiempo sop-12 10 min nota", "#call [SOP-12] 10m nota"])
def test_time_may_go_to_another_ticket(line: str) -> None:
    command = only(line)
    assert (command.ticket, command.minutes, command.note) == (12, 10, "nota")


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("@hoy", None),
        ("@today", None),
        ("@2026-11-03", None),
        ("@ayer", date(2026, 11, 2)),
        ("@Yesterday", date(2026, 11, 2)),
        ("@2026-11-02", date(2026, 11, 2)),
        ("@2/11", date(2026, 11, 2)),
        ("@02/11/2026", date(2026, 11, 2)),
        ("@ayer,", date(2026, 11, 2)),
        ("@02/11/2025", date(2025, 11, 2)),
    ],
)
def test_time_may_be_of_an_earlier_day(day: str, expected: date | None) -> None:
    command = only(f"#time 30m {day} migración")
    assert (command.minutes, command.day, command.note, command.problem) == (30, expected, "migración", None)


def test_a_day_without_year_early_in_a_year_is_of_the_last_december() -> None:
    january = replace(MARTA, today=date(2027, 1, 4))
    assert only("#time 30m @28/12", january).day == date(2026, 12, 28)
    assert only("#time 30m @2/1", january).day == date(2027, 1, 2)
    assert problem("#time 30m @5/1", january).code == "day_future"


def test_days_are_taken_from_today_back_to_366_days() -> None:
    assert only("#time 1m @2025-11-02").day == date(2025, 11, 2)
    assert problem("#time 1m @2025-11-01") == Problem("day_too_old", "@2025-11-01", "@2025-11-02")
    assert only("#time 1m @3/11").problem is None
    assert problem("#time 1m @4/11") == Problem("day_future", "@4/11", "@2026-11-03")


@pytest.mark.parametrize("day", ["@lunes", "@31/2", "@2026-13-01", "@", "@2-11", "@marta", "@２/11", "@0000-01-01"])
def test_an_unreadable_day_is_a_problem(day: str) -> None:
    assert problem(f"#time 12m {day} nota") == Problem("day_unreadable", day, "@2026-11-03")


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("#status waiting", "status", "waiting"),
        ("#estado en espera", "status", "waiting"),
        ("#Estado ABIERTO", "status", "open"),
        ("#estado closed", "status", "closed"),
        ("#estado cerrado.", "status", "closed"),
        ("#priority urgent", "priority", "urgent"),
        ("#prioridad alta", "priority", "high"),
        ("#prioridad baja", "priority", "low"),
        ("#category security", "category", "security"),
        ("#categoría Formación", "category", "training"),
        ("#categoria fallo", "category", "bug"),
        ("#categoria diseno", "category", "design"),
        ("#assign marta", "assign", "marta"),
        ("#asignar Marta Gil", "assign", "marta"),
        ("#asignar @elena", "assign", "elena"),
        ("#asignar JOSE", "assign", "jl"),
        ("#asignar jose lu", "assign", "jl"),
        ("#asignar el", "assign", "elena"),
        ("#asignar mar", "assign", "mar"),
        ("#asignar Núñez", "technician_unknown", "elena, marta, mar, jl"),
        ("#asignar ma", "technician_ambiguous", "marta, mar"),
    ],
)
def test_values_are_words_of_both_languages_and_people_by_id_or_name(line: str, name: str, value: str) -> None:
    command = only(line)
    if command.problem:
        assert (command.problem.code, command.problem.right) == (name, value)
    else:
        assert (command.name, command.value) == (name, value)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("#status done", Problem("status_unknown", "done", "open, waiting, closed")),
        ("#estado listo", Problem("status_unknown", "listo", "abierto, en espera, cerrado")),
        ("#status scheduled", Problem("status_not_settable", "scheduled", "open, waiting, closed")),
        ("#estado retenido", Problem("status_not_settable", "retenido", "abierto, en espera, cerrado")),
        ("#status new", Problem("status_not_settable", "new", "open, waiting, closed")),
        ("#status waiting for Ana", Problem("too_much", "for Ana", "#status waiting")),
        ("#status", Problem("argument_missing", "#status", "#status open")),
        ("#prioridad", Problem("argument_missing", "#prioridad", "#prioridad urgente")),
        ("#prioridad máxima", Problem("priority_unknown", "máxima", "urgente, alta, normal, baja")),
        ("#asignar", Problem("argument_missing", "#asignar", "#asignar elena")),
        ("#assign marta por favor", Problem("too_much", "por favor", "#assign marta")),
        ("#void", Problem("argument_missing", "#void", "#void 345")),
        ("#anular tres", Problem("entry_unreadable", "tres", "#anular 345")),
        ("#void 0", Problem("entry_unreadable", "0", "#void 345")),
        ("#void ３", Problem("entry_unreadable", "３", "#void 345")),
        ("#close por fin", Problem("takes_nothing", "por fin", "#close")),
        ("#Sí, gracias", Problem("unknown_near", "#Sí", "#Sí")),
        ("#time", Problem("duration_missing", "", "12m")),
        ("#time -5m", Problem("duration_negative", "-5m", "5m")),
        ("#time 0", Problem("duration_zero", "0", "1m")),
        ("#time 99999m", Problem("duration_too_long", "99999m", "720")),
        ("#time abc", Problem("duration_unreadable", "abc", "12m")),
        ("#time 12 m 5", Problem("duration_parts", "12 m 5", "1h05m")),
        ("#time １２m", Problem("duration_digits", "１２m", "12m")),
        ("#time WEB-12 10m", Problem("wrong_tag", "WEB-12", "SOP-12")),
    ],
)
def test_a_wrong_command_says_what_is_wrong_and_what_would_be_right(line: str, expected: Problem) -> None:
    assert problem(line) == expected


def test_void_names_an_entry_and_may_have_a_reason() -> None:
    assert only("#void 345").entry == 345
    command = only("#anular #345 cliente equivocado")
    assert (command.name, command.entry, command.note) == ("void", 345, "cliente equivocado")


@pytest.mark.parametrize(
    ("line", "minutes", "value"),
    [
        ("#estimate 90m", 90, ""),
        ("#estimar 1h 30m", 90, ""),
        ("#estimate 90m ask", 90, "ask"),
        ("#Estimar 1,5h CONSULTAR.", 90, "ask"),
        ("#estimate 100h", 6000, ""),
    ],
)
def test_an_estimate_may_ask_for_the_clients_consent(line: str, minutes: int, value: str) -> None:
    assert only(line) == Command("estimate", line, 0, minutes=minutes, value=value)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("#estimate", Problem("duration_missing", "", "12m")),
        ("#estimar 0", Problem("duration_zero", "0", "1m")),
        ("#estimate 6001m", Problem("estimate_too_long", "6001m", "6000")),
        ("#estimate 90m por favor", Problem("too_much", "por favor", "#estimate 90m ask")),
        ("#estimar 90m consulta", Problem("too_much", "consulta", "#estimar 90m consultar")),
        ("#estimado 90m", Problem("unknown_near", "#estimado", "#estimar 90m")),
    ],
)
def test_a_wrong_estimate_says_what_would_be_right(line: str, expected: Problem) -> None:
    assert problem(line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("#uphold 345", ("uphold", 345, None, "")),
        ("#confirmar 345 así se pidió", ("uphold", 345, None, "así se pidió")),
        ("#adjust 345 10m", ("adjust", 345, 10, "")),
        ("#Ajustar #345 1h 5m 3 productos", ("adjust", 345, 65, "3 productos")),
        ("#accept", ("accept", None, None, "")),
        ("#aceptar Bienvenidos", ("accept", None, None, "Bienvenidos")),
        ("#rechazar fuera de plazo", ("decline", None, None, "fuera de plazo")),
        ("#cancel", ("cancel", None, None, "")),
        ("#cancelar de común acuerdo", ("cancel", None, None, "de común acuerdo")),
    ],
)
def test_the_directors_rulings_may_have_their_reason_on_the_line(line: str, expected: tuple[object, ...]) -> None:
    command = only(line, ELENA)
    assert (command.name, command.entry, command.minutes, command.note) == expected
    assert command.problem is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("#uphold", Problem("argument_missing", "#uphold", "#uphold 345")),
        ("#adjust 10m", Problem("entry_unreadable", "10m", "#adjust 345 10m")),
        ("#ajustar 345", Problem("duration_missing", "", "12m")),
        ("#ajustar 345 diez", Problem("duration_unreadable", "diez", "12m")),
        ("#adjust 345 0", Problem("adjust_to_nothing", "0", "#void 345")),
        ("#ajustar 345 0m no consta", Problem("adjust_to_nothing", "0m", "#anular 345")),
        ("#acept", Problem("unknown_near", "#acept", "#accept")),
        ("#accept: bienvenidos", Problem("unknown_near", "#accept", "#accept bienvenidos")),
        ("#cancel { display: none }", Problem("looks_like_code", "#cancel { display: none }", "```")),
        ("#decline " + "x" * 501, Problem("note_too_long", "501", "500")),
    ],
)
def test_a_wrong_ruling_says_what_would_be_right(line: str, expected: Problem) -> None:
    assert problem(line, ELENA) == expected


def test_two_entries_may_be_adjusted_to_the_same_minutes() -> None:
    assert not parse("#adjust 345 10m\n#adjust 346 10m", ELENA).problems


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("#close SOP-12", ("close", 12, "", None)),
        ("#cerrar [sop-12]", ("close", 12, "", None)),
        ("#status SOP-12 waiting", ("status", 12, "waiting", None)),
        ("#estado SOP-12 en espera", ("status", 12, "waiting", None)),
        ("#prioridad SOP-12 urgente", ("priority", 12, "urgent", None)),
        ("#assign SOP-12 Marta Gil", ("assign", 12, "marta", None)),
        ("#category SOP-12 bug", ("category", 12, "bug", None)),
        ("#estimate SOP-12 90m ask", ("estimate", 12, "ask", 90)),
    ],
)
def test_what_is_done_to_a_ticket_may_name_it(line: str, expected: tuple[object, ...]) -> None:
    found = only(line)
    assert (found.name, found.ticket, found.value, found.minutes) == expected


def test_the_reason_of_a_ruling_may_stand_behind_its_ticket() -> None:
    found = only("#decline SOP-12 no llevamos tiendas", ELENA)
    assert (found.ticket, found.note) == (12, "no llevamos tiendas")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("#close WEB-12", Problem("wrong_tag", "WEB-12", "SOP-12")),
        ("#assign WEB-12 marta", Problem("wrong_tag", "WEB-12", "SOP-12")),
        ("#status waiting SOP-12", Problem("order", "#status waiting SOP-12", "#status SOP-12 waiting")),
        ("#asignar marta SOP-12", Problem("order", "#asignar marta SOP-12", "#asignar SOP-12 marta")),
        ("#assign SOP-12", Problem("argument_missing", "#assign SOP-12", "#assign SOP-12 elena")),
        ("#close SOP-12 ya", Problem("takes_nothing", "ya", "#close SOP-12")),
        ("#estado SOP-12 listo", Problem("status_unknown", "listo", "abierto, en espera, cerrado")),
        ("#estimar SOP-12 2h ya", Problem("too_much", "ya", "#estimar SOP-12 2h consultar")),
        ("#closed SOP-12", Problem("unknown_near", "#closed", "#close SOP-12")),
    ],
)
def test_what_is_proposed_for_a_wrong_line_names_its_ticket(line: str, expected: Problem) -> None:
    assert problem(line) == expected


def test_a_technician_may_be_called_like_a_ticket() -> None:
    assert only("#assign web-2", replace(MARTA, technicians={"web-2": "Segunda línea"})).value == "web-2"


@pytest.mark.parametrize(("line", "name"), [("#release 17", "release"), ("#Descartar #17", "drop")])
def test_the_director_decides_on_a_message_of_the_quarantine_by_its_number(line: str, name: str) -> None:
    assert (only(line, ELENA).name, only(line, ELENA).quarantined) == (name, 17)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("#release", Problem("argument_missing", "#release", "#release 17")),
        ("#liberar todo", Problem("quarantine_unreadable", "todo", "#liberar 17")),
        ("#drop 17 18", Problem("too_much", "18", "#drop 17")),
    ],
)
def test_a_wrong_number_of_the_quarantine_says_what_would_be_right(line: str, expected: Problem) -> None:
    assert problem(line, ELENA) == expected


@pytest.mark.parametrize(
    "line", ["#acept", "#aceptado", "#confirma 345", "@accept", "#cancelar: ya", "#ajuste 345 10m"]
)
def test_what_is_near_a_directors_command_is_text_from_anybody_else(line: str) -> None:
    assert is_text(line, MARTA)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("#close", "close"),
        ("#cerrar", "close"),
        ("#send", "send"),
        ("#enviar", "send"),
        ("#yes", "yes"),
        ("#Sí", "yes"),
        ("#nota", "note"),
    ],
)
def test_commands_without_arguments(line: str, name: str) -> None:
    assert parse(line, MARTA) == Script((Command(name, line, 0),), "")


def test_what_follows_note_on_its_line_belongs_to_the_note() -> None:
    script = parse("#nota llamar mañana\nEl hosting no responde.", MARTA)
    assert script.commands == (Command("note", "#nota llamar mañana", 0, note="llamar mañana"),)
    assert script.body == "llamar mañana\nEl hosting no responde."


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("#time 10m SOP-12 nota", "#time SOP-12 10m nota"),
        ("#time 10m @ayer SOP-12 nota", "#time SOP-12 10m @ayer nota"),
        ("#time 12m llamada @ayer", "#time 12m @ayer llamada"),
        ("#tiempo SOP-9 12m factura @2/11 enviada", "#tiempo SOP-9 12m @2/11 factura enviada"),
    ],
)
def test_a_ticket_or_day_that_strayed_into_the_note_is_asked_about(line: str, right: str) -> None:
    assert problem(line) == Problem("order", line, right)
    assert only(right).problem is None


@pytest.mark.parametrize(
    "note", ["copiado de SOP-12", "COVID-19 cartel", "hablado con @marta", "3 productos", "luego {footer}"]
)
def test_a_note_may_speak_of_tickets_and_people(note: str) -> None:
    assert only(f"#time 10m {note}") == Command("time", f"#time 10m {note}", 0, minutes=10, note=note)


def test_a_note_is_kept_whole_up_to_its_limit_and_never_cut() -> None:
    assert only("#time 10m " + "x" * 500).note == "x" * 500
    assert problem("#time 10m " + "x" * 501) == Problem("note_too_long", "501", "500")
    assert problem("#void 345 " + "x" * 501).code == "note_too_long"


# ---- several commands


def test_several_time_lines_are_several_debits() -> None:
    script = parse("#time 12m banco\n#time 12m tienda\n#time 12m\n#time SOP-3 12m\n#free 12m", MARTA)
    assert [command.minutes for command in script.commands] == [12] * 5
    assert not script.problems


def test_a_booking_that_agrees_with_another_in_everything_is_asked_about() -> None:
    script = parse("#time 12m Banco\nHola\n#tiempo 12 min @hoy banco\n#time 12m banco", MARTA)
    assert [command.problem and command.problem.right for command in script.commands] == [
        None,
        "#tiempo 12 min @hoy banco (2)",
        "#time 12m banco (3)",
    ]
    assert not parse("#time 12m banco\n#time 12m banco (2)", MARTA).problems


def test_one_wrong_line_is_told_beside_the_right_ones_and_the_text_is_kept() -> None:
    script = parse("Hola, Ana:\n\n#time 10m\n#time 0\n\nYa está.", MARTA)
    assert [command.line for command in script.commands] == ["#time 10m", "#time 0"]
    assert [command.line for command in script.problems] == ["#time 0"]
    assert script.body == "Hola, Ana:\n\nYa está."


# ---- where a command stands


def test_commands_stand_in_any_position_and_leave_the_text_without_a_gap() -> None:
    script = parse("\n#time 12m\n\nHola.\n\n  #close\n\nUn saludo,\nMarta\n#prioridad alta\n\n", MARTA)
    assert [(command.name, command.number) for command in script.commands] == [
        ("time", 1),
        ("close", 5),
        ("priority", 9),
    ]
    assert script.body == "Hola.\n\nUn saludo,\nMarta"


@pytest.mark.parametrize(
    "line",
    [
        "＃Time 10m",
        "#time\u00a010m",
        "\u00a0#time 10\u00a0m",
        "\ufeff#ti\u200bme 10m",
        "#time\t10m",
        "#TIME  10M",
    ],
)
def test_signs_of_mail_programs_do_not_matter(line: str) -> None:
    command = only(line)
    assert (command.name, command.minutes, command.line) == ("time", 10, line.strip())


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_line_ends_of_any_system_are_read(ends: str) -> None:
    script = parse(ends.join(["Hola", "#time 5m", "adiós"]), MARTA)
    assert [command.number for command in script.commands] == [1]
    assert script.body == "Hola\nadiós"


@pytest.mark.parametrize(
    "text",
    [
        "He activado la caché. #time lo apunto abajo.",
        "Ana, ya está; le pongo #time 12m si te parece",
        "El comando es «#time 12m», en una línea aparte.",
        "> #time 12m",
        "```\n#time 12m\n#close\n```",
        "~~~ css\n#status { color: red }\n~~~",
        "````\n```\n#close\n````",
        "Mira:\n\n    #time 12m",
        "Mira:\n\t#close",
        "Mira:\n\u00a0\u00a0\u00a0\u00a0#close",
        "Cambiado.\n-- \n#time 30m\nMarta",
        "Cambiado.\n--\u00a0\n#time 30m",
    ],
)
def test_sentences_quotes_code_and_signatures_hold_no_command(text: str) -> None:
    assert is_text(text)


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("- #time 12m", "#time 12m"),
        ("•\u00a0\u00a0#tiempo 12m nota", "#tiempo 12m nota"),
        ("* #close", "#close"),
        ("1. #call [SOP-12] 10m", "#call [SOP-12] 10m"),
        ("*#time 12m*", "#time 12m"),
        ("«#admitir 17».", "#admitir 17"),
        ('"#nota"', "#nota"),
        ("(#note)", "#note"),
    ],
)
def test_a_command_in_a_list_or_quoted_is_asked_about_and_not_shown_to_the_client(line: str, right: str) -> None:
    assert problem(line) == Problem("dressed", line.replace("\u00a0", " "), right)
    assert parse(f"Hola\n{line}", MARTA).body == "Hola"


@pytest.mark.parametrize("line", ["- #header { }", "- #1 primero", "* #time flies", "1. # comment", "«#ok»"])
def test_any_other_item_of_a_list_is_text(line: str) -> None:
    assert is_text(line)


def test_three_spaces_are_no_code_and_four_are() -> None:
    assert only("   #close").name == "close"
    assert is_text("x\n    #close")


def test_commands_count_again_after_code_and_its_signature_marks() -> None:
    script = parse("```sql\n-- \n#time 9m\n\n\nselect 1\n```\n#time 5m", MARTA)
    assert [command.minutes for command in script.commands] == [5]
    assert script.body == "```sql\n-- \n#time 9m\n\n\nselect 1\n```"


def test_a_command_after_a_fence_that_nothing_closes_is_asked_about() -> None:
    script = parse("#time 5m\n```\n#header {\n#close", MARTA)
    assert [command.problem and command.problem.code for command in script.commands] == [None, "fence_open"]
    assert script.body == "```\n#header {"


# ---- what is near a command, and what is not


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("#closed", "#close"),
        ("#solved", "#close"),
        ("#Resolved", "#close"),
        ("#done", "#close"),
        ("#resuelto", "#cerrar"),
        ("#cerrado", "#cerrar"),
        ("#cerrado por fin", "#cerrar"),
        ("#spend 12m", "#time 12m"),
        ("#tiempos 12m", "#tiempo 12m"),
        ("#minutes 12", "#time 12"),
        ("#hora 1h", "#tiempo 1h"),
        ("#log 12m banco", "#time 12m banco"),
        ("#worklog 1h 5m", "#time 1h 5m"),
        ("#tmie 12m", "#time 12m"),
        ("#tmie", "#time"),
        ("#prioirdad alta", "#prioridad alta"),
        ("#pending", "#status waiting"),
        ("@close", "#close"),
        ("@time 12m", "#time 12m"),
        ("# time 12m", "#time 12m"),
        ("##tiempo 12m", "#tiempo 12m"),
        ("# Nota", "#Nota"),
        ("#time: 12m", "#time 12m"),
        ("#time:12m", "#time 12m"),
        ("#time12m", "#time 12m"),
        ("#time-5m", "#time 5m"),
        ("#cerrar.", "#cerrar"),
        ("#nota: no enviar", "#nota no enviar"),
        ("#time:", "#time"),
    ],
)
def test_a_line_near_a_command_is_refused_with_what_was_meant(line: str, right: str) -> None:
    found = problem(line)
    assert (found.code, found.right) == ("unknown_near", right)
    assert parse(line, MARTA).body == ""


@pytest.mark.parametrize(
    "line",
    [
        "#header {",
        "#fff",
        "#!/bin/bash",
        "# comment",
        "# close the connection",
        "# note: do not touch",
        "## Time",
        "#include <stdio.h>",
        "#define CLOSE 1",
        "#1 primero",
        "#wordpress",
        "#urgencias #prestashop",
        "#node { margin: 0 }",
        "#status-bar { color: red }",
        "#time:hover {",
        "#call-to-action",
        "#free(ptr)",
        "#",
        "#123",
        "@media (max-width: 400px) {",
        "@marta mira esto",
        "@send me the file",
        "time 12m",
        "#ok",
        "#saldo",
    ],
)
def test_any_other_line_with_a_number_sign_is_text(line: str) -> None:
    assert is_text(line)


@pytest.mark.parametrize("line", ["#note {", "#status { color: red }", "#time {", "#test {", "#nota a}"])
def test_a_command_that_looks_like_code_is_asked_about(line: str) -> None:
    assert problem(line) == Problem("looks_like_code", line, "```")


# ---- who may use it


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb.director_only], ids=lambda verb: verb.name)
def test_a_directors_command_is_text_from_anybody_else(verb: Verb) -> None:
    for name in (verb.name, verb.spanish):
        assert is_text(f"#{name} 345", MARTA)
        assert only(f"#{name} 345", ELENA).name == verb.name


# ---- any text at all


_LINES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "",
            "  ",
            "```",
            "~~~",
            "-- ",
            "Hola",
            "\t#close",
            "    #close",
            "#header {",
            "> #time 1m",
            "#note x",
        ]
    ),
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["#", "＃", "@", "# ", " #", "\u00a0#", "##"]),
        st.sampled_from([name for verb in VERBS for name in (verb.name, verb.spanish)] + ["closed", "tmie", "x"]),
        st.sampled_from(["", " ", "\u00a0", ":", "-"]),
        st.sampled_from(["", "12m", "1h 5 x", "SOP-9 3m @ayer x", "-1", "{", "marta", "345", "alta", "x @hoy"]),
    ),
)


@given(st.lists(_LINES, max_size=12), st.sampled_from([MARTA, ELENA]))
def test_nothing_written_is_lost_and_nothing_raises(lines: list[str], context: Context) -> None:
    fresh = "\n".join(lines)
    script = parse(fresh, context)
    written = [line.strip() for line in fresh.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    commands = {command.number: command.line for command in script.commands}
    assert all(written[number] == line for number, line in commands.items())
    left = [line for number, line in enumerate(written) if number not in commands and line]
    notes = [command.note.strip() for command in script.commands if command.name == "note" and command.note]
    body = [line.strip() for line in script.body.split("\n") if line.strip()]
    assert sorted(body) == sorted(left + notes)
    assert all(command.problem is None or command.problem.code in PROBLEMS for command in script.commands)
    assert all(1 <= command.minutes <= MARTA.most for command in script.commands if command.minutes is not None)


@given(st.lists(_LINES, max_size=8), st.sampled_from([MARTA, ELENA]))
def test_the_text_for_the_client_holds_no_command_when_read_again(lines: list[str], context: Context) -> None:
    script = parse("\n".join(line for line in lines if "note" not in line), context)
    if not any(command.name == "note" or command.problem for command in script.commands):
        assert parse(script.body, context) == Script((), script.body)


@pytest.mark.slow
@pytest.mark.parametrize("line", ["#tmie\n", "#time 1m\n", "#note\n", "```\n", "\n"])
def test_mails_of_hostile_lines_take_linear_time(line: str) -> None:
    with in_linear_time():
        parse(line * 20_000, MARTA)


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["#", "@ayer ", "#time 1m @ayer ", "# ", "a\u0301", " ", "#x\u200b", "{"])
@pytest.mark.parametrize("before", ["", "#time 1m ", "#assign "])
def test_hostile_lines_take_linear_time(before: str, unit: str) -> None:
    with in_linear_time():
        parse(before + unit * (500_000 // len(unit)), MARTA)


# ---- what is taken out


@pytest.mark.parametrize(
    ("line", "text", "ticket"),
    [
        ("#redact hunter2", "hunter2", None),
        ("#ocultar SOP-12 hunter2", "hunter2", 12),
        ("#redact «hunter2»", "hunter2", None),
        ('#redact "la clave larga"', "la clave larga", None),
        ("#redact p4ss{word}#1", "p4ss{word}#1", None),
        ("#redact SOP-12/57", "⟦•••57⟧", 12),
        ("#redact ⟦•••57⟧", "⟦•••57⟧", None),
        ("#redact WEB-12/57", "WEB-12/57", None),
    ],
)
def test_a_secret_is_read_as_it_is_without_marks_of_quotation(line: str, text: str, ticket: int | None) -> None:
    (command,) = parse(line, MARTA).commands
    assert (command.problem, command.note, command.ticket) == (None, text, ticket)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("#redact", Problem("argument_missing", "#redact", "#redact …")),
        ("#redact abc", Problem("secret_too_short", "abc", "4")),
        ("#ocultar a b c", Problem("secret_too_short", "a b c", "4")),
        ("#redact *****", Problem("secret_too_short", "*****", "4")),
    ],
)
def test_a_secret_that_stands_everywhere_is_refused(line: str, problem: Problem) -> None:
    (command,) = parse(line, MARTA).commands
    assert command.problem == problem
    assert parse(line, MARTA).body == ""
