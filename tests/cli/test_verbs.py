"""Each verb is loaded when it is asked for, and none is forgotten."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

from mailgate import cli


def test_every_verb_is_found_where_it_is() -> None:
    parts = {
        one.name: importlib.import_module(f"mailgate.cli.{one.name}") for one in pkgutil.iter_modules(cli.__path__)
    }
    there = {name: {verb.name for verb in part.VERBS} for name, part in parts.items() if hasattr(part, "VERBS")}
    assert {name: set(verbs) for name, verbs in cli.MODULES.items()} == there


def test_daemon_does_without_what_other_verbs_need() -> None:
    asks = "import sys, mailgate.cli.daemon; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True).stdout.split()
    assert "mailgate" in loaded
    assert not {"tabulate", "tomlkit", "reportlab"} & set(loaded)
