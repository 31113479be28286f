"""Where programs ask how the daemon is: `GET /health` and `GET /metrics` over HTTP, for this machine.

No framework: two answers without a body to read, asked every few seconds by somebody who is trusted.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mailgate.core.health import Health
from mailgate.core.metrics import exposition
from mailgate.core.settings.fields import Endpoint
from mailgate.edges import listening
from mailgate.errors import StoreUnavailable

_REQUEST_SECONDS = 5.0
_MOST_HEADERS = 100
_MOST_CONNECTIONS = 20
_TICK_SECONDS = 0.5
_REMEMBERED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Seen:
    """How all stands. told: the same for programs, with the problems in words."""

    health: Health
    told: dict[str, Any]


Look = Callable[[], Seen]
"""Looks at the store; blocks, and raises StoreUnavailable."""


class Lag:
    """How late the event loop comes to what is due; what blocks it keeps every peer waiting."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[float] = deque(maxlen=round(_REMEMBERED_SECONDS / _TICK_SECONDS))

    @property
    def most(self) -> float:
        """The longest delay of the last minute, in seconds."""
        return max(self._seen, default=0.0)

    async def watch(self) -> None:
        """Measure until cancelled."""
        while True:
            before = self._clock()
            await asyncio.sleep(_TICK_SECONDS)
            self._seen.append(max(0.0, self._clock() - before - _TICK_SECONDS))


class Monitor:
    """The two answers."""

    def __init__(self, listen: Endpoint, look: Look) -> None:
        self._listen = listen
        self._look = look
        self._lag = Lag()
        self._open = 0
        self._servers: list[asyncio.Server] = []
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen. Raises OSError where the address cannot be had."""
        self._servers = await listening.listen(self._listen, "monitor", self._connection)
        self._watching = asyncio.create_task(self._lag.watch())

    @property
    def place(self) -> str:
        """Where programs reach it, for people to read."""
        return listening.place(self._listen, self._servers)

    async def stop(self) -> None:
        """Listen no more."""
        for server in self._servers:
            server.close()
        if self._watching:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    def _connection(self) -> asyncio.StreamReaderProtocol:
        return asyncio.StreamReaderProtocol(asyncio.StreamReader(), self._serve)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer, and goodbye; whoever dawdles gets none."""
        self._open += 1
        try:
            with contextlib.suppress(
                OSError, TimeoutError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError
            ):
                async with asyncio.timeout(_REQUEST_SECONDS):
                    method, path = await _request(reader)
                if self._open <= _MOST_CONNECTIONS:
                    writer.write(await self._answer(method, path))
                    await writer.drain()
        finally:
            self._open -= 1
            writer.close()

    async def _answer(self, method: str, path: str) -> bytes:
        if method not in ("GET", "HEAD"):
            return _response(405, "text/plain", "GET and HEAD only\n", method)
        if path not in ("/health", "/metrics"):
            return _response(404, "text/plain", "there are /health and /metrics\n", method)
        try:
            seen = await asyncio.to_thread(self._look)
        except StoreUnavailable as error:
            return _response(503, "text/plain", f"{error}\n", method)
        well = bool(seen.told["ok"])
        if path == "/metrics":
            return _response(200, "text/plain; version=0.0.4", exposition(seen.health, well, self._lag.most), method)
        told = {**seen.told, "loop_lag": round(self._lag.most, 3)}
        return _response(200 if well else 503, "application/json", json.dumps(told, ensure_ascii=False), method)


async def _request(reader: asyncio.StreamReader) -> tuple[str, str]:
    """Method and path of a request (RFC 9112). Raises ValueError for what is none."""
    method, target, _ = (await reader.readuntil(b"\n")).decode("latin-1").split()
    for _ in range(_MOST_HEADERS):
        if not (await reader.readuntil(b"\n")).strip():
            return method, target.partition("?")[0]
    raise ValueError("too many headers")


_REASONS = {200: "OK", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}


def _response(code: int, kind: str, text: str, method: str) -> bytes:
    body = text.encode()
    head = [
        f"HTTP/1.1 {code} {_REASONS[code]}",
        f"Content-Type: {kind}; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Connection: close",
    ]
    return "\r\n".join([*head, "", ""]).encode() + (b"" if method == "HEAD" else body)
