"""Who worked how long for which client, and in which area: sums over the ledger, kept up as it grows.

A debit or courtesy counts with the minutes of work that it stands for, for the client and for the category that
its ticket has now. A void takes them back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from mailgate.core.model import Entry, Kind
from mailgate.store.connection import Connection

Scope = Literal["client", "category"]

_WORK = (Kind.DEBIT, Kind.COURTESY)
# Work that no void took back; `schema` sums it up in the same way for stores that are older than this table.
_STANDING = (
    "from entry e left join ticket t on t.id = e.ticket"
    " where e.kind in ('debit', 'courtesy') and e.technician is not null"
    " and not exists (select 1 from entry v where v.of = e.id and v.kind = 'void')"
)


def booked(tx: Connection, entry: Entry) -> None:
    """Count an entry that was just added."""
    if entry.kind in _WORK:
        _count(tx, entry.technician, entry.client, entry.ticket, entry.worked)
    elif entry.kind is Kind.VOID:
        of = tx.row("select technician, client, ticket, worked from entry where id = :of", of=entry.of)
        if of:
            _count(tx, of["technician"], of["client"], of["ticket"], -of["worked"])


def _count(tx: Connection, technician: str | None, client: str, ticket: int | None, minutes: int) -> None:
    if technician is None:
        return
    _add(tx, technician, "client", client, minutes)
    if category := tx.value("select category from ticket where id = :ticket", ticket=ticket):
        _add(tx, technician, "category", category, minutes)


def moved(tx: Connection, ticket: int, before: str | None, after: str | None) -> None:
    """The work on a ticket counts for another category from now on."""
    done = tx.rows(
        f"select e.technician, sum(e.worked) as minutes {_STANDING} and e.ticket = :ticket group by e.technician",
        ticket=ticket,
    )
    for row in done:
        if before:
            _add(tx, row["technician"], "category", before, -row["minutes"])
        if after:
            _add(tx, row["technician"], "category", after, row["minutes"])


def _add(tx: Connection, technician: str, scope: Scope, name: str, minutes: int) -> None:
    tx.run(
        "insert into experience (technician, scope, name, minutes) values (:technician, :scope, :name, :minutes)"
        " on conflict (scope, name, technician) do update set minutes = experience.minutes + excluded.minutes",
        technician=technician,
        scope=scope,
        name=name,
        minutes=minutes,
    )


def with_client(tx: Connection, client: str) -> dict[str, int]:
    """Minutes worked for a client, by technician."""
    rows = tx.rows("select * from experience where scope = 'client' and name = :client", client=client)
    return {row["technician"]: row["minutes"] for row in rows if row["minutes"] > 0}


def by_category(tx: Connection) -> dict[str, dict[str, int]]:
    """Minutes worked in each area, by technician."""
    found: dict[str, dict[str, int]] = {}
    for row in tx.rows("select * from experience where scope = 'category'"):
        if row["minutes"] > 0:
            found.setdefault(row["name"], {})[row["technician"]] = row["minutes"]
    return found


def problems(tx: Connection) -> Iterator[str]:
    """Sums that are not those of the ledger."""
    stored = {
        (row["scope"], row["name"], row["technician"]): row["minutes"]
        for row in tx.rows("select * from experience where minutes <> 0")
    }
    counted = {
        (row["scope"], row["name"], row["technician"]): row["minutes"]
        for row in tx.rows(
            f"select 'client' as scope, e.client as name, e.technician, sum(e.worked) as minutes {_STANDING}"
            " group by e.client, e.technician"
            f" union all select 'category', t.category, e.technician, sum(e.worked) {_STANDING}"
            " and t.category is not null group by t.category, e.technician"
        )
    }
    for key in sorted(stored.keys() | counted.keys()):
        if (has := stored.get(key, 0)) != (should := counted.get(key, 0)):
            scope, name, technician = key
            yield f"experience: {technician} has {has} minutes with {scope} {name}, the entries sum to {should}"
