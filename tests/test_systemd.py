"""What systemd is given and told: units that it takes, sockets that it hands over, signs of life."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from mailgate.core.settings.fields import Endpoint
from mailgate.edges.listening import handed_over, listen
from mailgate.edges.notify import Notifier
from tests.faults.driver import ROOT, Desk, desk_in

UNITS = ROOT / "systemd"
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
pytestmark = pytest.mark.slow


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """The units, with the program of this environment."""
    program = Path(sys.executable).parent
    copies = []
    for unit in sorted(UNITS.glob("mailgate*.*")):
        if unit.suffix in (".service", ".socket", ".timer"):
            copies.append(tmp_path / unit.name)
            copies[-1].write_text(unit.read_text().replace("/opt/mailgate/bin", str(program)))
    return copies


@needs_systemd
def test_units_are_what_systemd_takes(units: list[Path]) -> None:
    assert len(units) == 5
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    assert (told.returncode, told.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("name", ["mailgate.service", "mailgate-backup.service"])
def test_services_may_do_little(units: list[Path], name: str) -> None:
    (unit,) = (unit for unit in units if unit.name == name)
    told = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", unit], capture_output=True, text=True, check=True
    )
    level = re.search(r"Overall exposure level for .*: ([0-9.]+)", told.stdout)
    assert level is not None
    assert float(level[1]) < 2.0


def test_names_of_sockets_are_those_that_the_daemon_looks_for() -> None:
    names = {name: (UNITS / f"mailgate-{name}.socket").read_text() for name in ("smtp", "lmtp")}
    assert all(f"FileDescriptorName={name}\n" in text for name, text in names.items())


# ---- the daemon ----------------------------------------------------------------------------------


class Manager:
    """What systemd is to the daemon: it has the socket, and hears what is told."""

    def __init__(self, folder: Path) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self._path = folder / "notify"
        self._heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._heard.bind(str(self._path))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, desk: Desk, watchdog: float = 0.0) -> None:
        os.dup2(self.listening.fileno(), 3, inheritable=True)
        given = {
            **os.environ,
            "NOTIFY_SOCKET": str(self._path),
            "LISTEN_FDS": "1",
            "LISTEN_FDNAMES": "smtp",
            **({"WATCHDOG_USEC": str(int(watchdog * 1_000_000))} if watchdog else {}),
        }
        command = ["sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", *desk.command("run", "--log", "json")]
        with desk.log.open("ab") as log:
            self._process = subprocess.Popen(command, env=given, pass_fds=(3,), cwd=ROOT, stdout=log, stderr=log)

    def wait_for(self, word: str, seconds: float = 60.0) -> list[str]:
        """What was told until then, that word last."""
        told: list[str] = []
        end = time.monotonic() + seconds
        while word not in told:
            self._heard.settimeout(max(0.01, end - time.monotonic()))
            told += self._heard.recv(4096).decode().split("\n")
        return told

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self) -> int:
        assert self._process is not None
        return self._process.wait(30)

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self.listening.close()
        self._heard.close()


@contextmanager
def third_descriptor() -> Iterator[None]:
    """What the test's own process has as descriptor 3 is there again afterwards."""
    try:
        kept = os.dup(3)
    except OSError:
        kept = -1
    try:
        yield
    finally:
        if kept >= 0:
            os.dup2(kept, 3)
            os.close(kept)
        else:
            os.close(3)


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    with third_descriptor():
        made = Manager(tmp_path)
        yield made
        made.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with desk_in(tmp_path) as made:
        text = made.rules.read_text()
        made.rules.write_text(text.replace(f'listen = "127.0.0.1:{made.port}"', 'listen = "systemd"'))
        yield made


def deliver(port: int, number: int) -> None:
    raw = f"From: ana@acme.example\r\nSubject: {number}\r\nMessage-ID: <{number}@x>\r\n\r\nHola.\r\n"
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.sendmail("ana@acme.example", ["soporte@desk.example"], raw)


def test_daemon_says_when_it_is_ready_reloads_and_stops(manager: Manager, desk: Desk) -> None:
    manager.start(desk)
    assert manager.wait_for("READY=1") == ["READY=1"]
    deliver(manager.port, 1)
    manager.signal(signal.SIGHUP)
    told = manager.wait_for("READY=1")
    assert told[0] == "RELOADING=1"
    assert told[1].startswith("MONOTONIC_USEC=")
    manager.signal(signal.SIGTERM)
    assert manager.wait_for("STOPPING=1") == ["STOPPING=1"]
    assert manager.wait() == 0


