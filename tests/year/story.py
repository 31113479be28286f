"""A year of a client's life, and what other clients lived meanwhile, told in the order in which it happened.

Acme is the client of the year; Beta and Delta want their money back; Gamma comes as somebody unknown and stays
until a 29 February is a year ago. Each chapter lets time go by (`year.on`), lets people write, and says who
was told what. The words of every mail are in mails/.
"""

from __future__ import annotations

from datetime import date

import pytest

from mailgate.core.model import Kind, Status
from mailgate.errors import Refused
from mailgate.store import tickets
from tests.year.life import Life

BEGINS = date(2026, 2, 1)


# ---- Acme becomes a client, and gets work done ---------------------------------------------------


def the_first_purchase(year: Life) -> None:
    year.on("2026-02-02", "10:00")
    with pytest.raises(Refused, match="a first purchase can only be: 4h"):
        year.buys("acme", "12h")
    assert year.told() == []
    year.buys("acme", "4h", "transfer", "F-2026-014")
    assert year.told() == ["receipt to ana"]


def work_by_mail(year: Life) -> None:
    year.on("2026-02-02", "11:00")
    cart = year.writes("ana", "El carrito no cobra", "Hola:\n\nDesde hoy no se puede pagar con tarjeta.\n\nAna")
    assert year.told() == ["ack to ana", "notice to marta"]

    year.on("2026-02-02", "12:30")
    year.answers("marta", cart, "Hola, Ana:\n\nHabía caducado la clave del TPV. Ya cobra.\n\n#time 12m clave del TPV")
    assert year.told() == ["answer to ana"]
    assert year.balance("acme") == 228

    year.on("2026-02-03", "17:00")
    form = year.writes("ana", "El formulario", "Hola:\n\nEl formulario de contacto no nos llega. ¿Hablamos?\n\nAna")
    year.on("2026-02-04", "10:15")
    year.answers(
        "marta",
        form,
        "Hola, Ana:\n\nYa llega: el servidor de correo lo rechazaba. La explicación corre de nuestra cuenta.\n\n"
        "#llamada 10m @ayer contigo, por el formulario\n#time 25m @ayer permisos del correo\n#cortesia 5m explicación",
    )
    assert year.told() == ["ack to ana", "notice to marta", "answer to ana"]
    call, work, courtesy = year.ledger("acme")[-3:]
    assert call.phone
    assert (work.day, work.minutes) == (date(2026, 2, 3), -25)
    assert (courtesy.kind, courtesy.day) == (Kind.COURTESY, date(2026, 2, 4))
    assert year.balance("acme") == 193


def a_limit(year: Life) -> None:
    year.on("2026-02-09")
    banner = year.writes("ana", "Banner de rebajas", "Hola:\n\nHay que cambiar el banner de la portada.\n\nAna")
    year.answers("ana", banner, "No quisiera gastar mucho en esto.\n\n#tope 30m")
    assert year.told() == ["ack to ana", "notice to marta", "limit_set to ana", "notice to marta"]

    year.on("2026-02-10")
    year.answers("marta", banner, "Hola, Ana:\n\nYa está puesto.\n\n#time 20m banner")
    assert year.told() == ["answer to ana"]
    year.on("2026-02-11")
    year.answers("marta", banner, "Hola, Ana:\n\nTambién la versión para el móvil.\n\n#time 25m banner del móvil")
    assert year.told() == ["limit_reached to ana", "debit_held to marta", "answer to ana"]
    assert year.balance("acme") == 173

    year.on("2026-02-12")
    year.answers("ana", "limit_reached", "ok")
    assert year.told() == ["debit_booked to ana", "debit_released to marta"]
    assert year.balance("acme") == 148


def an_estimate(year: Life) -> None:
    year.on("2026-03-02")
    assert year.told() == ["statement to ana"], "of February"
    gateway = year.writes("ana", "Otra pasarela de pago", "Hola:\n\nQueremos cobrar también con Bizum.\n\nAna")
    year.on("2026-03-02", "12:00")
    year.answers("marta", gateway, "#estimar 90m consultar")
    assert year.told() == ["ack to ana", "notice to marta", "estimate to ana"]

    year.on("2026-03-03")
    year.answers("ana", "estimate", "De acuerdo, gracias.")
    assert year.told() == ["estimate_approved to marta"]

    year.on("2026-03-04")
    year.answers("marta", gateway, "Hola, Ana:\n\nLa pasarela ya está instalada.\n\n#time 60m instalación de Bizum")
    assert year.told() == ["answer to ana"]
    year.on("2026-03-05")
    year.answers("marta", gateway, "Hola, Ana:\n\nY probada con compras reales.\n\n#time 38m pruebas de Bizum")
    assert year.told() == ["low_balance to ana", "answer to ana"], "below 60 minutes, within 10 % of the estimate"
    year.on("2026-03-06")
    year.answers("marta", gateway, "#time 5m correo al banco")
    assert year.told() == ["estimate_passed to marta", "estimate_passed to elena", "estimate_passed to ana"]
    assert year.balance("acme") == 45


