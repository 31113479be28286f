"""The statement of an account over a period, and its CSV: the numbers that clients see."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from mailgate.core.ledger import Statement
from mailgate.core.model import Kind, Matter, MatterKind, MatterState, Status
from mailgate.service import statements
from mailgate.store import matters, tickets
from tests.stored import StoredDesk, stored_desk
from tests.support import NOW, ticket
from tests.support import desk as desk_of

OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))


@pytest.fixture(autouse=True)
def open_tickets(desk: StoredDesk) -> None:
    with desk.store.write() as tx:
        tickets.open_ticket(tx, ticket(12))
        tickets.open_ticket(tx, ticket(13, subject="Migración", status=Status.CLOSED))


def debit(desk: StoredDesk, minutes: int, at: datetime = NOW, **values: Any) -> int:
    given = {"worked": minutes, "ticket": 12, "technician": "marta"}
    return desk.book(-minutes, Kind.DEBIT, at, **{**given, **values})


def statement(
    desk: StoredDesk, since: date | None = None, until: date | None = None, now: datetime = NOW, client: str = "acme"
) -> Statement:
    with desk.store.read() as tx:
        return statements.statement_of(tx, desk.office.desk, client, since, until, now)


def dispute(desk: StoredDesk, entry: int) -> int:
    with desk.store.write() as tx:
        return matters.open_matter(tx, Matter(0, MatterKind.DISPUTE, "acme", NOW, 12, entry))


def values(desk: StoredDesk, of: Statement | None = None) -> dict[str, Any]:
    of = of or statement(desk)
    with desk.store.read() as tx:
        return statements.report_values(tx, desk.office.desk, "acme", of)


def rows(desk: StoredDesk, language: str = "es") -> list[list[str]]:
    text = statements.report_csv(values(desk), language).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=";" if language == "es" else ","))


# ---- periods -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "month"),
    [
        (datetime(2026, 9, 30, 21, 59, 59, tzinfo=UTC), 9),  # 23:59:59 in Madrid, in summer
        (datetime(2026, 9, 30, 22, 0, 0, tzinfo=UTC), 10),
        (datetime(2026, 10, 31, 22, 59, 59, tzinfo=UTC), 10),  # 23:59:59, in winter
        (datetime(2026, 10, 31, 23, 0, 0, tzinfo=UTC), 11),
    ],
)
def test_month_begins_and_ends_at_midnight_of_the_desk(desk: StoredDesk, at: datetime, month: int):
    desk.book(240, at=datetime(2026, 1, 7, tzinfo=UTC))
    debit(desk, 12, at)
    of = statement(desk, *OCTOBER)
    assert len(of.lines) == (month == 10)
    assert (of.opening, of.closing) == {9: (228, 228), 10: (240, 228), 11: (240, 240)}[month]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_report_may_be_of_all_time_wherever_the_desk_is(tmp_path: Path, zone: str):
    with stored_desk(tmp_path, desk_of(desk={"timezone": zone})) as east_or_west:
        east_or_west.book(240)
        of = statement(east_or_west, date.min, date.max)
    assert (of.since, of.until, of.opening, of.closing) == (date.min, date.max, 0, 240)


def test_entry_stands_on_the_day_it_was_booked_so_that_a_past_month_never_changes(desk: StoredDesk):
    desk.book(240, at=datetime(2026, 10, 1, 9, tzinfo=UTC))
    before = statement(desk, *OCTOBER)
    debit(desk, 12, NOW, day=date(2026, 10, 30))
    assert statement(desk, *OCTOBER) == before
    (line,) = statement(desk, date(2026, 11, 1), date(2026, 11, 30)).lines
    assert line.entry.day == date(2026, 10, 30)


def test_report_without_a_period_begins_with_the_last_purchase(desk: StoredDesk):
    desk.book(240, at=datetime(2026, 8, 3, 9, tzinfo=UTC))
    debit(desk, 40, datetime(2026, 9, 1, 9, tzinfo=UTC))
    desk.book(720, at=datetime(2026, 10, 5, 9, tzinfo=UTC))
    debit(desk, 12)
    of = statement(desk)
    assert (of.since, of.until) == (date(2026, 10, 5), date(2026, 11, 3))
    assert (of.opening, of.closing) == (200, 908)


def test_report_of_an_account_that_was_never_used_is_of_today(desk: StoredDesk):
    of = statement(desk)
    assert (of.since, of.until, of.opening, of.lines) == (NOW.date(), NOW.date(), 0, ())


def test_today_is_the_desks_day(desk: StoredDesk):
    half_past_midnight = datetime(2026, 11, 3, 23, 30, tzinfo=UTC)
    assert statement(desk, now=half_past_midnight).until == date(2026, 11, 4)


def test_lines_add_up_from_opening_to_closing(desk: StoredDesk):
    desk.book(240, at=datetime(2026, 9, 1, tzinfo=UTC))
    for day in range(1, 29):
        debit(desk, day, datetime(2026, 10, day, 9, tzinfo=UTC))
    of = statement(desk, *OCTOBER)
    assert of.opening + sum(line.entry.minutes for line in of.lines) == of.closing == 240 - 406
    assert [line.balance_after for line in of.lines][:2] == [239, 237]


# ---- the report ----------------------------------------------------------------------------------


def test_report_says_where_the_minutes_went_the_most_first(desk: StoredDesk):
    desk.book(240)
    debit(desk, 10)
    debit(desk, 30, ticket=13)
    desk.book(0, Kind.COURTESY, worked=25, ticket=13, technician="elena")
    by_ticket = [(line["ticket_tag"], line["minutes"], line["share"]) for line in values(desk)["by_ticket"]]
    assert by_ticket == [("SOP-13", 30, 75), ("SOP-12", 10, 25)]


def test_what_was_taken_back_is_no_longer_where_the_minutes_went(desk: StoredDesk):
    desk.book(240)
    taken_back = debit(desk, 30, ticket=13)
    desk.book(30, Kind.VOID, of=taken_back, ticket=13)
    shown = values(desk)
    assert shown["by_ticket"] == []
    assert [line["kind"] for line in shown["entries"]] == ["purchase", "debit", "void"]
    assert shown["closing"] == 240


def test_entry_of_somebody_who_left_still_says_who(desk: StoredDesk):
    debit(desk, 10, technician="pepe")
    assert values(desk)["entries"][-1]["technician_name"] == "pepe"


def test_disputed_is_what_waits_for_a_ruling(desk: StoredDesk):
    desk.book(240)
    waits, ruled, _ = (debit(desk, 12) for _ in range(3))
    dispute(desk, waits)
    number = dispute(desk, ruled)
    with desk.store.write() as tx:
        matters.decide(tx, number, MatterState.REFUSED, NOW, None)
    assert [line["id"] for line in values(desk)["entries"] if line["disputed"]] == [waits]
    assert values(desk)["closing"] == 240 - 36


# ---- CSV -----------------------------------------------------------------------------------------


def test_spanish_csv_is_what_a_spanish_excel_opens_rightly(desk: StoredDesk):
    desk.book(240)
    raw = statements.report_csv(values(desk), "es")
    assert raw.startswith(b"\xef\xbb\xbf" + "Apunte;Día;".encode())
    assert raw.endswith(b"\r\n")
    assert raw.count(b"\r\n") == raw.count(b"\n") == 2


def test_english_csv_has_commas(desk: StoredDesk):
    assert statements.report_csv(values(desk), "en").startswith(b"\xef\xbb\xbfEntry,Day,")


def test_row_of_the_csv_holds_the_entry_and_the_balance_after_it(desk: StoredDesk):
    desk.book(240)
    number = debit(desk, 12, note="caché; «CDN»\ny más")
    cells = ["El carrito", "Marta Gil", "caché; «CDN»\ny más", "12", "-12", "228"]
    assert rows(desk)[-1] == [str(number), "2026-11-03", "debit", "SOP-12", *cells, "", "", "", ""]
    assert [len(row) for row in rows(desk)] == [14, 14, 14]


@pytest.mark.parametrize(
    "note", ["=1+1", "+34 600", "-5+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "-5", '=HYPERLINK("http://x";"y")']
)
def test_no_cell_is_a_formula(desk: StoredDesk, note: str):
    debit(desk, 12, note=note)
    assert rows(desk)[-1][6] == f"'{note}"


@pytest.mark.parametrize("note", ["caché", "1+1", "ana@acme.example", "a=b", ""])
def test_plain_text_is_left_alone(desk: StoredDesk, note: str):
    debit(desk, 12, note=note)
    assert rows(desk)[-1][6] == note


def test_minutes_stay_numbers(desk: StoredDesk):
    debit(desk, 500)
    assert rows(desk)[-1][7:10] == ["500", "-500", "-500"]


@pytest.mark.parametrize(
    ("language", "marks"), [("es", ("Cortesía", "Reclamado", "sí")), ("en", ("Courtesy", "Disputed", "yes"))]
)
def test_courtesies_and_disputed_entries_are_marked(desk: StoredDesk, language: str, marks: tuple[str, str, str]):
    desk.book(240)
    desk.book(0, Kind.COURTESY, worked=25, ticket=13)
    dispute(desk, debit(desk, 12))
    assert [row[10:12] for row in rows(desk, language)] == [[*marks[:2]], ["", ""], [marks[2], ""], ["", marks[2]]]


def test_calls_and_amounts_are_in_columns_of_their_own(desk: StoredDesk):
    desk.book(240, price="160.00 EUR")
    debit(desk, 12, phone=True)
    assert [row[12:] for row in rows(desk)] == [["Teléfono", "Importe"], ["", "160.00 EUR"], ["sí", ""]]


# ---- the files of a mail -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "name"), [("es", "informe-2026-10-01-2026-10-31"), ("en", "report-2026-10-01-2026-10-31")]
)
def test_pdf_is_beside_the_csv_where_it_was_asked_for(desk: StoredDesk, language: str, name: str):
    shown = values(desk, statement(desk, *OCTOBER))
    (table,) = statements.report_files(shown, language, "Soporte")
    assert (table.name, table.type) == (f"{name}.csv", "text/csv")
    same, paper = statements.report_files(shown, language, "Soporte", pdf=True)
    assert (same, paper.name, paper.type) == (table, f"{name}.pdf", "application/pdf")
    assert paper.content.startswith(b"%PDF-")


@pytest.mark.slow
def test_pdf_leaves_nothing_in_the_process_that_asks_for_it():
    asks = (
        "import sys, mailgate.app; from mailgate.service import statements; from mailgate.samples import VALUES;"
        "made = statements.report_pdf(VALUES['report'][0], 'es', 'Soporte'); assert made.startswith(b'%PDF-');"
        "sys.exit(any(name.startswith('reportlab') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", asks], check=False).returncode == 0


def test_pdf_is_made_where_no_process_can_be_had(desk: StoredDesk, monkeypatch: pytest.MonkeyPatch):
    shown = values(desk, statement(desk, *OCTOBER))
    apart = statements.report_pdf(shown, "es", "Soporte")
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    assert statements.report_pdf(shown, "es", "Soporte") == apart
