"""What only the store knows of a mail: balance, report, history, the story of a dispute.

One source for mail and command line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from mailgate.core import ledger
from mailgate.core.access_data.covering import PLACE
from mailgate.core.contract import settlement
from mailgate.core.contract.account import expires_on, refund_until
from mailgate.core.desk import Desk
from mailgate.core.mail import Notice, Part
from mailgate.core.model import Entry, Role
from mailgate.service.guide import values_of
from mailgate.service.statements import report_files, report_values, statement_of, ticket_tag
from mailgate.store import Connection, accounts, entries, holds, messages, tickets
from mailgate.store.tickets import Only

_RECENT = 5
# As many tickets as a mail can list and still be read.
_TOLD = 100


@dataclass(frozen=True, slots=True)
class Account:
    """How a client's account stands. minutes: left. state: "active", "ended", "expired" or "none"."""

    client: str
    minutes: int
    state: ledger.State
    expires_on: date | None
    last_used_on: date | None


def filled(tx: Connection, desk: Desk, notice: Notice, now: datetime) -> tuple[Notice, list[Part]]:
    """The notice with what only the store knows, and the files that go with it."""
    asked: Mapping[str, Any] = notice.values
    match notice.template:
        case "balance":
            return replace(notice, values=balance_values(tx, desk, asked["client"], now)), []
        case "ack" if asked["held"] == "balance":
            return replace(notice, values={**asked, "refund_until": _refund_until(tx, desk, asked["client"], now)}), []
        case "report" | "statement" | "service_ended":
            values = _with_statement(tx, desk, asked, now)
            files = report_files(values, notice.language, desk.rules.desk.name, pdf=bool(asked.get("pdf")))
            return replace(notice, values=values), files
        case "expired":
            return replace(notice, values=_with_statement(tx, desk, asked, now)), []
        case "history":
            return replace(notice, values=history_values(tx, desk, asked["client"])), []
        case "help":
            return replace(
                notice, values={**values_of(desk.rules), "client_name": desk.client_name(asked["client"])}
            ), []
        case "help_staff":
            person = desk.rules.who(notice.to)
            director = person is not None and person.role is Role.DIRECTOR
            return replace(notice, values={**values_of(desk.rules), "director": director}), []
        case "handed_over":
            return replace(notice, values={**asked, **_handed_over(tx, desk, notice)}), []
        case "dispute_asked":
            return replace(notice, values={**asked, "stories": dispute_stories(tx, desk, asked["entries"])}), []
        case _:
            return notice, []


def account(tx: Connection, desk: Desk, client: str, now: datetime) -> Account:
    """How a client's account stands today."""
    return _standing(desk, client, accounts.standing(tx, client), now)


def _standing(desk: Desk, client: str, booked: Sequence[Entry], now: datetime) -> Account:
    expires = expires_on(booked, desk.rules.time.expires_after)
    state = ledger.state(booked, expires, desk.local_day(now))
    return Account(client, ledger.balance(booked), state, expires, ledger.last_used(booked))


def _refund_until(tx: Connection, desk: Desk, client: str, now: datetime) -> date | None:
    """The last day on which the money can be had back, None where there is none or it has passed."""
    booked = accounts.standing(tx, client)
    until = refund_until(booked, desk.rules.time.refund_window, desk.rules.zone)
    if until is None or desk.local_day(now) > until:
        return None
    paid = settlement.period(booked) or settlement.period(entries.of_client(tx, client))
    return until if paid else None


def balance_values(tx: Connection, desk: Desk, client: str, now: datetime) -> dict[str, Any]:
    """Values of the template `balance`."""
    booked = accounts.standing(tx, client)
    stands = _standing(desk, client, booked, now)
    return {
        "client_name": desk.client_name(client),
        "balance": stands.minutes,
        "state": stands.state,
        "expires_on": stands.expires_on,
        "last_used_on": stands.last_used_on,
        "recent": [
            {"day": e.day, "ticket_tag": ticket_tag(desk, e), "note": e.note, "minutes": e.minutes}
            for e in reversed(booked[-_RECENT:])
        ],
    }


