"""The daemon's one schedule, beside a wall clock that somebody sets."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta

from mailgate.edges.clockwork import Clockwork, Doubt
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


async def test_clock_that_was_ahead_for_less_than_a_look_stalls_no_job():
    clockwork, runs = Clockwork(), []
    clockwork.every(HOUR, "hourly", lambda: runs.append(1))
    clockwork.start()
    await asyncio.to_thread(eventually, lambda: len(runs) == 1)
    clockwork._scheduler.modify_job("hourly", next_run_time=datetime.now(UTC) + timedelta(days=400))
    await asyncio.to_thread(eventually, lambda: len(runs) == 2, 10)
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


def test_clock_that_leaps_ahead_is_not_believed_for_an_hour_and_again_once_it_is_put_right():
    now = {"wall": 0.0, "steady": 0.0}
    doubt = Doubt(lambda: now["wall"], lambda: now["steady"])

    def passes(seconds: float, leap: float = 0.0) -> bool:
        now["steady"] += seconds
        now["wall"] += seconds + leap
        return doubt.holds()

    assert not doubt.holds()
    assert not passes(60, leap=23 * HOUR)  # a zone, summer time, a machine that slept at night
    assert not passes(60, leap=-400 * 24 * HOUR)
    assert passes(60, leap=400 * 24 * HOUR)
    assert passes(0.9 * HOUR)
    assert not passes(0.2 * HOUR)
    assert passes(60, leap=400 * 24 * HOUR)
    assert not passes(60, leap=-400 * 24 * HOUR)
