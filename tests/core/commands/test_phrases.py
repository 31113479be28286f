"""What clients say in plain words: yes, no, money back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.core.commands.phrases import LONGEST_YES, agrees, disagrees, thanks, wants_money_back
from tests.support import in_linear_time

# ---- yes


@pytest.mark.parametrize(
    "text",
    [
        "ok",
        "OK.",
        "Ok!!",
        "okay",
        "Vale",
        "vale 👍",
        "Ok 👍🏽",
        "De acuerdo.",
        "Conforme",
        "Adelante, gracias.",
        "ok, adelante",
        "Sí, de acuerdo",
        "Estoy de acuerdo, adelante.",
        "Perfecto, adelante. Muchas gracias",
        "Ok, gracias\n\nUn saludo",
        "Buenos días:\n\nVale, adelante.\n\nUn cordial saludo.",
        "\u200bok\u00a0",
        "Go ahead, please",
        "Yes, ok. Thanks",
        "We agree.\nBest regards",
    ],
)
def test_a_plain_yes_is_agreement(text: str) -> None:
    assert agrees(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "gracias",
        "Sí",
        "perfecto",
        "👍",
        "ok?",
        "¿Vale?",
        "ok pero máximo 30 minutos",
        "Vale, pero mañana",
        "ok 30m",
        "ok 👎",
        "no",
        "No estoy de acuerdo",
        "no ok",
        "ok no",
        "Ok, ¿cuándo empezáis?",
        "De acuerdo con el contrato",
        "ok si no pasa de una hora",
        "ok\nLuis",
        "Adelante con la primera parte",
        "I do not agree",
        "okupa",
        "ok#",
    ],
)
def test_anything_that_may_carry_a_condition_is_no_agreement(text: str) -> None:
    assert not agrees(text)


def test_names_of_those_who_write_to_each_other_count_for_nothing() -> None:
    names = ("Ana Prieto", "Marta Gil")
    assert agrees("Hola, Marta:\n\nOk, adelante.\n\nUn saludo,\nAna Prieto", names)
    assert agrees("ok\nAna", names)
    assert not agrees("ok\nLuis", names)
    assert not agrees("Ana", names)
    assert not agrees("No, ok", ("No Solo Web",))


def test_a_yes_is_short() -> None:
    assert agrees("ok" + "." * (LONGEST_YES - 2))
    assert not agrees("ok" + "." * (LONGEST_YES - 1))


# ---- no


@pytest.mark.parametrize(
    "text",
    [
        "No estoy de acuerdo con los 40 minutos del día 3.",
        "no estamos de acuerdo con el tiempo cargado",
        "No estoy conforme con el informe",
        "No estamos nada conformes con lo facturado.",
        "Nos habéis descontado 40 minutos por cambiar una foto. No estoy\nde acuerdo.",
        "Queremos mostrar nuestro desacuerdo con el cargo",
        "I do not agree with the minutes you charged",
        "I don't agree with this entry",
        "We don’t agree with the report",
        "I strongly disagree with the time spent on SOP-12",
        "There are two hours in the report. We disagree.",
    ],
)
def test_disagreement_with_what_was_charged_is_seen(text: str) -> None:
    assert disagrees(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "De acuerdo con los 40 minutos.",
        "No estoy de acuerdo con el color del botón",
        "El cliente no está de acuerdo con el importe del envío",
        "I do not agree with the blue colour",
        "El informe está bien, gracias. "
        + "Otra cosa: la página de inicio. " * 8
        + "No estoy de acuerdo con el diseño.",
        "Quedan 40 minutos",
    ],
)
def test_other_opinions_are_no_dispute(text: str) -> None:
    assert not disagrees(text)


# ---- money back


@pytest.mark.parametrize(
    "text",
    [
        "Solicito la devolución del importe.",
        "Solicitamos la devolución del importe abonado por el paquete de 4 horas.",
        "Quiero la devolución del dinero",
        "Hola:\n\nQueremos el reembolso\ndel paquete, no vamos a seguir.\n\nUn saludo",
        "Quisiera solicitar la devolución del bono",
        "Pedimos la devolución íntegra de lo pagado",
        "Deseamos el reembolso de las horas que nos quedan.",
        "Me gustaría pedir la devolución de mi dinero",
        "Exijo la devolución de lo que pagué.",
        "Escribo para solicitar el reembolso de los 160 €.",
        "Solicito el reembolso de 160,00 euros",
        "Quiero que me devuelvan el dinero.",
        "Pedimos que nos devolváis el importe",
        "Exigimos que se nos devuelva lo abonado",
        "Esto no es lo que se acordó. Devuélvanme el dinero.",
        "Devolvednos lo pagado",
        "¿Podéis devolvernos el dinero?",
        "¿Nos podríais reembolsar el paquete?",
        "Os he pedido tres veces lo mismo y quiero la devolución del dinero.",
        "I want a refund of the package",
        "I would like a refund for the unused hours.",
        "We'd like to request a full refund of our payment",
        "We want our money back!",
        "I’d like my money back",
        "In order to close this, I request a refund of the money.",
        "Please refund our payment.",
        "Could you please refund us?",
    ],
)
def test_asking_for_what_was_paid_to_the_desk_is_seen(text: str) -> None:
    assert wants_money_back(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Un cliente pide la devolución de su pedido y no sé cómo hacerlo",
        "Un cliente solicita la devolución del importe",
        "Un cliente nos escribe: quiero la devolución del dinero.",
        "Nos ha escrito una clienta. Quiero que me devuelvan el dinero, dice.",
        'Me dicen: "Quiero la devolución del dinero"',
        "El módulo de devoluciones no funciona",
        "Quiero instalar un módulo de devolución del importe",
        "Queremos la devolución automática del importe al cancelar",
        "Queremos la devolución del importe de forma automática desde el carrito",
        "Solicito la devolución del importe del pedido 4512 por Redsys",
        "Quiero la devolución del pedido",
        "¿Cómo hago la devolución del dinero a un comprador?",
        "La página de devoluciones y reembolsos da error 500",
        "No quiero la devolución del dinero, quiero que funcione",
        "Si no lo arregláis hoy, queremos la devolución del dinero.",
        "El banco nos devuelve el dinero el lunes",
        "Hay que devolver el importe a los clientes",
        "Quiero devolver el dinero a una persona",
        "Quiero cambiar la política de devolución",
        "A customer wants a refund of the package",
        "I want a refund button on the order page",
        "I want to refund the payment of order 33",
        "How do I refund a customer?",
        "We would like a refund of the payment to start from the checkout",
        "The refund of the money fails with Stripe",
        "I don't want a refund of the package",
        "If you cannot fix it I want a refund of the package",
        "Please refund the customer",
        "Please refund my customer's payment",
        "Our customer says: I want my money back",
    ],
)
def test_a_shops_talk_about_its_own_customers_money_is_not(text: str) -> None:
    assert not wants_money_back(text)


@given(st.text(), st.text())
def test_no_text_makes_the_reading_of_phrases_fail(text: str, name: str) -> None:
    assert isinstance(agrees(text, [name]) or disagrees(text) or wants_money_back(text), bool)


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit",
    [
        "ok ",
        "no estoy ",
        "no estoy de acuerdo ",
        "i ",
        "quiero la devolucion de ",
        "quiero la devolucion del dinero un cliente. ",
        "quiero que me devuelv",
        "quiero la devolucion de lo que pag",
        "quiero la devolucion de 1.1",
        "\n ",
        "\n\n",
        ". ",
        "a\u0301",
        "please refund ",
    ],
)
def test_hostile_texts_take_linear_time(unit: str) -> None:
    text = unit * (500_000 // len(unit))
    with in_linear_time():
        agrees(text)
        disagrees(text)
        wants_money_back(text)


# ---- thank you


@pytest.mark.parametrize(
    "text",
    [
        "Gracias",
        "¡Muchas gracias!",
        "Mil gracias, Marta 😊",
        "Hola, Marta:\n\nMuchas gracias por la ayuda.\n\nUn saludo,\nAna",
        "gracias de nuevo",
        "Thanks!",
        "Thank you very much",
        "Hi Marta,\n\nmany thanks for your quick help\n\nAna Prieto",
    ],
)
def test_text_that_only_says_thank_you_is_told_from_one_that_asks(text):
    assert thanks(text, ("Ana Prieto", "Marta Gil"))


@pytest.mark.parametrize("text", ["Perfecto, muchas gracias", "Ok, gracias", "Ya funciona, gracias", "Great, thanks"])
def test_what_may_be_a_yes_is_a_thank_you_only_where_all_is_over(text):
    assert thanks(text, over=True)
    assert not thanks(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ok",
        "perfecto",
        "¿Gracias?",
        "Gracias, ¿y el logo?",
        "Gracias, pero no funciona",
        "No funciona, gracias",
        "Gracias por adelantado",
        "Gracias. Mañana os llamo",
        "Gracias, hazlo en 2 webs",
        "Gracias, gracias, gracias, gracias, gracias, gracias, gracias, gracias, gracias",
        "Gracias por nada",
        "Thanks in advance",
    ],
)
def test_what_asks_for_more_or_nothing_of_the_kind_is_no_thank_you(text):
    assert not thanks(text, ("Ana Prieto", "Marta Gil"), over=True)
