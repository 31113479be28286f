"""Somebody else holds the store's lock: peers are told to come back, and nothing stands still."""

from __future__ import annotations

import random
import smtplib
import socket
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults import checks
from tests.faults.driver import Desk, desk_in
from tests.faults.senders import Oracle, Postbag, attempt, load

pytestmark = pytest.mark.slow

# More than twice as long as the store waits for the lock by itself: a message may come while it waits already.
_HELD_SECONDS = 12.0


def test_locked_store_answers_451_and_goes_on(tmp_path: Path) -> None:
    bag, oracle = Postbag(random.Random(1)), Oracle()
    with desk_in(tmp_path) as desk:
        desk.start()
        with load(desk, bag, oracle, senders=3):
            time.sleep(0.5)
            with closing(sqlite3.connect(desk.store, isolation_level=None, timeout=10)) as foreign:
                foreign.execute("begin immediate")
                waits = _greetings(desk, _HELD_SECONDS)
                foreign.execute("rollback")
            time.sleep(0.5)
        checks.wait_until_settled(desk)
        assert checks.problems(desk, bag.made, oracle) == []
        assert list(checks.files_problems(desk)) == []
    assert oracle.codes[451] >= 3
    assert set(oracle.codes) <= {0, 250, 451}
    assert max(waits) < 4  # the store waits five seconds for the lock, and no session with it


def test_session_goes_on_after_451_without_rset(tmp_path: Path) -> None:
    letter = Postbag(random.Random(2)).request()
    with desk_in(tmp_path) as desk:
        desk.start()
        with closing(sqlite3.connect(desk.store, isolation_level=None, timeout=10)) as foreign:
            foreign.execute("begin immediate")
            with smtplib.SMTP("127.0.0.1", desk.port, timeout=30) as peer:
                peer.ehlo("sender.example")
                assert _without_rset(peer, letter.sender, letter.raw) == [250, 250, 451]
                foreign.execute("rollback")
                assert _without_rset(peer, letter.sender, letter.raw) == [250, 250, 250]


def test_daemon_does_not_start_on_a_locked_store_but_says_so(tmp_path: Path) -> None:
    with desk_in(tmp_path) as desk:
        assert desk.verb("sell", "acme", "4h").returncode == 0  # makes the store
        with closing(sqlite3.connect(desk.store, isolation_level=None)) as foreign:
            foreign.execute("begin immediate")
            ended = desk.verb("run")
        assert ended.returncode == 75
        assert ended.stderr.decode().count("\n") == 1, ended.stderr
        assert b"locked" in ended.stderr


def test_peers_that_hang_up_while_the_store_is_locked_leave_the_writer_alive(tmp_path: Path) -> None:
    bag, oracle = Postbag(random.Random(3)), Oracle()
    with desk_in(tmp_path) as desk:
        desk.start()
        with closing(sqlite3.connect(desk.store, isolation_level=None, timeout=10)) as foreign:
            foreign.execute("begin immediate")
            for _ in range(5):
                _send_and_hang_up(desk, bag)
            time.sleep(0.5)
            foreign.execute("rollback")
        with smtplib.SMTP("127.0.0.1", desk.port, timeout=30) as peer:
            peer.ehlo("sender.example")
            assert attempt(peer, bag.request(), oracle) == "ok"
        for letter in bag.made[:5]:
            oracle.told[letter.message_id].append("unknown")
        checks.wait_until_settled(desk)
        assert checks.problems(desk, bag.made, oracle) == []


def _greetings(desk: Desk, seconds: float) -> list[float]:
    """How long banner and EHLO of new sessions take, in seconds, over so many seconds."""
    waits, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        begun = time.monotonic()
        with smtplib.SMTP("127.0.0.1", desk.port, timeout=30) as peer:
            peer.ehlo("sender.example")
            waits.append(time.monotonic() - begun)
        time.sleep(0.1)
    return waits


def _without_rset(peer: smtplib.SMTP, sender: str, raw: bytes) -> list[int]:
    codes = [peer.mail(sender)[0], peer.rcpt("soporte@desk.example")[0]]
    try:
        return [*codes, peer.data(raw)[0]]
    except smtplib.SMTPDataError as error:
        return [*codes, error.smtp_code]


def _send_and_hang_up(desk: Desk, bag: Postbag) -> None:
    letter = bag.request()
    commands = (
        b"EHLO sender.example\r\n",
        f"MAIL FROM:<{letter.sender}>\r\n".encode(),
        b"RCPT TO:<soporte@desk.example>\r\n",
        b"DATA\r\n",
    )
    with socket.create_connection(("127.0.0.1", desk.port), timeout=10) as peer:
        peer.recv(1000)
        for command in commands:
            peer.sendall(command)
            peer.recv(1000)
        peer.sendall(letter.raw + b".\r\n")
        time.sleep(0.1)
