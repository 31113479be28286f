"""Sample values of the mails about a client's account: time bought and spent, its end, disputes, money back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from mailgate.core.model import Problem, Status, Ticket
from mailgate.samples.work import PACKAGES, PAYMENT

Values = Mapping[str, Any]

_OFFER: Values = {"packages": PACKAGES, "payment": PAYMENT}
_NO_OFFER: Values = {"packages": (), "payment": ""}
_UNTIL = date(2026, 11, 17)  # the last day of the refund window
_REASON = """\
He repasado el ticket con Marta.

Los 25 minutos incluyen la llamada, pero 10 fueron de un error nuestro.
#time 99m"""

# ---- the report ----------------------------------------------------------------------------------


def _entry(number: int, day: date, minutes: int, after: int, **more: Any) -> Values:
    plain: Values = {
        "id": number,
        "day": day,
        "ticket_tag": "SOP-12",
        "subject": "El formulario no envía",
        "technician_name": "Marta Gil",
        "kind": "debit",
        "minutes": minutes,
        "worked": -minutes,
        "note": "",
        "price": "",
        "phone": False,
        "courtesy": False,
        "disputed": False,
        "balance_after": after,
    }
    return {**plain, **more}


_PLAIN: Values = {"ticket_tag": "", "subject": "", "technician_name": "", "worked": 0}
_MIGRATION: Values = {"ticket_tag": "SOP-9", "subject": "Migración a PHP 8.3"}
_BY_TICKET: Sequence[Values] = (
    {**_MIGRATION, "minutes": 65, "share": 63.7},
    {"ticket_tag": "SOP-12", "subject": "El formulario no envía", "minutes": 37, "share": 36.3},
)
_REPORT: Values = {
    "client_name": "Acme S.L.",
    "problem": None,
    "since": date(2026, 10, 1),
    "until": date(2026, 11, 2),
    "opening": 0,
    "closing": 138,
    "entries": (
        _entry(340, date(2026, 10, 5), 240, 240, **_PLAIN, kind="purchase", price="160.00 EUR"),
        _entry(341, date(2026, 10, 7), -65, 175, **_MIGRATION),
        _entry(343, date(2026, 10, 9), -25, 150, note="Diagnóstico del formulario", disputed=True),
        _entry(345, date(2026, 11, 2), -12, 138, note="Certificado del servidor de correo", phone=True),
        _entry(346, date(2026, 11, 2), 0, 138, kind="courtesy", worked=10, courtesy=True),
    ),
    "by_ticket": _BY_TICKET,
}
_NO_ENTRIES: Values = {**_REPORT, "opening": 138, "entries": (), "by_ticket": ()}
_ENDED_REPORT: Values = {
    **_REPORT,
    "opening": 10,
    "closing": 0,
    "entries": (
        _entry(340, date(2026, 10, 5), 240, 250, **_PLAIN, kind="purchase", price="160.00 EUR"),
        _entry(341, date(2026, 10, 7), -65, 185, **_MIGRATION),
        _entry(343, date(2026, 10, 9), -25, 160, note="Diagnóstico del formulario", disputed=True),
        _entry(345, date(2026, 10, 12), -12, 148, note="Certificado del servidor de correo", phone=True),
        _entry(346, date(2026, 10, 12), 0, 148, kind="courtesy", worked=10, courtesy=True),
        _entry(347, date(2026, 10, 13), 12, 160, kind="void", note="Estaba anotado dos veces", worked=0),
        _entry(348, date(2026, 10, 15), 15, 175, kind="adjust", note="Se queda en 50 min", **_MIGRATION, worked=0),
        _entry(352, date(2026, 11, 2), -175, 0, **_MIGRATION, note="Migración y pruebas", worked=190),
    ),
    "by_ticket": ({**_MIGRATION, "minutes": 225, "share": 90}, {**_BY_TICKET[1], "minutes": 25, "share": 10}),
}
_ENDED: Values = {**_ENDED_REPORT, **_OFFER, "copy": False, "balance": 0, "refund_until": _UNTIL}

# ---- the account ---------------------------------------------------------------------------------

_TICKET = Ticket(
    id=12,
    client="acme",
    subject="El formulario no envía",
    requester="ana@acme.example",
    opened_at=datetime(2026, 11, 2, 9, 15, tzinfo=UTC),
    status=Status.OPEN,
    technician="marta",
    minutes=25,
)
_RECEIPT: Values = {
    "client_name": "Acme S.L.",
    "package": "4h",
    "minutes": 240,
    "price": "160.00 EUR",
    "paid_by": "transfer",
    "reference": "T-2026-118",
    "balance": 225,
    "expires_on": date(2027, 11, 2),
    "resumed": (
        {"ticket_tag": "SOP-14", "subject": "Actualizar la tienda"},
        {"ticket_tag": "SOP-15", "subject": ""},
    ),
}
_LOW: Values = {"client_name": "Acme S.L.", "balance": 28, "mark": 30, **_OFFER}
_EXPIRED: Values = {
    "client_name": "Acme S.L.",
    "copy": False,
    "minutes": 138,
    "expires_on": date(2027, 11, 2),
    "refund_until": date(2027, 11, 18),
    **_OFFER,
}
_CLOSED: Values = {"client_name": "Acme S.L.", "copy": False, "minutes": 138, "amount": "92.00 EUR", "reason": _REASON}

# ---- money back ----------------------------------------------------------------------------------

