"""A disk without room: peers are told to come back, nothing is half done, and it goes on when there is room."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.faults import checks
from tests.faults.disk import fill
from tests.faults.driver import desk_in
from tests.faults.senders import Oracle, Postbag, load

pytestmark = pytest.mark.slow

_FULL_SECONDS = 4.0


def test_full_disk_answers_451_and_goes_on_when_there_is_room(tmp_path: Path, small_disk: Path) -> None:
    bag, oracle = Postbag(random.Random(4), padding=400), Oracle()
    with desk_in(tmp_path, data=small_disk / "data") as desk:
        desk.start()
        with load(desk, bag, oracle, senders=3):
            time.sleep(0.5)
            ballast = fill(small_disk)
            before = _stored_once(oracle)
            time.sleep(_FULL_SECONDS)
            during = _stored_once(oracle)
            asked = desk.verb("tickets")
            ballast.unlink()
            _wait_for_more(oracle, during)
        checks.hurry(desk)
        checks.wait_until_settled(desk)
        assert checks.problems(desk, bag.made, oracle) == []
        assert list(checks.files_problems(desk)) == []
        assert desk.running()
    assert asked.returncode in (0, 75), asked.stderr
    assert oracle.codes[451] + oracle.codes[452] >= 3, dict(oracle.codes)
    assert set(oracle.codes) <= {0, 250, 451, 452}
    assert during - before < 50, "the disk was not full"


def test_verbs_on_a_full_disk_say_so_and_ask_to_try_again(tmp_path: Path, small_disk: Path) -> None:
    with desk_in(tmp_path, data=small_disk / "data") as desk:
        assert desk.verb("sell", "acme", "4h").returncode == 0
        fill(small_disk)
        letter = Postbag(random.Random(5), padding=400).request()
        for verb in (("inject", "-"), ("run",)):
            ended = desk.verb(*verb, stdin=letter.raw)
            assert ended.returncode == 75, (verb, ended.stderr)
            assert ended.stderr.decode().count("\n") == 1, ended.stderr
        assert desk.verb("audit").returncode in (0, 75)


def _stored_once(oracle: Oracle) -> int:
    return Counter("ok" in told for told in list(oracle.told.values()))[True]


def _wait_for_more(oracle: Oracle, than: int) -> None:
    end = time.monotonic() + 30
    while _stored_once(oracle) < than + 10:
        assert time.monotonic() < end, "it did not go on by itself"
        time.sleep(0.05)
