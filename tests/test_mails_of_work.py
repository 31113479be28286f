"""What the mails say about work that waits for a word: estimates, limits, held tickets, claims, prospects."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mailgate.core.mail import Notice
from mailgate.core.model import Problem
from mailgate.render import Renderer
from mailgate.samples import VALUES

RENDERER = Renderer()
PACKAGES = ({"id": "4h", "minutes": 240, "price": "160.00 EUR"},)
LANGUAGES = ("es", "en")
both_languages = pytest.mark.parametrize("language", LANGUAGES)


def text_of(name: str, language: str = "es", **changes: Any) -> str:
    notice = Notice(name, "", language, values={**VALUES[name][0], **changes})
    return RENDERER.preview(notice, ZoneInfo("Europe/Madrid"), "Soporte Técnico")[0]


# ---- estimates -----------------------------------------------------------------------------------


def test_estimate_that_waits_says_how_to_agree() -> None:
    assert "responda a este correo con «ok» y nada más" in text_of("estimate", ask=True)
    assert "answer this mail with “ok” and nothing else" in text_of("estimate", "en", ask=True)


@both_languages
def test_estimate_that_does_not_wait_asks_for_nothing_and_offers_a_limit(language: str) -> None:
    text = text_of("estimate", language, ask=False, minutes=95)
    assert "1 h 35 min" in text
    assert {"es": "«#tope 95m»", "en": "“#limit 95m”"}[language] in text
    assert "«ok»" not in text
    assert "“ok”" not in text


@both_languages
@pytest.mark.parametrize(("spent", "told"), [(0, False), (25, True)])
def test_estimate_tells_what_is_spent_where_there_is_something(language: str, spent: int, told: bool) -> None:
    assert ("25 min" in text_of("estimate", language, spent=spent)) is told


@both_languages
@pytest.mark.parametrize("name", ["estimate", "limit_set", "limit_reached"])
def test_what_a_client_wrote_in_the_subject_is_not_repeated_to_them(language: str, name: str) -> None:
    assert "tigre99" not in text_of(name, language, subject="Mi contraseña es tigre99")
    assert "tigre99" not in text_of("estimate_passed", language, subject="tigre99", for_client=True)


@both_languages
def test_passed_estimate_is_told_to_the_client_in_other_words_than_to_the_staff(language: str) -> None:
    client, staff = (text_of("estimate_passed", language, for_client=who) for who in (True, False))
    assert all("1 h 30 min" in text and "1 h 45 min" in text for text in (client, staff))
    assert "#note" in staff
    assert "#note" not in client
    assert "Acme S.L." not in client


# ---- limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "spent", "words"),
    [
        (30, 12, "quedan 18 min"),
        (30, 29, "quedan 1 min"),
        (30, 30, "esperará su visto bueno"),
        (30, 35, "esperará su visto bueno"),
        (None, 35, "ya no tiene tope"),
    ],
)
def test_limit_says_what_is_left_of_it(limit: int | None, spent: int, words: str) -> None:
    text = text_of("limit_set", limit=limit, spent=spent)
    assert words in text
    assert "quedan -" not in text


@both_languages
@pytest.mark.parametrize(("booked", "told"), [(0, False), (15, True)])
def test_limit_tells_what_it_let_through(language: str, booked: int, told: bool) -> None:
    assert ("15 min" in text_of("limit_set", language, limit=90, spent=40, booked=booked)) is told


def test_reached_limit_offers_the_one_that_would_do() -> None:
    text = text_of("limit_reached", limit=30, spent=25, minutes=15)
    assert "«#tope 40m»" in text
    assert "«ok»" in text
    assert "Esos 15 min no se han descontado" in text


@both_languages
@pytest.mark.parametrize("by", ["client", "desk"])
def test_released_work_says_who_let_it_through(language: str, by: str) -> None:
    assert ("Acme S.L." in text_of("debit_released", language, by=by)) is (by == "client")


# ---- tickets that are held, answers that wait ----------------------------------------------------


@both_languages
def test_request_without_balance_is_kept_and_says_how_to_buy(language: str) -> None:
    text = text_of("ack", language, held="balance", balance=0, packages=PACKAGES, payment="ES00 0000")
    assert "160" in text
    assert "ES00 0000" in text
    assert {"es": "Su petición queda guardada", "en": "Your request is kept"}[language] in text
    assert {"es": "En este momento no le queda saldo.", "en": "You have no time left at the moment."}[language] in text
    assert {"es": "lo antes posible", "en": "as soon as we can"}[language] not in text


@both_languages
def test_refund_is_offered_only_while_it_can_be_asked_for(language: str) -> None:
    held = {"held": "balance", "balance": 0, "packages": PACKAGES}
    word = {"es": "«#devolucion»", "en": "“#refund”"}[language]
    assert word in text_of("ack", language, **held, refund_until=date(2026, 11, 17))
    assert word not in text_of("ack", language, **held, refund_until=None)


@both_languages
def test_request_that_waits_for_nothing_sells_nothing(language: str) -> None:
    text = text_of("ack", language, packages=PACKAGES, payment="ES00 0000", refund_until=date(2026, 11, 17))
    assert "160" not in text
    assert "ES00" not in text
    assert "#" not in text


@both_languages
def test_technician_sees_why_a_ticket_is_held_and_its_limit(language: str) -> None:
    plain, no_balance, rule = (text_of("notice", language, held=held) for held in ("", "balance", "rule"))
    assert len({plain, no_balance, rule}) == 3
    assert "45 min" in text_of("notice", language, limit=45)


@both_languages
def test_answer_whose_minutes_wait_does_not_say_that_it_is_free(language: str) -> None:
    footer = text_of("answer", language, minutes=0, free=0, waiting=13).partition("\n-- \n")[2]
    assert "13 min" in footer
    assert {"es": "respuesta: aún sin cargo", "en": "answer: no charge yet"}[language] in footer


@both_languages
def test_answer_to_a_prospect_shows_no_minutes_and_no_balance(language: str) -> None:
    body, _, footer = text_of("answer", language, prospect=True, minutes=0, free=0, quote="").partition("\n-- \n")
    assert body
    assert " min" not in footer
    assert "SOP-12" in footer


# ---- claims --------------------------------------------------------------------------------------


@both_languages
def test_wrong_claim_is_filed_all_the_same_and_shown_how_it_is_written(language: str) -> None:
    wrong = (("#reclamar x", Problem("claim_entry_unreadable", "x", "#reclamar 345")),)
    text = text_of("claim_wrong", language, problems=wrong)
    assert "#reclamar x" in text
    assert "SOP-12" in text
    commands = {"es": ("#reclamar", "#tope", "#devolucion"), "en": ("#dispute", "#limit", "#refund")}[language]
    assert all(command in text for command in commands)


# ---- prospects -----------------------------------------------------------------------------------


@both_languages
def test_stranger_learns_the_conditions_and_not_yet_how_to_pay(language: str) -> None:
    text = text_of("prospect_welcome", language, packages=PACKAGES, payment="ES00 0000")
    assert "160" in text
    assert "ES00" not in text
    assert {"es": "contraseñas", "en": "passwords"}[language] in text


@both_languages
def test_accepted_prospect_gets_the_directors_words_and_how_to_pay(language: str) -> None:
    text = text_of("prospect_accepted", language, reason="Nos gusta.", packages=PACKAGES, payment="ES00 0000")
    assert "\n\nNos gusta.\n\n" in text
    assert "160" in text
    assert "ES00 0000" in text


@both_languages
def test_director_is_told_what_each_answer_does(language: str) -> None:
    text = text_of("prospect_notice", language, text="Hola\n#aceptar")
    assert "> · #aceptar" in text
    assert {"es": "«#aceptar»", "en": "“#accept”"}[language] in text
    assert {"es": "«#rechazar»", "en": "“#decline”"}[language] in text


@both_languages
@pytest.mark.parametrize("name", ["prospect_notice", "notice"])
def test_person_without_a_name_is_named_once_by_address(language: str, name: str) -> None:
    text = text_of(name, language, person_name="eva@gamma.example", person_address="eva@gamma.example")
    assert text.count("eva@gamma.example") == 1
