"""Sample values for every template: what `Renderer.check` writes with, and what the values look like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from mailgate.core.commands.vocabulary import PROBLEMS as CODES
from mailgate.core.commands.vocabulary import VERBS
from mailgate.core.model import Category, Priority, Problem, Role, Status, Ticket

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
)

_ACK: Values = {
    "ticket_tag": "SOP-12",
    "subject": "El formulario no envía",
    "client_name": "Acme S.L.",
    "person_name": "Ana Prieto",
    "open_now": True,
    "back_at": None,
    "balance": 220,
    "follows_tag": "",
}
_ANSWERED: Values = {
    "body": _ANSWER,
    "technician_name": "Marta Gil",
    "minutes": 12,
    "free": 10,
    "ticket_minutes": 37,
    "balance": 208,
    "ticket_tag": "SOP-12",
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
    "new": True,
}
_CONVERSATION: Sequence[Values] = (
    {"at": _AT, "author": "Ana Prieto", "role": Role.CLIENT, "text": _TEXT, "internal": False},
    {"at": _AT, "author": "Marta Gil", "role": Role.TECHNICIAN, "text": "Es cosa del DNS.", "internal": True},
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
        "courtesy": False,
        "disputed": False,
        "balance_after": after,
    }
    return {**plain, **more}


_BOUGHT: Values = {"kind": "purchase", "ticket_tag": "", "subject": "", "technician_name": "", "worked": 0}
_REPORT: Values = {
    "client_name": "Acme S.L.",
    "problem": None,
    "since": date(2026, 10, 1),
    "until": date(2026, 11, 2),
    "opening": 0,
    "closing": 138,
    "entries": (
        _entry(340, date(2026, 10, 5), 240, 240, **_BOUGHT),
        _entry(341, date(2026, 10, 7), -65, 175, ticket_tag="SOP-9", subject="Migración a PHP 8.3"),
        _entry(343, date(2026, 10, 9), -25, 150, note="Diagnóstico del formulario", disputed=True),
        _entry(345, date(2026, 11, 2), -12, 138, note="Certificado del servidor de correo"),
        _entry(346, date(2026, 11, 2), 0, 138, kind="courtesy", worked=10, courtesy=True),
    ),
    "by_ticket": (
        {"ticket_tag": "SOP-9", "subject": "Migración a PHP 8.3", "minutes": 65, "share": 63.7},
        {"ticket_tag": "SOP-12", "subject": "El formulario no envía", "minutes": 37, "share": 36.3},
    ),
}
_HISTORY: Values = {
    "client_name": "Acme S.L.",
    "tickets": (
        {
            "tag": "SOP-12",
            "subject": "El formulario no envía",
            "status": Status.OPEN,
            "opened_at": _AT,
            "minutes": 37,
            "technician_name": "Marta Gil",
        },
        {
            "tag": "SOP-9",
            "subject": "",
            "status": "closed",
            "opened_at": _AT,
            "minutes": 65,
            "technician_name": "",
        },
    ),
}

VALUES: Mapping[str, Sequence[Values]] = {
    "ack": (
        _ACK,
        {**_ACK, "open_now": False, "back_at": _BACK, "follows_tag": "SOP-3", "balance": 0},
        {**_ACK, "open_now": False, "person_name": "", "balance": -15},
    ),
    "answer": (
        _ANSWERED,
        {**_ANSWERED, "minutes": 0, "free": 0, "quote": "", "quote_author": "", "quote_at": None},
    ),
    "notice": (
        _NOTICE,
        {**_NOTICE, "ticket": replace(_TICKET, technician=None, category=None)},
        {**_NOTICE, "new": False, "person_name": "ana@acme.example", "attachments": ()},
    ),
    "handed_over": ({**_NOTICE, "conversation": _CONVERSATION},),
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
        {"subject": "Re: El formulario", "text": _TEXT, "at": _AT, "reason": reason}
        for reason in ("no_token", "automatic", "other")
    ),
    "no_ticket": (
        {"text": _TEXT, "ticket_tag": ""},
        {"text": _TEXT, "ticket_tag": "SOP-99"},
    ),
    "held": tuple({"text": _TEXT, "ticket_tag": "SOP-12", "reason": reason} for reason in ("forward", "other")),
    "balance": (
        _BALANCE,
        *({**_BALANCE, "state": state, "balance": 0, "expires_on": None} for state in ("ended", "expired")),
        {**_BALANCE, "state": "ended", "balance": -15},
        {**_BALANCE, "state": "none", "balance": 0, "expires_on": None, "last_used_on": None, "recent": ()},
    ),
    "report": (
        _REPORT,
        {**_REPORT, "entries": (), "by_ticket": (), "problem": Problem("period_unreadable", "2026-13", "2026-10")},
    ),
    "history": (_HISTORY, {**_HISTORY, "tickets": ()}),
    "help": ({},),
    "help_staff": (
        {
            "verbs": tuple(
                {
                    "name": verb.name,
                    "names": (f"#{verb.name}", f"#{verb.spanish}"),
                    "arguments": verb.arguments,
                }
                for verb in VERBS
            )
        },
    ),
    "rules_refused": ({"problems": ('rules.toml:41: rules 3: set.priority: "urgnt" is no priority',), "since": _AT},),
    "delivery_failed": ({"to": "ana@acme.example", "subject": "Re: El formulario", "error": "550 5.1.1 no such user"},),
}
