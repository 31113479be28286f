"""The countries whose holidays are known, loaded one at a time."""

from __future__ import annotations

import subprocess
import sys

import holidays
import pytest

from mailgate.core.settings import countries

_ASK = """
import sys
from mailgate.core.settings.countries import public_holidays
print(public_holidays("ES", subdiv="MD", years=2026, language="es")[__import__("datetime").date(2026, 5, 2)])
print(sum(name.startswith("holidays.countries.") for name in sys.modules))
"""


def test_only_the_country_of_the_desk_is_loaded() -> None:
    ended = subprocess.run([sys.executable, "-c", _ASK], capture_output=True, text=True, check=True)
    name, loaded = ended.stdout.splitlines()
    assert name == "Fiesta de la Comunidad de Madrid"
    assert int(loaded) == 1


@pytest.mark.slow
def test_each_country_can_be_loaded_so() -> None:
    known = countries.codes()
    assert len(known) > 400
    for code in known:
        regions = countries.regions(code)
        assert regions == tuple(getattr(holidays, code).subdivisions)
        countries.public_holidays(code, years=2026, subdiv=regions[0] if regions else None)
