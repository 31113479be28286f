"""A client's account without all of its entries: what is old is brought forward, as in any set of books.

Where what is read stands for more than itself, the first entry of it is of no number and sums up those before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from mailgate.core.model import Entry, Kind
from mailgate.store import entries
from mailgate.store.connection import Connection
from mailgate.store.times import moment, stamp

# So many entries are summed up in no time; for fewer nothing is carried forward.
_CARRIED_AFTER = 50
_RECENT = 5


def carry_forward(tx: Connection, client: str) -> None:
    """Sum up what a client's entries come to so far, so that no balance is summed up from the beginning.

    What is carried forward is proven with the books: see `service.audit`.
    """
    newest = tx.value("select id from entry where client = :client order by id desc limit 1", client=client)
    newer = (
        "select count(*) from entry where client = :client and id >"
        " coalesce((select entry from carried_forward where client = :client), 0)"
    )
    if newest is None or tx.value(newer, client=client) < _CARRIED_AFTER:
        return
    tx.run(
        "insert into carried_forward (client, entry, minutes) values (:client, :entry, :minutes)"
        " on conflict (client) do update set entry = excluded.entry, minutes = excluded.minutes",
        client=client,
        entry=newest,
        minutes=entries.balance(tx, client),
    )


def standing(tx: Connection, client: str) -> list[Entry]:
    """The entries by which an account stands, oldest first: since its last purchase, at least the last few.

    Balance, state, end, expiry, last use and whether anything was ever bought are by these what they are by all, for
    a purchase begins anew whatever was before. Not what was paid in all.
    """
    first = tx.value("select max(id) from entry where client = :client and kind = 'purchase'", client=client)
    recent = tx.rows("select id from entry where client = :client order by id desc limit :n", client=client, n=_RECENT)
    if not recent:
        return []
    start = min(first or recent[-1]["id"], recent[-1]["id"])
    newest = entries.under(tx, "client = :client and id >= :start order by id", client=client, start=start)
    # Work is noted for a day that may lie before that of an earlier entry.
    used = max((entry.day.isoformat() for entry in newest if entry.kind is Kind.DEBIT), default="")
    later = "client = :client and day > :used and kind = 'debit' and id < :start order by day desc limit 1"
    before = entries.under(tx, later, client=client, used=used, start=start)
    minutes = entries.balance(tx, client) - sum(entry.minutes for entry in (*before, *newest))
    return [*(brought_forward(client, minutes, one.at) for one in newest[:1] if minutes), *before, *newest]


def brought_forward(client: str, minutes: int, at: datetime) -> Entry:
    """What stands for all entries before a time."""
    return Entry(0, client, Kind.ADJUST, minutes, at, at.date())


def between(tx: Connection, client: str, since: datetime, until: datetime) -> list[Entry]:
    """What was booked from one instant to another, oldest first."""
    booked = "client = :client and at >= :since and at < :until order by id"
    return entries.under(tx, booked, client=client, since=stamp(since), until=stamp(until))


def bought_last(tx: Connection, client: str) -> Entry | None:
    """The newest purchase."""
    bought = entries.under(tx, "client = :client and kind = 'purchase' order by id desc limit 1", client=client)
    return bought[0] if bought else None


def summed_up(tx: Connection, client: str, month: date, zone: ZoneInfo) -> list[Entry]:
    """What was booked in a month: of each kind one entry that stands for all. month: its first day."""
    since = _begin(month, zone)
    rows = tx.rows(
        "select kind, sum(minutes) as minutes from entry where client = :client and at >= :since and at < :until"
        " group by kind",
        client=client,
        since=stamp(since),
        until=stamp(_begin(_next(month), zone)),
    )
    return [replace(brought_forward(client, row["minutes"], since), kind=Kind(row["kind"])) for row in rows]


def months(tx: Connection, client: str, zone: ZoneInfo) -> Iterator[date]:
    """The first days of the months in which anything was booked, oldest first."""
    following = "select at from entry where client = :client and at >= :since order by at limit 1"
    at = tx.value(following, client=client, since="")
    while at is not None:
        month = moment(at).astimezone(zone).date().replace(day=1)
        yield month
        at = tx.value(following, client=client, since=stamp(_begin(_next(month), zone)))


def left_before(tx: Connection, client: str, month: date, zone: ZoneInfo) -> list[Entry]:
    """One entry that stands for all before a month. month: its first day."""
    begins = _begin(month, zone)
    return [brought_forward(client, entries.balance_at(tx, client, begins), begins)]


def _begin(month: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(month, time.min, zone)


def _next(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def spent_since(tx: Connection, client: str, day: date) -> dict[int, int]:
    """Minutes that work of that day or later took, without what was taken back, by ticket."""
    rows = tx.rows(
        "select ticket, -sum(minutes) as minutes from entry where client = :client and day >= :day"
        " and kind in ('debit', 'void', 'adjust') group by ticket",
        client=client,
        day=day.isoformat(),
    )
    return {row["ticket"] or 0: row["minutes"] for row in rows}
