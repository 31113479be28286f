"""`sessions` in a terminal: who is signed in to the client area, and signing somebody out."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from mailgate.opening import open_store
from mailgate.service.take import utc_now
from mailgate.store import sessions
from tests.cli.conftest import Run

ANA, LUIS, MARTA = "ana@acme.example", "luis@tienda.example", "marta@example.es"


@pytest.fixture
def desk(run: Run) -> Run:
    """Ana is signed in twice, Luis and Marta once, and a session of Ana's has passed; Luis has a link besides."""
    store, now = open_store(Path("data")), utc_now()
    with store.write() as tx:
        for number, address in enumerate((ANA, ANA, LUIS, MARTA)):
            sessions.begin(tx, f"d{number}", address, "Firefox \x1b[31m", now, now + timedelta(days=30))
        sessions.begin(tx, "old", ANA, "", now - timedelta(days=40), now - timedelta(days=10))
        sessions.make_link(tx, "link", LUIS, now, now + timedelta(minutes=15))
    store.close()
    return run


def who(desk: Run) -> list[tuple[str, str]]:
    code, out, _ = desk("sessions", "--json")
    assert code == 0
    return [(one["address"], one["person"]) for one in json.loads(out)]


def test_it_lists_who_is_signed_in_without_anything_that_signs_in(desk: Run) -> None:
    assert who(desk) == [(ANA, "acme"), (ANA, "acme"), (LUIS, "acme"), (MARTA, "marta")]
    out = desk("sessions")[1]
    assert out.count(ANA) == 2
    assert "\x1b" not in out
    assert "d0" not in out


@pytest.mark.parametrize(
    ("person", "ended", "left"),
    [
        ("Ana@acme.example", 2, [LUIS, MARTA]),
        (LUIS, 1, [ANA, ANA, MARTA]),
        ("acme", 3, [MARTA]),
        ("marta", 1, [ANA, ANA, LUIS]),
        ("elena", 0, [ANA, ANA, LUIS, MARTA]),
    ],
)
def test_a_person_or_a_client_is_signed_out_everywhere(desk: Run, person: str, ended: int, left: list[str]) -> None:
    code, out, _ = desk("sessions", "--end", person, "--json")
    assert (code, json.loads(out)) == (0, {"ended": ended})
    assert [address for address, _ in who(desk)] == left


@pytest.mark.parametrize(("person", "valid"), [(LUIS, False), ("acme", False), (ANA, True)])
def test_links_that_were_not_used_are_void(desk: Run, person: str, valid: bool) -> None:
    desk("sessions", "--end", person)
    store = open_store(Path("data"))
    with store.read() as tx:
        assert (sessions.address_of_link(tx, "link", utc_now()) is not None) is valid
    store.close()


def test_of_nobody_it_says_so(desk: Run) -> None:
    assert desk("sessions", "--end", "nadie")[::2] == (
        1,
        "mailgate: nadie: no address, and no technician or client of the rules\n",
    )
    assert len(who(desk)) == 4
