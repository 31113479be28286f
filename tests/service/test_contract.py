"""The contract as people live it: mails go in, entries, tickets and mails come out of a real store."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from mailgate.core.model import Kind, MatterState, Status
from mailgate.store import events
from tests.stored import stored_desk
from tests.story import ANA, ELENA, MARTA, Story, begun
from tests.support import NOW, RULES, desk

DAY = timedelta(days=1)


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    with begun(tmp_path) as story:
        yield story


# ---- warnings and the end of the service ---------------------------------------------------------


def test_one_debit_that_crosses_both_marks_warns_of_the_lowest_only(story: Story):
    story.says("marta", "Hecho.\n\n#time 215m", 1)
    assert story.told() == [("low_balance", ANA)]
    assert "25 min" in story.text_of("low_balance")


def test_each_fall_through_a_mark_warns_once(story: Story):
    for minutes in (185, 10, 16):  # 55, 45, 29 left
        story.says("marta", f"#time {minutes}m", 1)
    assert story.told() == [("low_balance", ANA)] * 2
    story.stored.book(240, package="4h", price="160.00 EUR")
    story.says("marta", "#time 210m", 1)
    assert story.told() == [("low_balance", ANA)]


def test_at_zero_client_and_director_get_the_report_and_the_last_day_for_a_refund(story: Story):
    story.says("marta", "Hecho.\n\n#time 4h", 1)
    assert story.told() == [("service_ended", ANA), ("service_ended", ELENA)]
    assert "18 de noviembre" in story.text_of("service_ended")


def test_after_the_end_a_new_request_is_held_and_says_why(story: Story):
    story.says("marta", "#time 4h", 1)
    story.says("ana", "Otra cosa: el logo sale borroso.", subject="El logo")
    held = story.ticket(2)
    assert (held.status, held.held_for) == (Status.HELD, "balance")
    assert all(words in story.text_of("ack") for words in ("160,00 €", "18 de noviembre"))
    story.says("ana", "Y otra.", subject="Otra", at=NOW + 16 * DAY)
    assert "#devolucion" not in story.text_of("ack"), "the window has passed"


def test_an_urgent_held_request_reaches_the_director_at_once(tmp_path: Path):
    rule = {"name": "down", "match": {"any": ["web caída"]}, "set": {"priority": "urgent"}}
    with begun(tmp_path, rules=[rule]) as story:
        story.says("marta", "#time 4h", 1)
        before = len(story.stored.mails())
        story.says("ana", "La web caída desde las 9.", subject="Urgente")
        assert [mail.to for mail in story.stored.mails()[before:] if mail.template == "notice"] == [MARTA, ELENA]


def test_a_client_that_never_bought_is_not_held(tmp_path: Path):
    with stored_desk(tmp_path) as stored:
        story = Story(stored)
        story.says("ana", "Hola, no va.")
        assert story.ticket().status is Status.NEW


def test_minutes_that_come_back_reopen_what_was_held(story: Story):
    story.says("marta", "#time 4h", 1)
    story.says("ana", "Otra cosa: el logo.", subject="El logo")
    number = story.ledger()[-1].id
    story.told()
    story.says("elena", f"#anular {number}", 1)
    assert story.ticket(2).status is Status.OPEN
    assert ("resumed", MARTA) in story.told()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("overdraft", "balance", "booked", "handed_back"), [("allow", -60, 20, 0), ("cap", 0, 20, 0), ("refuse", 0, 16, 4)]
)
def test_twenty_debits_at_once_end_exactly_right(
    tmp_path: Path, overdraft: str, balance: int, booked: int, handed_back: int
):
    with begun(tmp_path, time={"overdraft": overdraft}) as story:
        with ThreadPoolExecutor(20) as crowd:
            list(crowd.map(lambda number: story.says("marta", f"#time 15m parte {number}", 1), range(20)))
        debits = [entry for entry in story.ledger() if entry.kind is Kind.DEBIT]
        assert (story.balance(), len(debits), sum(entry.worked for entry in debits)) == (balance, booked, 15 * booked)
        told = [template for template, _ in story.told()]
        assert (told.count("problems"), told.count("low_balance"), told.count("service_ended")) == (handed_back, 2, 2)


# ---- the client's limit --------------------------------------------------------------------------


def test_work_past_the_clients_limit_waits_and_both_are_told(story: Story):
    story.says("ana", "#tope 30m", 1)
    story.says("marta", "Hecho.\n\n#time 20m\n#time 15m revisar el pago", 1)
    assert (story.balance(), story.ticket().minutes, story.ticket().limit) == (220, 20, 30)
    assert story.told() == [("limit_set", ANA), ("limit_reached", ANA), ("debit_held", MARTA)]


@pytest.mark.parametrize(("who", "word"), [("ana", "ok"), ("ana", "#tope 1h"), ("marta", "#yes"), ("elena", "#si")])
def test_work_that_waits_is_booked_once_on_somebodys_word(story: Story, who: str, word: str):
    story.says("ana", "#tope 30m", 1)
    story.says("marta", "#time 45m el pago", 1)
    for _ in range(2):
        story.says(who, word, 1)
    assert [entry.minutes for entry in story.ledger()[1:]] == [-45]
    assert story.ledger()[-1].note == "el pago"
    assert [matter.state for matter in story.matters()] == [MatterState.GRANTED]


def test_a_limit_that_is_still_too_low_books_nothing(story: Story):
    story.says("ana", "#tope 30m", 1)
    story.says("marta", "#time 45m", 1)
    story.says("ana", "#tope 40m", 1)
    assert story.balance() == 240


def test_free_work_knows_no_limit(story: Story):
    story.says("ana", "#tope 5m", 1)
    story.says("marta", "#free 45m", 1)
    assert [entry.kind for entry in story.ledger()[1:]] == [Kind.COURTESY]


# ---- estimates -----------------------------------------------------------------------------------


def test_an_estimate_that_asks_waits_for_the_clients_ok(story: Story):
    story.says("marta", "#estimar 90m consultar", 1)
    assert (story.told(), story.ticket().estimate) == ([("estimate", ANA)], 90)
    assert story.ticket().status is Status.WAITING
    evidence = story.says("ana", "OK", 1)
    assert story.told() == [("estimate_approved", MARTA)]
    [matter] = story.matters()
    assert (matter.state, story.ticket().status, evidence.outcome) == (MatterState.GRANTED, Status.OPEN, "append")
    assert matter.decision is not None


def test_an_estimate_above_what_the_rules_allow_asks_by_itself(tmp_path: Path):
    with begun(tmp_path, time={"approve_above": "1h"}) as story:
        story.says("marta", "#estimate 60m", 1)
        story.says("marta", "#estimate 61m", 1)
        assert [matter.minutes for matter in story.matters()] == [61]


def test_a_new_estimate_takes_the_place_of_the_old_one(story: Story):
    story.says("marta", "#estimate 60m ask", 1)
    story.says("marta", "#estimate 90m ask", 1)
    assert [matter.state for matter in story.matters()] == [MatterState.WITHDRAWN, MatterState.OPEN]


def test_ok_without_anything_that_waits_is_a_message_like_any_other(story: Story):
    before = len(story.stored.mails())
    story.says("ana", "ok", 1)
    assert [mail.template for mail in story.stored.mails()[before:]] == ["notice"]


def test_an_estimate_passed_by_more_than_the_margin_is_told_once_to_all(story: Story):
    story.says("marta", "#estimate 60m", 1)
    story.told()
    story.says("marta", "#time 66m", 1)
    assert story.told() == []
    story.says("marta", "#time 1m", 1)
    assert story.told() == [("estimate_passed", MARTA), ("estimate_passed", ELENA), ("estimate_passed", ANA)]
    story.says("marta", "#time 1m", 1)
    assert story.told() == []


# ---- disputes ------------------------------------------------------------------------------------


@pytest.fixture
def charged(story: Story) -> Story:
    story.says("marta", "Hecho, era el certificado.\n\n#time 40m certificado", 1)
    story.told()
    return story


def test_a_dispute_is_recorded_and_the_director_gets_the_whole_story(charged: Story):
    number = charged.ledger()[-1].id
    charged.says("ana", f"#reclamar {number} fueron diez minutos", 1)
    assert charged.told() == [("dispute_opened", ANA), ("dispute_asked", ELENA)]
    story = charged.text_of("dispute_asked")
    assert all(part in story for part in ("era el certificado", "Marta Gil", "40 min", "fueron diez minutos"))
    assert charged.balance() == 200, "it counts until it is ruled on"


@pytest.mark.parametrize(
    ("ruling", "minutes", "state"),
    [
        ("#confirmar {}", 200, MatterState.REFUSED),
        ("#ajustar {} 10m", 230, MatterState.REDUCED),
        ("#anular {}", 240, MatterState.GRANTED),
    ],
)
def test_a_ruling_is_booked_by_an_entry_and_told_with_its_reason(
    charged: Story, ruling: str, minutes: int, state: MatterState
):
    number = charged.ledger()[-1].id
    charged.says("ana", f"#reclamar {number}", 1)
    charged.told()
    charged.says("elena", f"Lo he mirado con Marta.\n\n{ruling.format(number)}", 1)
    assert charged.told() == [("dispute_decided", ANA), ("dispute_decided", MARTA)]
    assert "Lo he mirado con Marta." in charged.text_of("dispute_decided")
    assert charged.balance() == minutes
    assert [matter.state for matter in charged.matters()] == [state]
    assert charged.ledger()[1].minutes == -40, "the entry itself never changes"


def test_a_ruling_without_a_reason_is_handed_back(charged: Story):
    number = charged.ledger()[-1].id
    charged.says("ana", f"#reclamar {number}", 1)
    charged.told()
    charged.says("elena", f"#ajustar {number} 10m", 1)
    assert charged.told() == [("problems", ELENA)]
    assert charged.balance() == 200


def test_a_dispute_without_a_number_means_the_tickets_entries(charged: Story):
    charged.says("marta", "#time 5m\n#free 3m", 1)
    charged.says("ana", "#reclamar me parece mucho", 1)
    assert [matter.entry for matter in charged.matters()] == [2, 3]


def test_an_entry_is_ruled_on_once(charged: Story):
    for text in ("No procede del todo.\n#ajustar 2 10m", "Y ahora nada.\n#ajustar 2 5m", "Ni eso.\n#anular 2"):
        charged.says("elena", text, 1)
    assert charged.balance() == 230


def test_a_technician_cannot_rule_on_a_dispute(charged: Story):
    charged.says("ana", "#reclamar 2", 1)
    charged.says("marta", "Está bien así.\n\n#confirmar 2", 1)
    assert [matter.state for matter in charged.matters()] == [MatterState.OPEN]


def test_of_another_clients_entry_nothing_is_said_but_that_there_is_none(charged: Story):
    charged.stored.book(240, client="beta", package="4h", price="160.00 EUR")
    charged.says("hello@beta.example", "Broken", subject="Shop")
    charged.says("hello@beta.example", "#dispute 2 too long", 2)
    assert charged.matters() == []
    assert charged.told() == [("claim_wrong", "hello@beta.example")]
    assert "40" not in charged.text_of("claim_wrong")


def test_plain_words_of_disagreement_are_flagged_and_not_decided(charged: Story):
    charged.says("ana", "No estoy de acuerdo con los 40 minutos que me habéis cobrado.", 1)
    assert charged.told() == [("dispute_words", ELENA)]
    assert charged.matters() == []


def test_a_wrong_line_of_a_client_is_explained_and_the_message_is_filed(charged: Story):
    plan = charged.says("ana", "Hola, sigue igual.\n\n#reclamar 99 no es mío", 1)
    assert charged.told() == [("claim_wrong", ANA)]
    assert plan.outcome == "append"


def test_commands_of_the_desk_never_count_from_a_client(charged: Story):
    charged.says("ana", "#anular 2\n#ajustar 2 1m\n#confirmar 2\n#cancelar porque sí\n#aceptar", 1)
    assert charged.balance() == 200


# ---- refunds and the end of the contract ---------------------------------------------------------


def test_a_refund_within_the_window_gives_the_paid_amount_back(charged: Story):
    charged.says("marta", "#time 200m", 1)
    charged.told()
    charged.says("ana", "#devolucion", 1, at=NOW + 15 * DAY)
    assert charged.told() == [("refund_asked", ANA), ("refund_request", ELENA)]
    charged.says("elena", "Sin problema, os lo devolvemos.\n\n#aceptar", 1, at=NOW + 16 * DAY)
    assert charged.told() == [("refund_decided", ANA), ("refund_decided", ELENA)]
    last = charged.ledger()[-1]
    assert (last.kind, last.minutes, last.price) == (Kind.REFUND, 0, "160.00 EUR")


def test_a_late_refund_reaches_the_director_marked_late_and_may_be_declined(charged: Story):
    charged.says("marta", "#time 200m", 1)
    charged.told()
    charged.says("ana", "Queremos la devolución del importe pagado por el paquete.", 1, at=NOW + 16 * DAY)
    assert charged.told() == [("refund_asked", ANA), ("refund_request", ELENA)]
    assert "FUERA DE PLAZO" in charged.text_of("refund_request")
    charged.says("elena", "Ya pasó el plazo.\n\n#rechazar", 1, at=NOW + 16 * DAY)
    assert charged.told() == [("refund_decided", ANA), ("refund_decided", ELENA)]
    assert [matter.state for matter in charged.matters()] == [MatterState.REFUSED]


def test_a_refund_is_asked_for_once(charged: Story):
    charged.says("ana", "#devolucion", 1)
    charged.told()
    charged.says("ana", "#devolucion", 1)
    assert charged.told() == [("claim_wrong", ANA)]


def test_cancelling_settles_what_is_left(charged: Story):
    charged.says("ana", "#reclamar 2", 1)
    charged.told()
    charged.says("elena", "Lo dejamos aquí y os devolvemos lo que queda.\n\n#cancelar", 1)
    assert charged.told()[-2:] == [("account_closed", ANA), ("account_closed", ELENA)]
    last = charged.ledger()[-1]
    assert (last.kind, last.minutes, last.price, charged.balance()) == (Kind.REFUND, -200, "133.33 EUR", 0)
    assert [matter.state for matter in charged.matters()] == [MatterState.WITHDRAWN]


def test_what_settles_an_account_counts_what_the_same_mail_books(charged: Story):
    charged.says("elena", "Lo dejamos aquí.\n\n#cancelar\n#anular 2", 1)
    assert (charged.balance(), charged.ledger()[-1].price) == (0, "160.00 EUR")
    assert charged.told() == [("account_closed", ANA), ("account_closed", ELENA)]


def test_work_booked_beside_the_settlement_is_not_paid_back(charged: Story):
    charged.says("elena", "Lo dejamos aquí.\n\n#time 50m\n#cancelar", 1)
    assert (charged.balance(), charged.ledger()[-1].minutes, charged.ledger()[-1].price) == (0, -150, "100.00 EUR")


def test_what_was_given_back_cannot_be_asked_for_again(charged: Story):
    charged.says("ana", "#devolucion", 1)
    charged.says("elena", "De acuerdo.\n\n#aceptar", 1)
    charged.told()
    charged.says("ana", "#devolucion", 1)
    assert charged.told() == [("claim_wrong", ANA)]
    charged.says("ana", "Otra cosa", subject="Otra")
    assert "#devolucion" not in charged.text_of("ack")


def test_a_refund_asked_for_in_a_new_mail_waits_for_nobody_to_buy(charged: Story):
    charged.says("marta", "#time 200m", 1)
    before = len(charged.stored.mails())
    charged.says("ana", "No hemos quedado contentos.\n\n#devolucion", subject="Devolución")
    assert charged.ticket(2).status is Status.NEW
    assert {mail.template for mail in charged.stored.mails()[before:]} == {"refund_asked", "refund_request", "notice"}
    assert "No hemos quedado contentos." in charged.text_of("refund_request")
    charged.says("elena", "Lo siento.\n\n#aceptar", 2)
    assert (charged.ticket(2).status, charged.ticket(2).first_answer_at) == (Status.WAITING, NOW)


def test_both_sides_learn_that_work_past_the_limit_was_booked(story: Story):
    story.says("ana", "#tope 30m", 1)
    for who, told in (("ana", [("debit_booked", ANA), ("debit_released", MARTA)]), ("marta", [("debit_booked", ANA)])):
        story.says("marta", "#time 45m", 1)
        story.told()
        story.says(who, "ok" if who == "ana" else "#yes", 1)
        assert story.told() == told


@pytest.mark.parametrize("subject", ["Saldo", "Informe"])
@pytest.mark.parametrize("text", ["#devolucion", "Quiero que me devuelvan el dinero, gracias.", "#reclamar 2 no"])
def test_a_question_that_claims_something_is_answered_and_filed(charged: Story, subject: str, text: str):
    assert charged.says("ana", text, subject=subject).outcome == "open"
    assert len(charged.matters()) == 1


def test_words_that_ask_for_the_money_are_heard_above_any_quote(charged: Story):
    quoted = "El mar, 3 nov 2026 a las 11:00, Soporte (<soporte@example.es>) escribió:\n> el cliente\n> pide"
    charged.says("ana", f"Quiero que me devuelvan el dinero\n\n{quoted}", 1)
    assert charged.told() == [("refund_asked", ANA), ("refund_request", ELENA)]


def test_ok_agrees_to_what_the_mail_that_it_answers_asked_for(charged: Story):
    for number, minutes in enumerate((60, 300)):
        charged.says("marta", f"#estimar {minutes}m consultar", 1, at=NOW + number * DAY)
    asked = [raw for raw in charged.stored.raws() if b"consultar" not in raw and b"Estim" in raw]
    first = message_from_bytes(asked[0], policy=default)["Message-ID"]
    charged.says("ana", "ok", 1, headers=f"In-Reply-To: {first}\n")
    assert [one.state for one in charged.matters()] == [MatterState.WITHDRAWN, MatterState.OPEN]


def test_thanks_for_an_answer_agree_to_nothing(charged: Story):
    charged.says("ana", "#tope 50m", 1)
    charged.says("marta", "#time 45m", 1)
    charged.says("marta", "¿Lo ves bien?", 1, at=NOW + DAY)
    answer = message_from_bytes(charged.stored.raws()[-1], policy=default)["Message-ID"]
    charged.says("ana", "Vale, gracias", 1, headers=f"In-Reply-To: {answer}\n")
    assert charged.balance() == 200


def test_money_that_goes_back_takes_what_waited_with_it(charged: Story):
    charged.says("ana", "#tope 50m", 1)
    charged.says("marta", "#time 45m", 1)
    charged.says("ana", "#devolucion", 1)
    charged.says("elena", "Hecho.\n\n#aceptar", 1)
    charged.says("ana", "ok", 1)
    assert charged.balance() == 0


@pytest.mark.parametrize(
    "orders", ["#aceptar\n#rechazar", "#cancelar\n#aceptar", "#cancelar\n#cancelar", "#estimar 60m\n#estimar 90m"]
)
def test_lines_that_contradict_each_other_are_handed_back(charged: Story, orders: str):
    charged.says("ana", "#devolucion", 1)
    charged.told()
    charged.says("elena", f"Por lo hablado.\n\n{orders}", 1)
    assert charged.told() == [("problems", ELENA)]
    assert charged.balance() == 200


def test_yes_twice_books_nothing_and_says_so(charged: Story):
    charged.says("ana", "#tope 50m", 1)
    charged.says("marta", "#time 45m", 1)
    charged.told()
    charged.says("marta", "#yes\n#si", 1)
    assert charged.told() == [("problems", MARTA)]


def test_of_two_limits_the_last_counts_and_books_once(charged: Story):
    charged.says("ana", "#tope 50m", 1)
    charged.says("marta", "#time 45m", 1)
    charged.says("ana", "#tope 60m\n#limit 120m", 1)
    assert (charged.ticket().limit, charged.balance()) == (120, 155)


def test_money_back_is_asked_for_once_in_a_mail(charged: Story):
    charged.says("ana", "#devolucion\n#reembolso", 1)
    assert len(charged.matters()) == 1


def test_a_limit_may_stand_in_the_first_mail_of_a_ticket(charged: Story):
    charged.says("ana", "Cambiad el logo.\n\n#tope 30m", subject="El logo")
    assert charged.ticket(2).limit == 30


def test_a_limit_that_lets_through_what_cannot_be_booked_says_so(tmp_path: Path):
    with begun(tmp_path, time={"overdraft": "refuse"}) as story:
        story.says("ana", "#tope 30m", 1)
        story.says("marta", "#time 60m", 1)
        story.says("ana", "Otra cosa: el logo.", subject="El logo")
        story.says("marta", "#time 200m", 2)
        story.says("ana", "#tope 5h", 1)
        assert "esperaban su visto bueno" not in story.text_of("limit_set")


def test_somebody_who_left_the_rules_gets_no_more_answers(tmp_path: Path):
    with stored_desk(tmp_path) as stored:
        story = Story(stored)
        story.says("pepe@tienda.example", "No va el carrito.")
        gone = {**RULES["clients"]["acme"], "addresses": ["ana@acme.example"]}
        stored.office = replace(stored.office, desk=desk(clients={"acme": gone}))
        story.says("marta", "Datos privados.", 1)
        assert [mail.to for mail in stored.mails() if mail.template == "answer"] == [ANA]


def test_a_ruling_on_two_clients_needs_two_mails(charged: Story):
    charged.stored.book(240, client="beta", package="4h", price="160.00 EUR")
    charged.says("hello@beta.example", "Broken", subject="Shop")
    charged.says("marta", "#time SOP-2 20m", 1)
    charged.told()
    charged.says("elena", "Acme pidió dos veces.\n\n#ajustar 2 10m\n#ajustar 4 10m", 1)
    assert charged.told() == [("problems", ELENA)]


def test_the_director_who_was_asked_learns_that_the_author_took_it_back(charged: Story):
    charged.says("ana", "#reclamar 2", 1)
    charged.told()
    charged.says("marta", "Error mío.\n\n#anular 2", 1)
    assert charged.told() == [("dispute_decided", ANA), ("dispute_decided", MARTA), ("dispute_decided", ELENA)]


# ---- prospects -----------------------------------------------------------------------------------

LUIS = "luis@nueva.example"


@pytest.fixture
def open_desk(tmp_path: Path) -> Iterator[Story]:
    with begun(tmp_path, desk={"strangers": "prospect", "prospects_per_day": 2, "payment": "ES00 0000"}) as story:
        yield story


def test_somebody_unknown_is_asked_who_they_are_in_a_ticket_of_their_own(open_desk: Story):
    plan = open_desk.says(LUIS, "Hola, ¿me podéis ayudar con mi tienda?", subject="Consulta")
    assert (plan.outcome, open_desk.ticket(2).client) == ("open", "")
    assert open_desk.told() == [("prospect_welcome", LUIS), ("prospect_notice", ELENA)]


def test_what_they_write_next_goes_to_their_ticket_without_another_welcome(open_desk: Story):
    open_desk.says(LUIS, "Hola", subject="Consulta")
    open_desk.told()
    assert open_desk.says(LUIS, "Vendemos quesos.", subject="Otra vez yo").outcome == "append"
    assert open_desk.says(LUIS, "Y vinos.", 2).outcome == "append"
    assert open_desk.told() == [("prospect_notice", ELENA)] * 2


def test_a_prospect_learns_nothing_of_clients_and_commands_nothing(open_desk: Story):
    open_desk.says(LUIS, "saldo", subject="saldo")
    assert open_desk.says(LUIS, "#cerrar", 1, to="soporte@example.es", subject="[SOP-1] El carrito").ticket.id != 1
    assert open_desk.ticket(1).status is Status.NEW


def test_only_so_many_unknown_people_are_answered_in_a_day(open_desk: Story):
    for number in range(3):
        open_desk.says(f"p{number}@nueva.example", "Hola", subject="Consulta")
    welcomed = [to for template, to in open_desk.told() if template == "prospect_welcome"]
    assert welcomed == ["p0@nueva.example", "p1@nueva.example"]
    later = open_desk.says("p4@nueva.example", "Hola", subject="Consulta", at=NOW + DAY)
    assert later.outcome == "open"


def test_a_robot_is_never_welcomed(open_desk: Story):
    open_desk.says(LUIS, "Oferta", subject="Oferta", headers="Precedence: bulk\nList-Id: <x.example>\n")
    assert open_desk.told() == []


@pytest.mark.parametrize(
    ("word", "template", "status"),
    [("#aceptar", "prospect_accepted", Status.WAITING), ("#rechazar", "prospect_declined", Status.CLOSED)],
)
def test_the_director_says_yes_or_no_by_mail(open_desk: Story, word: str, template: str, status: Status):
    open_desk.says(LUIS, "Vendemos quesos.", subject="Consulta")
    open_desk.told()
    open_desk.says("elena", f"Hola, Luis: gracias por escribir.\n\n{word}", 2)
    assert open_desk.told() == [(template, LUIS)]
    assert all(words in open_desk.text_of(template) for words in ("gracias por escribir", "Hola, Luis"))
    assert open_desk.ticket(2).status is status


@pytest.mark.parametrize("word", ["#aceptar", "#rechazar"])
def test_a_prospect_that_a_rule_holds_is_held_no_more_once_answered(tmp_path: Path, word: str):
    rule = {"name": "new", "match": {"any": ["quesos"]}, "set": {"hold": True}}
    with begun(tmp_path, desk={"strangers": "prospect"}, rules=[rule]) as story:
        story.says(LUIS, "Vendemos quesos.", subject="Consulta")
        assert story.ticket(2).status is Status.HELD
        story.says("elena", f"Hola, Luis.\n\n{word}", 2)
        assert story.ticket(2).held_for == ""


def test_minutes_cannot_be_booked_on_somebody_who_has_no_account(open_desk: Story):
    open_desk.says(LUIS, "Hola", subject="Consulta")
    open_desk.told()
    open_desk.says("elena", "Hola.\n\n#time 5m", 2)
    assert open_desk.told() == [("problems", ELENA)]


def test_the_desks_answer_to_a_prospect_speaks_of_no_minutes(open_desk: Story):
    open_desk.says(LUIS, "Hola", subject="Consulta")
    open_desk.says("elena", "¿Qué tienda es?", 2)
    assert "Saldo" not in open_desk.text_of("answer")


# ---- books that do not add up --------------------------------------------------------------------


def test_no_minutes_are_booked_while_the_books_do_not_add_up(charged: Story):
    with charged.stored.store.write() as tx:
        events.record(tx, "halt", "", "2026-11-03", NOW)
    charged.says("marta", "Hecho.\n\n#time 5m", 1)
    assert charged.told() == [("problems", MARTA)]
    charged.says("marta", "Sin minutos, va igual.", 1)
    assert charged.stored.mails()[-1].template == "answer"
    with charged.stored.store.write() as tx:
        events.record(tx, "resume", "", "2026-11-03", NOW)
    charged.says("marta", "#time 5m", 1)
    assert charged.balance() == 195
