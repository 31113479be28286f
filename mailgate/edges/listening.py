"""The sockets of a listening address: opened here, or handed over by systemd (sd_listen_fds(3))."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from mailgate.core.settings.fields import Endpoint
from mailgate.errors import of_the_machine

log = logging.getLogger("mailgate.listening")

_FIRST = 3  # SD_LISTEN_FDS_START
# As many connections wait in the system to be taken.
_BACKLOG = 512
# asyncio takes as many at a time as it believes may wait, and without file handles fails as often, telling each: a
# hundred thousand tracebacks a minute. One at a time it fails, and tries again after a second.
AT_ONCE = 1
_QUIET_SECONDS = 60.0


async def listen(endpoint: Endpoint, name: str, protocol: Callable[[], asyncio.BaseProtocol]) -> list[asyncio.Server]:
    """Begin to listen; a socket unit may hand over several, IPv4 and IPv6. Raises OSError where that cannot be.

    name: of the socket as systemd knows it, FileDescriptorName= of its unit.
    """
    loop = asyncio.get_running_loop()
    if endpoint.kind == "systemd":
        servers = [
            await loop.create_server(protocol, sock=sock, backlog=AT_ONCE)
            if sock.family != socket.AF_UNIX
            else await loop.create_unix_server(protocol, sock=sock, backlog=AT_ONCE)
            for sock in handed_over(name)
        ]
    elif endpoint.kind == "unix":
        Path(endpoint.path).unlink(missing_ok=True)
        servers = [await loop.create_unix_server(protocol, endpoint.path, backlog=AT_ONCE)]
    else:
        servers = [await loop.create_server(protocol, endpoint.host, endpoint.port, backlog=AT_ONCE)]
    let_wait([sock for server in servers for sock in server.sockets])
    return servers


def let_wait(sockets: Iterable[Any]) -> None:
    """Have connections wait in the system while others are taken: asyncio has set that to what it takes at once."""
    for sock in sockets:
        with sock.dup() as same:
            same.listen(_BACKLOG)


class Shortage:
    """Tells in one line that no connection can be taken now; asyncio would tell it with a traceback a second.

    For `loop.set_exception_handler`. What else it is told goes on to asyncio's own.
    """

    def __init__(self) -> None:
        self._told_at = -_QUIET_SECONDS

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not of_the_machine(error):
            loop.default_exception_handler(context)
        elif loop.time() - self._told_at >= _QUIET_SECONDS:
            self._told_at = loop.time()
            log.error("no connection can be taken now: %s; trying again each second", getattr(error, "strerror", error))


def opened(endpoint: Endpoint, name: str) -> list[socket.socket]:
    """The sockets of an address, which take connections from now on, for a server of its own. Raises OSError."""
    if endpoint.kind == "systemd":
        return handed_over(name)
    if endpoint.kind == "unix":
        Path(endpoint.path).unlink(missing_ok=True)
        return [_bound(socket.socket(socket.AF_UNIX), endpoint.path)]
    family, kind, protocol, _, address = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)[0]
    return [_bound(socket.socket(family, kind, protocol), address)]


def _bound(sock: socket.socket, address: Any) -> socket.socket:
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(_BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def written(endpoint: Endpoint) -> str:
    """An address as people write it."""
    return f"{endpoint.host}:{endpoint.port}" if endpoint.kind == "tcp" else endpoint.path or endpoint.kind


def spoken(sock: socket.socket) -> str:
    """Where peers reach a socket."""
    name = sock.getsockname()
    return name if isinstance(name, str) else f"{name[0]}:{name[1]}"


def handed_over(name: str, environment: Mapping[str, str] = os.environ) -> list[socket.socket]:
    """The sockets of that name that systemd gave to this process. Raises OSError for none."""
    count = int(environment.get("LISTEN_FDS", "0")) if environment.get("LISTEN_PID") == str(os.getpid()) else 0
    names = environment.get("LISTEN_FDNAMES", "").split(":")
    mine = [_FIRST + number for number in range(count) if names[number : number + 1] == [name]]
    if not mine:
        raise OSError(f'systemd handed over no socket "{name}"; is its socket unit started?')
    return [socket.socket(fileno=handle) for handle in mine]


def place(endpoint: Endpoint, servers: list[asyncio.Server]) -> str:
    """Where peers reach it, for people to read; the system may have chosen the port."""
    if endpoint.kind == "unix":
        return endpoint.path
    return ", ".join(spoken(sock) for server in servers for sock in server.sockets)
