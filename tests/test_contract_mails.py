"""The mails about a client's account: what they must say, and what they must not."""

import re
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from lxml import html as lxml_html

from mailgate.core.mail import Notice, Outgoing
from mailgate.core.model import Problem
from mailgate.core.writing.phrases import money
from mailgate.render import HTML_MOST, Letterhead, Renderer
from mailgate.samples.contract import VALUES

RENDERER = Renderer()
LETTERHEAD = Letterhead(
    desk_name="Soporte Técnico",
    desk_address="soporte@example.es",
    reply_to="",
    sender="",
    message_id="j17.0.abc.mailgate@example.es",
    date=datetime(2026, 11, 2, 9, 30, tzinfo=UTC),
    zone=ZoneInfo("Europe/Madrid"),
)
REPORTS = ("report", "statement", "service_ended")
ENTRY = VALUES["report"][0]["entries"][1]


def write(name: str, language: str = "es", **changes: Any) -> Outgoing:
    values = {**VALUES[name][0], **changes}
    return RENDERER.write(Notice(name, "ana@acme.example", language, values=values), LETTERHEAD)


def text_of(name: str, language: str = "es", **changes: Any) -> str:
    return write(name, language, **changes).text


def html_of(out: Outgoing) -> str | None:
    body = message_from_bytes(out.raw, policy=policy.default).get_body(("html",))
    return str(body.get_content()) if body else None


def page_of(name: str, language: str = "es", **changes: Any) -> str:
    """What a reader of the HTML part sees, its white space made even."""
    page = html_of(write(name, language, **changes))
    assert page is not None
    return " ".join(lxml_html.fromstring(page).text_content().split())


# ---- reports -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REPORTS)
def test_report_can_be_checked_with_a_pencil(name: str) -> None:
    values = VALUES[name][0]
    assert values["opening"] + sum(entry["minutes"] for entry in values["entries"]) == values["closing"]
    for shown in (" ".join(text_of(name).split()), page_of(name)):
        place = shown.index("Apunte por apunte")
        for entry in values["entries"]:
            place = shown.index(str(entry["id"]), place)
        assert "Saldo al principio" in shown
        assert "Saldo al final" in shown[place:]


@pytest.mark.parametrize("name", REPORTS)
def test_report_shows_ticket_subject_technician_and_note_of_each_entry(name: str) -> None:
    entry = {**ENTRY, "note": "Copia de seguridad"}
    for shown in (text_of(name, entries=(entry,)), page_of(name, entries=(entry,))):
        detail = shown.partition("Apunte por apunte")[2]
        assert all(words in detail for words in ("SOP-9", "Migración a PHP 8.3", "Marta Gil", "Copia de seguridad"))


@pytest.mark.parametrize(
    ("language", "courtesy", "disputed"),
    [("es", "cortesía: 10 min", "RECLAMADO"), ("en", "courtesy: 10 min", "DISPUTED")],
)
def test_courtesy_and_dispute_are_marked(language: str, courtesy: str, disputed: str) -> None:
    free = {**ENTRY, "kind": "courtesy", "minutes": 0, "worked": 10, "courtesy": True}
    for changes, mark in (({"entries": (free,)}, courtesy), ({"entries": ({**ENTRY, "disputed": True},)}, disputed)):
        assert mark in text_of("report", language, **changes)
        assert mark in page_of("report", language, **changes)
        assert mark not in text_of("report", language, entries=(ENTRY,))


def test_work_that_was_not_charged_in_full_says_so() -> None:
    capped = {**ENTRY, "minutes": -65, "worked": 80}
    assert "1 h 20 min de trabajo, el resto sin cargo" in text_of("report", entries=(capped,))
    assert "el resto sin cargo" not in text_of("report", entries=(ENTRY,))


def test_sums_of_the_report_are_apart_by_what_happened() -> None:
    text = text_of("service_ended")
    assert "Comprado: +4 h\nTrabajo: -4 h 37 min\nAnulado: +12 min\nCorregido: +15 min\n" in text
    assert "Caducado" not in text


