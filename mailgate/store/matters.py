"""What waits for a person's word: disputes, refunds, estimates, debits past a limit."""

from __future__ import annotations

from datetime import datetime

from mailgate.core.model import Matter, MatterKind, MatterState
from mailgate.store.connection import Connection, Row
from mailgate.store.times import moment, opt_day, opt_moment, stamp


def open_matter(tx: Connection, matter: Matter) -> int:
    """Keep what was asked; the number it carries does not count. Gives its number."""
    return int(
        tx.value(
            "insert into matter (kind, client, at, ticket, entry, minutes, technician, day, note, phone,"
            " reason, message, line) values (:kind, :client, :at, :ticket, :entry, :minutes, :technician,"
            " :day, :note, :phone, :reason, :message, :line) returning id",
            kind=matter.kind,
            client=matter.client,
            at=stamp(matter.at),
            ticket=matter.ticket,
            entry=matter.entry,
            minutes=matter.minutes,
            technician=matter.technician,
            day=matter.day and matter.day.isoformat(),
            note=matter.note,
            phone=int(matter.phone),
            reason=matter.reason,
            message=matter.message,
            line=matter.line,
        )
    )


def decide(tx: Connection, matter: int, state: MatterState, now: datetime, message: int | None) -> None:
    """Note what became of an open matter, and by which message. One that is decided stays as it is."""
    tx.run(
        "update matter set state = :state, decided_at = :now, decision = :message"
        " where id = :matter and state = 'open'",
        state=state,
        now=stamp(now),
        message=message,
        matter=matter,
    )


def open_of_client(tx: Connection, client: str) -> list[Matter]:
    """What is open of a client, oldest first."""
    rows = tx.rows("select * from matter where client = :client and state = 'open' order by id", client=client)
    return [_matter(row) for row in rows]


def waiting(tx: Connection) -> list[Matter]:
    """What is open of all clients, oldest first; by the index of what is open, which stays small."""
    rows = tx.rows("select * from matter where state = 'open' order by client, id")
    return sorted((_matter(row) for row in rows), key=lambda matter: matter.id)


def everything(tx: Connection) -> list[Matter]:
    """All of them, oldest first."""
    return [_matter(row) for row in tx.rows("select * from matter order by id")]


def get(tx: Connection, matter: int) -> Matter | None:
    """One matter, None where there is none of that number."""
    row = tx.row("select * from matter where id = :matter", matter=matter)
    return _matter(row) if row else None


def disputed(tx: Connection, client: str) -> frozenset[int]:
    """The client's entries that wait for a ruling."""
    rows = tx.rows("select entry from matter where client = :client and state = 'open' and entry > 0", client=client)
    return frozenset(row["entry"] for row in rows)


def _matter(row: Row) -> Matter:
    return Matter(
        id=row["id"],
        kind=MatterKind(row["kind"]),
        client=row["client"],
        at=moment(row["at"]),
        ticket=row["ticket"],
        entry=row["entry"],
        minutes=row["minutes"],
        technician=row["technician"],
        day=opt_day(row["day"]),
        note=row["note"],
        phone=bool(row["phone"]),
        reason=row["reason"],
        message=row["message"],
        line=row["line"],
        state=MatterState(row["state"]),
        decided_at=opt_moment(row["decided_at"]),
        decision=row["decision"],
    )
