"""Where the words of a ticket stand in the store, to have a secret taken out of all of them, and the trace of that.

Everything that was said in a ticket and its kin (merged with it, following on it) or written about it to the people
who had mails of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mailgate.store import blobs, search
from mailgate.store.connection import Connection
from mailgate.store.retention import remove_raw
from mailgate.store.times import moment, stamp

Kind = Literal["ticket", "message", "transcript", "entry", "matter", "quarantine", "mail"]

# By kind: the table, and the columns that hold people's words.
_WORDS: Mapping[Kind, tuple[str, tuple[str, ...]]] = {
    "ticket": ("ticket", ("subject",)),
    "message": ("message", ("subject", "text", "author_name", "why", "proof")),
    "transcript": ("transcript", ("text",)),
    "entry": ("entry", ("note",)),
    "matter": ("matter", ("note", "reason")),
    "quarantine": ("quarantine", ("subject", "reason", "detail")),
    "mail": ("outbox", ("subject", "last_error")),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A row in which words stand. kind "mail": of the outbox."""

    kind: Kind
    number: int


@dataclass(frozen=True, slots=True)
class Trace:
    """Who took something out of what, when, and in how many places it stood; not what it was.

    author: id of a technician, "" for who did it at this machine. cause: the message that asked for it.
    """

    at: datetime
    author: str
    cause: int | None
    place: Place
    places: int


def kin(tx: Connection, ticket: int) -> list[int]:
    """The ticket and those that share its conversation: merged with it, followed or following, however many steps."""
    found = [ticket]
    for one in found:
        rows = tx.rows(
            "select id from ticket where merged_into = :one union select id from ticket where follows = :one"
            " union select merged_into as id from ticket where id = :one and merged_into is not null"
            " union select follows as id from ticket where id = :one and follows is not null",
            one=one,
        )
        found += [row["id"] for row in rows if row["id"] not in found]
    return found


def tickets_of(tx: Connection, of: Collection[Place]) -> list[int]:
    """The tickets in which messages stand."""
    found = [tx.value("select ticket from message where id = :id", id=place.number) for place in of]
    return [ticket for ticket in found if ticket is not None]


def places(tx: Connection, tickets: Iterable[int]) -> Iterator[Place]:
    """Everything in which words of these tickets stand."""
    tickets, people = list(tickets), set[str]()
    first_message, first_mail = _first(tx, "message", tickets), _first(tx, "outbox", tickets)
    for ticket in tickets:
        yield Place("ticket", ticket)
        for kind in ("message", "transcript", "entry", "matter", "quarantine", "mail"):
            yield from _of_ticket(tx, kind, ticket)
        people |= _people(tx, ticket)
    for address in sorted(people):
        # What was handed back to them, asked by them, or told them of several tickets at once.
        theirs = "select id from message where author = :address and ticket is null and id >= :first"
        yield from (Place("message", row["id"]) for row in tx.rows(theirs, address=address, first=first_message))
        to_them = "select id from outbox where recipient = :address and ticket is null and id >= :first"
        yield from (Place("mail", row["id"]) for row in tx.rows(to_them, address=address, first=first_mail))


def words(tx: Connection, place: Place) -> dict[str, str]:
    """The words of a row, by column; none where it is gone."""
    table, columns = _WORDS[place.kind]
    row = tx.row(f"select {', '.join(columns)} from {table} where id = :id", id=place.number)
    return {column: text for column, text in (row or {}).items() if text}


def reword(tx: Connection, place: Place, changed: Mapping[str, str]) -> None:
    """Put other words into a row, and into the index of the search."""
    table, _ = _WORDS[place.kind]
    indexed = place.kind == "message" and tx.value("select ticket from message where id = :id", id=place.number)
    if indexed:
        search.forget(tx, place.number, *_said(tx, place.number))
    tx.run(
        f"update {table} set {', '.join(f'{one} = :{one}' for one in changed)} where id = :id",
        id=place.number,
        **changed,
    )
    if indexed:
        search.keep(tx, place.number, *_said(tx, place.number))


def blur(tx: Connection, place: Place, blurred: Callable[[str], str]) -> None:
    """Keep another digest of a mail: whoever has the one of its content could try what stood in it."""
    if place.kind not in ("message", "quarantine"):
        return
    digest = tx.value(f"select digest from {place.kind} where id = :id", id=place.number)
    if digest and not digest.startswith("~"):
        changed = blurred(digest)
        tx.run(f"update {place.kind} set digest = :changed where id = :id", changed=changed, id=place.number)


def file_names(tx: Connection, message: int) -> dict[int, tuple[str, str]]:
    """Of the files of a message: name and type, by part."""
    rows = tx.rows("select part, name, type from attachment where message = :message", message=message)
    return {row["part"]: (row["name"], row["type"]) for row in rows}


