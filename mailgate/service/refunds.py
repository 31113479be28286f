"""The admin's side of a refund: a request that came by another road, and the director's word on one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mailgate.core import ledger
from mailgate.core.contract import refund, settlement
from mailgate.core.model import Entry, Matter, MatterState
from mailgate.errors import Refused
from mailgate.service.letters import post
from mailgate.service.office import Office
from mailgate.store import Connection, entries, events, matters


@dataclass(frozen=True, slots=True)
class Refund:
    """How a request stands. amount: as "160.00 EUR". entries: numbers of what was booked."""

    matter: int
    client: str
    state: MatterState
    amount: str
    balance: int
    entries: tuple[int, ...] = ()


def ask(tx: Connection, office: Office, client: str, reason: str, now: datetime) -> Refund:
    """Note a request and tell the client and the director, in the caller's transaction.

    Raises Refused where one is open already, or nothing was paid that could be given back.
    """
    if known := _open(tx, client):
        raise Refused(f"{client}: a refund is asked for already, since {known.at:%Y-%m-%d}; --accept or --decline it")
    booked = entries.of_client(tx, client)
    if not settlement.period(booked):
        raise Refused(f"{client}: has paid nothing that could be given back")
    person = office.desk.contact(client)
    matter, notices = refund.asked(office.desk, client, booked, person_name=person, text=reason, at=now, ticket=None)
    number = matters.open_matter(tx, matter)
    post(tx, office, notices, now, f"m{number}")
    return Refund(number, client, MatterState.OPEN, _amount(matter, booked), ledger.balance(booked))


def rule(tx: Connection, office: Office, client: str, granted: bool, reason: str, now: datetime) -> Refund:
    """Grant the open request or refuse it, book what follows and tell both, in the caller's transaction.

    Raises Refused where none is open, or, to be granted, while the books do not add up.
    """
    matter = _open(tx, client)
    if matter is None:
        raise Refused(f"{client}: no refund is asked for")
    if granted and events.halted_since(tx):
        raise Refused("the books do not add up, so nothing is booked; see: mailgate audit")
    before = entries.of_client(tx, client)
    booked, notices = refund.decided(
        office.desk, matter, before, granted=granted, reason=reason, now=now, technician=None
    )
    numbers = tuple(entries.append(tx, entry) for entry in booked)
    state = MatterState.GRANTED if granted else MatterState.REFUSED
    matters.decide(tx, matter.id, state, now, None)
    post(tx, office, notices, now, f"m{matter.id}d")
    left = ledger.balance((*before, *booked))
    return Refund(matter.id, client, state, _amount(matter, before), left, numbers)


def _open(tx: Connection, client: str) -> Matter | None:
    """The request of a client that nobody has decided yet."""
    return refund.waiting(matters.open_of_client(tx, client), client)


def _amount(matter: Matter, booked: Sequence[Entry]) -> str:
    return settlement.amount(settlement.period(refund.as_asked(matter, booked)))