def the_end_of_the_service(year: Life) -> None:
    year.on("2026-04-13")
    assert year.told() == ["statement to ana"], "of March"
    photos = year.writes("ana", "Las fotos pesan mucho", "Hola:\n\nLa portada tarda en cargar.\n\nAna")
    year.on("2026-04-14")
    year.answers("marta", photos, "Hola, Ana:\n\nHe reducido las fotos de la portada.\n\n#time 20m fotos")
    assert year.told() == ["ack to ana", "notice to marta", "low_balance to ana", "answer to ana"]

    year.on("2026-04-20")
    year.answers("marta", photos, "Hola, Ana:\n\nY las del catálogo.\n\n#time 40m fotos del catálogo")
    assert year.told() == ["service_ended to ana", "service_ended to elena", "answer to ana"]
    assert year.balance("acme") == -15

    year.on("2026-04-21")
    logo = year.writes("ana", "El logo sale borroso", "Hola:\n\nEn el móvil el logo se ve mal.\n\nAna")
    assert year.told() == ["ack to ana", "notice to marta"]
    year.on("2026-04-22", "21:00")
    down = year.writes("ana", "Urgente: web caída", "La web caída desde hace un rato.\n\nAna")
    assert year.told() == ["ack to ana", "notice to marta", "notice to elena"]
    assert [held(year, ticket) for ticket in (logo, down)] == ["balance", "balance"]


def the_second_purchase(year: Life) -> None:
    year.on("2026-04-23", "10:05")
    year.buys("acme", "12h", "paypal", "8XK41")
    assert year.told() == ["receipt to ana", "resumed to marta", "resumed to marta"]
    assert year.balance("acme") == 705
    logo, down = (mail.ticket for mail in year.mails()[-2:])
    assert logo and down
    assert not held(year, logo) and not held(year, down)

    year.on("2026-04-23", "11:00")
    year.answers("marta", down, "Hola, Ana:\n\nEl disco estaba lleno de registros viejos.\n\n#time 45m disco lleno")
    year.on("2026-04-24")
    year.answers("marta", logo, "Hola, Ana:\n\nEl logo ya es vectorial.\n\n#time 30m logo vectorial\n#cerrar")
    assert year.told() == ["answer to ana", "answer to ana"]
    assert year.balance("acme") == 630


# ---- Beta and Delta want their money back --------------------------------------------------------


def a_refund_on_the_last_day(year: Life) -> None:
    year.on("2026-05-04")
    assert year.told() == ["statement to ana"], "of April"
    year.buys("beta", "4h", "transfer")
    shop = year.writes("tom", "Slow shop", "Hello,\n\nthe shop is very slow since Friday.\n\nTom")
    year.on("2026-05-12")
    year.answers("elena", shop, "Hello Tom,\n\nI moved the shop to a faster database.\n\n#time 4h migration")
    assert year.told() == [
        *("receipt to tom", "ack to tom", "notice to elena"),
        *("service_ended to tom", "service_ended to elena", "answer to tom"),
    ]

    year.on("2026-05-27", "23:50")
    year.answers("tom", "service_ended", "It is as slow as before, we are not happy.\n\n#refund")
    assert year.told() == ["refund_asked to tom", "refund_request to elena", "notice to elena"]
    year.on("2026-05-28", "10:00")
    year.answers("elena", "refund_request", "I am sorry that it did not help. You get all of it back.\n\n#aceptar")
    assert year.told() == ["refund_decided to tom", "refund_decided to elena"]
    last = year.ledger("beta")[-1]
    assert (last.kind, last.minutes, last.price) == (Kind.REFUND, 0, "160.00 EUR")


def a_refund_a_day_too_late(year: Life) -> None:
    year.on("2026-05-28")
    year.buys("delta", "4h", "transfer")
    cellar = year.writes("vera", "La bodega", "Hola:\n\nHay que dar de alta doscientos vinos.\n\nVera")
    year.on("2026-06-02")
    assert year.told() == [
        *("receipt to vera", "ack to vera", "notice to marta"),
        *("statement to tom", "statement to vera"),
    ]
    year.answers("marta", cellar, "Hola, Vera:\n\nYa están todos.\n\nUn saludo,\nMarta\n\n#time 4h alta de vinos")
    assert year.told() == ["service_ended to vera", "service_ended to elena", "answer to vera"]

    year.on("2026-06-18", "00:10")  # in UTC it is still the last day, the 17th
    year.answers(
        "vera", cellar, "Hola:\n\nNo nos ha servido. Queremos que nos devolváis el importe del paquete.\n\nVera"
    )
    assert year.told() == ["refund_asked to vera", "refund_request to elena", "notice to marta"]
    year.on("2026-06-18", "10:00")
    year.answers("elena", "refund_request", "Los vinos llevan dos semanas a la venta.\n\n#rechazar")
    assert year.told() == ["refund_decided to vera", "refund_decided to elena"]
    assert [entry.kind for entry in year.ledger("delta")] == [Kind.PURCHASE, Kind.DEBIT]


