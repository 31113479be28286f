"""Each fault on the roads in and out once, with real servers; `make faults` plays them longer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import servers
from tests.faults.roads import FAULTS, Rig, play

pytestmark = [pytest.mark.slow, pytest.mark.servers]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_nothing_is_lost_or_done_twice(fault: Callable[[Rig], None], tmp_path: Path) -> None:
    if reason := servers.missing():
        pytest.skip(f"needs real mail servers: {reason}")
    assert play(fault, tmp_path, rounds=1, seed=1) == []
