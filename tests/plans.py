"""How SQLite finds what each statement asks for: none may walk through a table that grows.

Each statement of the store that a test runs is explained once, with the values of the moment (`tests/conftest.py`).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from mailgate.store import tickets
from mailgate.store.connection import Connection

GROWING = frozenset(
    ("journal", "blob", "message", "attachment", "ticket", "entry", "outbox", "transcript", "event", "matter")
)
# Who may, and why.
WALKERS = {
    "mailgate.store.proofs": "the nightly proof of the books looks at everything",
    "mailgate.store.experience": "so does the proof of what is counted",
    "mailgate.store.records": "all that is kept of a client, once in years",
}
WALKED = {
    "select * from entry order by id": "the proof of the books",
    "select * from matter order by id": "the same",
    f"{tickets._TICKET} where true order by t.id desc": "whoever asks for all tickets gets them",
}
_READS = re.compile(r"\s*(select|with)\b", re.IGNORECASE)
_SCAN = re.compile(r"SCAN (\w+)(?! USING)")


def walks(connection: Connection, sql: str, params: dict[str, object]) -> list[str]:
    """What of its plan walks through a table that grows, from end to end."""
    if re.search(r"\border by (?:\w\.)?id(?: desc)? limit\b", sql):
        return []  # from one end until enough is found
    steps = [row[3] for row in connection.db.conn.execute(f"explain query plan {sql}", params)]
    return [step for step in steps if (found := _SCAN.fullmatch(step)) and _table(sql, found[1]) in GROWING]


def _table(sql: str, name: str) -> str:
    """The table behind an alias."""
    aliased = re.search(rf"\b(?:from|join)\s+(\w+)\s+(?:as\s+)?{name}\b", sql)
    return aliased[1] if aliased else name


def _caller() -> str:
    """The module that runs a statement; `row` runs `rows`."""
    frame = sys._getframe(2)
    while frame.f_globals["__name__"] == Connection.__module__ and frame.f_back:
        frame = frame.f_back
    return str(frame.f_globals["__name__"])


def watched(method: Callable[..., Any], seen: set[str]) -> Callable[..., Any]:
    """The method of a connection, which looks at each new statement before it runs it."""

    @wraps(method)
    def inner(self: Connection, sql: str, **params: object) -> Any:
        if sql not in seen:
            seen.add(sql)
            caller = _caller()
            looked_at = _READS.match(sql) and caller.startswith("mailgate.") and caller not in WALKERS
            found = walks(self, sql, params) if looked_at and sql not in WALKED else []
            assert not found, f"{caller}: {found} for every row there is: {sql}"
        return method(self, sql, **params)

    return inner
