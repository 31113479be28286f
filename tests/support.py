"""What many tests need: the example desk, and mails written on the spot."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from mailgate.core import address
from mailgate.core.desk import Desk
from mailgate.core.facts import Facts, Heard
from mailgate.core.intake import decide
from mailgate.core.mail import Envelope, Mail
from mailgate.core.message import mime
from mailgate.core.model import Entry, Kind, Ticket
from mailgate.core.plan import Plan
from mailgate.core.settings.checks import build
from mailgate.core.settings.rules import Rules

KEY = b"k" * 32
# Templates of the mails that the hour causes and no message: a test may be run at any.
BY_THE_HOUR = ("evening", "digest", "statement")
# A Tuesday, 11:00 in Madrid; the Monday before is a holiday there.
NOW = datetime(2026, 11, 3, 10, 0, tzinfo=UTC)

RULES: dict[str, Any] = {
    "desk": {
        "name": "Soporte Técnico",
        "address": "soporte@example.es",
        "admin": "admin@example.es",
        "director": "elena",
    },
    "trust": {"technicians": "token"},
    "packages": {
        "4h": {"minutes": 240, "price": "160.00 EUR", "first": True},
        "12h": {"minutes": 720, "price": "420.00 EUR"},
    },
    "technicians": {
        "elena": {"name": "Elena Ruiz", "addresses": ["elena@example.es"]},
        "marta": {"name": "Marta Gil", "addresses": ["marta@example.es"]},
    },
    "clients": {
        "acme": {
            "name": "Acme S.L.",
            "addresses": ["ana@acme.example", "*@tienda.example"],
            "contact": "ana@acme.example",
            "technician": "marta",
        },
        "beta": {"name": "Beta Ltd", "addresses": ["hello@beta.example"], "language": "en"},
    },
}


def rules(**changes: Any) -> Rules:
    """The example rules, with keys of some tables changed: `rules(time={"overdraft": "cap"})`."""
    tables = {table: {**RULES.get(table, {}), **keys} for table, keys in changes.items() if isinstance(keys, dict)}
    data = {**RULES, **changes, **tables}
    built = build(data)
    assert isinstance(built, Rules), built
    return built


def desk(**changes: Any) -> Desk:
    return Desk(rules(**changes), KEY)


def written(
    text: str = "Hola:\n\nNo funciona el carrito.\n\nAna",
    *,
    sender: str = "Ana Prieto <ana@acme.example>",
    to: str = "soporte@example.es",
    subject: str = "El carrito",
    message_id: str = "<m1@acme.example>",
    headers: str = "",
) -> bytes:
    """A raw message, plain text, with LF line ends."""
    return (
        f"From: {sender}\nTo: {to}\nSubject: {subject}\nMessage-ID: {message_id}\n{headers}"
        f"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{text}\n"
    ).encode()


def mail(text: str = "Hola:\n\nNo funciona el carrito.\n\nAna", **parts: str) -> Mail:
    """The same, parsed, as it comes from a mailbox: its headers say whom it is for."""
    return mime.parse(written(text, **parts), Envelope("imap"))


def reply_address(ticket: int, person: str) -> str:
    return address.reply_address(KEY, "soporte@example.es", ticket, person)


def from_marta(text: str, ticket: int = 12, **parts: str) -> Mail:
    """Marta's answer, to her own reply address of a ticket."""
    given = {
        "sender": "Marta Gil <marta@example.es>",
        "to": reply_address(ticket, "marta@example.es"),
        "subject": f"Re: [SOP-{ticket} Acme S.L.] El carrito",
        "message_id": "<a1@example.es>",
    }
    return mail(text, **{**given, **parts})


def ticket(number: int = 12, **values: Any) -> Ticket:
    given: dict[str, Any] = {
        "id": number,
        "client": "acme",
        "subject": "El carrito",
        "requester": "ana@acme.example",
        "opened_at": NOW,
        "technician": "marta",
    }
    return Ticket(**{**given, **values})


def debit(number: int, minutes: int = 12, **values: Any) -> Entry:
    given: dict[str, Any] = {
        "id": number,
        "client": "acme",
        "kind": Kind.DEBIT,
        "minutes": -minutes,
        "worked": minutes,
        "at": NOW,
        "day": NOW.date(),
        "ticket": 12,
        "technician": "marta",
    }
    return Entry(**{**given, **values})


def known(*tickets: Ticket, **values: Any) -> Facts:
    """Facts about these tickets: acme has 240 minutes, Ana wrote m1, Marta was written n1."""
    given: dict[str, Any] = {
        "tickets": {one.id: one for one in tickets},
        "addressees": {one.id: frozenset({"ana@acme.example", "marta@example.es"}) for one in tickets},
        "heard": {
            one.id: Heard(
                "ana@acme.example",
                "Ana Prieto",
                NOW,
                "No funciona.",
                "m1@acme.example",
                ("m0@acme.example",),
                "El carrito",
            )
            for one in tickets
        },
        "by_message_id": {"m1@acme.example": tuple(one.id for one in tickets[:1])} if tickets else {},
        "balances": {"acme": 240, "beta": 0},
        "next_ticket": max((one.id for one in tickets), default=0) + 1,
    }
    return Facts(**{**given, **values})


def plan(message: Mail, facts: Facts | None = None, at: Desk | None = None, **options: bool) -> Plan:
    return decide(message, facts or known(), at or desk(), NOW, **options)


@contextmanager
def in_linear_time() -> Iterator[None]:
    """Fails when what is done costs more than passes over the input can.

    The input is to be so big that quadratic work takes minutes and linear work well under a second. The time is
    the processor's, for other programs may be running.
    """
    begun = time.process_time()
    yield
    spent = time.process_time() - begun
    assert spent < 20, f"cost grows faster than the input: {spent:.0f} s"


def templates(of: Plan) -> list[str]:
    return [notice.template for notice in of.notices]
