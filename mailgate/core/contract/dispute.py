"""A client disagrees with an entry: what is kept, what the director is told, what the ruling says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from mailgate.core.contract.consequences import to_client, to_staff
from mailgate.core.desk import Desk
from mailgate.core.mail import Notice
from mailgate.core.model import Entry, Kind, Matter, MatterKind

Ruling = Literal["refused", "reduced", "granted"]


def open_to_dispute(entries: Iterable[Entry], matters: Iterable[Matter], ruled_on: frozenset[int]) -> tuple[Entry, ...]:
    """The debits that nobody disputes and nobody ruled on yet."""
    disputed = {matter.entry for matter in matters if matter.kind is MatterKind.DISPUTE}
    return tuple(
        entry for entry in entries if entry.kind is Kind.DEBIT and entry.id not in ruled_on and entry.id not in disputed
    )


def of_entry(matters: Iterable[Matter], entry: int | None) -> Matter | None:
    """The open dispute of an entry."""
    return next((matter for matter in matters if matter.kind is MatterKind.DISPUTE and matter.entry == entry), None)


def matter(entry: Entry, ticket: int | None, reason: str, line: int | None, now: datetime) -> Matter:
    """The dispute of one entry, in the ticket where it was raised."""
    return Matter(
        id=0,
        kind=MatterKind.DISPUTE,
        client=entry.client,
        at=now,
        ticket=ticket,
        entry=entry.id,
        reason=reason,
        line=line,
    )


def opened(
    desk: Desk, client: str, entries: Sequence[Entry], reason: str, ticket: int, balance: int, person_name: str
) -> Iterator[Notice]:
    """The client learns that it is recorded; the director gets the story of each entry.

    The stories themselves are looked up when the mail is written: they are messages of the store.
    """
    tag = desk.tag(ticket)
    yield to_client(
        desk,
        client,
        "dispute_opened",
        {"ticket_tag": tag, "entries": [_line(desk, entry) for entry in entries], "reason": reason},
        ticket,
    )
    asked = {
        "client_name": desk.client_name(client),
        "person_name": person_name,
        "ticket_tag": tag,
        "reason": reason,
        "entries": tuple(entry.id for entry in entries),
        "balance": balance,
    }
    yield to_staff(desk, None, "dispute_asked", asked, ticket)


@dataclass(frozen=True, slots=True)
class Ruled:
    """A ruling on an entry. given_back: minutes. reason: the director's words."""

    entry: Entry
    outcome: Ruling
    given_back: int
    reason: str


def decided(desk: Desk, ruled: Ruled, ticket: int, balance: int) -> Iterator[Notice]:
    """Client and technician learn how it was ruled and why."""
    entry = ruled.entry
    values: dict[str, Any] = {
        "client_name": desk.client_name(entry.client),
        "ticket_tag": desk.tag(ticket),
        "entry": _line(desk, entry),
        "outcome": ruled.outcome,
        "given_back": ruled.given_back,
        "reason": ruled.reason,
        "balance": balance,
        "technician_name": desk.staff_name(entry.technician),
    }
    yield to_client(desk, entry.client, "dispute_decided", {**values, "copy": False}, ticket)
    yield to_staff(desk, entry.technician, "dispute_decided", {**values, "copy": True}, ticket)


def _line(desk: Desk, entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "day": entry.day,
        "minutes": -entry.minutes,
        "note": entry.note,
        "ticket_tag": desk.tag(entry.ticket) if entry.ticket else "",
    }
