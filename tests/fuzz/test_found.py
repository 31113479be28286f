"""What the search for failures found once, and any bytes the whole way."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.message.test_doubt import PIECES
from tests.fuzz.targets import TARGETS, answer, way

FOUND = sorted(Path(__file__).parent.glob("found/*/*"))


@pytest.mark.parametrize("case", FOUND, ids=[f"{case.parent.name}-{case.name}" for case in FOUND])
def test_what_was_found_does_no_harm_any_more(case: Path) -> None:
    TARGETS[case.parent.name](case.read_bytes())


LINES = st.sampled_from(
    [
        *("Listo.", "", "> cita", "-- ", "#time 12m", "#time 12", "#tiempo 1h30 @ayer", "#note", "#nota para nosotros"),
        *(
            "#close",
            "#void 1",
            "#estimate 2h",
            "#plan mañana",
            "#merge SOP-2",
            "#assign marta",
            "#away",
            "#send",
            "#yes",
        ),
        *("#test", "#free 5m", "#release 1", "#allow 1", "#adjust 1 5m", "#uphold 1", "#urgent", "#limit 2h", "#"),
        "On Mon, 2 Nov 2026, Ana wrote:",
    ]
)


@given(st.lists(st.one_of(LINES, st.text(max_size=30)), max_size=12))
def test_of_an_answer_all_is_done_or_nothing(lines: list[str]) -> None:
    answer("\n".join(lines).encode("utf-8", "replace"))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(PIECES, LINES.map(lambda line: f"{line}\r\n".encode()), st.binary(max_size=40)), max_size=30))
def test_any_bytes_go_the_whole_way(pieces: list[bytes]) -> None:
    way(b"".join(pieces))
