"""What happens once by the clock: a warning, an expiry, a month's statement. The schema keeps it once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from mailgate.store.connection import Connection
from mailgate.store.times import moment, opt_moment, stamp

# digest, evening: the mails to the director and to the technicians; their key is the day.
# start: planned work began; overdue: its delivery was told to be late; their keys are ticket and day.
# promise_soon, promise_broken: an answer was told to be due, or late; their keys are ticket and time of asking.
# day: the work of a day was done; its key is the day.
# backup: the store was copied, and the copy proven; its key is the time.
# trouble: the admin was told; its client is what the trouble is with (refused rules: "rules"), its key the time.
# "all_clear" with the same ends it.
# halt: the books did not add up; its key is the time, and "resume" with the same key ends it.
# maybe_away: the director was told that a robot answers for a technician; its key is who and the day.
# away: it was looked to a ticket of who is away; its key is ticket, technician and when they are back.
# loop: the director was told that mails go round; its key is the address or the ticket, and the day.
# export, erase: what the store has of a client was taken out, or forgotten; their key is the time and who did it.
# shown: somebody had access data of a mail in quarantine shown; its key is the time, the number there and who.
# back_again: a technician was told what has waited for them; its key is who and the time.
Kind = Literal[
    "away",
    "back_again",
    "maybe_away",
    "loop",
    "expiry_warning",
    "expiry",
    "statement",
    "halt",
    "resume",
    "day",
    "backup",
    "digest",
    "evening",
    "start",
    "overdue",
    "promise_soon",
    "promise_broken",
    "trouble",
    "all_clear",
    "export",
    "erase",
    "shown",
]

# A robot answers each mail: how long one telling of it is enough.
_AWAY_DAYS = 4


@dataclass(frozen=True, slots=True)
class Told:
    """A trouble that was told. what: names it; key: of its event."""

    what: str
    key: str
    at: datetime


def record(tx: Connection, kind: Kind, client: str, key: str, now: datetime) -> int | None:
    """Note that something happened and give its number; None where it had happened before.

    client: "" for the desk.
    """
    number: int | None = tx.value(
        "insert into event (kind, client, key, at) values (:kind, :client, :key, :now)"
        " on conflict do nothing returning id",
        kind=kind,
        client=client,
        key=key,
        now=stamp(now),
    )
    return number


def happened(tx: Connection, kind: Kind, client: str) -> frozenset[str]:
    """The keys of what happened of one kind to a client."""
    rows = tx.rows("select key from event where kind = :kind and client = :client", kind=kind, client=client)
    return frozenset(row["key"] for row in rows)


def latest_of(tx: Connection, kind: Kind, most: int | None) -> list[tuple[datetime, str]]:
    """When something of a kind happened to the desk, and its key: the newest first, where keys are times."""
    limit = "" if most is None else " limit :most"
    rows = tx.rows(
        f"select at, key from event where kind = :kind and client = '' order by key desc{limit}",
        kind=kind,
        **({} if most is None else {"most": most}),
    )
    return [(moment(row["at"]), row["key"]) for row in rows]


def latest(tx: Connection, kind: Kind, client: str = "") -> datetime | None:
    """When something of a kind whose keys are times, or days, happened last; None where it never did."""
    sql = "select at from event where kind = :kind and client = :client order by key desc limit 1"
    return opt_moment(tx.value(sql, kind=kind, client=client))


def open_troubles(tx: Connection) -> list[Told]:
    """Troubles that were told and are not over."""
    rows = tx.rows(
        "select t.client, t.key, t.at from event t where t.kind = 'trouble' and not exists"
        " (select 1 from event e where e.kind = 'all_clear' and e.client = t.client and e.key = t.key) order by t.id"
    )
    return [Told(row["client"], row["key"], moment(row["at"])) for row in rows]


def is_recorded(tx: Connection, kind: Kind, client: str, key: str) -> bool:
    """Whether this one happened."""
    known = "select 1 from event where kind = :kind and client = :client and key = :key"
    return bool(tx.value(known, kind=kind, client=client, key=key))


def latest_key(tx: Connection, kind: Kind, client: str, beginning: str) -> str | None:
    """The last of the keys that begin so; None where there is none."""
    found: str | None = tx.value(
        "select max(key) from event where kind = :kind and client = :client and key >= :beginning and key < :end",
        kind=kind,
        client=client,
        beginning=beginning,
        end=f"{beginning}~",
    )
    return found


def record_maybe_away(tx: Connection, technician: str, now: datetime) -> None:
    """Note that the director is told of a technician's robot."""
    record(tx, "maybe_away", "", f"{technician} {now.date()}", now)


def away_told(tx: Connection, technician: str, now: datetime) -> bool:
    """Whether the director was told of a technician's robot in the last few days."""
    days = (now.date() - timedelta(days=ago) for ago in range(_AWAY_DAYS))
    return any(is_recorded(tx, "maybe_away", "", f"{technician} {day}") for day in days)


def record_loop(tx: Connection, what: str, now: datetime) -> None:
    """Note that the director is told of mails that go round with an address, or in a ticket."""
    record(tx, "loop", "", f"{what} {now.date()}", now)


def loops_told(tx: Connection, what: Iterable[str], now: datetime) -> frozenset[str]:
    """Those of which the director was told today."""
    return frozenset(one for one in what if is_recorded(tx, "loop", "", f"{one} {now.date()}"))


def halted_since(tx: Connection) -> datetime | None:
    """Since when no minutes are booked because the books did not add up; None where all is well."""
    row = tx.row(
        "select h.at from event h where h.kind = 'halt' and not exists"
        " (select 1 from event r where r.kind = 'resume' and r.client = h.client and r.key = h.key)"
        " order by h.id limit 1"
    )
    return moment(row["at"]) if row else None


def halts(tx: Connection) -> list[str]:
    """The keys of the halts that nothing has ended yet."""
    return sorted(happened(tx, "halt", "") - happened(tx, "resume", ""))
