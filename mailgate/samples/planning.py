"""Sample values of the mails about time: what is planned, pushed back, due soon and overdue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from mailgate.core.model import Priority, Status, Ticket

Values = Mapping[str, Any]

_PLANNED: Values = {
    "ticket_tag": "SOP-12",
    "subject": "El formulario no envía",
    "client_name": "Acme S.L.",
    "technician_name": "Elena Ruiz",
    "start": date(2026, 11, 4),
    "delivery": date(2026, 11, 6),
    "postponed": False,
    "reason": "",
}
_POSTPONED: Values = {**_PLANNED, "postponed": True}

_TICKET = Ticket(
    id=12,
    client="acme",
    subject="El formulario no envía",
    requester="ana@acme.example",
    opened_at=datetime(2026, 10, 30, 9, 15, tzinfo=UTC),
    status=Status.OPEN,
    priority=Priority.URGENT,
    technician="marta",
    asked_at=datetime(2026, 10, 30, 9, 15, tzinfo=UTC),
    answer_due_at=datetime(2026, 11, 2, 11, 0, tzinfo=UTC),
    planned_start=date(2026, 10, 28),
    planned_delivery=date(2026, 10, 30),
)
_ITEM: Values = {
    "ticket": _TICKET,
    "ticket_tag": "SOP-12",
    "client_name": "Acme S.L.",
    "technician_name": "Marta Gil",
}
_OTHER: Values = {
    "ticket": replace(_TICKET, id=9, subject="", priority=Priority.NORMAL, technician=None, status=Status.WAITING),
    "ticket_tag": "SOP-9",
    "client_name": "Beta Ltd",
    "technician_name": "",
}
_ONE: Values = {"tickets": (_ITEM,), "count": 1, "others": (), "all": False}
_SEVERAL: Values = {"tickets": (_ITEM, _OTHER), "count": 2, "others": (), "all": True}
_MANY: Values = {**_SEVERAL, "count": 4, "others": ("SOP-13", "SOP-14")}

_PLANNED_AWAY: Values = {
    **_PLANNED,
    "technician_name": "Marta Gil",
    "absences": ({"since": date(2026, 11, 3), "until": date(2026, 11, 5)},),
}
_WITHOUT: Values = {
    **_ITEM,
    "away_name": "Marta Gil",
    "back_at": datetime(2026, 11, 5, 9, 0, tzinfo=UTC),
}

VALUES: Mapping[str, Sequence[Values]] = {
    "planned": (
        _PLANNED,
        {**_PLANNED, "delivery": None},
        _POSTPONED,
        {**_POSTPONED, "reason": "Falta el acceso al servidor."},
    ),
    "start_today": (
        {"client_name": "Acme S.L.", "ticket": _TICKET, "ticket_tag": "SOP-12", "balance": 225},
        {
            "client_name": "Acme S.L.",
            "ticket": replace(_TICKET, planned_delivery=None, answer_due_at=None),
            "ticket_tag": "SOP-12",
            "balance": 0,
        },
    ),
    "starts_without": (
        _WITHOUT,
        {**_WITHOUT, "technician_name": "Luis Soto", "back_at": None},
        {**_WITHOUT, "ticket": _OTHER["ticket"], "back_at": None},
    ),
    "overdue": (_ONE, _SEVERAL, _MANY),
    "promise_soon": (_ONE, _SEVERAL, _MANY),
    "promise_broken": (_ONE, _SEVERAL, {**_MANY, "count": 99}),
    "planned_away": (
        _PLANNED_AWAY,
        {
            **_PLANNED_AWAY,
            "technician_name": "",
            "delivery": None,
            "absences": ({"since": date(2026, 11, 4), "until": date(2026, 11, 4)},),
        },
    ),
    "planned_for_you": (
        _PLANNED,
        {**_POSTPONED, "start": date(2026, 11, 2), "delivery": None, "reason": "Falta el acceso al servidor."},
    ),
}
