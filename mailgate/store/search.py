"""Search by words over what was said in tickets. What is particular to SQLite's FTS5 stands here alone.

The index holds subject and text of the messages that are filed in a ticket; it folds case and accents.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from mailgate.core.excerpt import WORD
from mailgate.store.connection import Connection, Row
from mailgate.store.tickets import Only

# Words of which half the store is full are ranked among the newest messages alone. Of a list with more messages than
# that, the newest of so many are looked at in which the words stand, whosever they are.
_RANKED = 1000
_LOOKED_AT = 50_000
_MOST_WORDS = 20
# Of the index that are written at a time: some tens of milliseconds.
_PAGES = 500
# How many times more a word of the subject tells than one of the text.
_WEIGHTS = "4.0, 1.0"
# As the schema has it.
_TOKENIZE = "unicode61 remove_diacritics 2"


@dataclass(frozen=True, slots=True)
class Hit:
    """A ticket that was found, and the message of it in which the words stand best."""

    ticket: int
    message: int


def keep(tx: Connection, message: int, subject: str, text: str) -> None:
    """Let a message be found, once it stands in a ticket."""
    tx.run(
        "insert into search (rowid, subject, text) values (:message, :subject, :text)",
        message=message,
        subject=subject,
        text=text,
    )


def forget(tx: Connection, message: int, subject: str, text: str) -> None:
    """Let a message be found no more. subject, text: as they were kept."""
    tx.run(
        "insert into search (search, rowid, subject, text) values ('delete', :message, :subject, :text)",
        message=message,
        subject=subject,
        text=text,
    )


def overwrite(tx: Connection, *, begin: bool) -> bool:
    """Write a portion of the index anew, without the words that were forgotten; whether there is more to do.

    Until that is done to the end they stand in it still, marked as gone, from the commit on that forgot them.
    begin: take up the whole index.
    """
    before = tx.db.conn.total_changes
    tx.run("insert into search (search, rank) values ('merge', :pages)", pages=-_PAGES if begin else _PAGES)
    return tx.db.conn.total_changes - before > 1  # fts5.html, section 6.8


def parted(words: str) -> list[str]:
    """The words of what a person types: runs of letters and digits."""
    return WORD.findall(words)[:_MOST_WORDS]


def find(tx: Connection, words: str, only: Only, most: int | None = None, *, internal: bool = True) -> list[Hit]:
    """The tickets with a message in which all the words stand, best first; of the last word the beginning will do.

    words: whatever a person types; what is neither letter nor digit parts words. Nothing is found where no
    word is left. internal: look through what only the desk sees, too.
    """
    wanted = _expression(words)
    if not wanted:
        return []
    where, values = only.where()
    where += "" if internal else " and m.internal = 0"
    chosen = f"from ticket t join message m on m.ticket = t.id where true{where}"
    of_few = bool(values) and not _are_many(tx, chosen, values)
    ranked = _among(tx, wanted, chosen, values) if of_few else _ranked(tx, wanted, where, values)
    best: dict[int, int] = {}  # ticket to message
    for row in sorted(ranked, key=lambda row: float(row["score"])):  # stable: of equals the newest
        best.setdefault(row["ticket"], row["message"])
    return [Hit(ticket, message) for ticket, message in best.items()][:most]


def _are_many(tx: Connection, chosen: str, values: Mapping[str, object]) -> bool:
    some = f"select 1 {chosen} limit {_RANKED + 1}"
    return int(tx.value(f"select count(*) from ({some}) as some", **values)) > _RANKED


def _ranked(tx: Connection, wanted: str, where: str, values: Mapping[str, object]) -> list[Row]:
    """The newest messages in which the words stand: message, ticket and score, newest first."""
    last = f"select rowid from search where search match :wanted order by rowid desc limit 1 offset {_LOOKED_AT}"
    since = tx.value(last, wanted=wanted) if values else None
    return tx.rows(
        f"select s.rowid as message, t.id as ticket, bm25(search, {_WEIGHTS}) as score"
        " from search s join message m on m.id = s.rowid join ticket t on t.id = m.ticket"
        f" where search match :wanted and s.rowid > :since{where} order by s.rowid desc limit {_RANKED}",
        wanted=wanted,
        since=since or 0,
        **values,
    )


def _among(tx: Connection, wanted: str, chosen: str, values: Mapping[str, object]) -> list[Row]:
    """The same of a list with few messages, by an index of them alone: the whole index would be walked through."""
    told = tx.rows(f"select m.id as message, t.id as ticket, m.subject, m.text {chosen}", **values)
    tickets = {row["message"]: row["ticket"] for row in told}
    with closing(sqlite3.connect(":memory:")) as raw:
        raw.execute(f'create virtual table search using fts5 (subject, text, tokenize = "{_TOKENIZE}")')
        raw.executemany("insert into search (rowid, subject, text) values (:message, :subject, :text)", told)
        found = raw.execute(
            f"select rowid, bm25(search, {_WEIGHTS}) from search where search match ? order by rowid desc", [wanted]
        )
        return [{"message": number, "ticket": tickets[number], "score": score} for number, score in found]


def _expression(words: str) -> str:
    """An FTS5 query: every word quoted, so that nothing of it is taken for syntax."""
    quoted = " ".join(f'"{word}"' for word in parted(words))
    return f"{quoted}*" if quoted else ""
