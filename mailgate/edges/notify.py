"""What systemd is told of the daemon: sd_notify(3), and its watchdog, fed only while work gets done."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

# Of the time that systemd waits for a sign: once in each third of it.
_SIGNS = 3


class Notifier:
    """Tells the one who started us; nothing where nobody asked to be told."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        mine = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._watchdog = int(environment.get("WATCHDOG_USEC", "0")) / 1_000_000 if mine else 0.0

    def tell(self, *lines: str) -> None:
        """Send one message, such as "READY=1"; one that nobody takes is no reason to stop."""
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock,
            contextlib.suppress(OSError),
        ):
            sock.setblocking(False)
            sock.sendto("\n".join(lines).encode(), address)

    def reloading(self) -> None:
        """A reload begins; READY ends it."""
        self.tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    async def feed_watchdog(self, works: Callable[[float], Future[Any] | None]) -> None:
        """Give a sign of life in time, each after something was done in every part; until cancelled.

        works: has the parts do something, and gives what to wait for; None where one has not moved for so
        many seconds. That it fails is life, too: a full disk is not mended by a restart.
        """
        while self._watchdog:
            asked = works(self._watchdog)
            if asked is not None:
                await asyncio.wait([asyncio.wrap_future(asked)])
                self.tell("WATCHDOG=1")
            await asyncio.sleep(self._watchdog / _SIGNS)