# ---- Acme disagrees three times ------------------------------------------------------------------


def a_dispute_that_is_upheld(year: Life) -> None:
    entry = next(entry.id for entry in year.ledger("acme") if entry.note == "disco lleno")
    year.on("2026-06-22")
    year.answers("ana", "statement", f"#reclamar {entry} en diez minutos estaba arreglado")
    assert year.told() == ["dispute_opened to ana", "dispute_asked to elena", "notice to marta"]
    year.on("2026-06-22", "12:00")
    year.answers(
        "elena", "dispute_asked", f"La web volvió en diez minutos; vaciar el disco llevó 35 más.\n\n#confirmar {entry}"
    )
    assert year.told() == ["dispute_decided to ana", "dispute_decided to marta"]
    assert year.balance("acme") == 630


def a_dispute_that_is_granted(year: Life) -> None:
    year.on("2026-06-23")
    letter = year.writes("ana", "El boletín", "Hola:\n\n¿Se puede programar el boletín de julio?\n\nAna")
    year.on("2026-06-24")
    year.answers("marta", letter, "Hola, Ana:\n\nProgramado y, de paso, rediseñado.\n\n#time 60m diseño del boletín")
    entry = year.ledger("acme")[-1].id
    year.on("2026-06-25")
    year.answers("ana", letter, f"Hola:\n\n#reclamar {entry} no pedimos ningún diseño\n\nAna")
    assert year.told() == [
        *("ack to ana", "notice to marta", "answer to ana"),
        *("dispute_opened to ana", "dispute_asked to elena", "notice to marta"),
    ]
    assert year.balance("acme") == 570, "it counts until it is ruled on"
    year.on("2026-06-26")
    year.answers("elena", "dispute_asked", f"Tenéis razón, no lo pedisteis.\n\n#anular {entry}")
    assert year.told() == ["dispute_decided to ana", "dispute_decided to marta"]
    assert year.balance("acme") == 630


def a_dispute_that_is_granted_in_part(year: Life) -> None:
    year.on("2026-06-29")
    course = year.writes("ana", "Un curso", "Hola:\n\n¿Nos enseñáis a publicar las ofertas?\n\nAna")
    year.on("2026-06-30")
    year.answers("marta", course, "Hola, Ana:\n\nAquí va la guía, con capturas.\n\n#time 50m guía de ofertas")
    entry = year.ledger("acme")[-1].id
    assert year.told() == ["ack to ana", "notice to marta", "answer to ana"]

    year.on("2026-07-01")
    year.answers("ana", course, "Hola:\n\nNo estoy de acuerdo con los 50 minutos que se cobran por la guía.\n\nAna")
    assert year.told() == ["statement to ana", "statement to vera", "dispute_words to elena", "notice to marta"]
    year.on("2026-07-02")
    year.answers("ana", course, "#reclamar 999 la guía ya la teníais hecha")
    assert year.told() == ["claim_wrong to ana", "notice to marta"]
    year.answers("ana", course, "#reclamar la guía ya la teníais hecha")
    assert year.told() == ["dispute_opened to ana", "dispute_asked to elena", "notice to marta"]
    year.on("2026-07-03")
    year.answers("elena", "dispute_asked", f"Solo había que adaptarla a vuestra tienda.\n\n#ajustar {entry} 20m")
    assert year.told() == ["dispute_decided to ana", "dispute_decided to marta"]
    assert year.balance("acme") == 610


def the_last_work_of_the_year(year: Life) -> None:
    year.on("2026-07-15")
    course = year.mails()[-1].ticket
    assert course
    year.answers("ana", course, "Hola:\n\n¿Podéis publicar vosotros la oferta de agosto?\n\nAna")
    year.answers("marta", course, "Hola, Ana:\n\nPublicada.\n\n#time 15m oferta de agosto\n#cerrar")
    assert year.told() == ["notice to marta", "answer to ana"]
    assert year.balance("acme") == 595


# ---- Gamma becomes a client ----------------------------------------------------------------------


