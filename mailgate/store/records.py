"""All that the store has of a client, for whoever takes it out or has it forgotten: these read whole tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mailgate.store.connection import Connection
from mailgate.store.quarantine import Quarantined
from mailgate.store.quarantine import get as get_quarantined
from mailgate.store.times import moment

Theirs = Callable[[str], bool]
"""Whether an address is the client's."""


@dataclass(frozen=True, slots=True)
class Posted:
    """A mail of ours. blob: its raw bytes, None once they are gone."""

    id: int
    at: datetime
    to: str
    subject: str
    template: str
    state: str
    ticket: int | None
    blob: int | None


def posted_of_ticket(tx: Connection, ticket: int) -> list[Posted]:
    """Our mails of a ticket, to whomever, oldest first."""
    return [_posted(row) for row in tx.rows("select * from outbox where ticket = :ticket order by id", ticket=ticket)]


def posted_of_no_ticket(tx: Connection, theirs: Theirs) -> list[Posted]:
    """Our mails to them that belong to no ticket, oldest first."""
    rows = tx.rows("select id, recipient from outbox where ticket is null order by id")
    numbers = [row["id"] for row in rows if theirs(row["recipient"])]
    return [_posted(row) for number in numbers for row in tx.rows("select * from outbox where id = :id", id=number)]


def messages_of_no_ticket(tx: Connection, theirs: Theirs) -> list[int]:
    """What they wrote that belongs to no ticket: questions by mail, automatic mails."""
    rows = tx.rows("select id, author from message where ticket is null order by id")
    return [row["id"] for row in rows if theirs(row["author"])]


def quarantined(tx: Connection, theirs: Theirs) -> list[Quarantined]:
    """What waits or waited in quarantine and names them as its sender."""
    rows = tx.rows("select id, sender from quarantine where gone_at is null order by id")
    return [held for row in rows if theirs(row["sender"]) and (held := get_quarantined(tx, row["id"]))]


def sessions(tx: Connection, theirs: Theirs) -> list[dict[str, Any]]:
    """Where they signed in to the client area, as far as that is still known."""
    rows = tx.rows("select address, program, opened_at, seen_at, expires_at from session order by id")
    return [row for row in rows if theirs(row["address"])]


def matters(tx: Connection, client: str) -> list[dict[str, Any]]:
    """What waited for a word: disputes, refunds, estimates, work past a limit; oldest first."""
    return tx.rows(
        "select id, kind, at, ticket, entry, minutes, technician, day, note, reason, state, decided_at"
        " from matter where client = :client order by id",
        client=client,
    )


def happened(tx: Connection, client: str) -> list[dict[str, Any]]:
    """What the clock did for them: of their account, and of their tickets; oldest first."""
    return tx.rows("select id, kind, key, at from event where client = :client order by id", client=client)


def is_known(tx: Connection, client: str) -> bool:
    """Whether there is anything of a client: also of one that the rules no longer have."""
    either = "select 1 from ticket where client = :client union all select 1 from entry where client = :client limit 1"
    return bool(tx.value(either, client=client))


def wrote_in_tickets(tx: Connection, client: str) -> frozenset[str]:
    """The addresses from which their tickets were written in as theirs."""
    rows = tx.rows(
        "select distinct m.author from ticket t join message m on m.ticket = t.id"
        " where t.client = :client and m.role = 'client'",
        client=client,
    )
    return frozenset(row["author"] for row in rows) - {""}


def _posted(row: dict[str, Any]) -> Posted:
    return Posted(
        id=row["id"],
        at=moment(row["created_at"]),
        to=row["recipient"],
        subject=row["subject"],
        template=row["template"],
        state=row["state"],
        ticket=row["ticket"],
        blob=row["blob"],
    )
