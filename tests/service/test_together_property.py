"""Answers that cross, words given and tickets merged, in any order: nothing is sent or booked twice, or by half."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.core.model import Kind
from tests.service.test_together import Desk
from tests.stored import stored_desk
from tests.story import ADDRESSES
from tests.support import desk

TICKETS = 3
STAFF = ("marta", "elena")

_who = st.sampled_from(STAFF)
_ticket = st.integers(1, TICKETS)
_step = st.one_of(
    st.tuples(st.just("asks"), st.just("ana"), _ticket, st.just(0)),
    st.tuples(st.just("answers"), _who, _ticket, st.integers(0, 30)),
    st.tuples(st.just("sends"), _who, _ticket, st.integers(0, 30)),
    st.tuples(st.just("sends and answers"), _who, _ticket, st.integers(0, 30)),
    st.tuples(st.just("merges"), _who, _ticket, _ticket),
)


def _told(story: Desk, who: str, number: int) -> int | None:
    """One of the mails that somebody got, the newest for 0."""
    mine = [mail.id for mail in story.stored.mails() if mail.to == ADDRESSES[who]]
    return mine[-1 - number % len(mine)] if mine else None


def _act(story: Desk, number: int, step: tuple[str, str, int, int]) -> None:
    what, who, ticket, other = step
    if what == "asks":
        story.says("ana", f"Pregunta {number}.", ticket)
    elif what == "merges":
        story.says(who, f"#merge SOP-{other}", ticket)
    else:
        word = "" if what == "answers" else "#send\n"
        text = "" if what == "sends" else f"Respuesta {number}.\n\n#time 1m parte {number}\n"
        mail = _told(story, who, other)
        story.answers(who, text + word, mail, ticket) if mail else story.says(who, text + word, ticket)


@pytest.mark.slow
@given(st.lists(_step, min_size=5, max_size=30))
def test_every_answer_goes_out_at_most_once_and_with_its_debit(steps: list[tuple[str, str, int, int]]):
    with tempfile.TemporaryDirectory() as folder, stored_desk(Path(folder), desk()) as stored:
        story = Desk(stored)
        stored.book(2000, package="12h", price="420.00 EUR")
        for number in range(TICKETS):
            story.says("ana", f"Caso {number}.", subject=f"Caso {number}")
        for number, step in enumerate(steps):
            _act(story, number, step)
        sent = Counter(line for line in story.answered() if line.startswith("Respuesta"))
        booked = Counter(f"Respuesta {entry.note[6:]}." for entry in story.ledger() if entry.kind is Kind.DEBIT)
        assert sent == booked
        assert not sent or max(sent.values()) == 1
        assert story.problems() == []