def somebody_unknown(year: Life) -> None:
    year.on("2027-06-01")
    assert year.told() == ["statement to ana"], "of July 2026; nothing has happened since"
    cheese = year.writes("luis", "Una tienda de quesos", "Hola:\n\n¿Llevaríais nuestra tienda?\n\nLuis")
    assert year.told() == ["prospect_welcome to luis", "prospect_notice to elena"]
    year.on("2027-06-02")
    year.answers("luis", cheese, "Somos una quesería; la tienda es gamma.example y queremos vender en Francia.\n\nLuis")
    year.on("2027-06-03")
    year.answers("elena", cheese, "Hola, Luis:\n\n¿La tienda está ya en francés?")
    year.answers("luis", cheese, "Todavía no.")
    year.answers("elena", cheese, "Lo vemos claro: primero la traducción y luego los envíos.\n\n#aceptar")
    assert year.told() == [
        *("prospect_notice to elena", "answer to luis", "prospect_notice to elena"),
        "prospect_accepted to luis",
    ]


def a_new_client(year: Life) -> None:
    year.on("2027-07-05")
    assert year.told() == ["expiry_warning to ana"], "on 15 June, 30 days before"
    year.admin("client", "add", "gamma", "luis@gamma.example", "--name", "Quesería Gamma", "--technician", "marta")
    year.buys("gamma", "4h", "transfer", "F-2027-031")
    french = year.writes("luis", "La tienda en francés", "Hola:\n\nAdelante con la traducción.\n\nLuis")
    year.on("2027-07-07")
    year.answers("marta", french, "Hola, Luis:\n\nLos textos fijos ya están.\n\n#time 1h textos en francés")
    assert year.told() == ["receipt to luis", "ack to luis", "notice to marta", "answer to luis"]


# ---- the daemon is off for a month ---------------------------------------------------------------


def a_month_without_the_daemon(year: Life) -> None:
    year.on("2027-07-12")
    assert year.told() == ["expiry_warning to ana"], "on 8 July, 7 days before"
    with year.daemon_off():
        year.on("2027-08-12", "09:00")
        assert (year.told(), year.balance("acme")) == ([], 595), "the 15th of July has gone by"
    assert sorted(year.told()) == ["expired to ana", "expired to elena", "statement to luis"]
    assert year.balance("acme") == 0
    year.daily()
    assert year.told() == []
    year.on("2027-09-02")
    assert year.told() == ["statement to ana"], "of August, when it expired"


# ---- a 29 February -------------------------------------------------------------------------------


def a_leap_day(year: Life) -> None:
    year.on("2028-02-29")
    shipping = year.writes("luis", "Los envíos", "Hola:\n\nFaltan las tarifas de envío a Francia.\n\nLuis")
    year.answers("marta", shipping, "Hola, Luis:\n\nTarifas puestas.\n\n#time 40m tarifas de envío")
    assert year.told() == ["ack to luis", "notice to marta", "answer to luis"]
    year.on("2029-01-28")
    assert year.told() == ["statement to luis"], "of February 2028"
    year.on("2029-01-29")
    assert year.told() == ["expiry_warning to luis"], "30 days before 28 February"
    year.on("2029-02-21")
    assert year.told() == ["expiry_warning to luis"]


def expiry_waits_for_a_ruling(year: Life) -> None:
    entry = year.ledger("gamma")[-1].id
    year.on("2029-02-28", "23:00")
    year.answers("luis", "statement", f"#reclamar {entry} las tarifas las pusimos nosotros")
    assert year.told() == ["dispute_opened to luis", "dispute_asked to elena", "notice to marta"]
    year.on("2029-03-06")
    assert (year.told(), year.balance("gamma")) == ([], 140)
    year.answers("elena", "dispute_asked", f"Las puso Marta; está en el registro.\n\n#confirmar {entry}")
    assert year.told() == ["dispute_decided to luis", "dispute_decided to marta"]
    year.on("2029-03-07")
    assert year.told() == ["expired to luis", "expired to elena"]
    assert year.balance("gamma") == 0
    year.on("2029-04-01")
    assert year.told() == ["statement to luis"], "of March 2029"


CHAPTERS = (
    the_first_purchase,
    work_by_mail,
    a_limit,
    an_estimate,
    the_end_of_the_service,
    the_second_purchase,
    a_refund_on_the_last_day,
    a_refund_a_day_too_late,
    a_dispute_that_is_upheld,
    a_dispute_that_is_granted,
    a_dispute_that_is_granted_in_part,
    the_last_work_of_the_year,
    somebody_unknown,
    a_new_client,
    a_month_without_the_daemon,
    a_leap_day,
    expiry_waits_for_a_ruling,
)


def held(year: Life, ticket: int) -> str:
    """Why a ticket is held, "" where it is not."""
    with year.store.read() as tx:
        found = tickets.get(tx, ticket)
    assert found is not None
    assert (found.status is Status.HELD) == bool(found.held_for)
    return found.held_for
