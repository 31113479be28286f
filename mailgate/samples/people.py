"""Sample values of the mails about who does what, and who is away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, get_args

from mailgate.core.choose import Reason
from mailgate.core.model import Status, Ticket

Values = Mapping[str, Any]

_BACK = datetime(2026, 11, 5, 9, 0, tzinfo=UTC)

CHOICES: Sequence[Values] = tuple(
    {
        "technician_name": "Marta Gil",
        "reason": reason,
        "minutes": 840,
        "rule": "site down",
        "instead_of": instead_of,
        "back_at": None,
    }
    for reason in get_args(Reason)
    for instead_of in ("", "Luis Soto")
)

_TICKET = Ticket(
    id=12,
    client="acme",
    subject="El formulario no envía",
    requester="ana@acme.example",
    opened_at=_BACK,
    status=Status.OPEN,
    technician="marta",
)
_PLANNED = replace(
    _TICKET,
    status=Status.SCHEDULED,
    planned_start=date(2026, 12, 22),
    planned_delivery=date(2026, 12, 23),
)
_AHEAD: Sequence[Values] = (
    {"since": date(2026, 11, 20), "until": date(2026, 11, 20), "ruled": False},
    {"since": date(2026, 12, 21), "until": date(2026, 12, 24), "ruled": True},
)
_AWAY: Values = {
    "absences": _AHEAD,
    "tickets": tuple({"tag": "SOP-12", "client_name": "Acme S.L.", "ticket": ticket} for ticket in (_TICKET, _PLANNED)),
}
_ROBOT: Values = {
    "technician_name": "Marta Gil",
    "subject": "Respuesta automática: fuera de la oficina",
    "text": "Estoy fuera hasta el 20 de noviembre.\n\n#time 5m\n\nMarta",
    "open_tickets": 3,
}

VALUES: Mapping[str, Sequence[Values]] = {
    "away_noted": (_AWAY, {**_AWAY, "tickets": ()}, {"absences": (), "tickets": ()}),
    "back_again": tuple(
        {"tickets": ({"ticket": _TICKET, "ticket_tag": "SOP-12", "client_name": "Acme S.L."},) * number}
        for number in (1, 2)
    ),
    "maybe_away": (_ROBOT, {**_ROBOT, "open_tickets": 0}),
    "waits_for_technician": (
        {
            "ticket_tag": "SOP-12",
            "subject": "El formulario no envía",
            "client_name": "Acme S.L.",
            "technician_name": "Marta Gil",
            "back_at": _BACK,
        },
    ),
}
