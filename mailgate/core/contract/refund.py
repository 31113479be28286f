"""A client wants the money back: the request, and the director's word on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from mailgate.core import ledger
from mailgate.core.contract import account, settlement
from mailgate.core.contract.consequences import to_both, to_client, to_staff
from mailgate.core.desk import Desk
from mailgate.core.mail import Notice
from mailgate.core.model import Entry, Kind, Matter, MatterKind


def asked(
    desk: Desk,
    client: str,
    entries: Sequence[Entry],
    *,
    person_name: str,
    text: str,
    at: datetime,
    ticket: int | None,
) -> tuple[Matter, tuple[Notice, ...]]:
    """Note a request and tell both sides. entries: all of the client's, oldest first.

    text: what was written. ticket: where it was asked, None where it was not asked by mail. Asked
    after the window it still reaches the director, marked late.
    """
    matter = Matter(id=0, kind=MatterKind.REFUND, client=client, at=at, ticket=ticket, reason=text)
    return matter, tuple(_told_of_request(desk, matter, entries, person_name))


def decided(
    desk: Desk,
    matter: Matter,
    entries: Sequence[Entry],
    *,
    granted: bool,
    reason: str,
    now: datetime,
    technician: str | None,
) -> tuple[tuple[Entry, ...], tuple[Notice, ...]]:
    """Grant a request or refuse it: what is booked, and the mails to the client and the director.

    entries: all of the client's, oldest first. reason: what the client is told. technician: who
    decided, None at this machine.
    """
    meant = as_asked(matter, entries)
    booked = settlement.refunds(meant, now, desk.local_day(now), reason, technician) if granted else ()
    values = {
        "granted": granted,
        "amount": settlement.amount(settlement.period(meant)),
        "reason": reason,
        "balance": ledger.balance((*entries, *booked)),
    }
    return booked, tuple(to_both(desk, matter.client, "refund_decided", values, matter.ticket))


def waiting(matters: Iterable[Matter], client: str) -> Matter | None:
    """The request of a client that nobody has decided yet. matters: open ones."""
    return next((one for one in matters if one.kind is MatterKind.REFUND and one.client == client), None)


def as_asked(matter: Matter, entries: Sequence[Entry]) -> list[Entry]:
    """The entries without what was bought after the request: nobody asked for that money back."""
    later = {entry.id for entry in entries if entry.kind is Kind.PURCHASE and entry.at > matter.at}
    return [entry for entry in entries if entry.id not in later and entry.of not in later]


def _told_of_request(desk: Desk, matter: Matter, entries: Sequence[Entry], person_name: str) -> Iterator[Notice]:
    until = account.refund_until(entries, desk.rules.time.refund_window, desk.rules.zone)
    purchases = settlement.period(entries)
    window: dict[str, Any] = {
        "amount": settlement.amount(purchases),
        "late": until is not None and desk.local_day(matter.at) > until,
        "refund_until": until,
        "ended_on": account.ended_on(entries, desk.rules.zone),
    }
    yield to_client(desk, matter.client, "refund_asked", window, matter.ticket)
    story = {
        "client": matter.client,
        "client_name": desk.client_name(matter.client),
        "person_name": person_name,
        "balance": ledger.balance(entries),
        "purchases": [
            {"id": one.id, "day": one.day, "package": one.package, "minutes": one.minutes, "price": one.price}
            for one in purchases
        ],
        "text": matter.reason,
    }
    yield to_staff(desk, None, "refund_request", {**window, **story}, matter.ticket)
