"""How values are said in Spanish and English."""

from datetime import date, datetime

import pytest
from babel import UnknownLocaleError
from hypothesis import given
from hypothesis import strategies as st

from mailgate.core.writing import phrases

MONDAY = date(2026, 11, 2)


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (0, "0 min"),
        (12, "12 min"),
        (60, "1 h"),
        (75, "1 h 15 min"),
        (720, "12 h"),
        (-5, "-5 min"),
        (-75, "-1 h 15 min"),
    ],
)
def test_duration(minutes: int, said: str) -> None:
    assert phrases.duration(minutes) == said


def test_days_are_said_as_in_each_language() -> None:
    assert phrases.day(MONDAY, "es") == "lunes, 2 de noviembre de 2026"
    assert phrases.day(MONDAY, "en") == "Monday, 2 November 2026"
    assert phrases.short_day(MONDAY, "es") == "2 nov 2026"
    assert phrases.short_day(MONDAY, "en") == "2 Nov 2026"


def test_moment_has_day_and_hour() -> None:
    assert phrases.moment(datetime(2026, 11, 2, 9, 5), "es") == "2 nov 2026, 09:05"


def test_language_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(UnknownLocaleError):
        phrases.day(MONDAY, "xx")


def test_count_chooses_the_word_and_groups_the_digits() -> None:
    assert phrases.count(1, "ticket", "tickets", "es") == "1 ticket"
    assert phrases.count(0, "ticket", "tickets", "es") == "0 tickets"
    assert phrases.count(12_345, "ticket", "tickets", "es") == "12.345 tickets"
    assert phrases.count(12_345, "ticket", "tickets", "en") == "12,345 tickets"


@pytest.mark.parametrize(
    ("octets", "said"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (34_816, "35 kB"), (999_499, "999 kB"), (999_500, "1,0 MB")],
)
def test_size(octets: int, said: str) -> None:
    assert phrases.size(octets, "es") == said


def test_quoted_marks_every_line() -> None:
    assert phrases.quoted("Hola:\n\n> antes\nadiós\n") == "> Hola:\n>\n> > antes\n> adiós"


@pytest.mark.parametrize(
    "line",
    [
        "#time 99m",
        "  #time 99m",
        "＃time 99m",
        "\u200b#time 99m",
        "\ufeff #time",
        "> #time",
        "\u00a0#nota",
        "@close",
    ],
)
def test_defused_line_starts_no_command(line: str) -> None:
    assert "· " in phrases.defused(f"Hola\n{line}\nadiós").split("\n")[1]


def test_text_in_a_line_is_left_alone() -> None:
    assert phrases.defused("pon #time 12m aquí\n\nana@acme.example") == "pon #time 12m aquí\n\nana@acme.example"


@given(st.text(st.sampled_from("#＃@a >|\u200b\t\r\n\u2028\x85-")))
def test_no_line_begins_with_a_command_sign(text: str) -> None:
    for line in phrases.defused(text).splitlines():
        start = line.lstrip(" \t>|-\u200b\ufeff")
        assert not start.startswith(("#", "＃", "@")), line