def test_restart_turns_no_connection_away(manager: Manager, desk: Desk) -> None:
    """The socket is systemd's: who connects in between waits for the banner."""
    manager.start(desk)
    manager.wait_for("READY=1")
    deliver(manager.port, 1)
    manager.signal(signal.SIGTERM)
    assert manager.wait() == 0
    with socket.create_connection(("127.0.0.1", manager.port), timeout=30) as early:
        manager.start(desk)
        assert early.recv(4) == b"220 "
    deliver(manager.port, 2)


def test_watchdog_is_fed_while_the_daemon_works(manager: Manager, desk: Desk) -> None:
    manager.start(desk, watchdog=1.5)
    begun = time.monotonic()
    manager.wait_for("READY=1")
    for _ in range(4):
        manager.wait_for("WATCHDOG=1", seconds=3)
    assert time.monotonic() - begun < 20


async def test_watchdog_starves_when_nothing_is_done_any_more(tmp_path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as heard:
        heard.bind(str(tmp_path / "n"))
        heard.setblocking(False)
        notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "n"), "WATCHDOG_USEC": "300000"})

        async def signs(works: object) -> int:
            feeding = asyncio.create_task(notifier.feed_watchdog(lambda seconds: works))  # type: ignore[arg-type,return-value]
            await asyncio.sleep(0.5)
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
            count = 0
            while True:
                try:
                    heard.recv(100)
                except BlockingIOError:
                    return count
                count += 1

        done: Future[None] = Future()
        done.set_result(None)
        failed: Future[None] = Future()
        failed.set_exception(OSError("full"))
        assert await signs(done) >= 3
        assert await signs(failed) >= 3
        assert await signs(None) == 0  # messages are not processed any more
        assert await signs(Future()) == 0  # the writer does not answer


def test_socket_that_nobody_handed_over_is_told_in_one_line(desk: Desk) -> None:
    ended = desk.verb("run", "--log", "text")
    assert ended.returncode == 1
    assert (
        ended.stderr.decode()
        .splitlines()[-1]
        .startswith('mailgate: cannot listen: systemd handed over no socket "smtp"')
    )


def test_sockets_of_somebody_else_are_not_taken() -> None:
    with pytest.raises(OSError, match="no socket"):
        handed_over("smtp", {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "smtp"})


async def test_unix_sockets_can_be_listened_on_again_after_a_kill(tmp_path: Path) -> None:
    place = tmp_path / "s"
    for _ in range(2):
        (server,) = await listen(Endpoint("unix", path=str(place)), "smtp", asyncio.Protocol)
        server.close()
        place.touch()


# ---- make install --------------------------------------------------------------------------------


def test_installed_tree_runs_and_keeps_what_is_the_sites_own(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for _ in range(2):
        ended = subprocess.run(
            [UNITS / "install.sh"],
            env={**os.environ, "DESTDIR": str(root), "PYTHON": sys.executable},
            capture_output=True,
            text=True,
            check=False,
        )
        if "No matching distribution" in ended.stderr:
            pytest.skip("the packages cannot be had here")
        assert ended.returncode == 0, ended.stderr
        rules = root / "etc/mailgate/rules.toml"
        if not rules.exists():
            shutil.copy(ROOT / "rules.toml", rules)
            rules.write_text(rules.read_text() + "# ours\n")
    told = subprocess.run(
        [root / "opt/mailgate/bin/mailgate", "--rules", rules, "check"], capture_output=True, text=True, check=False
    )
    assert (told.returncode, told.stderr) == (0, "")
    assert rules.read_text().endswith("# ours\n")
    root = root.rename(tmp_path / "moved")
    told = subprocess.run(
        [root / "opt/mailgate/bin/mailgate", "--version"], capture_output=True, text=True, check=False
    )
    assert (told.returncode, told.stderr) == (0, "")
    there = {path.name for path in (root / "etc/systemd/system").iterdir()}
    assert there == {path.name for path in UNITS.iterdir() if path.suffix in (".service", ".socket", ".timer")}
    assert os.access(root / "usr/local/bin/mailgate", os.X_OK)
