"""`check --replay` as people and programs see it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mailgate.opening import open_store
from tests.cli.conftest import Run
from tests.support import written

pytestmark = pytest.mark.slow

RULE = """
[[rules]]
name = "site down"
match = { any = ["no funciona"] }
set = { priority = "urgent" }
"""


@pytest.fixture
def changed(run: Run) -> Run:
    """A desk to which two mails came, and beside its rules a file with one rule more."""
    for number, text in ((1, "El carrito no funciona."), (2, "¿Cuánto cuesta una hora?")):
        raw = written(text, subject=f"\x1b[31m{text}", message_id=f"<m{number}@acme.example>")
        assert run("inject", "-", stdin=raw)[0] == 0
    Path("new.toml").write_text(Path("rules.toml").read_text(encoding="utf-8") + RULE, encoding="utf-8")
    return run


def test_differences_are_told_in_blocks_with_a_sum(changed: Run) -> None:
    code, out, err = changed("--rules", "new.toml", "check", "--replay", "30d")
    assert (code, err) == (0, "")
    good, block, total = out.strip().split("\n\n")
    assert good == "new.toml: good"
    head, *lines = block.splitlines()
    assert head.endswith("El carrito no funciona.")
    assert "\x1b" not in out
    assert lines == ["  rules: none → site down", "  priority: normal → urgent (rule site down)"]
    assert total.startswith("2 messages since 20")
    assert total.endswith(", 1 would be treated otherwise")


def test_of_the_mails_only_those_are_told_that_differ(changed: Run) -> None:
    new = Path("new.toml")
    new.write_text(new.read_text(encoding="utf-8").replace('"urgent"', '"urgent", assign = "elena"'), encoding="utf-8")
    _, out, _ = changed("--rules", "new.toml", "check", "--replay", "30d")
    assert "  mails: also notice to elena@example.es; no longer notice to marta@example.es\n" in out


def test_programs_get_a_list(changed: Run) -> None:
    code, out, err = changed("--rules", "new.toml", "check", "--replay", "2w", "--json")
    assert (code, err) == (0, "")
    (only,) = json.loads(out)
    assert (only["from"], only["ticket"]) == ("ana@acme.example", "SOP-1")
    assert {"what": "priority", "was": "normal", "would_be": "urgent", "rule": "site down"} in only["differences"]
    assert json.loads(changed("check", "--replay", "2w", "--json")[1]) == []


def test_same_rules_would_do_the_same(changed: Run) -> None:
    assert changed("check", "--replay", "30d")[1].rstrip().endswith("none would be treated otherwise")


def test_rules_that_are_wrong_are_told_and_not_tried(changed: Run) -> None:
    Path("new.toml").write_text(RULE.replace("urgent", "urgnt"), encoding="utf-8")
    code, out, err = changed("--rules", "new.toml", "check", "--replay", "30d")
    assert (code, out) == (2, "")
    assert "urgnt" in err


@pytest.mark.parametrize("period", ["30", "d", "", "0d", "-3d", "30 days", "yesterday", "200y"])
def test_period_that_cannot_be_read_is_told(run: Run, period: str) -> None:
    code, out, err = run("check", f"--replay={period}")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "--replay" in err


def test_folder_without_a_store_is_told(run: Run) -> None:
    code, _, err = run("check", "--replay", "30d")
    assert (code, "no desk has run here yet" in err, Path("data").exists()) == (1, True, False)


def test_desk_to_which_no_mail_came_has_nothing_to_tell(run: Run) -> None:
    open_store(Path("data")).close()
    assert run("check", "--replay", "30d")[1].rstrip().endswith("none would be treated otherwise")
