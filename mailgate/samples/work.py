"""Sample values of the mails about work that waits for a word: estimates, limits, claims, prospects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mailgate.core.model import Problem

Values = Mapping[str, Any]

PACKAGES: Sequence[Values] = (
    {"id": "4h", "minutes": 240, "price": "160.00 EUR"},
    {"id": "12h", "minutes": 720, "price": "420.00 EUR"},
)
PAYMENT = "Por transferencia a ES00 0000 0000 0000 0000 0000, o por PayPal a pagos@example.es."

_TICKET: Values = {"ticket_tag": "SOP-12", "subject": "El formulario no envía"}
_STAFF: Values = {**_TICKET, "client_name": "Acme S.L."}
_LIMIT: Values = {
    **_TICKET,
    "limit": 30,
    "spent": 25,
    "minutes": 15,
    "technician_name": "Marta Gil",
    "note": "Certificado del correo",
}
_ESTIMATE: Values = {**_TICKET, "minutes": 90, "ask": False, "spent": 0, "technician_name": "Marta Gil"}
_PASSED: Values = {
    **_STAFF,
    "estimate": 90,
    "minutes": 105,
    "technician_name": "Marta Gil",
    "for_client": False,
}
_HELD: Values = {**_STAFF, "limit": 30, "spent": 25, "minutes": 15, "note": "Certificado del correo"}
_PROSPECT: Values = {"ticket_tag": "SOP-21", "person_name": "Luis Soto"}
_WISHES = """\
Buenos días:

Tenemos una tienda en Prestashop, https://tienda.example, y buscamos quien la mantenga.

#aceptar

Luis Soto
Tienda de Ejemplo"""
_ASKED: Values = {
    **_PROSPECT,
    "person_address": "luis@tienda.example",
    "subject": "¿Lleváis tiendas?",
    "text": _WISHES,
    "attachments": (("tienda.pdf", 120_400),),
    "guarded": (),
    "kept_back": False,
    "new": True,
}
_REASON = "Hemos visto la tienda y es justo lo que hacemos. Empezaríamos por actualizarla."

VALUES: Mapping[str, Sequence[Values]] = {
    "estimate": (
        _ESTIMATE,
        {**_ESTIMATE, "ask": True, "spent": 25},
        {**_ESTIMATE, "technician_name": "", "spent": 10},
    ),
    "estimate_approved": (
        {**_STAFF, "minutes": 90, "person_name": "Ana Prieto", "at": datetime(2026, 11, 2, 9, 15, tzinfo=UTC)},
    ),
    "estimate_passed": (
        _PASSED,
        {**_PASSED, "for_client": True},
        {**_PASSED, "for_client": True, "technician_name": ""},
    ),
    "limit_set": (
        {**_TICKET, "limit": 30, "spent": 12, "booked": 0},
        {**_TICKET, "limit": 45, "spent": 40, "booked": 15},
        {**_TICKET, "limit": 30, "spent": 30, "booked": 0},
        {**_TICKET, "limit": None, "spent": 40, "booked": 15},
    ),
    "limit_reached": (_LIMIT, {**_LIMIT, "technician_name": "", "note": ""}),
    "debit_held": (_HELD, {**_HELD, "note": ""}),
    "debit_booked": tuple(
        {"ticket_tag": "SOP-12", "minutes": 45, "by": by, "spent": 75, "limit": limit, "balance": 165}
        for by, limit in (("client", 30), ("desk", None))
    ),
    "debit_released": tuple({**_STAFF, "minutes": 15, "by": by, "balance": 193} for by in ("client", "desk")),
    "claim_wrong": (
        {
            "problems": (
                ("#reclamar el de ayer", Problem("claim_entry_unreadable", "el", "#reclamar 345")),
                ("#tope poco", Problem("limit_unreadable", "poco", "#tope 30m")),
            ),
            "ticket_tag": "SOP-12",
        },
        {"problems": (("", Problem("nothing_paid", "", "")),), "ticket_tag": ""},
    ),
    "prospect_welcome": (
        {**_PROSPECT, "packages": PACKAGES[:1], "payment": PAYMENT},
        {**_PROSPECT, "person_name": "", "packages": (), "payment": ""},
    ),
    "prospect_notice": (
        _ASKED,
        {**_ASKED, "new": False, "attachments": ()},
        {**_ASKED, "person_name": "", "subject": ""},
    ),
    "prospect_accepted": (
        {**_PROSPECT, "reason": _REASON, "packages": PACKAGES[:1], "payment": PAYMENT},
        {**_PROSPECT, "person_name": "", "reason": "", "packages": PACKAGES[:1], "payment": ""},
    ),
    "prospect_declined": (
        {**_PROSPECT, "reason": "Ahora mismo no llevamos tiendas en Magento."},
        {**_PROSPECT, "person_name": "", "reason": ""},
    ),
}