@pytest.mark.parametrize("kind", ["debit", "void", "purchase"])
@pytest.mark.parametrize("name", REPORTS)
def test_what_people_write_is_escaped_in_every_report(name: str, kind: str) -> None:
    evil = "<img src=x onerror=alert(1)>"
    entry = {**ENTRY, "kind": kind, "note": evil, "subject": evil, "technician_name": evil}
    tickets = ({"ticket_tag": "SOP-9", "subject": evil, "minutes": 65, "share": 100},)
    problem = Problem("period_unreadable", evil, "2026-10")
    page = html_of(write(name, entries=(entry,), by_ticket=tickets, client_name=evil, problem=problem))
    assert page is not None
    assert "<img" not in page
    assert "&lt;img" in page


def test_bars_are_cells_as_wide_as_the_share() -> None:
    page = html_of(write("report"))
    assert page is not None
    assert re.findall(r'<td width="(\d+)%"', page) == ["64", "36"]


@pytest.mark.parametrize(("count", "has_html"), [(100, True), (400, False)])
def test_long_report_loses_no_entry(count: int, has_html: bool) -> None:
    entries = [{**ENTRY, "id": 1000 + number, "note": "Copia de seguridad y pruebas"} for number in range(count)]
    out = write("service_ended", entries=entries)
    page = html_of(out)
    assert (page is not None) is has_html
    for shown in filter(None, (out.text, page)):
        assert all(str(entry["id"]) in shown for entry in entries)
    assert page is None or len(page.encode()) < HTML_MOST


# ---- the account ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "last_day", "how"),
    [("es", "martes, 17 de noviembre de 2026", "«#devolucion»"), ("en", "Tuesday, 17 November 2026", "“#refund”")],
)
@pytest.mark.parametrize("name", ["service_ended", "expired"])
def test_end_of_service_says_the_last_day_for_a_refund(name: str, language: str, last_day: str, how: str) -> None:
    for shown in (
        text_of(name, language, refund_until=date(2026, 11, 17)),
        page_of(name, language, refund_until=date(2026, 11, 17)),
    ):
        assert last_day in shown
        assert how in shown


@pytest.mark.parametrize("name", ["service_ended", "expired", "low_balance"])
def test_whoever_runs_out_of_time_reads_how_to_buy_before_anything_long(name: str) -> None:
    text = text_of(name, payment="Transferencia a ES00.")
    assert text.index("- 12 h por 420,00 €") < text.index("Transferencia a ES00.") < 700
    assert "transferencia o PayPal" in text_of(name, packages=(), payment="")


def test_end_of_service_below_zero_says_what_the_next_purchase_pays() -> None:
    assert "su saldo es de -15 min, que se descontarán de la próxima compra" in text_of("service_ended", balance=-15)
    assert "próxima compra" not in text_of("service_ended", balance=0)


@pytest.mark.parametrize(("balance", "owed"), [(225, "15 min"), (-5, "4 h")])
def test_receipt_says_what_was_taken_for_work_that_was_owed(balance: int, owed: str) -> None:
    assert f"se han descontado {owed} de trabajo" in text_of("receipt", balance=balance)
    assert "se han descontado" not in text_of("receipt", balance=240)


def test_receipt_names_the_tickets_that_go_on() -> None:
    assert "- SOP-14 · Actualizar la tienda" in text_of("receipt")
    assert "a la espera" not in text_of("receipt", resumed=())


@pytest.mark.parametrize(
    ("days", "when"), [(30, "dentro de 30 días"), (2, "dentro de 2 días"), (1, "mañana"), (0, "hoy")]
)
def test_warning_of_expiry_says_when_and_the_last_day(days: int, when: str) -> None:
    out = write("expiry_warning", days=days)
    assert when in out.subject
    assert "martes, 2 de noviembre de 2027" in out.text


@pytest.mark.parametrize("name", [name for name, samples in VALUES.items() if "copy" in samples[0]])
@pytest.mark.parametrize("language", ["es", "en"])
def test_copy_names_the_client_and_holds_all_that_the_client_got(name: str, language: str) -> None:
    mine, copy = write(name, language), write(name, language, copy=True)
    assert "Acme S.L." in copy.subject
    assert mine.subject in copy.subject
    assert copy.text.endswith(mine.text)


# ---- money back ----------------------------------------------------------------------------------


