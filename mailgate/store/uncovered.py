"""Texts of the store, table by table, for what goes through all of them once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from mailgate.store import redactions
from mailgate.store.connection import Connection, Row
from mailgate.store.redactions import Place, Trace

# Of each table what people wrote. Messages, with their index and vault, are gone through apart.
TEXTS = {
    "entry": ("note",),
    "transcript": ("text",),
    "ticket": ("subject",),
    "outbox": ("subject",),
    "matter": ("note", "reason"),
    "quarantine": ("subject", "detail"),
}


def change(
    tx: Connection, table: str, after: int, most: int, changed: Callable[[str], str], now: datetime
) -> tuple[int | None, int]:
    """Change texts of the next rows; gives after which number to go on, None at the end, and how many changed."""
    columns = TEXTS[table]
    listed = ", ".join(columns)
    rows = tx.rows(
        f"select id, {listed} from {table} where id > :after order by id limit :most", after=after, most=most
    )
    count = 0
    for row in rows:
        new = {name: changed(row[name]) for name in columns}
        if any(new[name] != row[name] for name in columns):
            if table == "entry":  # the ledger lets nobody change a note without a trace
                redactions.record(tx, Trace(now, "", None, Place("entry", row["id"]), 1))
            set_to = ", ".join(f"{name} = :{name}" for name in columns)
            tx.run(f"update {table} set {set_to} where id = :id", id=row["id"], **new)
            count += 1
    return _end(rows, most), count


def messages_after(tx: Connection, after: int, most: int) -> tuple[list[int], int | None]:
    """Numbers of the next messages, and after which to go on, None at the end."""
    rows = tx.rows("select id from message where id > :after order by id limit :most", after=after, most=most)
    return [row["id"] for row in rows], _end(rows, most)


def _end(rows: list[Row], most: int) -> int | None:
    return int(rows[-1]["id"]) if len(rows) == most else None
