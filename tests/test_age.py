"""What is asked of a desk costs no more when it is old: counted in steps of SQLite's machine, at two ages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from mailgate.service.audit import audited
from tests.bench import asked, history
from tests.bench.desk import Place
from tests.support import NOW

_YOUNG, _OLD = 400, 1600
_PACE, _CLIENTS = timedelta(days=1), 20
# What a little more is: another page of an index, a longer list that is cut.
_SLACK = 1.25
_FEW = 600
# Verbs that check templates first are asked by their functions, as pages and by the clock.
_DEAR = ("mailgate balance", "mailgate report", "mailgate status")
# What grows by its nature, and why.
GROWS: dict[str, str] = {
    f"mailgate export {history.ORDINARY}": "walks through what the clock did, a millisecond in five years",
    "page: balance of the huge client": "two years are shown, of which here the first has passed",
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[asked.AskedDesk]]:
    """A young desk and an old one."""
    steps, found = asked.Steps(), []
    for tickets in (_YOUNG, _OLD):
        place = Place(tmp_path_factory.mktemp(f"desk-{tickets}"))
        place.data.mkdir()
        history.make(place.database, tickets, NOW, _PACE, _CLIENTS)
        found.append(asked.AskedDesk(place, steps, lambda: NOW))
    yield found
    for desk in found:
        desk.close()
    steps.end()


@pytest.mark.parametrize("name", [name for name in asked.QUESTIONS if not name.startswith(_DEAR)])
def test_question_takes_no_more_steps_at_an_old_desk(desks: list[asked.AskedDesk], name: str) -> None:
    young, old = (_steps(desk, name) for desk in desks)
    assert (old <= young * _SLACK + _FEW) == (name not in GROWS), f"{young} steps, then {old}"


def test_books_of_such_a_desk_add_up(desks: list[asked.AskedDesk]) -> None:
    for desk in desks:
        with desk.store.read() as tx:
            assert audited(tx).problems == []


def _steps(desk: asked.AskedDesk, name: str) -> int:
    asked.QUESTIONS[name](desk)  # what is made once
    before = desk.steps.count
    asked.QUESTIONS[name](desk)
    return desk.steps.count - before
