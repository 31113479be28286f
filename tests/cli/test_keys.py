"""`key`: what mails are sealed with, as an admin sees it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run

MAIL = b"From: ana@acme.example\r\nSubject: x\r\n\r\nhola\r\n"


def test_keys_are_shown_and_changed(run: Run) -> None:
    assert run("key")[0] == 1  # no desk yet
    assert run("inject", "-", stdin=MAIL)[0] == 0
    code, out, _ = run("key", "--json")
    found = json.loads(out)
    assert (code, [one["state"] for one in found["keys"]], found["fault"]) == (0, ["seals"], "")
    assert run("key", "rotate")[0] == 0
    after = json.loads(run("key", "--json")[1])
    assert sorted(one["state"] for one in after["keys"]) == ["opens", "seals"]
    assert after["newest"] != found["newest"] and after["left"] > 0
    assert run("key")[1].count("opens") == 1


def test_a_missing_key_is_one_clear_line_and_nothing_is_taken(run: Run) -> None:
    assert run("inject", "-", stdin=MAIL)[0] == 0
    Path("data/vault.key").unlink()
    code, _, error = run("inject", "-", stdin=MAIL + b"x")
    assert code == 75 and "is missing, under which mails are sealed" in error and error.count("\n") == 1
    assert run("run")[0] == 75
    assert run("tickets")[0] == 0  # what is not sealed can be read
    assert "vault.key: the key" in run("key")[1]
    code, out, _ = run("status", "--json")
    assert code == 1 and "key" in [one["name"] for one in json.loads(out)["problems"]]
    assert run("key", "rotate")[0] == 1
    assert run("key", "rotate", "--lost")[0] == 0
    assert run("inject", "-", stdin=MAIL + b"y")[0] == 0
