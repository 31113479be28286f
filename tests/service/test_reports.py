"""Balance, report and history: the numbers that clients see."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from mailgate.core.ledger import Statement
from mailgate.core.model import Kind, Status
from mailgate.service import reports
from mailgate.store import tickets
from tests.running import read, text_of
from tests.stored import StoredDesk
from tests.support import NOW, ticket, written

OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))


@pytest.fixture(autouse=True)
def open_tickets(desk: StoredDesk) -> None:
    with desk.store.write() as tx:
        tickets.open_ticket(tx, ticket(12))
        tickets.open_ticket(tx, ticket(13, subject="Migración", status=Status.CLOSED))
        tickets.open_ticket(tx, ticket(14, client="beta", subject="Newsletter", technician=None))


def debit(desk: StoredDesk, minutes: int, at: datetime = NOW, **values: Any) -> int:
    given = {"worked": minutes, "ticket": 12, "technician": "marta"}
    return desk.book(-minutes, Kind.DEBIT, at, **{**given, **values})


def account(desk: StoredDesk, client: str = "acme", now: datetime = NOW) -> reports.Account:
    with desk.store.read() as tx:
        return reports.account(tx, desk.office.desk, client, now)


def statement(
    desk: StoredDesk, since: date | None = None, until: date | None = None, now: datetime = NOW, client: str = "acme"
) -> Statement:
    with desk.store.read() as tx:
        return reports.statement_of(tx, desk.office.desk, client, since, until, now)


def values(desk: StoredDesk, of: Statement | None = None) -> dict[str, Any]:
    of = of or statement(desk)
    with desk.store.read() as tx:
        return reports.report_values(tx, desk.office.desk, "acme", of)


def rows(desk: StoredDesk, language: str = "es") -> list[list[str]]:
    text = reports.report_csv(values(desk), language).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=";" if language == "es" else ","))


# ---- balance -------------------------------------------------------------------------------------


def test_balance_is_the_sum_of_what_was_bought_and_used(desk: StoredDesk):
    desk.book(240)
    debit(desk, 12)
    debit(desk, 30)
    desk.book(12, Kind.VOID, of=2, ticket=12)
    assert account(desk).minutes == 210


@pytest.mark.parametrize(
    ("entries", "state", "expires"),
    [
        ([], "none", None),
        ([240], "active", date(2027, 11, 3)),
        ([240, -239], "active", date(2027, 11, 3)),
        ([240, -240], "ended", None),
        ([240, -250], "ended", None),
    ],
)
def test_state_of_an_account(desk: StoredDesk, entries: list[int], state: str, expires: date | None):
    for minutes in entries:
        desk.book(minutes) if minutes > 0 else debit(desk, -minutes)
    assert (account(desk).state, account(desk).expires_on) == (state, expires)


def test_time_expires_a_calendar_year_after_the_last_work(desk: StoredDesk):
    desk.book(240, at=datetime(2026, 1, 7, 9, tzinfo=UTC))
    debit(desk, 12, datetime(2026, 3, 2, 9, tzinfo=UTC))
    assert account(desk).expires_on == date(2027, 3, 2)
    last_day = datetime(2027, 3, 2, 22, 59, tzinfo=UTC)
    assert account(desk, now=last_day).state == "active"
    assert account(desk, now=last_day + timedelta(minutes=1)).state == "expired"


def test_nobody_sees_another_clients_minutes(desk: StoredDesk):
    desk.book(240)
    desk.book(720, client="beta")
    debit(desk, 5, client="beta", ticket=14)
    assert (account(desk).minutes, account(desk, "beta").minutes) == (240, 715)
    assert [line.entry.client for line in statement(desk).lines] == ["acme"]


def test_balance_shows_the_latest_entries_first(desk: StoredDesk):
    desk.book(240)
    for minutes in range(1, 8):
        debit(desk, minutes, note=f"trabajo {minutes}")
    with desk.store.read() as tx:
        shown = reports.balance_values(tx, desk.office.desk, "acme", NOW)
    assert [entry["minutes"] for entry in shown["recent"]] == [-7, -6, -5, -4, -3]
    assert shown["recent"][0] == {"day": NOW.date(), "ticket_tag": "SOP-12", "note": "trabajo 7", "minutes": -7}


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


# ---- CSV -----------------------------------------------------------------------------------------


def test_spanish_csv_is_what_a_spanish_excel_opens_rightly(desk: StoredDesk):
    desk.book(240)
    raw = reports.report_csv(values(desk), "es")
    assert raw.startswith(b"\xef\xbb\xbf" + "Apunte;Día;".encode())
    assert raw.endswith(b"\r\n")
    assert raw.count(b"\r\n") == raw.count(b"\n") == 2


def test_english_csv_has_commas(desk: StoredDesk):
    assert reports.report_csv(values(desk), "en").startswith(b"\xef\xbb\xbfEntry,Day,")


def test_row_of_the_csv_holds_the_entry_and_the_balance_after_it(desk: StoredDesk):
    desk.book(240)
    number = debit(desk, 12, note="caché; «CDN»\ny más")
    cells = ["El carrito", "Marta Gil", "caché; «CDN»\ny más", "12", "-12", "228"]
    assert rows(desk)[-1] == [str(number), "2026-11-03", "debit", "SOP-12", *cells]
    assert [len(row) for row in rows(desk)] == [10, 10, 10]


@pytest.mark.parametrize(
    "note", ["=1+1", "+34 600", "-5+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("http://x";"y")']
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
    assert rows(desk)[-1][-2:] == ["-500", "-500"]


# ---- history -------------------------------------------------------------------------------------


def test_history_lists_the_clients_own_tickets_newest_first(desk: StoredDesk):
    debit(desk, 10)
    with desk.store.read() as tx:
        shown = reports.history_values(tx, desk.office.desk, "acme")["tickets"]
    assert [(one["tag"], one["status"], one["minutes"]) for one in shown] == [
        ("SOP-13", "closed", 0),
        ("SOP-12", "new", 10),
    ]
    assert shown[0]["technician_name"] == "Marta Gil"


# ---- as they are asked for by mail ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("saldo", "Saldo: 3 h 48 min"),
        ("informe 2026-10", "En este periodo no hay ningún apunte."),
        ("informe 2026-11", "Saldo al final: 3 h 48 min"),
        ("historial", "SOP-13 · Migración"),
    ],
)
def test_answer_to_a_question_has_the_numbers(desk: StoredDesk, asked: str, said: str):
    desk.book(240)
    debit(desk, 12)
    desk.take(written("", subject=asked))
    (raw,) = desk.raws()
    assert said in text_of(read(raw)).replace("\xa0", " ")
