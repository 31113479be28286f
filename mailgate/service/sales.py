"""Sell time: the purchase, the receipt, and the tickets that were waiting for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mailgate.core import ledger
from mailgate.core.contract import account
from mailgate.core.contract.consequences import Consequences, of_balance, to_client
from mailgate.core.desk import Desk
from mailgate.core.mail import Notice
from mailgate.core.model import Entry, Kind
from mailgate.core.settings.rules import Rules
from mailgate.core.settings.schema import Package
from mailgate.errors import NotFound, Refused
from mailgate.service.letters import post
from mailgate.service.office import Office
from mailgate.store import Connection, accounts, entries, tickets


@dataclass(frozen=True, slots=True)
class Order:
    """What a client bought. paid_by: "transfer" or "paypal", None where it was not said.

    force: book it as the first purchase though the package may not be one.
    """

    client: str
    package: str
    paid_by: str | None = None
    reference: str | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class Sale:
    """What was booked. entry: its number. balance: minutes after it. resumed: numbers of the tickets."""

    entry: int
    client: str
    package: str
    minutes: int
    balance: int
    resumed: tuple[int, ...]


def sell(tx: Connection, office: Office, order: Order, now: datetime) -> Sale:
    """Book a purchase, send the receipt and let waiting tickets go on, in the caller's transaction.

    Raises NotFound for a package that the rules do not have, Refused with the reason for one that
    may not be bought first.
    """
    desk = office.desk
    sold = _package(desk.rules, order.package)
    before = accounts.standing(tx, order.client)
    forced = not sold.first and not any(entry.kind is Kind.PURCHASE for entry in before)
    if forced and not order.force:
        raise Refused(_not_first(desk.rules, order))
    purchase = Entry(
        id=0,
        client=order.client,
        kind=Kind.PURCHASE,
        minutes=sold.minutes,
        at=now,
        day=desk.local_day(now),
        note="first purchase, forced" if forced else "",
        package=order.package,
        price=sold.price,
        paid_by=order.paid_by,
        reference=order.reference,
    )
    return _book(tx, office, purchase, before, now)


def _book(tx: Connection, office: Office, purchase: Entry, before: Sequence[Entry], now: datetime) -> Sale:
    number = entries.append(tx, purchase)
    booked = [*before, purchase]
    left = ledger.balance(booked)
    paused = tickets.held_for_balance(tx, purchase.client)
    follows = of_balance(office.desk, purchase.client, ledger.balance(before), left, paused, now)
    for ticket in follows.tickets:
        tickets.update(tx, ticket)
    receipt = _receipt(office.desk, purchase, booked, follows)
    post(tx, office, [receipt, *follows.notices], now, f"e{number}")
    resumed = tuple(ticket.id for ticket in follows.tickets)
    return Sale(number, purchase.client, purchase.package or "", purchase.minutes, left, resumed)


def _receipt(desk: Desk, purchase: Entry, booked: Sequence[Entry], follows: Consequences) -> Notice:
    values = {
        "package": purchase.package,
        "minutes": purchase.minutes,
        "price": purchase.price,
        "paid_by": purchase.paid_by or "",
        "reference": purchase.reference or "",
        "balance": ledger.balance(booked),
        "expires_on": account.expires_on(booked, desk.rules.time.expires_after),
        "resumed": [{"ticket_tag": desk.tag(ticket.id), "subject": ticket.subject} for ticket in follows.tickets],
    }
    return to_client(desk, purchase.client, "receipt", values)


def _package(rules: Rules, package: str) -> Package:
    sold = rules.packages.get(package)
    if sold is None:
        raise NotFound(f"{package}: no such package; the rules have: {', '.join(rules.packages) or 'none'}")
    return sold


def _not_first(rules: Rules, order: Order) -> str:
    may = ", ".join(key for key, known in rules.packages.items() if known.first)
    why = f"a first purchase can only be: {may}" if may else "no package of the rules has first = true"
    return f"{order.package}: {order.client} has not bought anything yet, and {why}; --force books it all the same"
