"""Time that is probably a slip."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mailgate.core.model import Command
from mailgate.core.unusual import unusual

SHORT, LONG, NONE = "Hecho.", "Hola:\n\nHe migrado la base de datos.\nQuedan las copias.\n\nMarta", ""
USUAL = (5, 10, 10, 12, 15, 20, 20, 25, 25, 600)  # nine in ten stay within 25


def booked(minutes: int, name: str = "time") -> Command:
    return Command(name, f"#{name} {minutes}m", 0, minutes=minutes)


@pytest.mark.parametrize(
    ("minutes", "text", "debits", "asked"),
    [
        (360, SHORT, (), False),
        (361, SHORT, (), True),
        (361, LONG, (), True),
        (361, NONE, (), True),
        (75, SHORT, USUAL, False),
        (76, SHORT, USUAL, True),
        (76, "Hola, Ana:\n\nHecho.", USUAL, True),
        (76, LONG, USUAL, False),
        (76, NONE, USUAL, False),
        (76, SHORT, USUAL[:7], False),
        (60, SHORT, (5,) * 20, False),
        (61, SHORT, (5,) * 20, True),
        (61, SHORT, (5,) * 17 + (60,) * 3, False),
    ],
)
def test_what_is_asked_back(minutes: int, text: str, debits: Sequence[int], asked: bool):
    assert bool(unusual([booked(5), booked(minutes)], text, debits, 360)) is asked


def test_it_says_what_is_usual_or_that_the_mark_is_passed():
    found = [unusual([booked(minutes)], SHORT, USUAL, 360) for minutes in (90, 400)]
    assert [one and one.most for one in found] == [25, None]


def test_courtesies_are_never_asked_about_and_the_mark_can_be_taken_away():
    assert unusual([booked(700, "free")], SHORT, USUAL, 360) is None
    assert unusual([booked(700)], LONG, USUAL, None) is None
