"""Verbs in this process, on a desk of its own."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mailgate import cli
from tests.running import RULES

Told = tuple[int, str, str]
Run = Callable[..., Told]

_MORE = """
[packages.12h]
minutes = 720
price = "420.00 EUR"
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs a verb; gives its exit code, stdout and stderr."""
    (tmp_path / "rules.toml").write_text(RULES.format(smtp=0, lmtp=0, web=0) + _MORE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)  # as in a pipe; some that run tests say how wide they are

    def run_verb(*arguments: str, stdin: bytes = b"") -> Told:
        monkeypatch.setattr(sys, "argv", ["mailgate", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = cli.main()
        written = capfd.readouterr()
        return code, written.out, written.err

    return run_verb
