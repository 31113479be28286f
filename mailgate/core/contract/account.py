"""When a client's service ends, resumes, expires and is spoken about.

All entries are of one client, oldest first, or those that stand for them (`store.accounts`); days are those of the
desk's time zone. An event that happens once is known by its key, so that a missed run catches up and no run repeats
it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal
from zoneinfo import ZoneInfo

from mailgate.core import ledger
from mailgate.core.model import Entry, Kind
from mailgate.core.settings import schema
from mailgate.core.settings.units import Period


def ends(before: int, after: int) -> bool:
    """Whether a booking ends the service, by the balance before and after it."""
    return before > 0 >= after


def resumes(before: int, after: int) -> bool:
    """Whether a booking brings the service back."""
    return before <= 0 < after


def mark_crossed(before: int, after: int, marks: Iterable[int]) -> int | None:
    """The lowest mark that a booking fell through; None for none, or where it ended the service."""
    return min((mark for mark in marks if before > mark >= after > 0), default=None)


def estimate_passed(before: int, after: int, estimate: int | None, margin: int) -> bool:
    """Whether a ticket's minutes just went past its estimate by more than `margin` per cent."""
    return estimate is not None and before * 100 <= estimate * (100 + margin) < after * 100


def within_limit(spent: int, minutes: int, limit: int | None) -> bool:
    """Whether more minutes on a ticket stay within what its client allows; None for no limit."""
    return limit is None or spent + minutes <= limit


def ended_on(entries: Sequence[Entry], zone: ZoneInfo) -> date | None:
    """The day on which the service ended; None while it runs, or where nothing was ever bought."""
    last = ledger.ended_by(entries)
    return _booked_on(last, zone) if last else None


def refund_until(entries: Sequence[Entry], window: Period, zone: ZoneInfo) -> date | None:
    """The last day on which the money can be asked back; None as for `ended_on`."""
    ended = ended_on(entries, zone)
    return window.add_to(ended) if ended else None


def _booked_on(entry: Entry, zone: ZoneInfo) -> date:
    return entry.at.astimezone(zone).date()


def expires_on(entries: Sequence[Entry], after: Period) -> date | None:
    """The last day on which what is left may be used; None where there is nothing, or no purchase.

    It follows the later of the last use and the last purchase. A debit that was voided was a use all
    the same: taking it back must not bring the day nearer.
    """
    if ledger.balance(entries) <= 0 or not any(entry.kind is Kind.PURCHASE for entry in entries):
        return None
    return after.add_to(max(entry.day for entry in _starting_anew(entries)))


def _starting_anew(entries: Sequence[Entry]) -> Iterator[Entry]:
    """The entries from which the time to expiry runs.

    Where all had expired, minutes that a ruling gives back run from that ruling, else they would be
    gone before anybody could use them.
    """
    expired = False
    for entry in entries:
        if entry.kind in (Kind.DEBIT, Kind.PURCHASE) or (expired and entry.kind in (Kind.VOID, Kind.ADJUST)):
            yield entry
        expired = entry.kind is Kind.EXPIRY or (expired and entry.kind is not Kind.PURCHASE)


@dataclass(frozen=True, slots=True)
class DueEvent:
    """What the clock makes due. key: what it is recorded under. send: False for a warning come too late."""

    kind: Literal["expiry_warning", "expiry"]
    key: str
    expires_on: date
    send: bool


def due_events(
    entries: Sequence[Entry],
    rules: schema.Time,
    today: date,
    *,
    disputed: bool,
    happened: frozenset[str],
) -> tuple[DueEvent, ...]:
    """What is due of an account's expiry and has not happened yet.

    disputed: whether a dispute is open, for which expiry waits. happened: the keys of the client's
    warnings and expiries so far. Of warnings that are due together only the last is to be sent.
    """
    last = expires_on(entries, rules.expires_after)
    if last is None:
        return ()
    if today <= last:
        return tuple(event for event in _warnings(last, rules.expiry_warnings, today) if event.key not in happened)
    due = not disputed and str(last) not in happened
    return (DueEvent("expiry", str(last), last, True),) if due else ()


def _warnings(last: date, periods: Iterable[Period], today: date) -> Iterator[DueEvent]:
    """The warnings whose day has come, the earliest first; a use makes new ones by its new day."""
    due = sorted({(period.before(last), _short(period)) for period in periods if period.before(last) <= today})
    for number, (_, name) in enumerate(due, 1):
        yield DueEvent("expiry_warning", f"{last}/{name}", last, number == len(due))


def _short(period: Period) -> str:
    """A period as the keys of events name it: "30d", "12mo"."""
    return f"{period.months}mo" if period.months else f"{period.days}d"


def statement_months(booked: Iterable[date], today: date, happened: frozenset[str]) -> tuple[str, ...]:
    """The months "2026-10" that are over, saw a booking and have had no statement; oldest first.

    booked: a day of each month in which anything was booked.
    """
    months = {_month(day) for day in booked}
    return tuple(sorted(month for month in months if month < _month(today) and month not in happened))


def _month(day: date) -> str:
    return f"{day:%Y-%m}"
