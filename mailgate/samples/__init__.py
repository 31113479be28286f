"""Sample values for every template: what `Renderer.check` writes with, and what the values look like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from mailgate.core.commands.vocabulary import PROBLEMS as CODES
from mailgate.core.model import Category, Priority, Problem, Role, Status, Ticket
from mailgate.samples import (
    contract,
    desk,
    machinery,
    people,
    planning,
    questions,
    together,
    web,
    work,
)
from mailgate.samples.people import CHOICES
from mailgate.samples.work import PACKAGES, PAYMENT

Values = Mapping[str, Any]

DOUBTS = ("parts_disagree", "interleaved")  # Reading.doubt
PROBLEMS = tuple(Problem(code, "12 m 5", "720") for code in (*CODES, *DOUBTS))

_AT = datetime(2026, 11, 2, 9, 15, tzinfo=UTC)
_BACK = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
_TEXT = """\
Buenos días:

Desde ayer el formulario de contacto no envía nada. La página es https://acme.example/contacto.

- En el móvil da error 500.
- En el ordenador se queda pensando.

#time 99m

Gracias,
Ana"""
_ANSWER = """\
Hola, Ana:

Ya está: el certificado del servidor de correo había caducado. Lo hemos renovado y probado.

1. Cada formulario llega otra vez a info@acme.example.
2. Los de ayer se han reenviado.

En wp-config.php ha quedado esta línea:

```
define('WPMS_SSL', 'tls');
```

