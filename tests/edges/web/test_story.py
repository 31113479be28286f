"""The whole story in a browser, against a daemon that runs: on a phone and on a desk, by keyboard and by eye."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from mailgate.core.address import reply_address
from mailgate.opening import open_office
from tests.running import RunningDesk, running_desk, text_of
from tests.servers import eventually
from tests.support import written

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here (Debian's package: chromium)"),
]

ANA, MARTA, ELENA = "ana@acme.example", "marta@example.es", "elena@example.es"
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
# WCAG 2.2, level AA, and what axe thinks good besides.
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Debian's Chromium runs as root only without its own sandbox; it sees nothing but our pages.
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[RunningDesk]:
    with running_desk(tmp_path) as running:
        yield running


def look_at(page: Page) -> None:
    """A page that is shown: nothing that axe finds, nothing wider than the screen, small."""
    found = Axe().run(page, options=RULES).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), page.url
    assert len(page.content().encode()) < 60_000


def sign_in(page: Page, desk: RunningDesk, address: str) -> None:
    home = f"http://127.0.0.1:{desk.web_port}"
    desk.outgoing()
    page.goto(f"{home}/")
    look_at(page)
    page.get_by_role("textbox").fill(address)
    page.get_by_role("textbox").press("Enter")
    look_at(page)
    (mail,) = desk.wait_for(1)
    assert mail["To"] == address
    found = re.search(r"/link/[\w-]+", text_of(mail))
    assert found is not None
    page.goto(home + found[0])
    look_at(page)
    page.get_by_role("main").get_by_role("button").click()


def marta_answers(desk: RunningDesk) -> None:
    key = open_office(desk.rules_path, desk.data).desk.key
    to = reply_address(key, "soporte@example.es", 1, MARTA)
    done = "journal where state = 'done'"
    before = desk.count(done)
    answer = "Ya está: había caducado el certificado.\n\n#time 12m Certificado"
    desk.send(written(answer, sender=MARTA, to=to, subject="Re: [SOP-1]", message_id="<a1@example.es>"), MARTA, to)
    eventually(lambda: desk.count(done) > before)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_client_signs_in_asks_reads_answers_disputes_and_reports(
    browser: Browser, desk: RunningDesk, tmp_path: Path, size: dict[str, int], scheme: str
) -> None:
    context = browser.new_context(viewport=size, color_scheme=scheme, locale="es-ES")  # type: ignore[arg-type]
    page, troubles = context.new_page(), []
    page.on("console", lambda told: troubles.append(told.text) if told.type in ("error", "warning") else None)
    page.on("request", lambda asked: troubles.append(asked.url) if f":{desk.web_port}/" not in asked.url else None)
    sign_in(page, desk, ANA)
    expect(page.get_by_role("heading", level=1)).to_have_text("Acme S.L.")
    look_at(page)

    page.get_by_role("link", name="Nueva consulta").first.click()
    page.get_by_label("Asunto").fill("El formulario no envía")
    page.get_by_label("¿Qué necesita?").fill("Desde ayer da error.\n\nUsuario: ana\nContraseña: hunter2!")
    look_at(page)
    page.get_by_role("button", name="Enviar").click()
    expect(page.get_by_role("status")).to_contain_text("Enviado")
    expect(page.get_by_text("hunter2!")).to_have_count(0)
    look_at(page)
    page.get_by_role("button", name="Mostrar los datos de acceso").click()
    expect(page.get_by_text("hunter2!")).to_be_visible()
    look_at(page)

    marta_answers(desk)
    page.get_by_role("link", name="Tickets").first.click()
    look_at(page)
    page.get_by_role("link", name="El formulario no envía").click()
    expect(page.get_by_text("había caducado el certificado")).to_be_visible()
    file = tmp_path / "captura.png"
    file.write_bytes(b"\x89PNG\r\n\x1a\n")
    page.get_by_label("Mensaje").fill("Gracias. Así se ve ahora.")
    page.get_by_label("Adjuntar ficheros").set_input_files(file)
    page.get_by_role("button", name="Enviar", exact=True).click()
    expect(page.get_by_role("link", name="captura.png")).to_be_visible()

    page.get_by_text("Reclamar").click()
    page.get_by_label("Motivo").fill("No fueron doce minutos.")
    look_at(page)
    page.get_by_role("button", name="Enviar la reclamación").click()
    expect(page.get_by_text("reclamado", exact=True)).to_be_visible()
    look_at(page)

    for name in ("Saldo", "Informes"):
        page.get_by_role("link", name=name, exact=True).first.click()
        look_at(page)
    page.get_by_label("Desde").fill("2020-01-01")
    page.get_by_role("button", name="Ver").click()
    expect(page.get_by_text("Certificado")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Descargar PDF").click()
    assert download.value.suggested_filename.startswith("informe-2020-01-01-")

    page.goto(f"http://127.0.0.1:{desk.web_port}/search?q=certificado")
    expect(page.get_by_role("mark")).to_have_count(1)
    look_at(page)
    page.get_by_role("link", name="Dónde está abierta la sesión").click()
    look_at(page)
    page.get_by_role("button", name="Salir").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Entrar")
    assert troubles == []
    context.close()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_the_director_looks_at_the_board_and_at_why(browser: Browser, desk: RunningDesk, size: dict[str, int]) -> None:
    desk.send(written("<b>No va</b> la tienda.", subject="La tienda"), ANA)
    eventually(lambda: desk.count("journal where state = 'done'"))
    context = browser.new_context(viewport=size, locale="es-ES")  # type: ignore[arg-type]
    page = context.new_page()
    sign_in(page, desk, ELENA)
    expect(page.get_by_role("heading", level=1)).to_have_text("Panel")
    look_at(page)
    page.get_by_role("link", name="La tienda").first.click()
    page.get_by_text("Por qué se trató así").first.click()
    expect(page.get_by_text("opens SOP-1")).to_be_visible()
    look_at(page)
    page.get_by_role("link", name="Ver el mensaje entero").first.click()
    look_at(page)
    context.close()


# ---- what the script does, and that nothing needs it ----------------------------------------------


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_the_board_stays_true_by_itself_until_somebody_stops_it(
    browser: Browser, desk: RunningDesk, size: dict[str, int]
) -> None:
    context = browser.new_context(viewport=size, locale="es-ES")  # type: ignore[arg-type]
    page = context.new_page()
    page.clock.install()
    sign_in(page, desk, ELENA)
    expect(page.get_by_role("heading", level=1)).to_have_text("Panel")
    for subject, shown in (("La tienda", 1), ("El logo", 0)):
        before = desk.count("journal where state = 'done'")
        desk.send(written("No va.", subject=subject, message_id=f"<{len(subject)}@acme.example>"), ANA)
        eventually(lambda before=before: desk.count("journal where state = 'done'") > before)
        page.clock.run_for(31_000)
        page.wait_for_timeout(500)
        expect(page.get_by_role("link", name=subject)).to_have_count(shown)
        expect(page.get_by_text("Actualizado a las")).to_be_visible()
        look_at(page)
        page.get_by_role("button", name="la actualización automática").click()
    page.clock.run_for(31_000)
    expect(page.get_by_role("link", name="El logo")).to_have_count(1)
    context.close()


def test_word_of_a_new_message_moves_nothing_under_who_writes(browser: Browser, desk: RunningDesk) -> None:
    desk.send(written("No va el formulario.", subject="El formulario"), ANA)
    context = browser.new_context(viewport=PHONE, locale="es-ES")  # type: ignore[arg-type]
    page = context.new_page()
    page.clock.install()
    desk.wait_for(2)
    sign_in(page, desk, ANA)
    page.get_by_role("link", name="El formulario").click()
    page.get_by_label("Mensaje").fill("A medio escribir")
    marta_answers(desk)
    page.clock.run_for(31_000)
    news = page.get_by_role("button", name="Hay mensajes nuevos")
    expect(news).to_be_visible()
    expect(page.get_by_label("Mensaje")).to_have_value("A medio escribir")
    expect(page.get_by_text("había caducado")).to_have_count(0)
    look_at(page)
    before = page.locator("#answer [name=once]").input_value()
    news.click()
    expect(page.get_by_text("había caducado")).to_be_visible()
    expect(page.get_by_label("Mensaje")).to_have_value("A medio escribir")
    assert page.locator("#answer [name=once]").input_value() != before, "its writer has read on"
    look_at(page)
    context.close()


def test_files_show_how_far_they_have_got_and_a_broken_line_loses_nothing(
    browser: Browser, desk: RunningDesk, tmp_path: Path
) -> None:
    context = browser.new_context(viewport=PHONE, locale="es-ES")  # type: ignore[arg-type]
    page = context.new_page()
    sign_in(page, desk, ANA)
    page.get_by_role("link", name="Nueva consulta").first.click()
    page.get_by_label("Asunto").fill("El plano")
    page.get_by_label("¿Qué necesita?").fill("Va con el plano.")
    (tmp_path / "plano.bin").write_bytes(bytes(600_000))
    page.get_by_label("Adjuntar ficheros").set_input_files(tmp_path / "plano.bin")
    context.set_offline(True)
    page.get_by_role("button", name="Enviar").click()
    expect(page.get_by_role("status")).to_contain_text("No se ha podido enviar")
    look_at(page)
    context.set_offline(False)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 300_000}
    context.new_cdp_session(page).send("Network.emulateNetworkConditions", slow)
    page.get_by_role("button", name="Enviar").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    look_at(page)
    expect(page.get_by_role("link", name="plano.bin")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("Va con el plano.")).to_have_count(1)
    assert desk.count("ticket") == 1
    context.close()


def test_everything_works_without_the_script(browser: Browser, desk: RunningDesk, tmp_path: Path) -> None:
    context = browser.new_context(viewport=PHONE, locale="es-ES", java_script_enabled=False)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{desk.web_port}/")
    page.get_by_role("textbox").fill(ANA)
    page.get_by_role("textbox").press("Enter")
    (mail,) = desk.wait_for(1)
    found = re.search(r"/link/[\w-]+", text_of(mail))
    assert found is not None
    page.goto(f"http://127.0.0.1:{desk.web_port}{found[0]}")
    page.get_by_role("main").get_by_role("button").click()
    page.get_by_role("link", name="Nueva consulta").first.click()
    page.get_by_label("Asunto").fill("El plano")
    page.get_by_label("¿Qué necesita?").fill("Va con el plano.")
    (tmp_path / "plano.bin").write_bytes(bytes(1000))
    page.get_by_label("Adjuntar ficheros").set_input_files(tmp_path / "plano.bin")
    page.get_by_role("button", name="Enviar").click()
    expect(page.get_by_role("link", name="plano.bin")).to_be_visible()
    expect(page.get_by_text("actualización automática")).to_have_count(0)
    context.close()
