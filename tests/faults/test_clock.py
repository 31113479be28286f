"""The machine's clock is set while the daemon runs: mails go on at once, nothing is done by a date that was wrong."""

from __future__ import annotations

import random
import smtplib
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.faults import checks
from tests.faults.clock import Clock, clock_in
from tests.faults.driver import Desk, desk_in
from tests.faults.senders import Letter, Oracle, Postbag, attempt
from tests.servers import eventually

pytestmark = pytest.mark.slow

_HOUR = 3600
_DAY = 24 * _HOUR
# A job runs within a second of the jump; a mail takes milliseconds. The rest is for a busy machine.
_SOON = 30.0
_PUT_OFF = "select count(*) from outbox where state = 'queued' and tries > 0 and leased_until is null"


@dataclass
class Moved:
    """A desk whose daemon has a wall clock of its own."""

    desk: Desk
    _clock: Clock
    _manager: socket.socket
    bag: Postbag = field(default_factory=lambda: Postbag(random.Random(9)))
    oracle: Oracle = field(default_factory=Oracle)

    def start(self) -> None:
        self.set(0)
        where = f"{self._manager.getsockname()}"
        self.desk.start(*self._clock.environment, f"NOTIFY_SOCKET={where}", "WATCHDOG_USEC=1000000")

    def set(self, seconds: int) -> None:
        """Have the clock differ by so many seconds from the true one, from now on."""
        self._clock.set(seconds)

    def send(self) -> Letter:
        letter = self.bag.request()
        with smtplib.SMTP("127.0.0.1", self.desk.port, timeout=30) as peer:
            peer.ehlo("sender.example")
            assert attempt(peer, letter, self.oracle) == "ok"
        return letter

    def settled(self) -> None:
        checks.wait_until_settled(self.desk, _SOON)

    def lives(self) -> bool:
        """Whether systemd would get a sign of life in time."""
        self._manager.settimeout(0)
        while _heard(self._manager):
            pass
        self._manager.settimeout(10)
        return b"WATCHDOG=1" in _heard(self._manager)

    def told(self, words: str) -> Callable[[], bool]:
        return lambda: any(words in line["text"] for line in self.desk.logged())


def _heard(manager: socket.socket) -> bytes:
    try:
        return manager.recv(4096)
    except (BlockingIOError, TimeoutError):
        return b""


@pytest.fixture
def moved(tmp_path: Path) -> Iterator[Moved]:
    clock = clock_in(tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, desk_in(tmp_path) as desk:
        manager.bind(str(tmp_path / "notify"))
        yield Moved(desk, clock, manager)


@contextmanager
def _nothing_goes_out(desk: Desk) -> Iterator[None]:
    """A file stands where the folder of the outbox was."""
    outbox, aside = desk.data / "outbox", desk.data / "aside"
    outbox.rename(aside)
    outbox.touch()
    yield
    outbox.unlink()
    aside.rename(outbox)


@pytest.mark.parametrize("seconds", [_HOUR, -_HOUR, -_DAY, -400 * _DAY], ids=lambda seconds: f"{seconds}s")
def test_clock_that_is_set_and_put_right_holds_up_no_mail(moved: Moved, seconds: int) -> None:
    moved.start()
    for offset in (0, seconds, 0):
        moved.set(offset)
        for _ in range(3):
            moved.send()
        moved.settled()
        eventually(moved.lives, _SOON)
    found = checks.problems(moved.desk, moved.bag.made, moved.oracle)
    assert [one for one in found if not one.startswith("mails in the outbox")] == []  # another day may have a digest
    assert list(checks.files_problems(moved.desk)) == []
    assert not [line for line in moved.desk.logged() if "traceback" in line]


def test_clock_that_leaps_ahead_for_a_while_expires_nothing_and_leaves_nothing_to_wait(moved: Moved) -> None:
    desk = moved.desk
    assert desk.verb("sell", "acme", "4h").returncode == 0
    moved.start()
    moved.send()
    moved.settled()
    eventually(moved.told("0 expiries"), _SOON)
    moved.set(400 * _DAY)
    eventually(moved.told("the clock leapt ahead by 400 days"), _SOON)
    with _nothing_goes_out(desk):
        moved.send()
        eventually(lambda: checks.value(desk, "select count(*) from outbox where tries > 0") > 0, _SOON)
        eventually(lambda: checks.value(desk, "select count(*) from journal where state = 'taken'") == 0, _SOON)
    moved.set(0)
    moved.settled()  # what was put off until in 400 days
    assert checks.value(desk, "select count(*) from entry where kind = 'expiry'") == 0
    told = {template for (template,) in checks.rows(desk, "select distinct template from outbox")}
    assert told == {"receipt", "ack", "notice"}
    assert list(checks.files_problems(desk)) == []
    assert desk.verb("audit").returncode == 0
