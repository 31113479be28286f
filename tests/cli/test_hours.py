"""`mailgate hours`: what the rules make of the days ahead."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from mailgate.cli import hours as verb
from tests.cli.conftest import Run

HOURS = """
[hours]
mon = "10:00-20:00"
tue = ["09:00-14:00", "16:00-19:00"]
sat = "22:00-24:00"
sun = "10:00-12:00"
holidays = { country = "ES", region = "MD", closed = ["2026-10-20"], open = ["2026-11-02"] }
seasons = [{ from = "10-26", to = "10-26", mon = "09:00-14:00" }]
"""


@pytest.fixture
def october(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Monday, 19 October 2026; the clocks go back on the Sunday."""
    monkeypatch.setattr(verb, "utc_now", lambda: datetime(2026, 10, 19, 9, 0, tzinfo=UTC))
    monkeypatch.setenv("COLUMNS", "120")
    rules = Path("rules.toml")
    rules.write_text(rules.read_text(encoding="utf-8") + HOURS, encoding="utf-8")
    return run


def test_each_day_is_listed_with_its_hours_or_why_it_is_closed(october: Run) -> None:
    code, out, _ = october("hours", "--days", "15")
    rows = [line.split(maxsplit=2) for line in out.splitlines()[2:]]
    told = {day: " ".join(rest.split()) for day, _, rest in rows}
    assert code == 0
    assert len(rows) == 15
    assert told["2026-10-19"] == "10:00-20:00 today"
    assert told["2026-10-20"] == "closed closed by the rules"
    assert told["2026-10-21"] == "closed"
    assert told["2026-10-24"] == "22:00-24:00"
    assert told["2026-10-25"] == "10:00-12:00 clocks go back 60 min"
    assert told["2026-10-26"] == "09:00-14:00 season 10-26 to 10-26"
    assert told["2026-10-27"] == "09:00-14:00, 16:00-19:00"
    assert told["2026-11-02"] == "10:00-20:00"


def test_programs_get_instants_with_their_offset(october: Run) -> None:
    code, out, _ = october("hours", "--days", "56", "--json")
    days = {day["day"]: day for day in json.loads(out)}
    assert code == 0
    assert days["2026-10-19"] == {
        "day": "2026-10-19",
        "open": [{"from": "2026-10-19T10:00:00+02:00", "to": "2026-10-19T20:00:00+02:00"}],
        "closed": None,
        "season": None,
    }
    assert days["2026-10-25"]["open"] == [{"from": "2026-10-25T10:00:00+01:00", "to": "2026-10-25T12:00:00+01:00"}]
    assert [span["to"][11:16] for span in days["2026-10-27"]["open"]] == ["14:00", "19:00"]
    assert (days["2026-10-21"]["open"], days["2026-10-21"]["closed"]) == ([], "no hours")
    assert days["2026-12-08"]["closed"] == "Inmaculada Concepción"


def test_thirty_days_from_today_on_unless_told_otherwise(october: Run) -> None:
    days = [day["day"] for day in json.loads(october("hours", "--json")[1])]
    assert (len(days), days[0], days[-1]) == (30, "2026-10-19", "2026-11-17")
    assert october("hours", "--days", "0")[0] == 2


def test_in_december_the_days_of_the_next_year_are_asked_for(october: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "2027" not in october("hours")[1]
    monkeypatch.setattr(verb, "utc_now", lambda: datetime(2026, 12, 1, 9, 0, tzinfo=UTC))
    assert "names no day of 2027 yet" in october("hours")[1]
    rules = Path("rules.toml")
    rules.write_text(rules.read_text(encoding="utf-8").replace("2026-10-20", "2027-05-15"), encoding="utf-8")
    assert "names no day" not in october("hours")[1]
    assert date(2027, 5, 15).isoformat() in october("hours", "--days", "200")[1]
