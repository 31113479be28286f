"""Peers that pour mail in wait a moment, so that each message is soon processed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from itertools import count
from typing import Any

import pytest

from mailgate.errors import StoreUnavailable
from mailgate.service import take
from mailgate.service.take import Pace

ROOM = 28
LONG = 60.0


class Desk:
    """Takes each message at once, and processes nothing by itself."""

    def __init__(self) -> None:
        self.pace = Pace()
        self._numbers = count(1)
        self.taken: list[int] = []

    def submit(self) -> Future[int]:
        future: Future[int] = Future()
        self.taken.append(next(self._numbers))
        future.set_result(self.taken[-1])
        return future

    def offer(self) -> asyncio.Task[int]:
        return asyncio.create_task(self.pace.take(self.submit))


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, LONG / 2))


async def rest() -> None:
    """Let everybody do what they can without waiting."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
def long_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(take, "_LONGEST_PAUSE", LONG)


@pytest.mark.usefixtures("long_pause")
def test_handful_is_taken_at_once_and_the_next_one_when_some_are_processed():
    async def story() -> None:
        desk = Desk()
        offers = [desk.offer() for _ in range(ROOM + 4)]
        await rest()
        assert desk.taken == list(range(1, ROOM + 1))
        desk.pace.settled(3)
        await rest()
        assert desk.taken == list(range(1, ROOM + 4))
        desk.pace.settled(ROOM + 3)
        assert await asyncio.gather(*offers) == list(range(1, ROOM + 5))

    run(story())


@pytest.mark.usefixtures("long_pause")
def test_messages_on_their_way_to_the_disk_take_up_room_too():
    async def story() -> None:
        pace = Pace()
        commits: list[Future[int]] = []

        def submit() -> Future[int]:
            commits.append(Future())
            return commits[-1]

        offers = [asyncio.create_task(pace.take(submit)) for _ in range(ROOM + 1)]
        await rest()
        assert len(commits) == ROOM
        for number, commit in enumerate(commits, start=1):
            commit.set_result(number)
        await asyncio.wait(offers[:ROOM])
        pace.settled(ROOM)
        await rest()
        assert len(commits) == ROOM + 1
        commits[-1].set_result(ROOM + 1)
        await asyncio.gather(*offers)

    run(story())


def test_nobody_is_refused_and_nobody_waits_while_processing_does_not_move(monkeypatch: pytest.MonkeyPatch):
    async def story() -> None:
        desk = Desk()
        monkeypatch.setattr(take, "_LONGEST_PAUSE", 0.01)
        await asyncio.gather(*(desk.offer() for _ in range(ROOM + 5)))
        monkeypatch.setattr(take, "_LONGEST_PAUSE", LONG)
        await asyncio.gather(*(desk.offer() for _ in range(20)))  # a pause would be longer than the test

    run(story())


@pytest.mark.usefixtures("long_pause")
def test_pace_is_kept_again_once_processing_goes_on(monkeypatch: pytest.MonkeyPatch):
    async def story() -> None:
        desk = Desk()
        with monkeypatch.context() as patched:
            patched.setattr(take, "_LONGEST_PAUSE", 0.01)
            await asyncio.gather(*(desk.offer() for _ in range(ROOM + 5)))
        desk.pace.settled(ROOM + 5)
        await rest()
        offers = [desk.offer() for _ in range(ROOM + 1)]
        await rest()
        assert [offer.done() for offer in offers] == [True] * ROOM + [False]
        desk.pace.settled(2 * ROOM + 5)
        await asyncio.gather(*offers)

    run(story())


@pytest.mark.usefixtures("long_pause")
def test_what_could_not_be_taken_takes_up_no_room():
    async def story() -> None:
        desk = Desk()

        def fail() -> Future[int]:
            future: Future[int] = Future()
            future.set_exception(StoreUnavailable("locked"))
            return future

        for _ in range(3 * ROOM):
            with pytest.raises(StoreUnavailable):
                await desk.pace.take(fail)
        await asyncio.gather(*(desk.offer() for _ in range(ROOM)))

    run(story())


@pytest.mark.usefixtures("long_pause")
def test_message_processed_before_its_taking_is_told_takes_up_no_room():
    async def story() -> None:
        desk = Desk()
        desk.pace.settled(3 * ROOM)
        for _ in range(3 * ROOM):
            await desk.offer()

    run(story())