_ASKED: Values = {
    "client_name": "Acme S.L.",
    "amount": "160.00 EUR",
    "late": False,
    "refund_until": _UNTIL,
    "ended_on": date(2026, 11, 2),
}
_RUNNING: Values = {**_ASKED, "refund_until": None, "ended_on": None}
_REQUEST: Values = {
    "client": "acme",
    **_ASKED,
    "person_name": "Ana Prieto",
    "balance": 0,
    "purchases": ({"id": 340, "day": date(2026, 10, 5), "package": "4h", "minutes": 240, "price": "160.00 EUR"},),
    "text": "Buenos días:\n\nNo es lo que esperábamos.\n\n#devolucion",
}
_DECIDED: Values = {
    "client_name": "Acme S.L.",
    "copy": False,
    "granted": True,
    "amount": "160.00 EUR",
    "reason": _REASON,
    "balance": 0,
}

# ---- disputes ------------------------------------------------------------------------------------

_DISPUTED: Values = {
    "id": 343,
    "day": date(2026, 10, 9),
    "minutes": 25,
    "note": "Diagnóstico del formulario",
    "ticket_tag": "SOP-12",
}
_STORY: Values = {
    **_DISPUTED,
    "at": datetime(2026, 10, 9, 10, 40, tzinfo=UTC),
    "subject": "El formulario no envía",
    "technician_name": "Marta Gil",
    "phone": False,
    "text": "Hola, Ana:\n\nEl certificado del servidor de correo había caducado. Ya está renovado.\n\nMarta",
    "asked": "Desde ayer el formulario de contacto no envía nada.\n\n#time 99m",
}
_CALL: Values = {**_STORY, "id": 344, "minutes": 1, "note": "", "phone": True, "text": "", "asked": ""}
_OPENED: Values = {
    "client_name": "Acme S.L.",
    "ticket_tag": "SOP-12",
    "entries": (_DISPUTED,),
    "reason": "Ya estaba arreglado cuando llamasteis",
}
_STORIES: Values = {**_OPENED, "person_name": "Ana Prieto", "stories": (_STORY,), "balance": 138}
_RULED: Values = {
    "client_name": "Acme S.L.",
    "copy": False,
    "ticket_tag": "SOP-12",
    "entry": _DISPUTED,
    "outcome": "reduced",
    "given_back": 10,
    "reason": _REASON,
    "balance": 148,
    "technician_name": "Marta Gil",
}


def _with_copy(*samples: Values) -> tuple[Values, ...]:
    """Each sample as the client gets it, and the first as the copy for the desk."""
    return (*samples, {**samples[0], "copy": True})


VALUES: Mapping[str, Sequence[Values]] = {
    "report": (_REPORT, {**_NO_ENTRIES, "problem": Problem("period_unreadable", "2026-13", "2026-10")}),
    "statement": (_REPORT, _NO_ENTRIES),
    "service_ended": _with_copy(_ENDED, {**_ENDED, **_NO_OFFER, "balance": -15, "opening": -5, "closing": -15}),
    "receipt": (
        _RECEIPT,
        {**_RECEIPT, "balance": 240, "paid_by": "", "reference": "", "expires_on": None, "resumed": ()},
        {**_RECEIPT, "balance": -5, "paid_by": "paypal", "resumed": ()},
    ),
    "low_balance": (_LOW, {**_LOW, **_NO_OFFER}),
    "expiry_warning": tuple(
        {"client_name": "Acme S.L.", "balance": 138, "expires_on": date(2027, 11, 2), "days": days}
        for days in (30, 1, 0)
    ),
    "expired": _with_copy(_EXPIRED, {**_EXPIRED, **_NO_OFFER}),
    "resumed": ({"client_name": "Acme S.L.", "ticket": _TICKET, "ticket_tag": "SOP-12", "balance": 225},),
    "account_closed": _with_copy(_CLOSED, {**_CLOSED, "minutes": 0, "amount": "", "reason": ""}),
    "refund_asked": (_ASKED, {**_ASKED, "late": True}, _RUNNING, {**_RUNNING, "amount": ""}),
    "refund_request": (_REQUEST, {**_REQUEST, "late": True, "balance": -15}, {**_REQUEST, **_RUNNING, "balance": 138}),
    "refund_decided": _with_copy(_DECIDED, {**_DECIDED, "granted": False, "reason": ""}),
    "dispute_opened": (
        _OPENED,
        {**_OPENED, "entries": (_DISPUTED, {**_DISPUTED, "id": 344, "note": ""}), "reason": ""},
    ),
    "dispute_asked": (_STORIES, {**_STORIES, "stories": (_STORY, _CALL), "reason": ""}),
    "dispute_words": (
        {
            "client_name": "Acme S.L.",
            "person_name": "Ana Prieto",
            "ticket_tag": "SOP-12",
            "subject": "El formulario no envía",
            "text": "No estoy de acuerdo con los 25 minutos.\n\n#time 99m",
        },
    ),
    "dispute_decided": _with_copy(
        _RULED,
        {**_RULED, "outcome": "refused", "given_back": 0, "balance": 138},
        {**_RULED, "outcome": "granted", "given_back": 25, "balance": 163, "reason": ""},
    ),
    "books_halted": (
        {
            "problems": ("acme: entry 347: voids entry 345 a second time", "sums: acme: 138 minutes, not 150"),
            "since": datetime(2026, 11, 3, 2, 30, tzinfo=UTC),
        },
    ),
}
