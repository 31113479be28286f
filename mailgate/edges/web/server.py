"""The server of the client area, inside the daemon's loop. What goes wrong with it never stops the mails."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator, Sequence
from typing import Any

import uvicorn
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from mailgate.core.settings.servers import Web
from mailgate.edges import listening
from mailgate.edges.peers import ours
from mailgate.edges.web.asking import Works
from mailgate.edges.web.site import Site
from mailgate.edges.web.visitors import Visitors

log = logging.getLogger("mailgate.web")

# How long a server that stops waits for the answers under way.
_LAST_SECONDS = 5
_IDLE_SECONDS = 15
_TICK_SECONDS = 1.0


class _Server(uvicorn.Server):
    """One that leaves the signals of the process to the daemon, and wakes it up once a second, not ten times."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ending = asyncio.Event()

    def end(self) -> None:
        """Listen no more, and finish what is under way."""
        self.should_exit = True
        self._ending.set()

    async def main_loop(self) -> None:
        """What is looked at, as the time that answers bear, changes by the second."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), _TICK_SECONDS)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        listening.let_wait(sockets or ())

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn would take them, and raise them again at its end."""
        yield


class ClientArea:
    """What listens at `web.listen`."""

    def __init__(self, settings: Web, works: Works, visitors: Visitors | None = None) -> None:
        self._settings = settings
        self._site = Site(works)
        self._visitors = visitors or Visitors(lambda peer: ours(peer, settings.proxies))
        self._sweeping: asyncio.Task[None] | None = None
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self.place = ""

    async def start(self) -> None:
        """Begin to listen. Where the address cannot be had the client area is off, and the log says so."""
        if self._settings.listen is None:
            return
        try:
            sockets = listening.opened(self._settings.listen, "web")
        except OSError as error:
            where = listening.written(self._settings.listen)
            log.error("the client area is off: cannot listen on %s (%s); mails go on", where, error.strerror or error)
            return
        self.place = ", ".join(listening.spoken(sock) for sock in sockets)
        self._server = _Server(_config(self._app(), self._visitors))
        self._sweeping = asyncio.create_task(self._visitors.keep_sweeping())
        self._serving = asyncio.create_task(self._server.serve(sockets))
        self._serving.add_done_callback(_tell_end)

    def _app(self) -> Any:
        """The site, behind our own proxies alone told who asks."""
        trusted: Sequence[str] = [str(network) for network in self._settings.proxies]
        app: Any = self._site.application
        return ProxyHeadersMiddleware(app, trusted_hosts=list(trusted)) if trusted else app

    async def stop(self) -> None:
        """Listen no more, and finish what is under way."""
        if self._server is not None and self._serving is not None:
            self._server.end()
            await asyncio.gather(self._serving, return_exceptions=True)
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)
        await asyncio.to_thread(self._site.close)


def _config(app: Any, visitors: Visitors) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="none",
        http=visitors.protocol,  # type: ignore[arg-type]  # it calls whatever makes protocols
        ws="none",
        backlog=listening.AT_ONCE,
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=_LAST_SECONDS,
    )


def _tell_end(serving: asyncio.Task[None]) -> None:
    if not serving.cancelled() and (error := serving.exception()):
        log.error("the client area has stopped: %s; mails go on", error)
