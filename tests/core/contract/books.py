"""An account that is written entry by entry, as the store would number them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from mailgate.core import ledger
from mailgate.core.contract import settlement
from mailgate.core.model import Entry, Kind
from tests.support import debit

MADRID = ZoneInfo("Europe/Madrid")


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


@dataclass
class Books:
    """day: on which the next entry is booked."""

    day: date = date(2026, 5, 4)
    entries: list[Entry] = field(default_factory=list)

    @property
    def left(self) -> int:
        return ledger.balance(self.entries)

    def add(self, *entries: Entry) -> Entry:
        """The last of them, with the number that it got."""
        for entry in entries:
            self.entries.append(replace(entry, id=len(self.entries) + 1))
        return self.entries[-1]

    def buy(self, minutes: int = 240, price: str | None = "160.00 EUR") -> Entry:
        return self.add(Entry(0, "acme", Kind.PURCHASE, minutes, noon(self.day), self.day, price=price))

    def work(self, minutes: int, at: datetime | None = None) -> Entry:
        return self.add(debit(0, minutes, at=at or noon(self.day), day=self.day))

    def void(self, of: Entry) -> Entry:
        return self.add(ledger.void(of, noon(self.day), self.day, "twice", "elena"))

    def adjust(self, of: Entry, keep: int) -> Entry:
        return self.add(settlement.adjust(of, keep, noon(self.day), self.day, "less", "elena"))

    def refund(self) -> tuple[Entry, ...]:
        return self._booked(settlement.refunds(self.entries, noon(self.day), self.day, "sorry", "elena"))

    def settle(self) -> tuple[Entry, ...]:
        return self._booked(settlement.settlement(self.entries, noon(self.day), self.day, "bye", "elena"))

    def expire(self) -> Entry:
        return self.add(settlement.expiry(self.entries, "acme", noon(self.day), self.day))

    def _booked(self, entries: Iterable[Entry]) -> tuple[Entry, ...]:
        before = len(self.entries)
        for entry in entries:
            self.add(entry)
        return tuple(self.entries[before:])
