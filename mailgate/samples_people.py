"""Sample values of the mails about who does what, and who is away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, get_args

from mailgate.core.choose import Reason

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

VALUES: Mapping[str, Sequence[Values]] = {
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
