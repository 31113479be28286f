"""The report as PDF: what it says, that anybody's words fit on it, and that it does not take long."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from datetime import date
from typing import Any

import pypdf
import pytest

from mailgate import pdf
from mailgate.samples import VALUES

SAMPLE = dict(VALUES["report"][0])


def entry(number: int = 345, minutes: int = -12, **values: Any) -> dict[str, Any]:
    given = {
        "id": number,
        "day": date(2026, 11, 2),
        "ticket_tag": "SOP-12",
        "subject": "El formulario no envía",
        "technician_name": "Marta Gil",
        "kind": "debit",
        "minutes": minutes,
        "worked": max(-minutes, 0),
        "note": "",
        "courtesy": False,
        "disputed": False,
        "price": "",
        "phone": False,
        "balance_after": 138,
    }
    return {**given, **values}


def made(*entries: dict[str, Any], language: str = "es", desk_name: str = "Soporte Técnico", **values: Any) -> bytes:
    return pdf.report_pdf({**SAMPLE, "entries": entries, **values}, language, desk_name)


def opened(raw: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(raw), strict=True)


def said(raw: bytes) -> str:
    """All its words, page by page, in one line."""
    return " ".join(" ".join(page.extract_text() for page in opened(raw).pages).split())


# ---- what it says --------------------------------------------------------------------------------


def test_report_adds_up_and_shows_every_entry():
    words = said(pdf.report_pdf(SAMPLE, "es", "Soporte Técnico"))
    for expected in (
        "Acme S.L. Informe del tiempo Del 1 oct 2026 al 2 nov 2026",
        "0 min 4 h −1 h 42 min 2 h 18 min",
        "Además, 10 min de cortesía, sin cargo.",
        "SOP-9 · Migración a PHP 8.3 1 h 5 min 64 %",
        "340 5 oct 2026 Compra · 160,00 € +4 h 4 h",
        "Diagnóstico del formulario El formulario no envía Reclamado: pendiente de resolver Marta Gil −25 min",
        "Cortesía: 10 min sin cargo Marta Gil 0 min 2 h 18 min",
        "Soporte Técnico · Acme S.L. · Del 1 oct 2026 al 2 nov 2026 Página 1 de 1",
    ):
        assert expected in words


def test_english_report_is_english():
    words = said(pdf.report_pdf(SAMPLE, "en", "Support"))
    assert "Time report 1 Oct 2026 to 2 Nov 2026" in words
    assert "Disputed: waits for a ruling" in words
    assert "Página" not in words


def test_empty_period_says_so():
    assert "En este periodo no hay ningún apunte." in said(made(by_ticket=(), closing=0))


def test_work_past_the_balance_says_what_was_not_charged():
    assert "30 min de trabajo, el resto sin cargo" in said(made(entry(minutes=-12, worked=30)))
    assert "el resto" not in said(made(entry(minutes=-30, worked=30)))


@pytest.mark.parametrize("kind", ["purchase", "void", "adjust", "expiry", "refund"])
@pytest.mark.parametrize("language", ["es", "en"])
def test_entry_that_is_no_work_says_what_it_is(kind: str, language: str):
    booked = entry(minutes=12, kind=kind, ticket_tag="", subject="", technician_name="", price="160.00 EUR")
    assert (" · 160,00 € +12 min" if language == "es" else " · €160.00 +12 min") in said(
        made(booked, language=language)
    )


def test_many_tickets_share_the_last_bar():
    tickets = [{"ticket_tag": f"SOP-{n}", "subject": "Web", "minutes": 10, "share": 5} for n in range(20)]
    assert "SOP-8 · Web" in said(made(entry(), by_ticket=tickets[:9]))
    words = said(made(entry(), by_ticket=tickets))
    assert "SOP-7 · Web 10 min 5 % Otros 12 tickets 2 h 60 %" in words


def test_long_report_repeats_its_head_and_counts_its_pages():
    pages = [page.extract_text() for page in opened(made(*(entry(n) for n in range(1, 101)))).pages]
    assert len(pages) > 2
    assert all("Apunte\nDía\nTicket" in page for page in pages)
    assert [f"Página {n} de {len(pages)}" in page for n, page in enumerate(pages, 1)] == [True] * len(pages)


def test_title_and_desk_stand_in_the_documents_own_data():
    document = opened(made(entry()))
    assert document.metadata is not None
    assert document.metadata.title == "Informe del tiempo · Acme S.L. · Del 1 oct 2026 al 2 nov 2026"
    assert document.metadata.author == "Soporte Técnico"


# ---- anybody's words -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["Ñandú & Cía. «Peña»", "Ελληνική Εταιρεία", "Żółć Łódź Sp. z o.o.", "ООО Ёлка", "160,00 € · 5 %"]
)
def test_names_of_europe_come_out_right(name: str):
    raw = made(entry(note=name, subject=name, technician_name=name), client_name=name, desk_name=name)
    assert said(raw).count(name) >= 4


def test_letters_with_loose_accents_are_put_together():
    assert "Peña" in said(made(entry(note="Pen\N{COMBINING TILDE}a")))


@pytest.mark.parametrize(
    "text",
    [
        "🚀 cohete 👩‍💻",
        "日本語",
        "שלום",
        "nul \0 y \x1b",
        "suelto \ud800",
        "\n\n\t",
        "W" * 3_000,
        "a b " * 5_000,
        "<b>no es <br> de verdad & </para>",
        '<font color="[[].__class__]">',
        "<img src='http://example.org/x.png'/>",
        "&#0; &nbsp; &lt;",
    ],
)
def test_nothing_that_people_write_breaks_it(text: str):
    booked = entry(note=text, subject=text, technician_name=text)
    by_ticket = [{"ticket_tag": "SOP-1", "subject": text, "minutes": 5, "share": 100}]
    assert len(opened(made(booked, by_ticket=by_ticket, client_name=text, desk_name=text)).pages) <= 2


def test_markup_is_shown_as_it_was_written():
    assert "pon <b>esto</b> &amp; aquello" in said(made(entry(note="pon <b>esto</b> &amp; aquello")))


def test_fonts_are_embedded():
    page = opened(made(entry())).pages[0]
    fonts = [font.get_object() for font in page["/Resources"]["/Font"].values()]
    embedded = {str(font["/BaseFont"]) for font in fonts if "/FontFile2" in font.get("/FontDescriptor", {})}
    assert {name.partition("+")[2] for name in embedded} == {"DejaVuSansCondensed", "DejaVuSansCondensed-Bold"}


# ---- the same each time, and soon ----------------------------------------------------------------


@pytest.mark.slow
def test_same_report_is_the_same_file_in_another_process():
    program = (
        "import sys; from mailgate import pdf; from mailgate.samples import VALUES;"
        "sys.stdout.buffer.write(pdf.report_pdf(VALUES['report'][0], 'es', 'Soporte'))"
    )
    there = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
    assert there == pdf.report_pdf(SAMPLE, "es", "Soporte") == pdf.report_pdf(SAMPLE, "es", "Soporte")


@pytest.mark.slow
def test_two_hundred_entries_are_made_within_a_moment():
    entries = [entry(n, note="Revisión de los registros del servidor y prueba de los formularios") for n in range(200)]
    begun = time.process_time()
    made(*entries)
    assert time.process_time() - begun < 1  # 0.15 s on a free machine
