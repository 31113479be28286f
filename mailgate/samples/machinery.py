"""Sample values for the mails about the machinery, see `samples`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from mailgate.core.health import Trouble
from mailgate.core.mailbox import Left

_AT = datetime(2026, 11, 2, 9, 15, tzinfo=UTC)
_LATER = datetime(2026, 11, 2, 10, 40, tzinfo=UTC)
_BOX = "imap.example.es/soporte@example.es/INBOX"

TROUBLES = (
    Trouble("daemon"),
    Trouble("mailbox", _AT, _BOX, "LoginError: [AUTHENTICATIONFAILED] Authentication failed."),
    Trouble("login", _AT, "google soporte@example.es", "invalid_grant: Token has been expired or revoked."),
    Trouble("login", about="microsoft soporte@example.es", error="nobody has signed in yet"),
    Trouble("login_ends", about="google soporte@example.es", until=_LATER),
    Trouble("untidied", _AT, _BOX, count=2),
    Trouble("unprocessed", _AT, count=3),
    Trouble("dns", _AT, count=2),
    Trouble("unsent", _AT, error="timed out", count=14),
    Trouble("unsent", _AT, count=1),
    Trouble("failures", _AT, count=1),
    Trouble("disk", size=180 * 1024**2),
    Trouble("backup", _AT),
    Trouble("no_backup", _AT),
    Trouble("audit", _AT),
    Trouble("books", _AT),
    Trouble("key", error="data/vault.key: the key 5f0c is missing"),
    Trouble("rules", _AT, error="rules.toml:13: desk.tag: 7 is a whole number; use text in quotes", count=1),
)
_OVER = ("unprocessed", "dns", "unsent", "failures", "disk", "backup", "no_backup", "audit", "rules")

_LOOP = {"what": "tienda@acme.example", "is_ticket": False, "count": 20, "minutes": 10, "subject": "Re: Re: El carrito"}
_LEFT = (
    Left("big", _BOX, 1, 104_857_600, "ana@acme.example", "Las fotos de la web"),
    Left("refused", _BOX, 1, 3_000),
    Left("old", _BOX, 100_000),
    Left("anew", _BOX, 1),
)

_EXPORT = {"client": "acme", "client_name": "Acme S.L.", "day": date(2026, 11, 2), "count": 14}

VALUES: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "export_readme": tuple({**_EXPORT, "covered": covered} for covered in (True, False)),
    "loop_stopped": (_LOOP, {**_LOOP, "what": "SOP-12", "is_ticket": True}),
    "trouble": tuple({"trouble": trouble, "since": trouble.since or _AT} for trouble in TROUBLES),
    "mail_left": ({"left": list(_LEFT), "limit": 26_214_400}, *({"left": [one], "limit": 26_214_400} for one in _LEFT)),
    "all_clear": (
        *({"name": name, "about": _BOX, "since": _AT, "until": _LATER} for name in ("mailbox", "untidied")),
        *(
            {"name": name, "about": "google soporte@example.es", "since": _AT, "until": _LATER}
            for name in ("login", "login_ends")
        ),
        *({"name": name, "about": "", "since": _AT, "until": _LATER} for name in _OVER),
    ),
}
