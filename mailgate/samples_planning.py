"""Sample values of the mails about days: what is planned and what is pushed back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

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

VALUES: Mapping[str, Sequence[Values]] = {
    "planned": (
        _PLANNED,
        {**_PLANNED, "delivery": None},
        _POSTPONED,
        {**_POSTPONED, "reason": "Falta el acceso al servidor."},
    ),
    "planned_for_you": (
        _PLANNED,
        {**_POSTPONED, "start": date(2026, 11, 2), "delivery": None, "reason": "Falta el acceso al servidor."},
    ),
}
