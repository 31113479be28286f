"""The countries whose public holidays are known, each loaded by itself.

The package that holds them loads them all, 8 MB, whichever is asked for. An empty package in its place, with the
same path, leaves each to the import of its own module.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import holidays
from holidays.registry import EntityLoader

_PACKAGE = "holidays.countries"


def codes() -> tuple[str, ...]:
    """Of all countries, as ISO 3166-1 has them, "ES" and "ESP"."""
    return tuple(EntityLoader.get_country_codes())


def regions(country: str) -> tuple[str, ...]:
    """The codes of a country's regions. The country is one of `codes()`."""
    return tuple(_loaded(country).subdivisions)


def public_holidays(country: str, **details: Any) -> holidays.HolidayBase:
    """The holidays of a country; details as `holidays.country_holidays` takes them."""
    _loaded(country)
    return holidays.country_holidays(country, **details)


def _loaded(country: str) -> Any:
    if _PACKAGE not in sys.modules:
        package = ModuleType(_PACKAGE)
        package.__path__ = [f"{folder}/countries" for folder in holidays.__path__]
        sys.modules[_PACKAGE] = package
    return getattr(holidays, country)
