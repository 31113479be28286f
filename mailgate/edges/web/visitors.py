"""How many connections peers may have to the client area, and how long they may hold one without using it.

uvicorn waits for ever for the first request of a connection, for the rest of one, and for who does not read the answer.
A proxy in front keeps such peers away; where there is none, a few hundred of them would shut all others out. So nothing
that a peer has to do may last, and where there is no room left whoever has asked for nothing longest goes first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

# Who holds a connection is found soon enough.
_SWEEP_SECONDS = 1.0
_NO_ROOM = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 15\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Bounds:
    """connections: at once, of all peers; peer_connections: of one, which may be an office behind one address.

    asking_seconds: from the beginning, or the last answer, until a request is there but for its body. body_seconds: for
    its body, and besides what that takes at `slowest` bytes a second. reading_seconds: in which a peer reads something
    of what waits for it.
    """

    connections: int = 200
    peer_connections: int = 40
    asking_seconds: float = 15
    body_seconds: float = 30
    slowest: int = 8_000
    reading_seconds: float = 60


@dataclass(frozen=True, slots=True)
class Moment:
    """What a connection waits for. mark: something else as soon as that goes on."""

    waits_for: Literal["request", "body", "reader", "us"]
    mark: object


class Visitors:
    """Every connection, with its moment and since when that lasts, in the loop's time.

    ours: whether a peer is a proxy of our own, which speaks for many.
    """

    def __init__(self, ours: Callable[[str], bool], bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()
        self._ours = ours
        self._here: dict[Visitor, tuple[Moment, float]] = {}

    def protocol(self, **given: Any) -> asyncio.Protocol:
        """What speaks with one more peer, as uvicorn asks for it."""
        return Visitor(self, **given)

    def came(self, visitor: Visitor, now: float) -> bool:
        """Whether there is room for one more; it is here from now on."""
        mates = sum(other.peer == visitor.peer for other in self._here)
        if mates >= self.bounds.peer_connections and not self._ours(visitor.peer):
            return False
        if len(self._here) >= self.bounds.connections and not self._made_room(now):
            return False
        self._here[visitor] = visitor.moment(), now
        return True

    def _made_room(self, now: float) -> bool:
        """Send away who has asked for nothing longest; whether there was somebody."""
        self.sweep(now)  # who has asked since the last one stays
        idle = [(since, visitor) for visitor, (moment, since) in self._here.items() if moment.waits_for == "request"]
        if idle:
            self._cut_off(min(idle, key=lambda one: one[0])[1])
        return bool(idle)

    def went(self, visitor: Visitor) -> None:
        """A connection is over."""
        self._here.pop(visitor, None)

    def sweep(self, now: float) -> None:
        """Cut off who holds a connection for too long."""
        for visitor, (before, since) in list(self._here.items()):
            moment = visitor.moment()
            if moment != before:
                self._here[visitor] = moment, now
            elif now - since > self._most(visitor, moment):
                self._cut_off(visitor)

    async def keep_sweeping(self) -> None:
        """Sweep every moment, until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            self.sweep(loop.time())

    def _most(self, visitor: Visitor, moment: Moment) -> float:
        """How many seconds this may last."""
        match moment.waits_for:
            case "request":
                return self.bounds.asking_seconds
            case "body":
                return self.bounds.body_seconds + visitor.length() / self.bounds.slowest
            case "reader":
                return self.bounds.reading_seconds
            case "us":
                return float("inf")

    def _cut_off(self, visitor: Visitor) -> None:
        self.went(visitor)
        visitor.transport.abort()


class Visitor(H11Protocol):
    """One connection. peer: the address at its other end, "" for a Unix socket."""

    def __init__(self, visitors: Visitors, **given: Any) -> None:
        super().__init__(**given)
        self._visitors = visitors
        self.peer = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Stay, or be told that there is no room."""
        super().connection_made(transport)
        self.peer = self.client[0] if self.client else ""
        if not self._visitors.came(self, self.loop.time()):
            transport.write(_NO_ROOM)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over, whoever ended it."""
        self._visitors.went(self)
        super().connection_lost(exc)

    def moment(self) -> Moment:
        """What it waits for now."""
        if unread := self.transport.get_write_buffer_size():
            return Moment("reader", unread)
        if self.cycle is None or self.cycle.response_complete:
            return Moment("request", self.cycle)
        return Moment("body" if self.conn.their_state is h11.SEND_BODY else "us", self.cycle)

    def length(self) -> int:
        """How long the body of the request is, as it says; 0 where it does not."""
        told = next((value for name, value in self.headers if name == b"content-length"), b"")
        return int(told) if told.isdigit() else 0
