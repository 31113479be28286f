"""Sample values of the mails about several people in one ticket: what crossed, what waits for its writer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

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

VALUES: Mapping[str, Sequence[Values]] = {
    "held": (
        {**_HELD, "reason": "forward", "newer": ()},
        _HELD,
        {**_HELD, "unusual": _UNUSUAL, "replaced": True},
        {**_HELD, "reason": "time", "newer": (), "unusual": _UNUSUAL},
        {**_HELD, "reason": "time", "newer": (), "unusual": {**_UNUSUAL, "most": 35}},
    ),
}
