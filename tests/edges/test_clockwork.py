"""The daemon's one schedule, beside a wall clock that somebody sets."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta

from mailgate.edges.clockwork import Clockwork
from tests.servers import eventually

HOUR = 3600.0


class Wall:
    """A wall clock that a test puts back or ahead."""

    def __init__(self) -> None:
        self.off = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.off


async def test_jobs_run_at_the_start_and_again_and_again():
    clockwork, runs, threads = Clockwork(), [], set()

    async def job() -> None:
        runs.append(threading.current_thread())

    clockwork.every(0.05, "in the loop", job)
    clockwork.every(0.05, "in a thread", lambda: threads.add(threading.current_thread()))
    clockwork.start()
    await asyncio.sleep(0.5)
    await clockwork.stop()
    assert len(runs) > 2
    assert set(runs) == {threading.current_thread()}
    assert threads
    assert threading.current_thread() not in threads


async def test_clock_that_is_put_back_or_ahead_makes_all_jobs_due():
    wall, runs = Wall(), []
    clockwork = Clockwork(wall)
    clockwork.every(HOUR, "hourly", lambda: runs.append(1))
    clockwork.start()
    for jump in (0, -HOUR, HOUR):
        wall.off += jump
        expected = len(runs) + 1
        await asyncio.to_thread(eventually, lambda wanted=expected: len(runs) == wanted)
    await asyncio.sleep(1.2)
    assert len(runs) == 3, "a clock that goes on as it should makes nothing due"
    await clockwork.stop()


async def test_clock_that_is_put_ahead_by_months_stops_nothing_while_the_times_in_between_are_counted():
    clockwork, runs = Clockwork(), []
    clockwork.every(0.5, "often", lambda: runs.append(1))
    clockwork.start()
    await asyncio.to_thread(eventually, lambda: bool(runs))
    spent = time.process_time()
    clockwork._scheduler.modify_job("often", next_run_time=datetime.now(UTC) - timedelta(days=60))
    await asyncio.sleep(1.2)
    await clockwork.stop()
    assert time.process_time() - spent < 2
    assert len(runs) > 2, "it was due at once, and went on"


async def test_stopping_waits_for_what_is_under_way_and_begins_nothing_more():
    clockwork, done, begun = Clockwork(), [], threading.Event()

    def long_work() -> None:
        begun.set()
        time.sleep(0.3)
        done.append(1)

    clockwork.every(0.05, "long", long_work)
    clockwork.start()
    await asyncio.to_thread(begun.wait, 5)
    await clockwork.stop()
    assert len(done) == 1
    await asyncio.sleep(0.2)
    assert len(done) == 1
