"""What changed rules cost a desk that runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailgate.errors import RulesError
from mailgate.opening import open_office
from tests.faults.driver import rules_text


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "rules.toml").write_text(rules_text(8025), encoding="utf-8")
    return tmp_path / "rules.toml"


def test_changed_rules_leave_the_templates_as_they_are(rules: Path) -> None:
    before = open_office(rules, rules.parent / "data")
    rules.write_text(rules.read_text(encoding="utf-8").replace('"Soporte"', '"Ayuda"'), encoding="utf-8")
    after = open_office(rules, rules.parent / "data", before)
    assert after.desk.rules.desk.name == "Ayuda"
    assert after.renderer is before.renderer


@pytest.mark.slow
def test_changed_templates_are_checked_and_taken_up(rules: Path) -> None:
    before = open_office(rules, rules.parent / "data")
    (rules.parent / "templates" / "es").mkdir(parents=True)
    mine = rules.parent / "templates" / "es" / "help.txt"
    mine.write_text("Subject: Ayuda\n\n{{ nothing_of_the_kind }}\n", encoding="utf-8")
    with pytest.raises(RulesError, match="help"):
        open_office(rules, rules.parent / "data", before)
    mine.write_text("Subject: Ayuda\n\nLlámenos.\n", encoding="utf-8")
    after = open_office(rules, rules.parent / "data", before)
    assert after.renderer is not before.renderer
    assert open_office(rules, rules.parent / "data", after).renderer is after.renderer
