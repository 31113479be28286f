"""Two quiet days in a minute of true time: what leaks by the hour or the day shows in handles, threads and files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import servers
from tests.week import play, table

pytestmark = [pytest.mark.slow, pytest.mark.servers]


def test_two_days_of_traffic_lose_nothing_and_leave_nothing_open(tmp_path: Path) -> None:
    if reason := servers.missing():
        pytest.skip(f"needs real mail servers: {reason}")
    tmp_path.chmod(0o755)
    played = play.week(tmp_path, days=2, steps=1, mails_a_day=100)
    told = table.written(played)
    # Memory settles within days: the long run judges it.
    assert [problem for problem in played.problems if not problem.startswith("rss")] == [], told
    assert played.outcomes["open"] > 40, told
