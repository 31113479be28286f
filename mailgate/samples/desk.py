"""Sample values of the mails about the desk's day: the director's morning, a technician's evening."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

Values = Mapping[str, Any]

_DUE = datetime(2026, 11, 3, 13, 30, tzinfo=UTC)
_BEFORE = datetime(2026, 11, 2, 17, 45, tzinfo=UTC)
_TICKET: Values = {
    "tag": "SOP-12",
    "client_name": "Acme S.L.",
    "subject": "El formulario no envía",
    "technician_name": "Marta Gil",
    "priority": "normal",
    "due_at": _DUE,
    "delivery": None,
    "held": "",
}
_PLANNED: Values = {**_TICKET, "tag": "SOP-7", "subject": "Tienda nueva", "due_at": None, "delivery": date(2026, 11, 2)}
_MATTER: Values = {"tag": "SOP-9", "client_name": "Acme S.L.", "entry": 345, "minutes": 90, "since": _BEFORE}


_ITEM: Values = {
    **dict.fromkeys(("tag", "client_name", "subject", "technician", "technician_name", "priority", "held"), ""),
    **dict.fromkeys(("sender", "reason", "to"), ""),
    **dict.fromkeys(("due_at", "delivery", "since", "entry", "minutes", "number")),
}


def _section(name: str, *items: Values, more: int = 0) -> Values:
    shown = [{**_ITEM, **item} for item in items]
    return {"name": name, "count": len(items) + more, "items": shown, "more": more}


_DIGEST: Values = {
    "day": date(2026, 11, 3),
    "sections": (
        _section("late", {**_TICKET, "tag": "SOP-8", "due_at": _BEFORE, "priority": "urgent"}),
        _section(
            "new",
            _TICKET,
            {**_TICKET, "tag": "SOP-13", "client_name": "Beta Ltd", "subject": "", "technician_name": ""},
            {**_TICKET, "tag": "SOP-14", "due_at": None, "held": "balance"},
            more=12,
        ),
        _section(
            "due", {**_TICKET, "tag": "SOP-11", "subject": "¿Se puede cambiar el color del botón de comprar? " * 3}
        ),
        _section("overdue", _PLANNED),
        _section("delivery", {**_PLANNED, "delivery": date(2026, 11, 3)}),
        _section("planned", {**_PLANNED, "delivery": date(2026, 11, 6)}),
        _section("held", *({**_TICKET, "due_at": None, "held": held} for held in ("balance", "rule", "away"))),
        _section("disputes", _MATTER),
        _section("refunds", {**_MATTER, "entry": None, "minutes": None}),
        _section("estimates", {**_MATTER, "entry": None}),
        _section("unsent", {**_TICKET, "due_at": None, "priority": "", "technician": "marta", "since": _BEFORE}),
        _section(
            "quarantine",
            {
                "number": 17,
                "sender": "eva@nueva.example",
                "subject": "Presupuesto",
                "reason": "eva@nueva.example is nobody that the rules know",
            },
            {"number": 18, "sender": "", "subject": "", "reason": "From does not name exactly one plain address"},
        ),
        _section("low", {"client_name": "Beta Ltd", "minutes": 25}, {"client_name": "Gamma", "minutes": -15}),
        _section("failed", {"to": "ana@acme.example", "subject": "Re: El formulario no envía"}),
    ),
    "load": ({"name": "Elena Ruiz", "waiting": 0, "worked": 0}, {"name": "Marta Gil", "waiting": 4, "worked": 190}),
    "worked_on": date(2026, 10, 30),
    "technician": "marta",
}

_ENTRY: Values = {
    "id": 345,
    "tag": "SOP-12",
    "minutes": 45,
    "note": "Certificado del correo",
    "day": date(2026, 11, 3),
    "courtesy": False,
    "phone": False,
}
_ANSWER: Values = {
    "tag": "SOP-14",
    "subject": "El botón de comprar",
    "words": ("Hola, Ana: ya está cambiado, dinos si lo ves bien en el móvil y en la tableta.",),
    "booked": 0,
}
_EVENING: Values = {
    "day": date(2026, 11, 3),
    "total": 100,
    "clients": (
        {
            "client_name": "Acme S.L.",
            "minutes": 90,
            "entries": (_ENTRY, {**_ENTRY, "id": 346, "phone": True, "day": date(2026, 11, 2), "note": ""}),
        },
        {
            "client_name": "Beta Ltd",
            "minutes": 10,
            "entries": ({**_ENTRY, "id": 350, "minutes": 10, "courtesy": True},),
        },
    ),
    "answers": (_ANSWER, {**_ANSWER, "tag": "SOP-15", "subject": "", "words": ("Hecho.", ""), "booked": 15}),
    "held": tuple(
        {"tag": "SOP-9", "subject": "Re: La tienda", "reason": reason} for reason in ("forward", "collision", "time")
    ),
}

VALUES: Mapping[str, Sequence[Values]] = {
    "evening": (
        _EVENING,
        {**_EVENING, "answers": (), "held": ()},
        {**_EVENING, "total": 0, "clients": (), "held": ()},
        {**_EVENING, "total": 0, "clients": (), "answers": ()},
    ),
    "form_in_quote": ({"lines": ("#close SOP-9", "SOP-14 15m", "345 10m Certificado")},),
    "digest": (
        _DIGEST,
        {**_DIGEST, "sections": (), "worked_on": None},
        {**_DIGEST, "sections": (_section("low", {"client_name": "Beta Ltd", "minutes": 25}),)},
    ),
}
