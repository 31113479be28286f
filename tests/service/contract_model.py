"""The contract as a model that only adds and subtracts: what must be booked, and how often people must be told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

CLIENTS = ("acme", "beta")
PACKAGES = {"4h": 240, "12h": 720}
MARKS = (60, 30)


@dataclass
class Booked:
    """An entry. ruled: a void or an adjustment has answered it."""

    client: str
    kind: str
    minutes: int
    ticket: int = 0
    ruled: bool = False
    disputed: bool = False


@dataclass
class Purchase:
    minutes: int
    begins: bool
    refunded: bool = False


@dataclass
class Account:
    """purchases_asked: how many there were when the refund was asked for that is open now."""

    purchases: list[Purchase] = field(default_factory=list)
    last_used: date = date.min
    expired: bool = False
    purchases_asked: int | None = None


@dataclass
class Ticket:
    """waiting: minutes of work past the limit, and the day of it."""

    client: str
    limit: int | None = None
    waiting: list[tuple[int, date]] = field(default_factory=list)


class Model:
    """What must be booked, and how often the mails that follow from it must have been written."""

    def __init__(self, today: date) -> None:
        self.booked: list[Booked] = []
        self.tickets: list[Ticket] = []
        self.accounts = {client: Account() for client in CLIENTS}
        self.mails: Counter[str] = Counter()
        self.today = today

    def balance(self, client: str) -> int:
        return sum(entry.minutes for entry in self.booked if entry.client == client)

    def work_done(self) -> list[int]:
        """The numbers of the entries on which somebody can have an opinion."""
        return [number for number, entry in enumerate(self.booked, 1) if entry.kind in ("debit", "courtesy")]

    def spent(self, ticket: int) -> int:
        return -sum(entry.minutes for entry in self.booked if entry.ticket == ticket)

    def sell(self, client: str, package: str) -> bool:
        """Whether it can be bought."""
        account = self.accounts[client]
        if not account.purchases and package != "4h":
            return False
        account.purchases.append(Purchase(PACKAGES[package], begins=self.balance(client) <= 0))
        account.expired, account.last_used = False, self.today
        self.booked.append(Booked(client, "purchase", PACKAGES[package]))
        self.mails["receipt"] += 1
        return True

    def work(self, number: int, lines: tuple[tuple[str, int], ...]) -> None:
        ticket = self.tickets[number - 1]
        before = self.balance(ticket.client)
        for name, minutes in lines:
            if name == "free":
                self.booked.append(Booked(ticket.client, "courtesy", 0, number))
            elif ticket.limit is not None and self.spent(number) + minutes > ticket.limit:
                ticket.waiting.append((minutes, self.today))
                self.mails.update(["limit_reached", "debit_held"])
            else:
                self._debit(number, minutes, self.today)
        self._lowered(ticket.client, before)

    def limit(self, number: int, limit: int | None) -> None:
        ticket = self.tickets[number - 1]
        ticket.limit = limit
        self.release(number, limit)

    def agree(self, number: int) -> None:
        """An "ok" that answers no mail of ours in particular: it agrees to the one thing that waits."""
        if len(self.tickets[number - 1].waiting) == 1:
            self.release(number)

    def release(self, number: int, limit: int | None = None) -> None:
        """Book what waits, as far as the limit goes; None for all of it."""
        ticket = self.tickets[number - 1]
        before, left = self.balance(ticket.client), []
        for minutes, day in ticket.waiting:
            if limit is not None and self.spent(number) + minutes > limit:
                left.append((minutes, day))
            else:
                self._debit(number, minutes, day)
        ticket.waiting = left
        self._lowered(ticket.client, before)

    def dispute(self, client: str, number: int) -> None:
        entry = self.booked[number - 1]
        good = entry.client == client and entry.kind == "debit" and not entry.ruled and not entry.disputed
        self.mails.update(["dispute_opened", "dispute_asked"] if good else ["claim_wrong"])
        entry.disputed = entry.disputed or good

    def rule(self, number: int, how: str, keep: int) -> None:
        of = self.booked[number - 1]
        before = self.balance(of.client)
        may = of.kind == "debit" or (of.kind == "courtesy" and how == "#anular")
        wrong = (how == "#confirmar" and not of.disputed) or (how == "#ajustar" and keep >= -of.minutes)
        if of.ruled or not may or wrong:
            self.mails["problems"] += 1
            return
        if how != "#anular" or of.disputed:
            self.mails["dispute_decided"] += 2
        of.disputed, of.ruled = False, how != "#confirmar"
        account = self.accounts[of.client]
        if how != "#confirmar":
            back, kind = (-of.minutes - keep, "adjust") if how == "#ajustar" else (-of.minutes, "void")
            self.booked.append(Booked(of.client, kind, back, of.ticket))
            account.last_used = self.today if account.expired else account.last_used
        self._lowered(of.client, before)

    def ask_refund(self, client: str) -> None:
        account = self.accounts[client]
        first = max((at for at, purchase in enumerate(account.purchases) if purchase.begins), default=0)
        paid = any(not purchase.refunded for purchase in account.purchases[first:])
        good = paid and account.purchases_asked is None
        self.mails.update(["refund_asked", "refund_request"] if good else ["claim_wrong"])
        account.purchases_asked = len(account.purchases) if good else account.purchases_asked

    def decide_refund(self, client: str, *, granted: bool) -> None:
        account = self.accounts[client]
        if account.purchases_asked is None:
            self.mails["problems"] += 1
            return
        asked, later = account.purchases[: account.purchases_asked], account.purchases[account.purchases_asked :]
        left = self.balance(client) - sum(purchase.minutes for purchase in later)
        first = max((at for at, purchase in enumerate(asked) if purchase.begins), default=0)
        for purchase in [one for one in reversed(asked[first:]) if granted and not one.refunded]:
            left -= self._refund(client, purchase, min(max(left, 0), purchase.minutes))
        if granted:
            self._nothing_waits(client)
        account.purchases_asked = None
        self.mails["refund_decided"] += 2

    def _nothing_waits(self, client: str) -> None:
        for ticket in self.tickets:
            ticket.waiting = [] if ticket.client == client else ticket.waiting
        for entry in self.booked:
            entry.disputed = entry.disputed and entry.client != client

    def cancel(self, client: str) -> None:
        account, left = self.accounts[client], self.balance(client)
        for purchase in reversed(account.purchases):
            taken = 0 if purchase.refunded else min(max(left, 0), purchase.minutes)
            if taken:
                left -= self._refund(client, purchase, taken)
        if left > 0:
            self._expire(client, left)
        account.purchases_asked = None
        self._nothing_waits(client)
        self.mails["account_closed"] += 2

    def run_day(self) -> None:
        for client, account in self.accounts.items():
            disputed = any(entry.disputed for entry in self.booked if entry.client == client)
            left = self.balance(client)
            if account.purchases and left > 0 and self.today > _a_year_after(account.last_used) and not disputed:
                self._expire(client, left)
                self.mails["expired"] += 2

    def _debit(self, ticket: int, minutes: int, day: date) -> None:
        client = self.tickets[ticket - 1].client
        self.booked.append(Booked(client, "debit", -minutes, ticket))
        self.accounts[client].last_used = max(self.accounts[client].last_used, day)

    def _refund(self, client: str, purchase: Purchase, minutes: int) -> int:
        purchase.refunded = True
        self.booked.append(Booked(client, "refund", -minutes))
        return minutes

    def _expire(self, client: str, minutes: int) -> None:
        self.booked.append(Booked(client, "expiry", -minutes))
        self.accounts[client].expired = True

    def _lowered(self, client: str, before: int) -> None:
        """What is told of a balance that a mail changed."""
        after = self.balance(client)
        if before > 0 >= after:
            self.mails["service_ended"] += 2
        elif any(before > mark >= after for mark in MARKS) and after > 0:
            self.mails["low_balance"] += 1


def _a_year_after(day: date) -> date:
    try:
        return day.replace(year=day.year + 1)
    except ValueError:  # 29 February
        return date(day.year + 1, 2, 28)
