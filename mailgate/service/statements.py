"""The statement of an account over a period: the numbers, and the files that go out with them."""

from __future__ import annotations

import csv
import io
import logging
import pickle
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from mailgate.core import ledger
from mailgate.core.desk import Desk
from mailgate.core.ledger import Line, Statement
from mailgate.core.mail import Part
from mailgate.core.model import Entry, Kind
from mailgate.store import Connection, accounts, entries, matters, tickets

log = logging.getLogger("mailgate.reports")

_DAY = timedelta(days=1)
_PDF_SECONDS = 60


def statement_of(
    tx: Connection, desk: Desk, client: str, since: date | None, until: date | None, now: datetime
) -> Statement:
    """The statement of a period; without a first day since the last purchase, without a last until today."""
    bought = accounts.bought_last(tx, client)
    first = since or desk.local_day(bought.at if bought else now)
    last = until or desk.local_day(now)
    # Midnight of the calendar's first day lies before all time east of Greenwich, that after its last one nowhere.
    span = (max(first, date.min + _DAY), min(last, date.max - _DAY) + _DAY)
    begins, ends = (datetime.combine(day, time.min, desk.rules.zone) for day in span)
    booked = accounts.between(tx, client, begins, ends)
    return ledger.statement(entries.balance_at(tx, client, begins), booked, first, last)


def report_values(tx: Connection, desk: Desk, client: str, statement: Statement) -> dict[str, Any]:
    """Values of the template `report`, also what the CSV and the PDF are made of."""
    numbers = {line.entry.ticket for line in statement.lines if line.entry.ticket}
    subjects = {number: t.subject for number, t in tickets.get_many(tx, sorted(numbers)).items()}
    disputed = matters.disputed(tx, client)
    return {
        "client_name": desk.client_name(client),
        "problem": None,
        "since": statement.since,
        "until": statement.until,
        "opening": statement.opening,
        "closing": statement.closing,
        "entries": [
            {
                **_shown(desk, line),
                "subject": subjects.get(line.entry.ticket or 0, ""),
                "disputed": line.entry.id in disputed,
            }
            for line in statement.lines
        ],
        "by_ticket": _by_ticket(desk, [line.entry for line in statement.lines], subjects),
    }


def report_csv(values: Mapping[str, Any], language: str) -> bytes:
    """The report as CSV that a Spanish Excel opens rightly: BOM, semicolons, CRLF."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if language == "es" else ",", lineterminator="\r\n")
    column = 0 if language == "es" else 1
    writer.writerow([heads[column] for heads in _CSV_FIELDS.values()])
    for line in values["entries"]:
        writer.writerow([cell(line[field], _CSV_YES[column]) for field in _CSV_FIELDS])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def report_files(values: Mapping[str, Any], language: str, desk_name: str, *, pdf: bool = False) -> list[Part]:
    """The files of a mail with a report: the CSV, and the PDF where it was asked for."""
    name = f"{'informe' if language == 'es' else 'report'}-{values['since']}-{values['until']}"
    table = Part(f"{name}.csv", "text/csv", report_csv(values, language))
    return [table, Part(f"{name}.pdf", "application/pdf", report_pdf(values, language, desk_name))] if pdf else [table]


def report_pdf(values: Mapping[str, Any], language: str, desk_name: str) -> bytes:
    """The report as PDF, made in a process that ends, and with it the 15 MB that it takes.

    Here where no process can be had, and the machine lacks something: a report is late rather than missing.
    """
    command = [sys.executable, "-P", "-m", "mailgate.pdf"]
    asked = pickle.dumps((dict(values), language, desk_name))
    try:
        return subprocess.run(command, input=asked, stdout=subprocess.PIPE, timeout=_PDF_SECONDS, check=True).stdout  # noqa: S603
    except (OSError, subprocess.SubprocessError) as error:
        log.warning("a PDF is made in the daemon itself: %s", error)
    from mailgate import pdf

    return pdf.report_pdf(values, language, desk_name)


def ticket_tag(desk: Desk, entry: Entry) -> str:
    """The ticket of an entry as people see it, "" for none."""
    return desk.tag(entry.ticket) if entry.ticket else ""


# Each with its head in Spanish and English. People keep sheets that read these: new ones go to the end.
_CSV_FIELDS = {
    "id": ("Apunte", "Entry"),
    "day": ("Día", "Day"),
    "kind": ("Tipo", "Kind"),
    "ticket_tag": ("Ticket", "Ticket"),
    "subject": ("Asunto", "Subject"),
    "technician_name": ("Técnico", "Technician"),
    "note": ("Nota", "Note"),
    "worked": ("Trabajados", "Worked"),
    "minutes": ("Minutos", "Minutes"),
    "balance_after": ("Saldo", "Balance"),
    "courtesy": ("Cortesía", "Courtesy"),
    "disputed": ("Reclamado", "Disputed"),
    "phone": ("Teléfono", "Phone"),
    "price": ("Importe", "Amount"),
}
_CSV_YES = ("sí", "yes")
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")


def cell(value: object, yes: str) -> object:
    """Marks as a word, numbers as they are, text so that no spreadsheet takes it for a formula."""
    if isinstance(value, bool):
        return yes if value else ""
    if isinstance(value, int):
        return value
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _shown(desk: Desk, line: Line) -> dict[str, Any]:
    entry = line.entry
    return {
        "id": entry.id,
        "day": entry.day,
        "ticket_tag": ticket_tag(desk, entry),
        "technician_name": desk.staff_name(entry.technician),
        "kind": entry.kind.value,
        "minutes": entry.minutes,
        "worked": entry.worked,
        "note": entry.note,
        "price": entry.price or "",
        "phone": entry.phone,
        "courtesy": entry.kind is Kind.COURTESY,
        "balance_after": line.balance_after,
    }


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
