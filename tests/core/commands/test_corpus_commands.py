"""The commands of the Spanish corpus, read from the fresh text that it gives."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mailgate.core.commands.command import Context, parse
from mailgate.core.model import Role

FOLDER = Path(__file__).resolve().parents[3].parent / "shared" / "corpus" / "es"
TECHNICIANS = {"elena": "Elena Ruiz", "marta": "Marta Gil"}


def technicians_mails() -> list[Any]:
    try:
        cases = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))["cases"]
    except FileNotFoundError:
        return []
    return [
        pytest.param(case, id=name)
        for name, case in cases.items()
        if case.get("role") == "technician" and "fresh" in case
    ]


MAILS = technicians_mails()


@pytest.mark.skipif(not MAILS, reason="the corpus folder shared/corpus/es is not beside this checkout")
@pytest.mark.parametrize("case", MAILS)
def test_a_technicians_mail_has_just_the_commands_that_the_corpus_says(case: dict[str, Any]) -> None:
    context = Context(Role.TECHNICIAN, "SOP", date(2026, 11, 3), 720, TECHNICIANS)
    script = parse(case["fresh"], context)
    wrong = [command.line for command in script.problems]
    assert wrong == case.get("wrong_commands", [])
    done = () if wrong else script.commands
    assert [_as_expected(command) for command in done] == case["commands"]
    assert [command.minutes for command in done if command.name == "time"] == case["debits"]
    assert all(line in script.body for line in case["fresh"].split("\n") if line and line[0] not in "#＃")


def _as_expected(command: Any) -> dict[str, Any]:
    found = {"verb": command.name, "minutes": command.minutes, "note": command.note}
    found |= {"day": command.day.isoformat()} if command.day else {}
    return {key: value for key, value in found.items() if value not in ("", None)}
