"""The mails of the year as files that people can read, and the comparison with them.

`REWRITE=1 pytest tests/year` writes them anew; then read what has changed before it is committed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from difflib import unified_diff
from pathlib import Path

from tests.year.life import Sent

FOLDER = Path(__file__).parent / "mails"
HEADERS = ("From", "To", "Subject", "Auto-Submitted")


def differences(mails: Iterable[Sent]) -> list[str]:
    """What is not as the files say, one text for each mail; nothing after they were rewritten."""
    is_now = {name(mail): on_paper(mail) for mail in mails}
    if os.environ.get("REWRITE"):
        rewrite(is_now)
    expected = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.txt")}
    names = sorted({*is_now, *expected})
    return [
        "\n".join(_changes(name, expected.get(name, ""), is_now.get(name, "")))
        for name in names
        if expected.get(name) != is_now.get(name)
    ]


def rewrite(files: dict[str, str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.txt"):
        path.unlink()
    for file, text in files.items():
        (FOLDER / file).write_text(text, encoding="utf-8")


def name(mail: Sent) -> str:
    """Such as "012-2026-11-03-low_balance-ana.txt"."""
    return f"{mail.number:03}-{mail.day}-{mail.template}-{mail.to}.txt"


def on_paper(mail: Sent) -> str:
    """The headers that a reader sees, the names of the files, and the plain text."""
    head = [f"{header}: {mail.mail[header]}" for header in HEADERS if mail.mail[header]]
    files = [f"Attached: {part.get_filename()}" for part in mail.mail.iter_attachments() if part.get_filename()]
    return "\n".join([*head, *files, "", *mail.text.splitlines(), ""])


def _changes(file: str, before: str, after: str) -> Iterator[str]:
    return unified_diff(before.splitlines(), after.splitlines(), f"{file} as it was", f"{file} as it is", lineterm="")
