"""Sample values of the mails of the client area."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Values = Mapping[str, Any]

VALUES: Mapping[str, Sequence[Values]] = {
    "sign_in": [
        {"url": "https://soporte.example.es/link/kX3vQ8mZ0cJ5sW1rT7yB2nL9pD4fG6hA", "minutes": 15, "staff": staff}
        for staff in (False, True)
    ],
}
