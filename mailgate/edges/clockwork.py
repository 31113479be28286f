"""Calls what is to be done every so many seconds, whatever happens to the wall clock."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.executors import pool
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

log = logging.getLogger("mailgate.clockwork")

_LOOK_SECONDS = 1.0
# A wall clock that is set by less than this stalls nothing for long.
_JUMP_SECONDS = 5.0
_AT_ONCE = 4
# Ahead by more: the clock may be wrong, and what is done by the date cannot be undone.
_LEAP_SECONDS = 24 * 3600.0
_DOUBT_SECONDS = 3600.0


class _Every(BaseTrigger):  # type: ignore[misc]
    """So many seconds after the last time, and never at a time that has passed.

    APScheduler goes through those one by one, even where it makes them one run: after a machine has slept for a
    month, or its clock was set by years, the event loop would count for minutes.
    """

    def __init__(self, seconds: float) -> None:
        self.pause = timedelta(seconds=seconds)

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        following = previous + self.pause if previous else now
        return following if following > now else now + self.pause


class Doubt:
    """Whether the date is to be believed: not for an hour after the clock leapt ahead by more than a day.

    Then accounts would expire, and be told so, and old mail be removed for good. In an hour the machine's time service
    or a person puts it right, which ends the doubt; a machine that had slept loses an hour. wall, steady: as below.
    """

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._steady = wall, steady
        self._before = wall() - steady()
        self._until = steady()

    def holds(self) -> bool:
        """Whether there is doubt now. For any thread; to be asked often, and before each thing that it is about."""
        apart = self._wall() - self._steady()
        leapt = apart - self._before
        if leapt > _LEAP_SECONDS:
            self._until = self._steady() + _DOUBT_SECONDS
            log.error(
                "the clock leapt ahead by %.0f days: what is done by the date waits for an hour; put the clock right,"
                " or restart where it is right now",
                leapt / _LEAP_SECONDS,
            )
        elif leapt < -_LEAP_SECONDS:
            self._until = self._steady()
        self._before = apart  # last: who asks at the same time must not miss it
        return self._steady() < self._until


class Clockwork:
    """The one schedule of the daemon: each job is run at the start and then every so many seconds.

    One at a time of each; what was missed is made up for by one run. APScheduler reckons by the wall
    clock, so one that is put back by an hour would stall all jobs for an hour: the monotonic clock
    tells, and makes them due again. wall, steady: the two clocks, in seconds.
    """

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._steady = wall, steady
        self._threads = pool.ThreadPoolExecutor(_AT_ONCE)
        self._scheduler: Any = AsyncIOScheduler(
            timezone=UTC,
            executors={"default": {"type": "asyncio"}, "threads": self._threads},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._watching: asyncio.Task[None] | None = None
        # That a run takes longer than its interval is no news.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)

    def every(self, seconds: float, name: str, job: Callable[[], Any]) -> None:
        """Add a job: a coroutine function for the event loop, any other runs in a thread and may take long."""
        runs_in = "default" if asyncio.iscoroutinefunction(job) else "threads"
        now = datetime.now(UTC)
        self._scheduler.add_job(job, _Every(seconds), id=name, executor=runs_in, next_run_time=now)

    def start(self) -> None:
        """Begin, in the event loop that is running."""
        self._scheduler.start()
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Begin nothing any more, and wait for the jobs in threads that are under way."""
        if self._watching:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        self._scheduler.shutdown(wait=False)
        await asyncio.sleep(0)  # the shutdown is a call in the event loop
        await asyncio.to_thread(self._threads.shutdown)

    async def _watch(self) -> None:
        """Notice that the wall clock was set."""
        before = self._apart()
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            apart = self._apart()
            if abs(apart - before) > _JUMP_SECONDS:
                log.warning("the clock was set by %.0f s: all jobs are due", apart - before)
                self._make_due()
            elif self._is_stalled():
                log.warning("the clock was ahead for a moment: all jobs are due")
                self._make_due()
            before = apart

    def _is_stalled(self) -> bool:
        """Whether a job was put off for longer than it pauses, in a moment in which the clock was ahead."""
        latest = datetime.now(UTC) + timedelta(seconds=_JUMP_SECONDS)
        return any(job.next_run_time > latest + job.trigger.pause for job in self._scheduler.get_jobs())

    def _apart(self) -> float:
        return self._wall() - self._steady()

    def _make_due(self) -> None:
        for job in self._scheduler.get_jobs():
            self._scheduler.modify_job(job.id, next_run_time=datetime.now(UTC))
