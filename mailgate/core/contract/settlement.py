"""The entries by which time and money are given back, and by which what is left expires.

Purchases count for money only until a refund answers them; each is answered once. All entries that
go in are of one client, oldest first; those that come out get their numbers when they are booked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

from mailgate.core import ledger
from mailgate.core.contract import money
from mailgate.core.model import Entry, Kind


def period(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The purchases of the current service period that are not refunded yet.

    A period starts with a purchase that finds nothing left; a void that brings the balance back goes
    on with the old one.
    """
    bought: list[Entry] = []
    left = 0
    for entry in entries:
        if entry.kind is Kind.PURCHASE:
            bought = [*bought, entry] if left > 0 else [entry]
        left += entry.minutes
    return _unrefunded(bought, entries)


def _unrefunded(purchases: Iterable[Entry], entries: Iterable[Entry]) -> tuple[Entry, ...]:
    refunded = {entry.of for entry in entries if entry.kind is Kind.REFUND}
    return tuple(purchase for purchase in purchases if purchase.id not in refunded)


def amount(entries: Iterable[Entry]) -> str:
    """The sum of the prices of just these purchases or refunds; "" for none."""
    return money.total(entry.price or "" for entry in entries)


def refunds(entries: Sequence[Entry], at: datetime, day: date, note: str, technician: str | None) -> tuple[Entry, ...]:
    """The entries that give back the money of the current period in full, with the minutes left of it.

    Minutes that are left of an earlier period stay with the client, who has paid for them.
    """
    return tuple(
        _refund(purchase, minutes, purchase.price, at, day, note, technician)
        for purchase, minutes in _newest_first(period(entries), ledger.balance(entries))
    )


def settlement(
    entries: Sequence[Entry], at: datetime, day: date, note: str, technician: str | None
) -> tuple[Entry, ...]:
    """The entries that end the service: what is left is paid back pro rata, and nothing is left.

    Minutes for which no purchase stands any more, such as those of a void after a refund, expire.
    """
    left = ledger.balance(entries)
    bought = _unrefunded((entry for entry in entries if entry.kind is Kind.PURCHASE), entries)
    paid = tuple(
        _refund(purchase, minutes, _share(purchase, minutes), at, day, note, technician)
        for purchase, minutes in _newest_first(bought, left)
        if minutes > 0
    )
    unpaid = left + ledger.balance(paid)
    return (*paid, _expired(entries[-1].client, unpaid, at, day)) if unpaid > 0 else paid


def _newest_first(purchases: Sequence[Entry], left: int) -> Iterator[tuple[Entry, int]]:
    """Each purchase with the minutes that are taken back from it, never more than are left in all."""
    for purchase in reversed(purchases):
        taken = min(max(left, 0), purchase.minutes)
        left -= taken
        yield purchase, taken


def _share(purchase: Entry, minutes: int) -> str | None:
    return money.share(purchase.price, minutes, purchase.minutes) if purchase.price else None


def _refund(
    purchase: Entry, minutes: int, price: str | None, at: datetime, day: date, note: str, technician: str | None
) -> Entry:
    return Entry(
        id=0,
        client=purchase.client,
        kind=Kind.REFUND,
        minutes=-minutes,
        at=at,
        day=day,
        technician=technician,
        note=note,
        of=purchase.id,
        price=price,
    )


def expiry(entries: Sequence[Entry], client: str, at: datetime, day: date) -> Entry:
    """The entry that takes what is left, which must be something."""
    return _expired(client, ledger.balance(entries), at, day)


def _expired(client: str, minutes: int, at: datetime, day: date) -> Entry:
    return Entry(id=0, client=client, kind=Kind.EXPIRY, minutes=-minutes, at=at, day=day)


def adjust(of: Entry, keep: int, at: datetime, day: date, note: str, technician: str | None) -> Entry:
    """The entry that gives back a debit on which nobody ruled yet, so that `keep` minutes of it still count.

    Raises ValueError where nothing would be given back: `keep` must be less than the debit took.
    """
    minutes = -of.minutes - keep
    if minutes <= 0:
        raise ValueError(f"entry {of.id} took {-of.minutes} minutes; only fewer than that can be kept")
    return Entry(
        id=0,
        client=of.client,
        kind=Kind.ADJUST,
        minutes=minutes,
        at=at,
        day=day,
        ticket=of.ticket,
        technician=technician,
        note=note,
        of=of.id,
    )
