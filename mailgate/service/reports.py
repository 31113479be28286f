"""What clients ask for: balance, report, history, help. One source for mail and command line."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from mailgate.core import ledger
from mailgate.core.commands.vocabulary import VERBS
from mailgate.core.desk import Desk
from mailgate.core.ledger import Statement
from mailgate.core.model import Entry, Kind, Notice, Part
from mailgate.store import Connection, entries, messages, tickets

_RECENT = 5


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
        case "report":
            statement = statement_of(tx, desk, asked["client"], asked["since"], asked["until"], now)
            values = report_values(tx, desk, asked["client"], statement)
            values["problem"] = asked["problem"]
            return replace(notice, values=values), [_csv_part(values, notice.language)]
        case "history":
            return replace(notice, values=history_values(tx, desk, asked["client"])), []
        case "help":
            return replace(notice, values={"client_name": desk.client_name(asked["client"])}), []
        case "help_staff":
            return replace(notice, values={"verbs": _verbs()}), []
        case "handed_over":
            return replace(notice, values={**asked, "conversation": _conversation(tx, notice.ticket)}), []
        case _:
            return notice, []


def account(tx: Connection, desk: Desk, client: str, now: datetime) -> Account:
    """How a client's account stands today."""
    return _standing(desk, client, entries.of_client(tx, client), now)


def _standing(desk: Desk, client: str, booked: Sequence[Entry], now: datetime) -> Account:
    used = ledger.last_used(booked)
    expires = desk.rules.time.expires_after.add_to(used) if used else None
    left = ledger.balance(booked)
    state = ledger.state(booked, expires, desk.local_day(now))
    return Account(client, left, state, expires if left > 0 else None, used)


def balance_values(tx: Connection, desk: Desk, client: str, now: datetime) -> dict[str, Any]:
    """Values of the template `balance`."""
    booked = entries.of_client(tx, client)
    stands = _standing(desk, client, booked, now)
    return {
        "client_name": desk.client_name(client),
        "balance": stands.minutes,
        "state": stands.state,
        "expires_on": stands.expires_on,
        "last_used_on": stands.last_used_on,
        "recent": [
            {"day": e.day, "ticket_tag": _tag(desk, e), "note": e.note, "minutes": e.minutes}
            for e in reversed(booked[-_RECENT:])
        ],
    }


def statement_of(
    tx: Connection, desk: Desk, client: str, since: date | None, until: date | None, now: datetime
) -> Statement:
    """The statement of a period; without a first day since the last purchase, without a last until today."""
    booked = [(desk.local_day(entry.at), entry) for entry in entries.of_client(tx, client)]
    purchases = [day for day, entry in booked if entry.kind is Kind.PURCHASE]
    first = since or max(purchases, default=None) or desk.local_day(now)
    return ledger.statement(booked, first, until or desk.local_day(now))


def report_values(tx: Connection, desk: Desk, client: str, statement: Statement) -> dict[str, Any]:
    """Values of the template `report`, also what the CSV is made of."""
    numbers = {line.entry.ticket for line in statement.lines if line.entry.ticket}
    subjects = {number: t.subject for number, t in tickets.get_many(tx, sorted(numbers)).items()}
    lines = [
        {
            "id": line.entry.id,
            "day": line.entry.day,
            "ticket_tag": _tag(desk, line.entry),
            "subject": subjects.get(line.entry.ticket or 0, ""),
            "technician_name": desk.staff_name(line.entry.technician),
            "kind": line.entry.kind.value,
            "minutes": line.entry.minutes,
            "worked": line.entry.worked,
            "note": line.entry.note,
            "courtesy": line.entry.kind is Kind.COURTESY,
            "disputed": False,
            "balance_after": line.balance_after,
        }
        for line in statement.lines
    ]
    return {
        "client_name": desk.client_name(client),
        "problem": None,
        "since": statement.since,
        "until": statement.until,
        "opening": statement.opening,
        "closing": statement.closing,
        "entries": lines,
        "by_ticket": _by_ticket(desk, [line.entry for line in statement.lines], subjects),
    }


def report_csv(values: Mapping[str, Any], language: str) -> bytes:
    """The report as CSV that a Spanish Excel opens rightly: BOM, semicolons, CRLF."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if language == "es" else ",", lineterminator="\r\n")
    writer.writerow(_CSV_HEADS[language])
    for line in values["entries"]:
        fields = (
            "id",
            "day",
            "kind",
            "ticket_tag",
            "subject",
            "technician_name",
            "note",
            "worked",
            "minutes",
        )
        writer.writerow([*(_cell(line[field]) for field in fields), line["balance_after"]])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def history_values(tx: Connection, desk: Desk, client: str) -> dict[str, Any]:
    """Values of the template `history`."""
    return {
        "client_name": desk.client_name(client),
        "tickets": [
            {
                "tag": desk.tag(ticket.id),
                "subject": ticket.subject,
                "status": ticket.status.value,
                "opened_at": ticket.opened_at,
                "minutes": ticket.minutes,
                "technician_name": desk.staff_name(ticket.technician),
            }
            for ticket in tickets.listed(tx, client=client)
        ],
    }


_CSV_HEADS = {
    "es": ("Apunte", "Día", "Tipo", "Ticket", "Asunto", "Técnico", "Nota", "Trabajados", "Minutos", "Saldo"),
    "en": ("Entry", "Day", "Kind", "Ticket", "Subject", "Technician", "Note", "Worked", "Minutes", "Balance"),
}


def _csv_part(values: Mapping[str, Any], language: str) -> Part:
    name = "informe" if language == "es" else "report"
    return Part(f"{name}-{values['since']}-{values['until']}.csv", "text/csv", report_csv(values, language))


def _cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") and not text.lstrip("-").isdigit() else text


def _by_ticket(desk: Desk, booked: Sequence[Entry], subjects: Mapping[int, str]) -> list[dict[str, Any]]:
    """Where the minutes went, the most first; share in per cent of all of them."""
    spent: Counter[int] = Counter()
    for entry in booked:
        if entry.ticket:
            spent[entry.ticket] -= entry.minutes
    total = sum(minutes for minutes in spent.values() if minutes > 0)
    return [
        {
            "ticket_tag": desk.tag(number),
            "subject": subjects.get(number, ""),
            "minutes": minutes,
            "share": round(100 * minutes / total),
        }
        for number, minutes in spent.most_common()
        if minutes > 0
    ]


def _conversation(tx: Connection, ticket: int | None) -> list[dict[str, Any]]:
    return [
        {
            "at": message.at,
            "author": message.author_name or message.author,
            "role": message.role.value,
            "text": message.text,
            "internal": message.internal,
        }
        for message in messages.of_ticket(tx, ticket or 0)
        if message.text.strip()
    ]


def _verbs() -> list[dict[str, Any]]:
    return [
        {"names": [f"#{verb.name}", f"#{verb.spanish}"], "name": verb.name, "arguments": verb.arguments}
        for verb in VERBS
        if verb.available
    ]


def _tag(desk: Desk, entry: Entry) -> str:
    return desk.tag(entry.ticket) if entry.ticket else ""
