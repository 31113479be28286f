"""The ledger: entries are added and read; the schema refuses everything else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from mailgate.core.model import Entry, Kind
from mailgate.store import experience
from mailgate.store.connection import Connection, Row
from mailgate.store.times import moment, stamp


def append(tx: Connection, entry: Entry) -> int:
    """Add an entry, keep up who knows what, and give its number; the number it carries does not count."""
    number = int(
        tx.value(
            "insert into entry (id, client, kind, minutes, worked, at, day, ticket, technician, note, of,"
            " message, line, phone, package, price, paid_by, reference) values (:id, :client, :kind, :minutes,"
            " :worked, :at, :day, :ticket, :technician, :note, :of, :message, :line, :phone, :package,"
            " :price, :paid_by, :reference) returning id",
            id=_next_id(tx),
            client=entry.client,
            kind=entry.kind,
            minutes=entry.minutes,
            worked=entry.worked,
            at=stamp(entry.at),
            day=entry.day.isoformat(),
            ticket=entry.ticket,
            technician=entry.technician,
            note=entry.note,
            of=entry.of,
            message=entry.message,
            line=entry.line,
            phone=int(entry.phone),
            package=entry.package,
            price=entry.price,
            paid_by=entry.paid_by,
            reference=entry.reference,
        )
    )
    experience.booked(tx, entry)
    return number


def _next_id(tx: Connection) -> int:
    """Numbers are never used again, not even after a restore: people have mails that name them."""
    highest = "select max(id) as id from entry union all select max(entry) from restored"
    return int(tx.value(f"select coalesce(max(id), 0) + 1 from ({highest}) as given"))


def balance(tx: Connection, client: str) -> int:
    """Minutes left: the sum of the client's entries, of which those up to one may be summed up already."""
    carried = "from carried_forward where client = :client"
    newer = f"select sum(minutes) from entry where client = :client and id > coalesce((select entry {carried}), 0)"
    both = f"select coalesce((select minutes {carried}), 0) + coalesce(({newer}), 0)"
    return int(tx.value(both, client=client))


def balance_at(tx: Connection, client: str, at: datetime) -> int:
    """Minutes that were left at a time: without what was booked from then on."""
    since = "select coalesce(sum(minutes), 0) from entry where client = :client and at >= :at"
    return balance(tx, client) - int(tx.value(since, client=client, at=stamp(at)))


def low(tx: Connection, mark: int, since: datetime) -> list[tuple[str, int]]:
    """Clients with at most so many minutes left, with them, of those whose account moved since then; last first."""
    newest = "select at from entry where client = :client order by id desc limit 1"
    last = {client: str(tx.value(newest, client=client)) for client in _clients(tx)}
    moved = [(at, client, balance(tx, client)) for client, at in last.items() if at > stamp(since)]
    return [(client, minutes) for _, client, minutes in sorted(moved, reverse=True) if minutes <= mark]


def _clients(tx: Connection) -> Iterator[str]:
    """Everybody who has an account, from one to the next."""
    following = "select client from entry where client > :client order by client limit 1"
    client = tx.value(following, client="")
    while client is not None:
        yield client
        client = tx.value(following, client=client)


def booked(tx: Connection, technician: str, since: datetime, until: datetime) -> list[Entry]:
    """The work that somebody booked after one instant and until another, without what was taken back; oldest first."""
    rows = tx.rows(
        "select e.* from entry e where e.technician = :technician and e.at > :since and e.at <= :until"
        " and e.kind in ('debit', 'courtesy')"
        " and not exists (select 1 from entry v where v.of = e.id and v.kind = 'void') order by e.at, e.id",
        technician=technician,
        since=stamp(since),
        until=stamp(until),
    )
    return [_entry(row) for row in rows]


def worked(tx: Connection, technician: str, since: datetime, until: datetime) -> int:
    """Minutes of work that somebody booked from one instant to another, without what was taken back."""
    return int(
        tx.value(
            "select coalesce(sum(e.worked), 0) from entry e where e.technician = :technician and e.at >= :since"
            " and e.at < :until and not exists (select 1 from entry v where v.of = e.id and v.kind = 'void')",
            technician=technician,
            since=stamp(since),
            until=stamp(until),
        )
    )


def bought(tx: Connection, client: str) -> bool:
    """Whether the client ever bought time."""
    # In their order, so that SQLite takes the index of purchases: without it the one of all that was ever booked holds
    # everything that is asked, and it walks through that.
    first = "select 1 from entry where client = :client and kind = 'purchase' order by id limit 1"
    return bool(tx.value(first, client=client))


def of_client(tx: Connection, client: str) -> list[Entry]:
    """Every entry of a client, oldest first; they may be very many, see `accounts`."""
    return under(tx, "client = :client order by id", client=client)


def under(tx: Connection, condition: str, **values: object) -> list[Entry]:
    """The entries under a condition, in its order: for the store's own modules."""
    return [_entry(row) for row in tx.rows(f"select * from entry where {condition}", **values)]


def of_ticket(tx: Connection, ticket: int) -> list[Entry]:
    """Every entry of a ticket and of those that were merged into it, oldest first."""
    rows = tx.rows(
        "select * from entry where ticket in"
        " (select :ticket union all select id from ticket where merged_into = :ticket) order by id",
        ticket=ticket,
    )
    return [_entry(row) for row in rows]


def of_message(tx: Connection, message: int) -> list[Entry]:
    """What a message booked, in the order of its lines."""
    rows = tx.rows("select * from entry where message = :message order by line", message=message)
    return [_entry(row) for row in rows]


def last_debits(tx: Connection, technician: str, most: int) -> tuple[int, ...]:
    """Minutes of the newest debits that a technician booked, newest first."""
    rows = tx.rows(
        "select worked from entry where technician = :technician and kind = 'debit' order by id desc limit :most",
        technician=technician,
        most=most,
    )
    return tuple(row["worked"] for row in rows)


def everything(tx: Connection) -> list[Entry]:
    """The whole ledger, oldest first."""
    return [_entry(row) for row in tx.rows("select * from entry order by id")]


def get(tx: Connection, entry: int) -> Entry | None:
    """One entry, None where there is none of that number."""
    row = tx.row("select * from entry where id = :entry", entry=entry)
    return _entry(row) if row else None


def voided(tx: Connection, entry: int) -> bool:
    """Whether this entry is ruled on already: taken back, whole or in part."""
    return bool(tx.value("select 1 from entry where of = :entry and kind in ('void', 'adjust')", entry=entry))


def _entry(row: Row) -> Entry:
    return Entry(
        id=row["id"],
        client=row["client"],
        kind=Kind(row["kind"]),
        minutes=row["minutes"],
        at=moment(row["at"]),
        day=date.fromisoformat(row["day"]),
        worked=row["worked"],
        ticket=row["ticket"],
        technician=row["technician"],
        note=row["note"],
        of=row["of"],
        message=row["message"],
        line=row["line"],
        phone=bool(row["phone"]),
        package=row["package"],
        price=row["price"],
        paid_by=row["paid_by"],
        reference=row["reference"],
    )
