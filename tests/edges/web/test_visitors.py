"""Peers that open connections and hold them, with no proxy in front: they are sent away, and others are served."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from mailgate.core.settings.servers import Web
from mailgate.edges.web.server import ClientArea
from mailgate.edges.web.visitors import Bounds, Visitors
from tests.edges.web.area import Area
from tests.servers import free_port

Peer = tuple[asyncio.StreamReader, asyncio.StreamWriter]
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


class Door:
    """A client area that listens, and peers that come to it."""

    def __init__(self, visitors: Visitors, port: int) -> None:
        self.visitors, self.port = visitors, port
        self.peers: list[Peer] = []

    async def comes(self, said: bytes = b"") -> Peer:
        """One more peer, and the first that it says."""
        peer = await asyncio.open_connection("127.0.0.1", self.port)
        self.peers.append(peer)
        peer[1].write(said)
        await self.settle()
        return peer

    async def settle(self) -> None:
        """Let the server read what was sent."""
        await asyncio.sleep(0.05)

    async def after(self, seconds: float) -> None:
        """As if so much time had gone by since the last sweep, in which nothing came."""
        self.visitors.sweep(asyncio.get_running_loop().time() + seconds)
        await self.settle()

    async def healthy(self) -> bool:
        """Whether somebody who comes now is served."""
        peer = await self.comes(HEALTH)
        return (await asyncio.wait_for(peer[0].readline(), 5)).startswith(b"HTTP/1.1 200")


@asynccontextmanager
async def door(area: Area, bounds: Bounds | None = None, ours: bool = True) -> AsyncIterator[Door]:
    visitors, port = Visitors(lambda peer: ours, bounds), free_port()
    served = ClientArea(Web(listen=f"127.0.0.1:{port}"), area.site.works, visitors)  # type: ignore[arg-type]
    await served.start()
    opened = Door(visitors, port)
    try:
        yield opened
    finally:
        for _, writer in opened.peers:
            writer.close()
        await served.stop()


async def is_cut_off(peer: Peer) -> bool:
    """Whether the other end is closed, whatever it said before."""
    try:
        await asyncio.wait_for(peer[0].read(), 0.2)
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: x\r\nX-A: "])
async def test_who_asks_for_nothing_or_never_ends_asking_is_cut_off(area: Area, said: bytes) -> None:
    async with door(area) as opened:
        peer = await opened.comes(said)
        await opened.after(14)
        assert not await is_cut_off(peer)
        if said:
            peer[1].write(b"a")  # another byte of the same request wins no time
            await opened.settle()
        await opened.after(16)
        assert await is_cut_off(peer)
        assert await opened.healthy()


async def test_who_goes_on_asking_may_stay(area: Area) -> None:
    async with door(area) as opened:
        peer = await opened.comes(HEALTH)
        await opened.after(14)
        peer[1].write(HEALTH)
        await opened.settle()
        await opened.after(16)
        assert not await is_cut_off(peer)
        await opened.after(32)
        assert await is_cut_off(peer)


async def test_a_body_has_as_long_as_a_poor_line_takes_for_it(area: Area, caplog: pytest.LogCaptureFixture) -> None:
    browser = area.signed_in("ana@acme.example")
    secret = browser.cookies["mailgate"]
    head = f"POST /new HTTP/1.1\r\nHost: x\r\nCookie: mailgate={secret}\r\n{FORM}Content-Length: 800000\r\n\r\n"
    async with door(area) as opened:
        peer = await opened.comes(head.encode() + b"text=")
        await opened.after(0)
        await opened.after(129)
        assert not await is_cut_off(peer), "30 s, and 100 s for 800 kB at 8 kB/s"
        await opened.after(131)
        assert await is_cut_off(peer)
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_who_does_not_read_the_answers_is_cut_off(area: Area) -> None:
    ask = b"GET /sign-in HTTP/1.1\r\nHost: x\r\n\r\n"
    async with door(area) as opened:
        peer = await asyncio.open_connection("127.0.0.1", opened.port, limit=1024)
        opened.peers.append(peer)
        for _ in range(60):  # more than what lies between the two programs can hold
            peer[1].write(ask * 100)
            await opened.settle()
        for seconds in (0, 59, 62):
            assert not peer[1].is_closing()
            await opened.after(seconds)
        with pytest.raises(ConnectionError):
            for _ in range(20):
                peer[1].write(ask)
                await asyncio.wait_for(peer[1].drain(), 5)
                await opened.settle()
        assert await opened.healthy()


async def test_one_peer_has_only_so_many_connections(area: Area) -> None:
    async with door(area, Bounds(peer_connections=3), ours=False) as opened:
        first, *_ = [await opened.comes() for _ in range(3)]
        refused = await opened.comes()
        assert (await refused[0].readline()).startswith(b"HTTP/1.1 503")
        first[1].close()
        await opened.settle()
        assert await opened.healthy()


async def test_a_proxy_of_our_own_speaks_for_many(area: Area) -> None:
    async with door(area, Bounds(peer_connections=3)) as opened:
        for _ in range(5):
            await opened.comes()
        assert await opened.healthy()


async def test_where_there_is_no_room_who_has_asked_for_nothing_longest_goes(area: Area) -> None:
    async with door(area, Bounds(connections=3)) as opened:
        held = [await opened.comes() for _ in range(3)]
        assert await opened.healthy()
        assert [await is_cut_off(peer) for peer in held] == [True, False, False]


async def test_while_all_are_being_served_another_is_told_to_come_again(area: Area) -> None:
    async with door(area, Bounds(connections=2)) as opened:
        for _ in range(2):
            await opened.comes(f"POST /sign-in HTTP/1.1\r\nHost: x\r\n{FORM}Content-Length: 50\r\n\r\n".encode())
        refused = await opened.comes()
        assert (await refused[0].readline()).startswith(b"HTTP/1.1 503")
        await opened.after(0)
        await opened.after(40)
        assert await opened.healthy()


async def test_hundreds_that_hold_their_connections_shut_nobody_out(area: Area) -> None:
    async with door(area) as opened:
        for _ in range(400):
            opened.peers.append(await asyncio.open_connection("127.0.0.1", opened.port))
            opened.peers[-1][1].write(b"GET / HT")
        await opened.settle()
        assert await opened.healthy()
