"""Health and metrics over HTTP, from a daemon that runs."""

from __future__ import annotations

import asyncio
import json
import socket
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mailgate.edges.monitor import Lag
from tests.running import RunningDesk, running_desk
from tests.servers import free_port

MAIL = b"From: ana@acme.example\r\nSubject: Hola\r\nMessage-ID: <1@acme.example>\r\n\r\nHola.\r\n"


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def desk(tmp_path: Path, port: int) -> Iterator[RunningDesk]:
    more = f'[monitor]\nlisten = "127.0.0.1:{port}"\ndisk_free = "1kB"\n'
    with running_desk(tmp_path, more) as running:
        yield running


def ask(port: int, path: str, method: str = "GET") -> tuple[int, str, str]:
    """Code, content type and text of an answer."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Content-Type"], error.read().decode()


def test_health_tells_the_last_mail_and_that_all_is_well(desk: RunningDesk, port: int) -> None:
    desk.send(MAIL, "ana@acme.example")
    desk.wait_for(2)
    code, kind, text = ask(port, "/health")
    told = json.loads(text)
    assert (code, kind, told["ok"], told["problems"]) == (200, "application/json; charset=utf-8", True, [])
    assert told["roads"]["smtp"]
    assert told["loop_lag"] >= 0
    assert ask(port, "/health", "HEAD") == (200, kind, "")


def test_health_is_503_while_something_is_wrong(desk: RunningDesk, port: int) -> None:
    with closing(sqlite3.connect(desk.data / "mailgate.db")) as store, store:
        store.execute(
            "insert into event (kind, client, key, at) values ('halt', '', 'x', '2026-11-01T00:00:00.000000Z')"
        )
    code, _, text = ask(port, "/health")
    (problem,) = json.loads(text)["problems"]
    assert (code, problem["name"], problem["do"]) == (
        503,
        "books",
        "Make a backup, then see what is off: mailgate audit",
    )
    assert "mailgate_healthy 0.0" in ask(port, "/metrics")[2]
    assert "mailgate_books_halted 1.0" in ask(port, "/metrics?x=1")[2]


def test_what_is_not_there_and_what_is_no_question(desk: RunningDesk, port: int) -> None:
    assert ask(port, "/")[0] == 404
    assert ask(port, "/health", "POST")[0] == 405


def test_who_dawdles_or_babbles_keeps_nobody_waiting(desk: RunningDesk, port: int) -> None:
    lines = [b"", b"GET", b"\xff\xfe\n\n", b"GET /health HTTP/1.1\n" + b"A: b\n" * 500, b"GET " + b"x" * 100_000]
    odd = [socket.create_connection(("127.0.0.1", port)) for _ in lines]
    for sock, line in zip(odd, lines, strict=True):
        sock.sendall(line)
    begun = time.monotonic()
    assert ask(port, "/metrics")[0] == 200
    assert time.monotonic() - begun < 2
    for sock in odd:
        sock.close()


async def test_lag_is_what_kept_the_loop() -> None:
    lag = Lag()
    watching = asyncio.create_task(lag.watch())
    await asyncio.sleep(0.1)
    time.sleep(0.9)
    await asyncio.sleep(0.1)
    watching.cancel()
    assert 0.3 < lag.most < 5


def test_lag_before_anything_was_measured_is_none() -> None:
    assert Lag().most == 0.0
