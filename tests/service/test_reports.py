"""Balance, history and what else the store knows of a mail."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from mailgate.core.mail import Notice, Part
from mailgate.core.model import Kind, Status
from mailgate.service import reports
from mailgate.store import tickets
from tests.running import read, text_of
from tests.stored import StoredDesk
from tests.support import NOW, reply_address, ticket, written


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


def filled(desk: StoredDesk, template: str, **asked: Any) -> tuple[dict[str, Any], list[Part]]:
    """What a notice of the plan says when it is written, and its files."""
    with desk.store.read() as tx:
        notice, files = reports.filled(tx, desk.office.desk, Notice(template, "", "es", values=asked), NOW)
    return dict(notice.values), files


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


def test_balance_shows_the_latest_entries_first(desk: StoredDesk):
    desk.book(240)
    for minutes in range(1, 8):
        debit(desk, minutes, note=f"trabajo {minutes}")
    with desk.store.read() as tx:
        shown = reports.balance_values(tx, desk.office.desk, "acme", NOW)
    assert [entry["minutes"] for entry in shown["recent"]] == [-7, -6, -5, -4, -3]
    assert shown["recent"][0] == {"day": NOW.date(), "ticket_tag": "SOP-12", "note": "trabajo 7", "minutes": -7}


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


def test_history_tells_the_client_what_waits_for_them_and_not_for_the_client(desk: StoredDesk):
    desk.take(written("Hecho, Ana.", sender="marta@example.es", to=reply_address(12, "marta@example.es")))
    desk.take(written("", subject="historial", message_id="<h@acme.example>"))
    assert "pendiente de su respuesta" in text_of(read(desk.raws()[-1]))


@pytest.mark.parametrize(
    ("asked", "types"),
    [("informe 2026-11", ["text/csv"]), ("informe 2026-11 pdf", ["text/csv", "application/pdf"])],
)
def test_report_brings_its_files(desk: StoredDesk, asked: str, types: list[str]):
    desk.book(240)
    desk.take(written("", subject=asked))
    (raw,) = desk.raws()
    assert [part.get_content_type() for part in read(raw).iter_attachments()] == types


# ---- what the desk writes by itself --------------------------------------------------------------


def test_statement_of_a_month_has_the_numbers_of_that_month(desk: StoredDesk):
    desk.book(240, at=datetime(2026, 9, 1, tzinfo=UTC))
    debit(desk, 12, datetime(2026, 10, 7, tzinfo=UTC))
    debit(desk, 30)
    values, files = filled(desk, "statement", client="acme", since=date(2026, 10, 1), until=date(2026, 10, 31))
    assert (values["opening"], values["closing"], len(values["entries"])) == (240, 228, 1)
    assert [file.name for file in files] == ["informe-2026-10-01-2026-10-31.csv"]


def test_end_of_service_comes_with_all_that_was_done_since_the_last_purchase(desk: StoredDesk):
    desk.book(30, at=datetime(2026, 9, 1, tzinfo=UTC))
    debit(desk, 30, datetime(2026, 9, 2, tzinfo=UTC))
    desk.book(240, at=datetime(2026, 10, 5, tzinfo=UTC))
    debit(desk, 240)
    values, files = filled(desk, "service_ended", client="acme", balance=0, refund_until=date(2026, 11, 18), copy=True)
    assert (values["since"], [line["minutes"] for line in values["entries"]]) == (date(2026, 10, 5), [240, -240])
    assert (values["copy"], values["refund_until"]) == (True, date(2026, 11, 18))
    assert len(files) == 1


def test_expiry_says_what_was_used_before_it(desk: StoredDesk):
    desk.book(240)
    desk.book(-240, Kind.EXPIRY)
    values, files = filled(desk, "expired", client="acme", minutes=240)
    assert (values["minutes"], values["closing"], files) == (240, 0, [])


# ---- the story of a dispute ----------------------------------------------------------------------


def test_director_reads_who_did_what_when_and_at_whose_words(desk: StoredDesk):
    desk.book(240)
    desk.take(written("La portada va lenta."))
    desk.take(answer("Era la caché.\n\n#call 12m @ayer Caché renovada", "<a1@example.es>"))
    desk.take(written("Gracias. ¿Y el carrito?", subject="[SOP-15]", message_id="<m2@acme.example>"))
    desk.take(answer("Ya funciona.\n\n#time 25m", "<a2@example.es>"))
    first, second = filled(desk, "dispute_asked", entries=(2, 3))[0]["stories"]
    assert first == {
        "id": 2,
        "day": date(2026, 11, 2),
        "at": NOW,
        "minutes": 12,
        "note": "Caché renovada",
        "ticket_tag": "SOP-15",
        "subject": "El carrito",
        "technician_name": "Marta Gil",
        "phone": True,
        "text": "Era la caché.",
        "asked": "La portada va lenta.\n",
    }
    assert (second["text"], second["asked"], second["phone"]) == ("Ya funciona.", "Gracias. ¿Y el carrito?\n", False)


def test_entry_that_came_from_no_message_has_a_story_too(desk: StoredDesk):
    (story,) = filled(desk, "dispute_asked", entries=(debit(desk, 12), 999))[0]["stories"]
    assert (story["minutes"], story["text"], story["asked"]) == (12, "", "")


def answer(text: str, message_id: str) -> bytes:
    """Marta's, on the ticket that Ana's first mail opened."""
    sender, to = "Marta Gil <marta@example.es>", reply_address(15, "marta@example.es")
    return written(text, sender=sender, to=to, subject="Re: El carrito", message_id=message_id)
