"""Sample values of the mails about several people in one ticket: what crossed, what waits for its writer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mailgate.core.model import Problem, Status

Values = Mapping[str, Any]

_AT = datetime(2026, 11, 2, 9, 15, tzinfo=UTC)
_TEXT = "Hola, Ana:\n\nYa está, prueba otra vez.\n\n#time 7h"
_NEWER: Sequence[Values] = (
    {"name": "Marta Gil", "answered": True, "at": _AT, "ago": 4, "text": "Hola, Ana:\n\nHecho.\n\n#time 5m"},
    {"name": "Ana Prieto", "answered": False, "at": _AT, "ago": 0, "text": "Sigue igual."},
    {"name": "ana@acme.example", "answered": False, "at": _AT, "ago": 3000, "text": "¿Hola?"},
)
_UNUSUAL: Values = {"line": "#time 7h", "minutes": 420, "most": None, "above": 360}
_HELD: Values = {
    "text": _TEXT,
    "ticket_tag": "SOP-12",
    "reason": "collision",
    "newer": _NEWER,
    "unusual": None,
    "replaced": False,
}
_REHEARSAL: Values = {
    "technician_name": "Marta Gil",
    "proof": "token",
    "ticket_tag": "SOP-12",
    "client_name": "Acme S.L.",
    "subject": "El formulario no envía",
    "status": Status.OPEN,
    "status_after": Status.WAITING,
    "commands": (("#time 12m", "time", None), ("#prioridad alta", "priority", None)),
    "no_ticket": False,
    "hold": "",
    "entries": (
        {"kind": "debit", "minutes": 12, "ticket_tag": "SOP-12", "day": _AT.date(), "note": "El formulario"},
        {"kind": "courtesy", "minutes": 5, "ticket_tag": "", "day": _AT.date(), "note": ""},
    ),
    "waiting": 0,
    "balances": (("Acme S.L.", 240, 228),),
    "files": ("plano.pdf",),
    "mails": (
        {"to": "ana@acme.example", "subject": "Re: El formulario", "text": _TEXT, "staff": False},
        {"to": "elena@example.es", "subject": "Re: El formulario", "text": _TEXT, "staff": True},
    ),
}
_NOTHING: Values = {**_REHEARSAL, "entries": (), "balances": (), "mails": (), "status_after": Status.OPEN}

_MERGED: Values = {
    "ticket_tag": "SOP-9",
    "subject": "El carrito",
    "from_tag": "SOP-12",
    "from_subject": "El formulario no envía",
    "client_name": "Acme S.L.",
    "by_name": "Marta Gil",
    "for_client": True,
}

_GUEST: Values = {
    "ticket_tag": "SOP-12",
    "client_name": "Acme S.L.",
    "person_name": "Luis Soto",
    "person_address": "luis@agencia.example",
    "text": "Hola:\n\nAna me pide que os mande las claves.\n\n#time 99m",
    "files": ("claves.txt",),
    "number": 17,
    "last": False,
}

VALUES: Mapping[str, Sequence[Values]] = {
    "guest_waits": (_GUEST, {**_GUEST, "person_name": "luis@agencia.example", "files": (), "last": True}),
    "merged": (
        _MERGED,
        {**_MERGED, "for_client": False},
        *({**_MERGED, "subject": "", "from_subject": "", "for_client": to} for to in (True, False)),
    ),
    "rehearsal": (
        _REHEARSAL,
        {**_REHEARSAL, "waiting": 15, "proof": "vouched"},
        {**_NOTHING, "commands": (("#tiem 3m", "tiem", Problem("unknown_near", "#tiem", "#time 3m")),)},
        *({**_NOTHING, "hold": hold, "proof": "off"} for hold in ("forward", "collision", "time")),
        {**_NOTHING, "ticket_tag": "", "status": None, "status_after": None, "commands": (), "no_ticket": True},
    ),
    "held": (
        {**_HELD, "reason": "forward", "newer": ()},
        _HELD,
        {**_HELD, "unusual": _UNUSUAL, "replaced": True},
        {**_HELD, "reason": "time", "newer": (), "unusual": _UNUSUAL},
        {**_HELD, "reason": "time", "newer": (), "unusual": {**_UNUSUAL, "most": 35}},
    ),
}
