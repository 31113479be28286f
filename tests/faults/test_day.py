"""kill -9 while a desk that was off for long catches up: each account expires once and is told once."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailgate.core.model import Entry, Kind
from mailgate.opening import open_store
from mailgate.store import entries
from tests.faults import checks
from tests.faults.driver import Desk, desk_in

pytestmark = pytest.mark.slow

_CLIENTS = 600
_KILLS = 5


def _bought_long_ago(desk: Desk) -> None:
    at = datetime.now(UTC) - timedelta(days=500)
    store = open_store(desk.data)
    with store.write() as tx:
        for number in range(_CLIENTS):
            bought = Entry(0, f"c{number}", Kind.PURCHASE, 240, at, at.date(), package="4h", price="160.00 EUR")
            entries.append(tx, bought)
    store.close()


def _expired(desk: Desk) -> int:
    return int(checks.value(desk, "select count(*) from entry where kind = 'expiry'"))


def _caught_up(desk: Desk) -> bool:
    """Whether it says so; after what it says may stand a line for each mail that went out since."""
    return any("expiries" in line["text"] for line in desk.logged())


def _killed_in_the_middle(desk: Desk, pause: float) -> bool:
    """Start the daemon, kill it a while after its first expiry; whether there was more to do."""
    before = _expired(desk)
    desk.start()
    end = time.monotonic() + 60
    while _expired(desk) == before and time.monotonic() < end:
        time.sleep(0.005)
    time.sleep(pause)
    desk.kill()
    return before < _expired(desk) < _CLIENTS


def test_kills_while_the_day_is_caught_up_with_repeat_nothing_and_forget_nothing(tmp_path: Path) -> None:
    chance = random.Random(3)
    with desk_in(tmp_path) as desk:
        _bought_long_ago(desk)
        in_the_middle = [_killed_in_the_middle(desk, chance.uniform(0.0, 0.2)) for _ in range(_KILLS)]
        assert any(in_the_middle), "no kill fell into the work; give it more clients"
        desk.start()
        end = time.monotonic() + 60
        while not _caught_up(desk):
            assert time.monotonic() < end, "the day was not caught up with"
            time.sleep(0.1)
        desk.stop()
        assert _expired(desk) == _CLIENTS
        assert checks.value(desk, "select count(distinct client) from entry where kind = 'expiry'") == _CLIENTS
        mails = dict(checks.rows(desk, "select template, count(*) from outbox group by template"))
        assert mails == {"expired": 2 * _CLIENTS}
        assert desk.verb("audit").returncode == 0
