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
# Until enough is found.
FROM_ONE_END = re.compile(r"\border by (?:\w\.)?id(?: desc)? limit\b")
_READS = re.compile(r"\s*(select|with)\b", re.IGNORECASE)
# A search by nothing looks for the least or the greatest from one end on, until one fits; of all there is, the first.
_SCAN = re.compile(r"(?:SCAN|SEARCH) (\w+)(?! USING)")
_END_OF_ALL = r"\b(?:min|max)\(id\)(?: as \w+|, 0\))?(?: \+ 1)? from {table}\b(?! where)"


def walks(connection: Connection, sql: str, params: dict[str, object]) -> list[str]:
    """What of its plan walks through a table that grows, from end to end."""
    if FROM_ONE_END.search(sql):
        return []
    steps = [row[3] for row in connection.db.conn.execute(f"explain query plan {sql}", params)]
    found = [(step, _table(sql, match[1])) for step in steps if (match := _SCAN.fullmatch(step))]
    return [step for step, table in found if table in GROWING and not _is_end_of_all(sql, step, table)]


def _is_end_of_all(sql: str, step: str, table: str) -> bool:
    return step.startswith("SEARCH") and re.search(_END_OF_ALL.format(table=table), sql) is not None


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
