"""What the rules that ship make of mails as people write them: what stops a site from serving is urgent."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailgate import config
from mailgate.core.model import Category, Priority
from mailgate.core.settings.rules import MatchInput, match_rules

SHIPPED = config.load(Path(__file__).resolve().parents[3] / "rules.toml")

URGENT = [
    "Buenos días, desde esta mañana no funciona la página.",
    "La web está caída, ¿podéis mirarlo cuanto antes?",
    "LA PAGINA NO CARGA!!!",
    "Hola, se nos ha caído la tienda otra vez.",
    "Entro en la web y sale todo en blanco.",
    "Sale «Ha habido un error crítico en esta web» en todas las páginas.",
    "Nos aparece Error 503 desde hace diez minutos.",
    "Error al establecer una conexión con la base de datos, eso es lo que se ve.",
    "El navegador dice que la conexión no es privada y que el certificado ha caducado.",
    "Los clientes no pueden entrar en la tienda.",
    "Our website is down since this morning.",
    "The site won’t load for anybody.",
    "I only get a white screen.",
    "Our site isn't loading, it says 502 Bad Gateway.",
    "There has been a critical error on this website.",
    "No nos llegan los mensajes del formulario de contacto desde el lunes.",
    "El formulario de contacto no envía nada, se queda pensando.",
    "Hemos dejado de recibir avisos: los formularios no funcionan.",
    "No recibimos los correos del formulario de presupuesto.",
    "Messages from the contact form are not arriving any more.",
    "The contact form doesn't work.",
    "Los clientes dicen que no pueden pagar con tarjeta.",
    "El carrito no funciona: al pulsar «Comprar» no pasa nada.",
    "No entra ningún pedido desde ayer y no es normal.",
    "Falla el pago con Redsys en todos los pedidos.",
    "Customers cannot pay, the checkout is failing.",
    "Nobody can complete their order at the moment.",
    "Creo que nos han hackeado la web.",
    "Google dice que nuestra página tiene malware.",
    "La web redirige a otra página de apuestas.",
    "Se han filtrado las contraseñas del panel.",
    "I think our site has been hacked.",
    "Our home page was defaced last night.",
    "The admin credentials were leaked in a public repository.",
]

NOT_URGENT = [
    "¿Podéis cambiar el teléfono que sale en el pie de la web?",
    "Queremos cambiar el logo y los colores de la portada.",
    "¿Cuánto costaría una tienda con pago por tarjeta?",
    "Nos gustaría añadir un formulario de inscripción para el curso.",
    "En el formulario falta el campo de la empresa, ¿lo añadís?",
    "El botón azul de la portada se ve mal en el móvil.",
    "¿Qué nos recomendáis contra el malware?",
    "¿Cómo puedo subir fotos nuevas a la galería?",
    "Hay que actualizar WordPress y los plugins cuando podáis.",
    "Pensamos cambiar de hosting en enero.",
    "Quisiéramos conectar la tienda con nuestro programa de facturación.",
    "Gracias, ya funciona todo perfectamente.",
    "El enlace a Instagram no funciona.",
    "Necesitamos una página en blanco para escribir las condiciones.",
    "Os mando la factura del mes pasado.",
    "Could you change the opening hours in the footer?",
    "We would like a form for newsletter subscriptions.",
    "The link to our brochure is broken.",
    "How do I add a new product to the shop?",
    "Please send us a quote for a new design of the shop.",
    "We are thinking about a new payment method next year.",
    "La hija de nuestro informático ha caído enferma y la reunión se aplaza.",
]


def priority(text: str, subject: str = "") -> Priority | None:
    return match_rules(SHIPPED, MatchInput(subject=subject, text=text)).priority


@pytest.mark.parametrize("text", URGENT)
def test_what_stops_a_site_from_serving_is_urgent(text: str):
    assert priority(text) is Priority.URGENT
    assert priority("Mire la captura, por favor.", subject=text) is Priority.URGENT


@pytest.mark.parametrize("text", NOT_URGENT)
def test_what_can_wait_is_not_urgent(text: str):
    assert priority(text) is None


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("Creo que nos han hackeado la web.", Category.SECURITY),
        ("¿Qué nos recomendáis contra el malware?", Category.SECURITY),
        ("Pensamos cambiar de hosting en enero.", Category.MIGRATION),
        ("Hay que actualizar WordPress y los plugins.", Category.UPDATE),
        ("How do I add a new product to the shop?", Category.TRAINING),
        ("¿Podemos conectar con Mailchimp?", Category.INTEGRATION),
        ("Queremos cambiar el logo y los colores.", Category.DESIGN),
        ("Necesitamos un módulo a medida.", Category.PROGRAMMING),
        ("El enlace a Instagram no funciona.", Category.BUG),
        ("¿Qué plugin usáis para las reservas?", Category.EXTENSIONS),
        ("Gracias por todo.", None),
    ],
)
def test_the_kind_of_work_is_told_by_its_words(text: str, category: Category | None):
    assert match_rules(SHIPPED, MatchInput(text=text)).category is category
