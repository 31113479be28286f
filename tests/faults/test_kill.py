"""Whatever stops the process at whatever point: one ticket, one debit, one acknowledgement."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults import kill

pytestmark = pytest.mark.slow


def test_thirty_kills_under_load_lose_nothing_and_do_nothing_twice(tmp_path: Path) -> None:
    result = kill.run(tmp_path, kills=30, seed=20261122)
    assert result.problems == []
    assert result.attempts["ok"] >= 40, result  # a machine that does much else takes fewer


def test_kills_while_sending_repeat_a_mail_only_with_the_same_message_id(tmp_path: Path) -> None:
    with kill.sink() as hop:
        result = kill.run(tmp_path, kills=8, seed=5, next_hop=hop)
    assert result.problems == []
    assert result.mails >= 16, result
