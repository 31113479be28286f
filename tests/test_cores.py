"""The daemon computes on one processor, what it starts beside itself on all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.driver import desk_in

ALL = os.sched_getaffinity(0)

pytestmark = pytest.mark.skipif(
    len(ALL) < 2 or len(ALL) != os.cpu_count(), reason="there is no processor to choose here"
)

STAYS = """
import os, subprocess, sys, threading
from mailgate import cores
beside = "import os; from mailgate import cores; cores.use_all(); print(sorted(os.sched_getaffinity(0)))"
with cores.on_one():
    print(sorted(os.sched_getaffinity(0)))
    thread = threading.Thread(target=lambda: print(sorted(os.sched_getaffinity(0))))
    thread.start()
    thread.join()
    sys.stdout.flush()
    subprocess.run([sys.executable, "-c", beside], check=True)
print(sorted(os.sched_getaffinity(0)))
"""


def told(*before: str) -> list[str]:
    done = subprocess.run([*before, sys.executable, "-c", STAYS], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


def test_threads_stay_on_one_processor_and_what_is_started_beside_uses_all() -> None:
    mine, thread, beside, afterwards = told()
    assert mine == thread
    assert len(mine.split()) == 1
    assert beside == afterwards == str(sorted(ALL))


def test_processors_that_somebody_has_chosen_are_kept() -> None:
    assert told("taskset", "--cpu-list", "1") == ["[1]"] * 4


@pytest.mark.slow
def test_daemon_computes_on_one_processor(tmp_path: Path) -> None:
    with desk_in(tmp_path) as desk:
        desk.start()
        threads = [int(task.name) for task in Path(f"/proc/{desk.pid}/task").iterdir()]
        assert {len(os.sched_getaffinity(thread)) for thread in threads} == {1}