def history_values(tx: Connection, desk: Desk, client: str) -> dict[str, Any]:
    """Values of the template `history`: the newest tickets, and how many there are besides."""
    mine = Only(client=client)
    listed = tickets.listed(tx, mine, _TOLD)
    return {
        "client_name": desk.client_name(client),
        "tickets": [
            {
                "tag": desk.tag(ticket.id),
                "subject": ticket.subject,
                "status": ticket.status.value,
                "opened_at": ticket.opened_at,
                "minutes": ticket.minutes,
                "merged_tag": desk.tag(ticket.merged_into) if ticket.merged_into else "",
                "technician_name": desk.staff_name(ticket.technician),
            }
            for ticket in listed
        ],
        "older": tickets.count(tx, mine) - len(listed),
    }


def dispute_stories(tx: Connection, desk: Desk, numbers: Iterable[int]) -> list[dict[str, Any]]:
    """What the director needs to rule on entries: each with who did what, when, and at whose words."""
    booked = [entry for number in numbers if (entry := entries.get(tx, number))]
    return [_story(tx, desk, entry) for entry in booked]


def _story(tx: Connection, desk: Desk, entry: Entry) -> dict[str, Any]:
    """One of them. minutes: as charged, > 0. text, asked: "" where there is no such message."""
    ticket = tickets.get(tx, entry.ticket or 0)
    message = messages.get(tx, entry.message or 0)
    return {
        "id": entry.id,
        "day": entry.day,
        "at": entry.at,
        "minutes": -entry.minutes,
        "note": entry.note,
        "ticket_tag": ticket_tag(desk, entry),
        "subject": ticket.subject if ticket else "",
        "technician_name": desk.staff_name(entry.technician),
        "phone": entry.phone,
        "text": message.text if message else "",
        "asked": _asked_before(tx, entry, (ticket.merged_into or ticket.id) if ticket else 0),
    }


def _asked_before(tx: Connection, entry: Entry, ticket: int) -> str:
    """The text of the client's last message on its ticket before the one that booked the entry."""
    said = [
        message.text
        for message in messages.of_ticket(tx, ticket)
        if message.role is Role.CLIENT and not message.automatic and message.id < (entry.message or 0)
    ]
    return said[-1] if said else ""


def _with_statement(tx: Connection, desk: Desk, asked: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What a mail says already, with the statement of the period it names, else since the last purchase."""
    client = asked["client"]
    statement = statement_of(tx, desk, client, asked.get("since"), asked.get("until"), now)
    shown = report_values(tx, desk, client, statement)
    return {**asked, **shown, "problem": asked.get("problem")}


def _handed_over(tx: Connection, desk: Desk, notice: Notice) -> dict[str, Any]:
    """The conversation, and the answers in it that were held back and not sent."""
    person = desk.rules.who(notice.to)
    waiting = [
        {"id": one, "name": desk.staff_name(one), "own": person is not None and person.id == one}
        for one in holds.unsent(tx, notice.ticket or 0)
    ]
    conversation = _conversation(tx, notice.ticket)
    return {"conversation": conversation, "waiting": waiting, "covered": _where_shown(desk, conversation)}


def _where_shown(desk: Desk, conversation: Sequence[Mapping[str, Any]]) -> str:
    """Where access data that stand covered in a conversation are shown to who asks; "" where none do."""
    covered = any(PLACE.search(one["text"]) for one in conversation)
    return desk.rules.desk.url.rstrip("/") if covered else ""


def _conversation(tx: Connection, ticket: int | None) -> list[dict[str, Any]]:
    return [
        {
            "at": message.at,
            "author": message.author_name or message.author,
            "role": message.role.value,
            "text": message.text,
            "internal": message.internal,
            "files": [file.name for file in message.attachments if not file.inline],
        }
        for message in messages.of_ticket(tx, ticket or 0)
        if message.text.strip() or message.attachments
    ]