def rename_file(tx: Connection, message: int, part: int, name: str) -> None:
    """Give a file of a message another name."""
    tx.run(
        "update attachment set name = :name where message = :message and part = :part",
        name=name,
        message=message,
        part=part,
    )


def raws(tx: Connection, place: Place) -> list[int]:
    """The blobs in which the raw bytes of a row lie: of a message all of the roads by which it came."""
    questions = {
        "message": "select blob from message where id = :id union select blob from journal where message = :id",
        "quarantine": "select j.blob from quarantine q join journal j on j.id = q.journal where q.id = :id",
        "mail": "select blob from outbox where id = :id",
    }
    question = questions.get(place.kind)
    return [row["blob"] for row in tx.rows(question, id=place.number) if row["blob"]] if question else []


def exchange(tx: Connection, blob: int, data: bytes | None) -> None:
    """Put other bytes in the place of a blob's, for all that refer to it; None: none, and it is not sent."""
    if data is None:
        tx.run(
            "update outbox set state = 'failed', next_try_at = null, last_error = 'redacted'"
            " where blob = :blob and state = 'queued'",
            blob=blob,
        )
        remove_raw(tx, blob)
        return
    other = blobs.put(tx, data)
    for table in ("journal", "message", "outbox"):
        tx.run(f"update {table} set blob = :other where blob = :blob", other=other, blob=blob)
    tx.run("delete from blob where id = :blob", blob=blob)


def written_out(tx: Connection, mail: int) -> datetime | None:
    """When a mail of the outbox was written, which names its file; None where it was not sent."""
    found = tx.value("select created_at from outbox where id = :id and state = 'sent'", id=mail)
    return moment(found) if found else None


def record(tx: Connection, trace: Trace) -> None:
    """Leave the trace, before anything is changed: the ledger lets nobody change a note without it."""
    tx.run(
        "insert into redaction (at, author, cause, kind, number, places)"
        " values (:at, :author, :cause, :kind, :number, :places)",
        at=stamp(trace.at),
        author=trace.author,
        cause=trace.cause,
        kind=trace.place.kind,
        number=trace.place.number,
        places=trace.places,
    )
    if trace.place.kind == "message":
        by = f"{trace.author or 'this machine'}{f', by message {trace.cause}' if trace.cause else ''}"
        tx.run(
            "update message set why = why || :step where id = :id",
            step=f"\nredacted {trace.at:%Y-%m-%d} by {by}: {trace.places}",
            id=trace.place.number,
        )


def of(tx: Connection, place: Place) -> list[Trace]:
    """What was taken out of a row, oldest first."""
    rows = tx.rows(
        "select * from redaction where kind = :kind and number = :number order by id",
        kind=place.kind,
        number=place.number,
    )
    return [Trace(moment(row["at"]), row["author"], row["cause"], place, row["places"]) for row in rows]


def unsettled(tx: Connection) -> int:
    """The newest trace of what is out of the rows, and may stand in the file still; 0 for none."""
    return int(tx.value("select coalesce(max(id), 0) from redaction where settled_at is null"))


def settle(tx: Connection, up_to: int, now: datetime) -> None:
    """Note that what was taken out up to a trace is nowhere in the file any more."""
    tx.run(
        "update redaction set settled_at = :now where settled_at is null and id <= :up_to", now=stamp(now), up_to=up_to
    )


def take_place(tx: Connection, journal: int, message: int) -> None:
    """Keep of a repeat what is kept of the message, if something was taken out of that: it would come back."""
    if not of(tx, Place("message", message)):
        return
    blob = tx.value("select blob from journal where id = :journal", journal=journal)
    same = "update journal set blob = (select blob from message where id = :message) where id = :journal"
    tx.run(same, message=message, journal=journal)
    if blob is not None:
        blobs.remove_unneeded(tx, blob)


def _said(tx: Connection, message: int) -> tuple[str, str]:
    row = tx.row("select subject, text from message where id = :message", message=message)
    assert row is not None
    return row["subject"], row["text"]


def _first(tx: Connection, table: str, tickets: Collection[int]) -> int:
    """The number of the first row of these tickets; what is older cannot hold their words."""
    found = [tx.value(f"select min(id) from {table} where ticket = :ticket", ticket=ticket) for ticket in tickets]
    return min((number for number in found if number is not None), default=0)


def _of_ticket(tx: Connection, kind: Kind, ticket: int) -> list[Place]:
    rows = tx.rows(f"select id from {_WORDS[kind][0]} where ticket = :ticket", ticket=ticket)
    return [Place(kind, row["id"]) for row in rows]


def _people(tx: Connection, ticket: int) -> set[str]:
    rows = tx.rows(
        "select author as address from message where ticket = :ticket"
        " union select recipient as address from outbox where ticket = :ticket",
        ticket=ticket,
    )
    return {row["address"] for row in rows if row["address"]}
