"""Durations as technicians write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.core.commands import duration
from mailgate.core.model import Problem
from tests.support import in_linear_time

MOST = 720


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("12", 12),
        ("12m", 12),
        ("12 m", 12),
        ("12 min", 12),
        ("12 min.", 12),
        ("12 minutos", 12),
        ("1 minuto", 1),
        ("90 minutes", 90),
        ("1h", 60),
        ("1 h", 60),
        ("1 hora", 60),
        ("2 horas", 120),
        ("2 hours", 120),
        ("1h5", 65),
        ("1h 5", 65),
        ("1h30m", 90),
        ("1h 05m", 65),
        ("1 h 5 min", 65),
        ("1 hora 5 minutos", 65),
        ("1H 5M", 65),
        ("1:05", 65),
        ("0:45", 45),
        ("1,5h", 90),
        ("1.5h", 90),
        ("1,25 horas", 75),
        ("0,1h", 6),
        ("012m", 12),
        (" 12  m ", 12),
        ("12\u00a0m", 12),
    ],
)
def test_every_form_of_the_grammar_gives_whole_minutes(text: str, minutes: int) -> None:
    assert duration.parse(text, MOST) == minutes


@pytest.mark.parametrize(
    ("text", "code", "right"),
    [
        ("", "duration_missing", "12m"),
        ("  ", "duration_missing", "12m"),
        ("0", "duration_zero", "1m"),
        ("0h", "duration_zero", "1m"),
        ("0:00", "duration_zero", "1m"),
        ("-5m", "duration_negative", "5m"),
        ("−5m", "duration_negative", "5m"),
        ("1,33h", "duration_not_whole", "79m, 80m"),
        ("0,001h", "duration_not_whole", "1m"),
        ("1.5", "duration_not_whole", "1m, 2m"),
        ("1.000", "duration_not_whole", "1m"),
        ("999h", "duration_too_long", "720"),
        ("99999m", "duration_too_long", "720"),
        ("12345678901", "duration_too_long", "720"),
        ("1e3m", "duration_notation", "12m"),
        ("1E3", "duration_notation", "12m"),
        ("1_000", "duration_notation", "12m"),
        ("12 m 5", "duration_parts", "1h05m"),
        ("1h75", "duration_parts", "1h05m"),
        ("1:5", "duration_parts", "1h05m"),
        ("1:75", "duration_parts", "1h05m"),
        ("1,5h 10m", "duration_parts", "1h05m"),
        ("1:05:00", "duration_parts", "1h05m"),
        ("1 hora y media", "duration_parts", "1h05m"),
        ("1 h. 5 min.", "duration_parts", "1h05m"),
        ("10 - 15m", "duration_parts", "1h05m"),
        ("2 horas,", "duration_unreadable", "2 horas"),
        ("１２m", "duration_digits", "12m"),
        ("١٢", "duration_digits", "12"),
        ("12m.", "duration_unreadable", "12m"),
        ("12m,", "duration_unreadable", "12m"),
        ("abc", "duration_unreadable", "12m"),
        ("½h", "duration_unreadable", "12m"),
        ("+5m", "duration_unreadable", "12m"),
        ("30s", "duration_unreadable", "12m"),
        ("1d", "duration_unreadable", "12m"),
        ("12 ſ", "duration_unreadable", "12m"),
    ],
)
def test_what_is_no_duration_is_refused_with_the_reason_and_a_proposal(text: str, code: str, right: str) -> None:
    assert duration.parse(text, MOST) == Problem(code, " ".join(text.split()), right)


def test_the_limits_hold_on_both_sides() -> None:
    assert duration.parse("1m", MOST) == 1
    assert duration.parse("720m", MOST) == duration.parse("12h", MOST) == 720
    assert duration.parse("721m", MOST) == Problem("duration_too_long", "721m", "720")
    assert duration.parse("12h1", MOST) == Problem("duration_too_long", "12h1", "720")


@pytest.mark.parametrize(
    ("text", "spent", "note"),
    [
        ("12m", "12m", ""),
        ("12 llamada", "12", "llamada"),
        ("12 min llamada con el banco", "12 min", "llamada con el banco"),
        ("10m 3 productos", "10m", "3 productos"),
        ("12 mensajes", "12", "mensajes"),
        ("12 hojas", "12", "hojas"),
        ("1h 30 llamada", "1h 30", "llamada"),
        ("1h 5 mensajes", "1h 5", "mensajes"),
        ("1h 75 productos", "1h", "75 productos"),
        ("10m y 2 correos", "10m", "y 2 correos"),
        ("10m - 3 productos", "10m", "- 3 productos"),
        ("12 y algo más", "12", "y algo más"),
        ("1h 05m 3 correos", "1h 05m", "3 correos"),
        ("1,5h @ayer nota", "1,5h", "@ayer nota"),
        ("12m @2/11", "12m", "@2/11"),
        ("", "", ""),
    ],
)
def test_the_longest_duration_before_a_space_is_told_from_the_note(text: str, spent: str, note: str) -> None:
    assert duration.lead(text) == (spent, note)
    assert not spent or isinstance(duration.parse(spent, MOST), int)


@pytest.mark.parametrize(
    ("text", "spent"),
    [
        ("12 m 5", "12 m 5"),
        ("12 m 5 @ayer", "12 m 5"),
        ("10m 3h reunión", "10m 3h"),
        ("1h 75", "1h 75"),
        ("12m 30 s", "12m 30 s"),
        ("-5m llamada", "-5m"),
        ("abc def", "abc"),
        ("@ayer 12m", "@ayer"),
        ("12m, llamada", "12m,"),
        ("2 horas, llamada", "2 horas,"),
        ("2 h: llamada", "2 h:"),
        ("1 h. 5 min.", "1 h. 5 min."),
        ("1 hora y media", "1 hora y media"),
        ("1h y media @ayer nota", "1h y media"),
        ("1 hour and a half", "1 hour and a half"),
        ("1 hora y 5 minutos nota", "1 hora y 5 minutos"),
        ("1h y 5", "1h y 5"),
        ("1h + 5m", "1h + 5m"),
        ("10 - 15m", "10 - 15m"),
        ("5-10 min nota", "5-10 min"),
    ],
)
def test_a_second_length_or_no_duration_is_left_for_parse_to_refuse(text: str, spent: str) -> None:
    assert duration.lead(text)[0] == spent
    assert isinstance(duration.parse(spent, MOST), Problem)


_NEAR_MISSES = st.text(alphabet="0123456789hmins.,:-_ e١２½@oras'", max_size=20)


@given(st.one_of(_NEAR_MISSES, st.text(max_size=40)), st.integers(1, 2000))
def test_any_text_gives_minutes_within_the_limits_or_a_problem(text: str, most: int) -> None:
    read = duration.parse(text, most)
    assert isinstance(read, Problem) or 1 <= read <= most
    spent, note = duration.lead(text)
    assert f"{spent} {note}".split() == text.split()


@given(st.integers(1, 5000))
def test_each_form_of_the_same_length_means_the_same(minutes: int) -> None:
    hours, rest = divmod(minutes, 60)
    forms = (
        f"{minutes}",
        f"{minutes} minutos",
        f"{hours}h{rest}",
        f"{hours}h {rest:02}m",
        f"{hours}:{rest:02}",
    )
    assert {duration.parse(form, 5000) for form in forms} == {minutes}


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["1", "1 ", "1h ", "12m 5 ", "1:", "1,", " ", "-", "1h1", "@ "])
def test_hostile_lengths_take_linear_time(unit: str) -> None:
    text = unit * (500_000 // len(unit))
    with in_linear_time():
        duration.parse(text, MOST)
        duration.lead(text)
