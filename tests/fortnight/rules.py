"""The desk of the fortnight: three technicians, the director among them, and thirty clients."""

from __future__ import annotations

from typing import Any

from mailgate.core.settings.checks import build
from mailgate.core.settings.rules import Rules

CLIENTS = tuple(f"c{number:02}" for number in range(1, 31))
STAFF = {"elena": "Elena Ruiz", "marta": "Marta Gil", "pablo": "Pablo Sanz"}
# Who usually works for a client: a third of them is marta's, a third pablo's, the others are nobody's yet.
USUAL = {client: (None, "marta", "pablo")[number % 3] for number, client in enumerate(CLIENTS)}


def address_of(person: str) -> str:
    """Of a technician, or of the one person who writes for a client."""
    return f"{person}@example.es" if person in STAFF else f"ana@{person}.example"


def desk_rules() -> Rules:
    """The rules, checked as a file of them would be."""
    built = build(_tables())
    assert isinstance(built, Rules), built
    return built


def _tables() -> dict[str, Any]:
    week = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "10:00-20:00")
    return {
        "desk": {
            "name": "Soporte Técnico",
            "address": "soporte@example.es",
            "admin": "admin@example.es",
            "director": "elena",
        },
        "hours": {**week, "holidays": {"country": "ES", "region": "MD", "closed": ["2026-10-30"]}},
        "trust": {"technicians": "token"},
        "packages": {"4h": {"minutes": 240, "price": "160.00 EUR", "first": True}},
        "technicians": {
            "elena": {"name": STAFF["elena"], "addresses": [address_of("elena")]},
            "marta": {"name": STAFF["marta"], "addresses": [address_of("marta")]},
            "pablo": {
                "name": STAFF["pablo"],
                "addresses": [address_of("pablo")],
                "away": [{"from": "2026-10-26", "to": "2026-11-06"}],
            },
        },
        "clients": {client: _client(client, number) for number, client in enumerate(CLIENTS)},
        "rules": [
            {
                "name": "site down",
                "match": {"any": ["no carga", "site is down"]},
                "set": {"priority": "urgent", "category": "bug"},
            },
            {"name": "moving", "match": {"any": ["migrar", "migrate"]}, "set": {"category": "migration"}},
        ],
    }


def _client(client: str, number: int) -> dict[str, Any]:
    usual = {"technician": USUAL[client]} if USUAL[client] else {}
    language = {"language": "en"} if number % 6 == 5 else {}
    return {"name": f"Cliente {number + 1:02} S.L.", "addresses": [address_of(client)], **usual, **language}
