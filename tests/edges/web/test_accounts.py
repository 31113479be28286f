"""Balance, reports, search and the director's board."""

from __future__ import annotations

import io
import re
from datetime import timedelta

from pypdf import PdfReader

from mailgate.core.model import Kind
from tests.edges.web.area import Area
from tests.support import NOW, reply_address, written

ANA, MARTA, ELENA = "ana@acme.example", "marta@example.es", "elena@example.es"


def booked(area: Area) -> None:
    area.stored.book(240, at=NOW - timedelta(days=40))
    area.stored.take()
    area.stored.book(
        -30, Kind.DEBIT, worked=30, ticket=1, technician="marta", note="Carrito", at=NOW - timedelta(days=9)
    )


def test_the_balance_is_drawn_with_its_table_behind_it(area: Area) -> None:
    booked(area)
    page = area.signed_in(ANA).get("/balance").text
    assert '<p class="big">3 h 30 min</p>' in page
    assert "Saldo a fin de mes, de 09/2026 a 11/2026: 3 h 30 min al final." in page
    assert page.count('<rect class="bar"') == 3
    assert len(re.findall(r"<tr><th scope=\"row\">", page)) == 3


def test_a_report_of_any_period_is_a_page_a_table_and_a_paper(area: Area) -> None:
    booked(area)
    browser = area.signed_in(ANA)
    page = browser.get("/reports?since=2026-10-01&until=2026-10-31").text
    assert "Carrito" in page
    assert "del 1 de octubre" in page or "1 de octubre" in page
    assert "Carrito" not in browser.get("/reports?since=2026-09-01&until=2026-09-30").text
    table = browser.get("/reports/csv?since=2026-10-01&until=2026-10-31")
    assert "Carrito" in table.text
    assert table.headers["content-disposition"].startswith('attachment; filename="informe-2026-10-01-2026-10-31.csv"')
    paper = browser.get("/reports/pdf?since=2026-10-01&until=2026-10-31")
    assert "Carrito" in PdfReader(io.BytesIO(paper.content)).pages[0].extract_text()


def test_a_period_that_makes_no_sense_is_told(area: Area) -> None:
    booked(area)
    browser = area.signed_in(ANA)
    for query in ("since=x&until=y", "since=2026-10-31&until=2026-10-01", "since=2026-10-01"):
        page = browser.get(f"/reports?{query}")
        assert page.status_code == 200
        assert "Ese periodo no se entiende" in page.text


def test_a_long_report_comes_in_pages(area: Area) -> None:
    area.stored.take()
    for _ in range(150):
        area.stored.book(-1, Kind.DEBIT, worked=1, ticket=1, technician="marta", note="x" * 60)
    browser = area.signed_in(ANA)
    path, seen = "/reports?since=2026-11-01&until=2026-11-30", 0
    while path:
        answer = browser.get(path)
        assert len(answer.content) < 60_000
        seen += answer.text.count("x" * 60)
        found = re.search(r'href="([^"]+)" rel="next"', answer.text)
        path = found[1].replace("&amp;", "&") if found else ""
    assert seen == 150


def test_search_marks_the_words_and_covers_access_data(area: Area) -> None:
    area.stored.take(written("El carrito no va. Contraseña: hunter2!", message_id="<s1@acme.example>"))
    browser = area.signed_in(ANA)
    assert "<mark>carrito</mark>" in browser.get("/search?q=CARRITO").text
    found = browser.get("/search?q=carrito+contrasena").text
    assert "<mark>carrito</mark>" in found
    assert "hunter2!" not in found
    assert "No se ha encontrado nada" in browser.get("/search?q=hunter2").text
    assert "No se ha encontrado nada" in browser.get("/search?q=zafiro").text
    assert "SOP-1" in browser.get("/search?q=sop-1").text
    for odd in ('"', "%22 OR 1", "*", "a" * 5000, "%ED%A0%80", "%00"):
        assert browser.get(f"/search?q={odd}").status_code == 200


def test_what_only_the_desk_sees_is_found_by_the_desk_alone(area: Area) -> None:
    area.stored.take()
    note = written(
        "El cliente es un zafiro.\n\n#note", sender=MARTA, to=reply_address(1, MARTA), message_id="<n1@example.es>"
    )
    area.stored.take(note)
    assert "SOP-1" not in area.signed_in(ANA).get("/search?q=zafiro").text
    assert "SOP-1" in area.signed_in(MARTA).get("/search?q=zafiro").text


def test_the_board_tells_what_is_late_and_who_carries_what(area: Area) -> None:
    area.stored.take()
    elena = area.signed_in(ELENA)
    due = elena.get("/board").text
    assert re.search(r'id="due">[^<]*<span class="mark">1<', due)
    assert re.search(r"Marta Gil</a> <span class=\"number\">1 ", due)
    area.pass_by(hours=9)
    assert re.search(r'id="late">[^<]*<span class="mark warn">1<', elena.get("/board").text)
    assert re.search(r'id="late">[^<]*<span class="mark">0<', elena.get("/board?client=beta").text)
    assert re.search(r'id="late">[^<]*<span class="mark warn">1<', elena.get("/board?technician=marta").text)
    assert elena.get("/").headers["location"] == "/board"
    assert area.signed_in(MARTA).get("/board").status_code == 404


def test_the_trail_tells_staff_why_this_technician(area: Area) -> None:
    area.stored.take()
    assert "Por qué se trató así" in area.signed_in(ELENA).get("/tickets/1").text
    assert "Por qué se trató así" not in area.signed_in(ANA).get("/tickets/1").text