def test_late_request_is_marked_to_both_and_still_reaches_the_director() -> None:
    assert "Aunque ha llegado después" in text_of("refund_asked", late=True)
    assert write("refund_request", late=True).subject.endswith("fuera de plazo")
    assert "fuera de plazo" not in write("refund_request").subject
    assert "Dentro de plazo" in text_of("refund_request")


@pytest.mark.parametrize(
    ("language", "commands"), [("es", ("«#aceptar»", "«#rechazar»")), ("en", ("“#accept”", "“#decline”"))]
)
def test_director_reads_how_to_answer_a_request(language: str, commands: tuple[str, str]) -> None:
    asked = text_of("refund_request", language, ticket_tag="SOP-12")
    assert all(command in asked for command in commands)


def test_director_reads_which_verb_decides_a_request_that_was_not_asked_by_mail() -> None:
    asked = text_of("refund_request", ticket_tag="")
    assert "mailgate refund acme --accept" in asked
    assert "#aceptar" not in asked


def test_settlement_says_minutes_and_amount() -> None:
    assert "Quedaban 2 h 18 min sin usar" in text_of("account_closed")
    assert "le devolveremos 92,00 €" in text_of("account_closed")
    assert "devolver" not in text_of("account_closed", minutes=0, amount="")
    assert "no hay ningún importe pendiente" in text_of("account_closed", amount="")


# ---- disputes ------------------------------------------------------------------------------------


def test_acknowledgement_of_a_dispute_does_not_repeat_what_the_client_wrote() -> None:
    assert "tigre99" not in text_of("dispute_opened", reason="la clave es tigre99")
    assert "No nos ha dicho el motivo" in text_of("dispute_opened", reason="")


def test_director_gets_for_each_entry_its_commands_first_and_then_its_story() -> None:
    text = " ".join(text_of("dispute_asked", stories=VALUES["dispute_asked"][1]["stories"]).split())
    story = text.index("Apunte 343 · 25 min · Marta Gil")
    for command in ("«#confirmar 343»", "«#ajustar 343 12m»", "«#anular 343»", "«#confirmar 344»", "«#anular 344»"):
        assert text.index(command) < story
    assert story < text.index("Desde ayer el formulario") < text.index("El certificado del servidor")
    assert "Apunte 344 · 1 min · por teléfono" in text


def test_single_minute_cannot_be_reduced() -> None:
    story = {**VALUES["dispute_asked"][0]["stories"][0], "minutes": 1}
    assert "#ajustar" not in text_of("dispute_asked", stories=(story,))
    assert "«#ajustar 343 1m»" in text_of("dispute_asked", stories=({**story, "minutes": 2},))


@pytest.mark.parametrize(("outcome", "further"), [("refused", True), ("reduced", True), ("granted", False)])
def test_whoever_is_not_wholly_right_reads_what_to_do_next(outcome: str, further: bool) -> None:
    text = text_of("dispute_decided", outcome=outcome)
    assert ("le liquidamos lo que quede" in text) is further
    assert "Su saldo es de 2 h 28 min." in text


def test_words_of_disagreement_decide_nothing() -> None:
    assert "No se ha abierto ninguna reclamación y no se ha decidido nada." in text_of("dispute_words")


def test_reason_of_the_director_stands_quoted_and_commands_nothing() -> None:
    for name in ("dispute_decided", "refund_decided", "account_closed"):
        assert "> Vale.\n> · #time 99m\n" in text_of(name, reason="Vale.\n#time 99m")


# ---- money ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "spanish", "english"),
    [
        ("160.00 EUR", "160,00 €", "€160.00"),
        ("160 EUR", "160,00 €", "€160.00"),
        ("1420.50 EUR", "1.420,50 €", "€1,420.50"),
        ("160.00 EUR + 20.00 GBP", "160,00 € + 20,00 GBP", "€160.00 + £20.00"),
        ("12.00 XQZ", "12.00 XQZ", "12.00 XQZ"),
        ("", "", ""),
    ],
)
def test_money_is_written_as_in_the_language(amount: str, spanish: str, english: str) -> None:
    assert money(amount, "es") == spanish
    assert money(amount, "en") == english
