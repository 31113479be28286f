"""250 is said only after the message is on disk: measured at the system calls, not believed."""

from __future__ import annotations

import random
import re
import shutil
import smtplib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults import checks
from tests.faults.driver import desk_in
from tests.faults.senders import Oracle, Postbag, attempt

pytestmark = pytest.mark.slow

_CALLS = "trace=pwrite64,write,writev,send,sendto,sendmsg,fsync,fdatasync"
_LETTERS = 40
# "1234 1700000000.000001 sendto(9</path or socket>, "250 2.0.0 Kept…", …) = 20"
_CALL = re.compile(r"^\d+ +\d+\.\d+ (?P<name>\w+)\(\d+<(?P<file>[^>]*)>(?:, \"(?P<data>[^\"]*))?")


@dataclass(frozen=True)
class Call:
    """A system call on a file or socket, as strace saw it."""

    name: str
    file: str
    data: str


def test_each_250_for_a_message_follows_a_sync_of_the_store(tmp_path: Path) -> None:
    if not shutil.which("strace"):
        pytest.skip("needs strace")
    trace, bag, oracle = tmp_path / "trace", Postbag(random.Random(10)), Oracle()
    with desk_in(tmp_path) as desk:
        desk.start("strace", "-f", "-y", "-ttt", "-s", "40", "-e", _CALLS, "-e", "signal=none", "-o", f"{trace}")
        if not _attached(trace):
            pytest.skip("strace may not trace processes here")
        with smtplib.SMTP("127.0.0.1", desk.port, timeout=30) as peer:
            peer.ehlo("sender.example")
            for _ in range(_LETTERS):
                assert attempt(peer, bag.request(), oracle) == "ok"
                checks.wait_until_settled(desk)
        desk.stop()
    assert _replies_in_order(list(_calls(trace))) == _LETTERS


def _attached(trace: Path) -> bool:
    return trace.exists() and trace.stat().st_size > 0


def _calls(trace: Path) -> Iterator[Call]:
    """The calls in the order in which they were begun; one that another thread interrupts begins
    in one line and is resumed in a later one."""
    for line in trace.read_text(errors="replace").splitlines():
        if found := _CALL.match(line):
            yield Call(found["name"], found["file"], found["data"] or "")


def _replies_in_order(calls: list[Call]) -> int:
    """How many times 250 was said to a message; fails where no sync lies between the write and it.

    The desk has settled before each message, so that the first write to the log after 354 is the message's.
    """
    said = 0
    written = synced = False
    for call in calls:
        if call.data.startswith("354 "):
            written = synced = False
        elif call.file.endswith("mailgate.db-wal"):
            if call.name in ("pwrite64", "write", "writev"):
                written = True
            elif call.name in ("fsync", "fdatasync"):
                synced = written
        elif call.data.startswith("250 2.0.0 Kept"):
            assert written, "250 without a write to the store"
            assert synced, "250 before the store was synced"
            said += 1
    return said
