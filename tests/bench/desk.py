"""A desk to measure: its rules, and the daemon as a process of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from tests.bench import history
from tests.bench.corpus import CLIENTS, DESK, Corpus

_ROOT = Path(__file__).resolve().parents[2]
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Place:
    """A folder with rules and data."""

    folder: Path

    @property
    def rules(self) -> Path:
        return self.folder / "rules.toml"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def database(self) -> Path:
        return self.data / "mailgate.db"


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def write_rules(place: Place, corpus: Corpus, port: int, hop: int | None, imap: str = "") -> None:
    """hop: port of the next hop, None for a folder of files. imap: an [[imap]] section."""
    place.folder.mkdir(parents=True, exist_ok=True)
    technicians = [
        f'[technicians.t{i}]\nname = "Técnico {i}"\naddresses = ["{address}"]'
        for i, address in enumerate(corpus.technicians)
    ]
    clients = [
        f'[clients.c{i:02d}]\nname = "Cliente {i}"\naddresses = ["{address}"]\ntechnician = "t{i % len(technicians)}"'
        for i, address in enumerate(corpus.clients)
    ]
    outgoing = 'via = "files"' if hop is None else f'via = "smtp"\nport = {hop}'
    sections = [
        f'[desk]\nname = "Soporte"\naddress = "{DESK}"\nadmin = "admin@bench.example"\ndirector = "t0"',
        f'[smtp]\nlisten = "127.0.0.1:{port}"',
        '[web]\nlisten = ""',
        f"[outgoing]\n{outgoing}",
        '[trust]\ntechnicians = "off"',
        imap,
        *technicians,
        *clients,
    ]
    place.rules.write_text("\n\n".join(sections) + "\n", encoding="utf-8")


def fill(place: Place, tickets: int) -> None:
    """Years of work, before what is measured: two messages a ticket. Nobody runs out of minutes meanwhile."""
    place.data.mkdir(parents=True, exist_ok=True)
    if tickets:
        history.make(place.database, tickets, datetime.now(UTC), clients=CLIENTS, each=2, bought=100_000)


def silent_hop() -> socket.socket:
    """A next hop that takes connections and says nothing: what is sent to it waits in the outbox."""
    return socket.create_server(("127.0.0.1", 0), backlog=16)


class Daemon:
    """`mailgate run` as a process; peak: of its PSS in MB, sampled while it runs."""

    def __init__(self, place: Place, port: int) -> None:
        self._place = place
        self.port = port
        self.peak = 0.0
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "mailgate", "--rules", self._place.rules, "--data", self._place.data]
        self._log = (self._place.folder / "daemon.log").open("ab")
        self._process = subprocess.Popen(
            [*map(str, command), "run"],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            cwd=_ROOT,
        )
        self._await_port()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._ended.set()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._sampler.join()
        self._log.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def cpu(self) -> float:
        """Seconds of CPU that the process and those that it started have used so far."""
        return sum(map(_cpu, (self.pid, *_children(self.pid))))

    def _await_port(self) -> None:
        end = time.monotonic() + 30
        while time.monotonic() < end and self._process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        raise SystemExit(f"the daemon did not start:\n{(self._place.folder / 'daemon.log').read_text()}")

    def _sample(self) -> None:
        while not self._ended.wait(0.2):
            with contextlib.suppress(OSError):
                self.peak = max(self.peak, pss(self.pid))


def pss(pid: int) -> float:
    """Proportional set size of a process and those that it started, in MB."""
    return sum(map(_pss, (pid, *_children(pid))))


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def _cpu(pid: int) -> float:
    """Seconds, with those of children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


def _pss(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0
