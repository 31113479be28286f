"""`status` as people and programs see it."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from mailgate.opening import running_daemon
from tests.faults import checks
from tests.faults.driver import Desk, desk_in
from tests.faults.senders import Oracle, Postbag, load
from tests.servers import eventually, free_port

pytestmark = pytest.mark.slow


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with desk_in(tmp_path) as made:
        yield made


def asked(desk: Desk) -> tuple[int, dict[str, Any]]:
    ended = desk.verb("status", "--json")
    return ended.returncode, json.loads(ended.stdout)


def test_desk_that_works_is_well(desk: Desk, tmp_path: Path) -> None:
    desk.start()
    bag = Postbag(random.Random(9))
    with load(desk, bag, Oracle(), senders=1):
        while not bag.made:
            pass
    checks.wait_until_settled(desk)
    assert desk.verb("backup", str(tmp_path / "copy.db")).returncode == 0
    code, told = asked(desk)
    assert (code, told["ok"], told["problems"]) == (0, True, [])
    assert told["daemon"]["running"]
    assert told["daemon"]["process"] == desk.pid
    assert told["daemon"]["since"] <= told["roads"]["smtp"] <= told["backup_at"]
    assert told["roads"]["lmtp"] is None
    assert told["unsent"] == told["unprocessed"] == {"count": 0, "since": None}
    assert told["disk_free"] > 0
    ended = desk.verb("status")
    assert (ended.returncode, ended.stdout.decode().splitlines()[-1]) == (0, "all is well")


def test_daemon_that_does_not_run_is_told_with_what_to_do(desk: Desk) -> None:
    assert desk.verb("sell", "acme", "4h").returncode == 0
    code, told = asked(desk)
    assert (code, told["daemon"]["running"]) == (1, False)
    assert [problem["name"] for problem in told["problems"]] == ["daemon"]
    ended = desk.verb("status")
    assert ended.returncode == 1
    assert "systemctl start mailgate" in ended.stdout.decode()
    assert ended.stderr == b""


def test_each_thing_that_is_wrong_has_a_line_of_what_to_do(desk: Desk) -> None:
    assert desk.verb("sell", "acme", "4h").returncode == 0
    with closing(sqlite3.connect(desk.store)) as store, store:
        old = "2026-01-01T00:00:00.000000Z"
        store.execute("update outbox set created_at = ?, last_error = 'connection refused'", [old])
        for kind in ("backup", "day", "halt"):
            store.execute("insert into event (kind, client, key, at) values (?, '', ?, ?)", [kind, old, old])
    code, told = asked(desk)
    assert code == 1
    assert [problem["name"] for problem in told["problems"]] == ["daemon", "unsent", "backup", "books"]
    assert all(problem["what"] and problem["do"] and "\n" not in problem["do"] for problem in told["problems"])
    assert "connection refused" in told["problems"][1]["what"]


def test_asking_again_and_again_keeps_no_daemon_from_its_start(desk: Desk) -> None:
    """Looking takes the daemon's lock for a moment."""
    assert desk.verb("sell", "acme", "4h").returncode == 0
    desk.start(ready=False)
    while not running_daemon(desk.data):
        pass
    desk.wait_until_ready()


def test_rules_that_are_refused_are_told_and_hide_nothing_else(desk: Desk) -> None:
    monitor = free_port()
    good = desk.rules.read_text().replace("[monitor]\n", f'[monitor]\nlisten = "127.0.0.1:{monitor}"\n')
    desk.rules.write_text(good)
    desk.start()
    desk.rules.write_text(good.replace("[desk]\n", "[desk]\ncolour = 7\n"))
    eventually(lambda: any("stay in force" in line["text"] for line in desk.logged()))
    ended = desk.verb("status", "--json")
    told = json.loads(ended.stdout)
    assert ended.returncode == 2
    assert b"desk.colour: unknown key" in ended.stderr
    assert told["daemon"]["running"]
    assert [problem["name"] for problem in told["problems"]] == ["rules"]
    assert "desk.colour: unknown key" in told["problems"][0]["what"]
    assert health(monitor) == (503, ["rules"])
    desk.rules.write_text(good)
    eventually(lambda: health(monitor) == (200, []))
    assert asked(desk)[0] == 0


def test_end_of_refused_rules_is_told_once_though_the_daemon_was_restarted_meanwhile(desk: Desk) -> None:
    good = desk.rules.read_text()
    desk.start()
    desk.rules.write_text(good.replace("[desk]\n", "[desk]\ncolour = 7\n"))
    eventually(lambda: templates(desk) == ["rules_refused"])
    desk.kill()
    desk.rules.write_text(good)
    for _ in range(2):
        desk.start()
        assert templates(desk) == ["rules_refused", "all_clear"]
        desk.stop()


def templates(desk: Desk) -> list[str]:
    return [name for (name,) in checks.rows(desk, "select template from outbox order by id")]


def test_wrong_rules_of_a_desk_that_never_ran_are_all_that_is_told(desk: Desk) -> None:
    desk.rules.write_text("[desk]\ncolour = 7\n")
    ended = desk.verb("status")
    assert (ended.returncode, ended.stdout) == (2, b"")


def health(port: int) -> tuple[int, list[str]]:
    """What a program that asks is told: the code, and the names of the problems."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        return answer.status, [problem["name"] for problem in json.load(answer)["problems"]]
