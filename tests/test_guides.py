"""The guides and the mails of help say what this desk and its table of commands say."""

from __future__ import annotations

import quopri
from pathlib import Path
from typing import Any

import pytest

from mailgate import config
from mailgate.core.commands import command
from mailgate.core.commands.vocabulary import VERBS
from mailgate.core.model import Role
from mailgate.core.settings.rules import Rules
from mailgate.service.guide import Audience, guide
from tests.stored import RENDERER, stored_desk
from tests.support import NOW, desk, rules, written

HERE = Path(__file__).parent.parent
PAGES: list[tuple[Audience, str]] = [(who, language) for who in ("clients", "technicians") for language in ("es", "en")]  # type: ignore[misc]
STAFF = [verb for verb in VERBS if not verb.director_only]
DIRECTORS = [verb for verb in VERBS if verb.director_only]


@pytest.mark.parametrize(("audience", "language"), PAGES)
def test_page_in_docs_is_the_one_that_the_shipped_rules_make(audience: Audience, language: str) -> None:
    kept = (HERE / "docs" / f"guide-{audience}.{language}.md").read_text(encoding="utf-8")
    assert kept == guide(config.load(HERE / "rules.toml"), RENDERER, audience, language), "run `make guides`"


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("verb", STAFF + DIRECTORS, ids=lambda verb: verb.name)
def test_every_command_stands_in_the_guide_by_both_names(verb: Any, language: str) -> None:
    page = guide(rules(), RENDERER, "technicians", language)
    for name in (verb.name, verb.spanish):
        assert f"#{name}" in page


def test_page_has_the_words_of_its_own_desk() -> None:
    own: Rules = rules(
        desk={"tag": "WEB", "address": "hola@web.example", "name": "Web"},
        hours={
            "mon": ["09:00-14:00", "16:00-19:00"],
            "tue": ["09:00-14:00", "16:00-19:00"],
            "sat": "10:00-12:00",
            "seasons": [{"from": "08-01", "to": "08-31", "mon": "09:00-14:00"}, {"from": "12-24", "to": "01-06"}],
        },
        promise={"first_answer": "8h"},
    )
    page = guide(own, RENDERER, "clients", "es")
    assert page.startswith("# Web: guía para clientes\n")
    assert "un correo nuevo a hola@web.example" in page
    assert (
        "- lunes y martes: 09:00-14:00 y 16:00-19:00\n"
        "- sábado: 10:00-12:00\n"
        "- del 1 de agosto al 31 de agosto: lunes, 09:00-14:00\n"
        "- del 24 de diciembre al 6 de enero: cerrado\n"
    ) in page
    assert "un máximo de 8 h" in page
    assert "- 12 h por 420,00 €" in page
    staff = guide(own, RENDERER, "technicians", "en")
    assert "“#close WEB-12”" in staff
    assert "SOP" not in staff
    assert "from 1 August to 31 August: Monday, 09:00-14:00" in staff


@pytest.mark.parametrize("language", ["es", "en"])
@pytest.mark.parametrize("audience", ["clients", "technicians"])
def test_page_tells_where_the_client_area_is_where_there_is_one(audience: Audience, language: str) -> None:
    url = "https://soporte.example.es"
    there, off = rules(desk={"url": url}), rules(desk={"url": url}, web={"listen": ""})
    assert url in guide(there, RENDERER, audience, language)
    assert url not in guide(off, RENDERER, audience, language)
    assert len(guide(off, RENDERER, audience, language)) > 1000


@pytest.mark.parametrize(("who", "told"), [("elena", True), ("marta", False)])
def test_directors_commands_are_told_to_the_director_alone(tmp_path: Path, who: str, told: bool) -> None:
    with stored_desk(tmp_path) as opened:
        opened.take(written("", sender=f"{who}@example.es", subject="ayuda", message_id="<h@example.es>"))
        (raw,) = opened.raws()
    body = quopri.decodestring(raw).decode()
    for verb in STAFF:
        assert f"#{verb.spanish}" in body
    for verb in DIRECTORS:
        assert (f"«#{verb.spanish}" in body) == told


def test_client_is_told_the_address_and_the_hours(tmp_path: Path) -> None:
    with stored_desk(tmp_path) as opened:
        opened.take(written("", subject="ayuda", message_id="<h@acme.example>"))
        (raw,) = opened.raws()
    body = quopri.decodestring(raw).decode()
    assert "un correo nuevo a soporte@example.es" in body
    assert "de lunes a viernes: 10:00-20:00" in body


def test_examples_are_commands_that_can_be_used() -> None:
    """What a newcomer copies from the guide does what the guide says."""
    for language in ("es", "en"):
        page = guide(rules(), RENDERER, "technicians", language)
        lines = [line.strip()[1:-1] for line in page.splitlines() if line.startswith("    ") and "#" in line]
        assert len(lines) >= 6
        context = desk().context(Role.TECHNICIAN, NOW)
        for line in lines:
            (found,) = command.parse(line, context).commands
            assert found.problem is None, line
