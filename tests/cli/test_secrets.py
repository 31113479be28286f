"""`secret show`: access data for who must have them, and that asking is kept."""

from __future__ import annotations

import json

from tests.cli.conftest import Run

MAIL = b"From: ana@acme.example\r\nTo: soporte@example.es\r\nSubject: FTP\r\n\r\nusuario: web\r\nclave: Xk9!zz26\r\n"


def test_access_data_are_shown_to_who_asks_and_that_is_kept(run: Run) -> None:
    assert run("inject", "-", stdin=MAIL)[0] == 0
    code, out, _ = run("ticket", "SOP-1", "--json")
    assert code == 0 and "clave: ⟦•••1⟧" in json.loads(out)["messages"][0]["text"] and "Xk9" not in out
    assert json.loads(run("looks", "--json")[1]) == []
    assert run("secret", "show", "SOP-1/1")[:2] == (0, "Xk9!zz26\n")
    shown = json.loads(run("secret", "show", "SOP-1", "--json")[1])
    assert shown == [{"id": 1, "ticket": "SOP-1", "message": 1, "value": "Xk9!zz26"}]
    assert [one["message"] for one in json.loads(run("looks", "--json")[1])] == [1, 1]


def test_what_is_not_there_is_not_shown_and_not_kept(run: Run) -> None:
    assert run("inject", "-", stdin=MAIL)[0] == 0
    for what in ("SOP-1/2", "SOP-2", "SOP-2/1", "x"):
        assert run("secret", "show", what)[0] == 1
    assert run("secret", "show", "SOP-1/x")[0] == 2
    assert json.loads(run("looks", "--json")[1]) == []
