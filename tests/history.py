"""What the desk knows when the golden mails of tests/mails arrive: two clients, four tickets, 240 minutes.

The mails quote these texts, answer these Message-IDs, and go to reply addresses that were made with
`support.KEY`. It is Tuesday 3 November 2026, 11:00 in Madrid; the Monday was a holiday.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from mailgate.core.desk import Desk
from mailgate.core.mail import Envelope, Notice, Outgoing
from mailgate.core.model import Kind, Outcome, Role, Status, Ticket
from mailgate.core.settings.checks import build
from mailgate.core.settings.rules import Rules
from mailgate.store import Connection, journal, messages, tickets
from mailgate.store.messages import Message
from tests.stored import StoredDesk
from tests.support import KEY, NOW, RULES

ANA_FIRST = """\
Buenos días:

Desde esta mañana el carrito se queda en «Procesando» y no cobra con tarjeta. Con Bizum sí funciona.

En el último informe había además una línea que no entiendo:

#time 45m

¿Lo podéis mirar hoy?

Gracias,
Ana Prieto
Acme S.L.
"""

MARTA_ANSWERS = """\
Hola, Ana:

La clave de firma del TPV había caducado. La hemos renovado y hemos hecho una compra de prueba: ya cobra.

Un saludo,
Marta
"""

ANA_AGAIN = """\
Ha vuelto a pasar: dos clientes no han podido pagar esta mañana. ¿Es lo mismo?

Ana
"""

_FOOTER = """
--\x20
Marta Gil · Soporte Técnico
Ticket SOP-1
Tiempo de esta respuesta: 12 min
Tiempo de este ticket: 12 min
Saldo: 3 h 48 min
"""

_ACKNOWLEDGEMENT = """\
Hola, Ana Prieto:

Hemos recibido su mensaje. Es el ticket SOP-1.

Estamos en horario de atención y le responderemos lo antes posible.

Si quiere añadir algo, responda a este correo sin cambiar la dirección.
"""


def golden_rules() -> Rules:
    site_down = {
        "name": "site down",
        "match": {"any": ["web caída", "no funciona la página", "error 500"]},
        "set": {"priority": "urgent", "category": "bug"},
    }
    rules = build({**RULES, "rules": [site_down]})
    assert isinstance(rules, Rules), rules
    return rules


def golden_desk() -> Desk:
    return Desk(golden_rules(), KEY)


def write_history(desk: StoredDesk) -> None:
    """Two clients and their tickets, as if they had been talked about by mail."""
    bought = NOW - timedelta(days=60)
    for client in ("acme", "beta"):
        desk.book(240, client=client, at=bought, package="4h")
    with desk.store.write() as tx:
        _cart(tx)
        _tickets_of_one_mail_each(tx)
    answered = datetime(2026, 10, 30, 10, 40, tzinfo=UTC)
    work = {"worked": 12, "ticket": 1, "technician": "marta", "message": 2, "line": 0}
    desk.book(-12, Kind.DEBIT, answered, **work)
    for ticket, name, to in (
        (1, "sop1.ack", "ana@acme.example"),
        (1, "sop1.notice", "marta@example.es"),
        (1, "sop1.answer", "ana@acme.example"),
        (1, "sop1.notice2", "marta@example.es"),
        (2, "sop2.ack", "hello@beta.example"),
        (2, "sop2.notice", "elena@example.es"),
        (3, "sop3.answer", "ana@acme.example"),
        (4, "sop4.answer", "ana@acme.example"),
    ):
        desk.queue(_sent(ticket, name, to))


def _cart(tx: Connection) -> None:
    """SOP-1: Ana asked, Marta answered once, Ana wrote again; the ball is with the desk."""
    _open(tx, 1, "acme", "El carrito no cobra", status=Status.OPEN, first_answer_at=NOW - timedelta(days=4))
    _said(tx, 1, Role.CLIENT, "Ana Prieto", "ana@acme.example", "CAKx7sop1first@mail.gmail.com", ANA_FIRST)
    _said(tx, 1, Role.TECHNICIAN, "Marta Gil", "marta@example.es", "sop1.marta@example.es", MARTA_ANSWERS)
    _said(tx, 1, Role.CLIENT, "Ana Prieto", "ana@acme.example", "CAKx7sop1again@mail.gmail.com", ANA_AGAIN)
    quoted = "\n".join(f"> {line}".rstrip() for line in ANA_FIRST.splitlines())
    for text in (
        _ACKNOWLEDGEMENT,
        MARTA_ANSWERS + _FOOTER + f"\nEl viernes, 30 de octubre de 2026 a las 10:12, Ana Prieto escribió:\n{quoted}\n",
    ):
        messages.remember_text(tx, 1, text)


def _tickets_of_one_mail_each(tx: Connection) -> None:
    _open(tx, 2, "beta", "Newsletter signup", requester="hello@beta.example", technician="elena")
    closed = {"status": Status.CLOSED, "first_answer_at": NOW - timedelta(days=41)}
    _open(tx, 3, "acme", "Factura en PDF", **closed, closed_at=NOW - timedelta(days=3))
    _open(tx, 4, "acme", "Cambio de logotipo", **closed, closed_at=NOW - timedelta(days=40))
    beta = ("Tom Baker", "hello@beta.example")
    _said(tx, 2, Role.CLIENT, *beta, "sop2.first@beta.example", "The newsletter form says thanks but nobody gets it.")
    ana = ("Ana Prieto", "ana@acme.example")
    _said(tx, 3, Role.CLIENT, *ana, "sop3.first@acme.example", "La factura sale sin logotipo en el PDF.")
    _said(tx, 4, Role.CLIENT, *ana, "sop4.first@acme.example", "¿Podéis poner el logotipo nuevo en la cabecera?")


def _open(tx: Connection, number: int, client: str, subject: str, **values: Any) -> None:
    given = {"requester": "ana@acme.example", "technician": "marta", "opened_at": NOW - timedelta(days=45)}
    tickets.open_ticket(tx, Ticket(number, client, subject, **{**given, **values}))


def _said(tx: Connection, ticket: int, role: Role, name: str, address: str, message_id: str, text: str) -> None:
    number = journal.take(tx, text.encode(), Envelope("imap"), NOW)
    kept = journal.get(tx, number)
    assert kept is not None
    message = messages.add(
        tx,
        Message(
            id=0,
            ticket=ticket,
            at=NOW - timedelta(days=4),
            author=address,
            author_name=name,
            role=role,
            internal=False,
            automatic="",
            authenticated=True,
            message_id=message_id,
            digest=f"digest of {message_id}",
            refs=(),
            subject="",
            text=text,
            outcome=Outcome.APPEND,
            why="",
            blob=kept.blob,
        ),
    )
    messages.remember_text(tx, ticket, text)
    journal.finish(tx, number, Outcome.APPEND, message)


def _sent(ticket: int, name: str, to: str) -> Outgoing:
    notice = Notice(name.partition(".")[2].rstrip("2"), to, "es", ticket=ticket)
    return Outgoing(notice, f"{name}@example.es", "", "", name.encode(), "")