Un saludo,
Marta"""
_TICKET = Ticket(
    id=12,
    client="acme",
    subject="El formulario no envía",
    requester="ana@acme.example",
    opened_at=_AT,
    status=Status.NEW,
    priority=Priority.URGENT,
    category=Category.BUG,
    technician="marta",
    minutes=25,
    answer_due_at=_BACK + timedelta(hours=1),
    quick_due_at=_AT + timedelta(hours=1),
)

_ACK: Values = {
    "covered": False,
    "ticket_tag": "SOP-12",
    "subject": "El formulario no envía",
    "client_name": "Acme S.L.",
    "person_name": "Ana Prieto",
    "open_now": True,
    "back_at": None,
    "closed_for": "",
    "due_at": _AT + timedelta(hours=4),
    "balance": 220,
    "follows_tag": "",
    "held": "",
    "waits_for": "Marta Gil",
    "waits_until": None,
    "refund_until": None,
    "packages": (),
    "payment": "",
}
_ENDED: Values = {
    "held": "balance",
    "balance": 0,
    "packages": PACKAGES,
    "payment": PAYMENT,
    "refund_until": date(2026, 11, 17),
}
_ANSWERED: Values = {
    "body": _ANSWER,
    "technician_name": "Marta Gil",
    "minutes": 12,
    "free": 10,
    "ticket_minutes": 37,
    "balance": 208,
    "ticket_tag": "SOP-12",
    "waiting": 0,
    "prospect": False,
    "quote": _TEXT,
    "quote_author": "Ana Prieto",
    "quote_at": _AT,
}
_NOTICE: Values = {
    "client_name": "Acme S.L.",
    "person_name": "Ana Prieto",
    "person_address": "ana@acme.example",
    "ticket": _TICKET,
    "ticket_tag": "SOP-12",
    "balance": 220,
    "text": _TEXT,
    "attachments": (("captura.png", 34_816),),
    "guarded": (),
    "kept_back": False,
    "new": True,
    "raised": False,
    "held": "",
    "chosen": None,
    "limit": None,
    "guest": False,
    "doubt": "",
}
_DESK_URL = "https://soporte.example.es"
_UNSENT = tuple({"id": "luis", "name": "Luis Soto", "own": own} for own in (False, True))
_CONVERSATION: Sequence[Values] = (
    {"at": _AT, "author": "Ana Prieto", "role": Role.CLIENT, "text": _TEXT, "internal": False, "files": ()},
    {
        "at": _AT,
        "author": "Marta Gil",
        "role": Role.TECHNICIAN,
        "text": "Es cosa del DNS.",
        "internal": True,
        "files": ("dns.txt",),
    },
)
_BALANCE: Values = {
    "client_name": "Acme S.L.",
    "balance": 208,
    "state": "active",
    "expires_on": date(2027, 11, 2),
    "last_used_on": date(2026, 11, 2),
    "recent": (
        {"day": date(2026, 11, 2), "ticket_tag": "SOP-12", "note": "Certificado del correo", "minutes": -12},
        {"day": date(2026, 10, 5), "ticket_tag": "", "note": "", "minutes": 240},
    ),
}
_LOST: Values = {
    "to": "ana@acme.example",
    "subject": "Re: El formulario",
    "error": "550 5.1.1 no such user",
    "came_back": False,
    "answer": False,
    "dead": False,
}

_HISTORY: Values = {
    "client_name": "Acme S.L.",
    "older": 0,
    "tickets": (
        {
            "tag": "SOP-12",
            "subject": "El formulario no envía",
            "status": Status.OPEN,
            "opened_at": _AT,
            "minutes": 37,
            "merged_tag": "",
            "technician_name": "Marta Gil",
        },
        {
            "tag": "SOP-9",
            "subject": "",
            "status": "closed",
            "opened_at": _AT,
            "minutes": 65,
            "merged_tag": "SOP-12",
            "technician_name": "",
        },
    ),
}

_DESK: Mapping[str, Sequence[Values]] = {
    "ack": (
        _ACK,
        {**_ACK, "open_now": False, "back_at": _BACK, "follows_tag": "SOP-3", "balance": 0},
        {**_ACK, "open_now": False, "back_at": _BACK, "due_at": _BACK + timedelta(hours=4), "closed_for": "Navidad"},
        {**_ACK, "due_at": None, "covered": True},
        {**_ACK, "open_now": False, "person_name": "", "balance": -15},
        {**_ACK, **_ENDED},
        {**_ACK, **_ENDED, "balance": -15, "packages": (), "payment": "", "refund_until": None},
        {**_ACK, "held": "rule"},
        {**_ACK, "held": "away", "waits_until": _BACK},
    ),
    "answer": (
        _ANSWERED,
        {**_ANSWERED, "minutes": 0, "free": 0, "quote": "", "quote_author": "", "quote_at": None},
        {**_ANSWERED, "minutes": 0, "waiting": 12},
        {**_ANSWERED, "minutes": 0, "free": 0, "balance": 0, "prospect": True},
    ),
    "notice": (
        _NOTICE,
        {**_NOTICE, "ticket": replace(_TICKET, technician=None, category=None, quick_due_at=None)},
        {**_NOTICE, "new": False, "person_name": "ana@acme.example", "attachments": (), "limit": 30},
        {**_NOTICE, "new": False, "raised": True},
        {**_NOTICE, "ticket": replace(_TICKET, quick_due_at=_BACK), "held": "balance", "balance": 0},
        {**_NOTICE, "held": "rule", "doubt": "unproven"},
        {**_NOTICE, "new": False, "doubt": "wary"},
        {**_NOTICE, "new": False, "guest": True},
        *({**_NOTICE, "guarded": ("captura.png",), "kept_back": back} for back in (False, True)),
        *({**_NOTICE, "chosen": chosen} for chosen in CHOICES),
        {**_NOTICE, "held": "away", "chosen": {**CHOICES[0], "back_at": _BACK}},
    ),
    "handed_over": (
        {**_NOTICE, "conversation": _CONVERSATION, "waiting": (), "covered": ""},
        *(
            {**_NOTICE, "conversation": _CONVERSATION, "waiting": _UNSENT, "chosen": chosen, "covered": _DESK_URL}
            for chosen in CHOICES
        ),
    ),
    "problems": (
        {
            "problems": (("#tiem 12m", Problem("unknown_near", "#tiem", "#time")),),
            "text": _ANSWER + "\n\n#tiem 12m",
            "ticket_tag": "SOP-12",
            "files": ("factura.pdf",),
        },
        {
            "problems": (("#time 0", PROBLEMS[0]), ("#time 1", PROBLEMS[1])),
            "text": "#time 0",
            "ticket_tag": "",
            "files": (),
        },
    ),
    "doubt": tuple({"code": code, "text": _TEXT, "ticket_tag": "SOP-12"} for code in DOUBTS),
    "unproven": tuple(
        {"subject": "Re: El formulario", "text": _TEXT, "at": _AT, "reason": reason, "last": reason == "other"}
        for reason in ("no_token", "no_signature", "forged", "dns", "stale", "used", "automatic", "other")
    ),
    "unverified": ({"at": _AT},),
    "no_ticket": (
        {"text": _TEXT, "ticket_tag": "", "only_text": False},
        {"text": _TEXT, "ticket_tag": "", "only_text": True},
        {"text": _TEXT, "ticket_tag": "SOP-99", "only_text": False},
    ),
    "still_quarantined": tuple(
        {"number": 18, "sender": "eva@nueva.example", "subject": "Presupuesto", "reason": reason}
        for reason in ("", "eva@nueva.example is nobody that the rules know")
    ),
    "redacted": (
        {"ticket_tag": "SOP-12", "places": 5, "messages": 2, "mails": 3, "others": 1, "files": ("copia.zip",)},
        {"ticket_tag": "SOP-12", "places": 1, "messages": 1, "mails": 0, "others": 0, "files": ()},
        {"ticket_tag": "SOP-12", "places": 0, "messages": 0, "mails": 0, "others": 0, "files": ()},
    ),
    "balance": (
        _BALANCE,
        *({**_BALANCE, "state": state, "balance": 0, "expires_on": None} for state in ("ended", "expired")),
        {**_BALANCE, "state": "ended", "balance": -15},
        {**_BALANCE, "state": "none", "balance": 0, "expires_on": None, "last_used_on": None, "recent": ()},
    ),
    "history": (_HISTORY, {**_HISTORY, "older": 4_900}, {**_HISTORY, "older": 1}, {**_HISTORY, "tickets": ()}),
    "rules_refused": ({"problems": ('rules.toml:41: rules 3: set.priority: "urgnt" is no priority',), "since": _AT},),
    "delivery_failed": (
        _LOST,
        {**_LOST, "came_back": True, "answer": True},
        {**_LOST, "came_back": True, "dead": True, "error": ""},
    ),
}

VALUES: Mapping[str, Sequence[Values]] = {
    **_DESK,
    **contract.VALUES,
    **questions.VALUES,
    **machinery.VALUES,
    **people.VALUES,
    **work.VALUES,
    **desk.VALUES,
    **together.VALUES,
    **planning.VALUES,
    **web.VALUES,
}
