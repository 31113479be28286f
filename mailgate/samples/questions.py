"""Values with which the templates of help and of the guides are tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from mailgate.core.commands.vocabulary import VERBS
from mailgate.core.model import Category

Values = Mapping[str, object]

_WEEK = (
    {"first": 0, "last": 3, "times": ("09:00-14:00", "16:00-19:00")},
    {"first": 4, "last": 4, "times": ("10:00-20:00",)},
    {"first": 5, "last": 6, "times": ("10:00-12:00",)},
)
_VERBS = tuple(
    {
        "name": verb.name,
        "names": (f"#{verb.name}", f"#{verb.spanish}"),
        "arguments": verb.arguments,
        "director": verb.director_only,
    }
    for verb in VERBS
)
_ALL: Values = {
    "client_name": "Acme S.L.",
    "address": "soporte@example.es",
    "area": "https://soporte.example.es",
    "tag": "SOP",
    "week": _WEEK,
    "seasons": (
        {"since": date(2024, 8, 1), "until": date(2024, 8, 31), "week": _WEEK},
        {"since": date(2024, 12, 24), "until": date(2024, 12, 31), "week": ()},
    ),
    "promise": {"first_answer": 240, "quick_answer": 60, "quick_minutes": 10},
    "packages": ({"minutes": 240, "price": "160.00 EUR"},),
    "verbs": _VERBS,
    "categories": tuple(Category),
    "director": True,
}
_LITTLE: Values = {
    **_ALL,
    "area": "",
    "seasons": (),
    "packages": (),
    "verbs": (*_VERBS[:3], _VERBS[-1]),
    "director": False,
}

VALUES: Mapping[str, Sequence[Values]] = dict.fromkeys(
    ("help", "help_staff", "guide_clients", "guide_technicians"), (_ALL, _LITTLE)
)
