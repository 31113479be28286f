"""Amounts of money as the rules and the ledger write them, "160.00 EUR"; whole cents, never floats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from mailgate.core.settings import fields


@dataclass(frozen=True, slots=True)
class Money:
    """An amount >= 0. currency: three capitals (ISO 4217), all of them with hundredths here."""

    cents: int
    currency: str

    def __str__(self) -> str:
        return f"{self.cents // 100}.{self.cents % 100:02} {self.currency}"


def parse(text: str) -> Money:
    """The amount of "160.00 EUR" or "160 EUR". Raises ValueError for anything else."""
    amount, currency = fields.price(text).split(" ")
    whole, _, cents = amount.partition(".")
    return Money(int(whole) * 100 + int(cents or "0"), currency)


def total(prices: Iterable[str]) -> str:
    """The sum of prices, "" for none; each currency apart, as in "160.00 EUR + 20.00 USD"."""
    sums: Counter[str] = Counter()
    for price in filter(None, prices):
        found = parse(price)
        sums[found.currency] += found.cents
    return " + ".join(str(Money(cents, currency)) for currency, cents in sums.items())


def share(price: str, part: int, whole: int) -> str:
    """What `part` of `whole` minutes costs, half a cent rounded up. 0 <= part <= whole, whole > 0."""
    found = parse(price)
    return str(Money((2 * found.cents * part + whole) // (2 * whole), found.currency))
