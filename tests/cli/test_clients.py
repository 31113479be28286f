"""`client add` on the command line: what it says, and its exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mailgate import cli, config
from tests.faults.driver import rules_text

Told = tuple[int, str, str]
Run = Callable[..., Told]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line in this process, in a folder with good rules."""
    (tmp_path / "rules.toml").write_text(rules_text(port=0), encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def run_verb(*arguments: str) -> Told:
        monkeypatch.setattr(sys, "argv", ["mailgate", *arguments])
        code = cli.main()
        written = capfd.readouterr()
        return code, written.out, written.err

    return run_verb


def test_new_client_is_written_and_told(run: Run) -> None:
    told = run("client", "add", "delta", "eva@delta.example", "*@delta.example", "--name", "Delta", "--language", "en")
    assert told == (0, "new client delta: added eva@delta.example, *@delta.example (rules.toml)\n", "")
    delta = config.load(Path("rules.toml")).clients["delta"]
    assert (delta.name, delta.language, delta.contact) == ("Delta", "en", "eva@delta.example")


def test_the_same_again_is_done_and_says_so(run: Run) -> None:
    run("client", "add", "delta", "eva@delta.example", "--name", "Delta")
    before = Path("rules.toml").read_bytes()
    told = run("client", "add", "delta", "eva@delta.example", "--name", "Delta")
    assert told == (0, "delta: nothing to add, rules.toml has it already\n", "")
    assert Path("rules.toml").read_bytes() == before


def test_programs_get_what_was_added(run: Run) -> None:
    code, out, _ = run("client", "add", "delta", "eva@delta.example", "--json")
    assert code == 0
    assert json.loads(out) == {"client": "delta", "file": "rules.toml", "new": True, "added": ["eva@delta.example"]}
    _, out, _ = run("client", "add", "delta", "eva@delta.example", "luis@delta.example", "--json")
    assert json.loads(out) == {"client": "delta", "file": "rules.toml", "new": False, "added": ["luis@delta.example"]}


def test_data_is_not_touched(run: Run) -> None:
    run("client", "add", "delta", "eva@delta.example")
    assert [path.name for path in Path().iterdir()] == ["rules.toml"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["add"], 2, ["ID"]),
        (["add", "delta"], 2, ["ADDRESS"]),
        (["add", "delta", "eva@delta.example", "--language", "fr"], 2, ["fr", "en"]),
        (["eat", "delta"], 2, ["eat"]),
        (["add", "delta", "eva"], 2, ["rules.toml:", '"eva" is no plain address']),
        (["add", "delta", "eva@delta.example", "--technician", "nobody"], 2, ['"nobody" is no technician']),
        (["add", "gam/ma", "eva@delta.example"], 2, ['"gam/ma" is no name here']),
        (["add", "delta", "\udcff@delta.example"], 2, ["no plain address"]),
        (["add", "delta", "ana@acme.example"], 1, ["ana@acme.example", "client acme"]),
        (["add", "delta", "marta@desk.example"], 1, ["technician marta"]),
        (["add", "acme", "new@acme.example", "--name", "Other"], 1, ["change its name in rules.toml"]),
        (["add", "delta", "eva@delta.example", "--file", "other.toml"], 1, ["other.toml", "include"]),
        (["add", "delta", "eva@delta.example", "--file", "."], 2, ["directory"]),
    ],
)
def test_what_is_wrong_is_one_clear_line(run: Run, arguments: list[str], code: int, words: list[str]) -> None:
    before = Path("rules.toml").read_bytes()
    told = run("client", *arguments)
    assert told[:2] == (code, "")
    assert told[2].startswith("mailgate: ")
    assert told[2].count("\n") == 1
    assert all(word in told[2] for word in words), told[2]
    assert Path("rules.toml").read_bytes() == before


@pytest.mark.parametrize("path", ["nowhere.toml", "nowhere/rules.toml"])
def test_rules_that_are_not_there(run: Run, path: str) -> None:
    code, _, told = run("--rules", path, "client", "add", "delta", "eva@delta.example")
    assert code == 2
    assert "there is no such file" in told


def test_wrong_rules_are_told_first(run: Run) -> None:
    with Path("rules.toml").open("a", encoding="utf-8") as rules:
        rules.write("\n[dsk]\n")
    code, _, told = run("client", "add", "delta", "eva@delta.example")
    assert code == 2
    assert "dsk" in told
