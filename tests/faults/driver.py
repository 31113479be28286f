"""A real daemon on a folder of its own, in a process group of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "soporte@desk.example"
STAFF = ("marta@desk.example", "elena@desk.example")
CLIENTS = {"acme": "ana@acme.example", "beta": "bob@beta.example", "gamma": "gil@gamma.example"}
READY_SECONDS = 60.0

_RULES = """
[desk]
name = "Soporte"
address = "{address}"
admin = "admin@desk.example"
director = "elena"
language = "es"
timezone = "Europe/Madrid"

[hours]
mon = "10:00-20:00"
tue = "10:00-20:00"
wed = "10:00-20:00"
thu = "10:00-20:00"
fri = "10:00-20:00"

[smtp]
listen = "127.0.0.1:{port}"

[web]
listen = ""

[monitor]
disk_free = "1kB"

[outgoing]
{outgoing}

[trust]
technicians = "off"

[packages.4h]
minutes = 240
price = "160.00 EUR"
first = true

[technicians.elena]
name = "Elena Ruiz"
addresses = ["elena@desk.example"]

[technicians.marta]
name = "Marta Gil"
addresses = ["marta@desk.example"]
"""
_CLIENT = """
[clients.{id}]
name = "{name}"
addresses = ["{address}"]
contact = "{address}"
technician = "marta"
"""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def rules_text(port: int, outgoing: str = 'via = "files"') -> str:
    """Rules of a small desk that trusts its technicians: what is tested is the machinery."""
    clients = (_CLIENT.format(id=key, name=key.title(), address=at) for key, at in CLIENTS.items())
    return _RULES.format(address=ADDRESS, port=port, outgoing=outgoing) + "".join(clients)


class Desk:
    """A folder with rules and data, and the daemon on it."""

    def __init__(self, folder: Path, data: Path | None = None, outgoing: str = 'via = "files"') -> None:
        self.folder = folder
        self.data = data or folder / "data"
        self.port = free_port()
        self.rules = folder / "rules.toml"
        self.rules.write_text(rules_text(self.port, outgoing), encoding="utf-8")
        self.log = folder / "log"
        self.program = "mailgate"
        self.under: tuple[str, ...] = ()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def store(self) -> Path:
        return self.data / "mailgate.db"

    def command(self, *verb: str) -> list[str]:
        """The arguments that run a verb on this desk."""
        return [sys.executable, "-m", self.program, "--rules", f"{self.rules}", "--data", f"{self.data}", *verb]

    def verb(self, *verb: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run a verb of the command line to its end."""
        return subprocess.run(self.command(*verb), input=stdin, capture_output=True, cwd=ROOT, timeout=60, check=False)

    def start(self, *before: str, ready: bool = True) -> None:
        """Start the daemon, in a process group of its own. before: what to run it under, beside `under`."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self.under, *before, *self.command("run", "--log", "json")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                start_new_session=True,
            )
        if ready:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        assert self._process is not None
        end = time.monotonic() + READY_SECONDS
        while not listens(self.port):
            assert self._process.poll() is None, f"the daemon ended:\n{self.log.read_text()[-3000:]}"
            assert time.monotonic() < end, "the daemon does not listen"
            time.sleep(0.01)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole process group; one that is gone already is no error."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def kill(self) -> None:
        """kill -9, and see it dead."""
        self.signal(signal.SIGKILL)
        self.wait()

    def stop(self) -> None:
        """End it as systemd does; one that does not end is killed."""
        self.signal(signal.SIGTERM)
        self.wait()

    def wait(self, seconds: float = 60.0) -> None:
        if self._process is not None:
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.signal(signal.SIGKILL)
                self._process.wait()
            self._process = None

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def logged(self) -> list[dict[str, Any]]:
        """The lines of the log so far; the last may be cut by a kill."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]


@contextlib.contextmanager
def desk_in(folder: Path, data: Path | None = None, outgoing: str = 'via = "files"') -> Iterator[Desk]:
    """A desk whose daemon is gone afterwards, whatever happened."""
    desk = Desk(folder, data, outgoing)
    try:
        yield desk
    finally:
        desk.kill()


def listens(port: int) -> bool:
    with socket.socket() as sock:
        sock.settimeout(1)
        return sock.connect_ex(("127.0.0.1", port)) == 0
