"""Backups of a desk at work, and its way back from one: with the daemon, its senders, and small disks."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from contextlib import closing
from email import message_from_bytes
from email.policy import compat32
from pathlib import Path

import pytest

from tests.faults import checks
from tests.faults.disk import fill
from tests.faults.driver import ROOT, Desk, desk_in
from tests.faults.senders import Oracle, Postbag, load

pytestmark = pytest.mark.slow


def test_backups_under_load_are_proven_and_cost_no_message(tmp_path: Path) -> None:
    bag, oracle = Postbag(random.Random(6), padding=200), Oracle()
    made = []
    with desk_in(tmp_path) as desk:
        desk.start()
        with load(desk, bag, oracle):
            for number in range(4):
                time.sleep(0.5)
                ended = desk.verb("backup", str(tmp_path / f"copy{number}.db"), "--json")
                assert ended.returncode == 0, ended.stderr
                made.append(json.loads(ended.stdout))
        checks.wait_until_settled(desk)
        assert checks.problems(desk, bag.made, oracle) == []
        assert oracle.codes[451] == 0
        refused = desk.verb("restore", str(tmp_path / "copy0.db"))
        assert (refused.returncode, b"another mailgate is running" in refused.stderr) == (1, True)
        assert desk.running()
    assert [one["problems"] for one in made] == [[]] * 4
    assert made[-1]["size"] > made[0]["size"]


def test_desk_goes_on_from_a_backup_and_sends_what_was_sent_before_as_it_was(tmp_path: Path) -> None:
    bag, oracle = Postbag(random.Random(7)), Oracle()
    with desk_in(tmp_path) as desk:
        desk.start()
        with load(desk, bag, oracle, senders=2):
            time.sleep(1)
            assert desk.verb("backup", str(tmp_path / "copy.db")).returncode == 0
            time.sleep(0.5)
        checks.wait_until_settled(desk)
        desk.stop()
        before = _files(desk)
        newest = checks.value(desk, "select max(id) from ticket")
        ended = desk.verb("restore", str(tmp_path / "copy.db"))
        assert ended.returncode == 0, ended.stderr
        desk.start()
        again, told = Postbag(random.Random(8)), Oracle()
        with load(desk, again, told, senders=1):
            time.sleep(1)
        checks.wait_until_settled(desk)
        assert desk.verb("audit").returncode == 0
        after = _files(desk)
        assert checks.value(desk, "select min(id) from ticket where id > ?", newest) == newest + 1
    assert {name: after[name] for name in before} == before
    ids = Counter(message_from_bytes(raw, policy=compat32)["Message-ID"] for raw in after.values())
    assert ids.most_common(1)[0][1] == 1


def test_backup_killed_half_way_leaves_no_file_of_its_name(tmp_path: Path) -> None:
    with desk_in(tmp_path) as desk:
        assert desk.verb("sell", "acme", "4h").returncode == 0
        with closing(sqlite3.connect(desk.store)) as store, store:
            store.execute("insert into blob (digest, size, data) values ('x', 80000000, zeroblob(80000000))")
        target, work = tmp_path / "copy.db", tmp_path / ".mailgate-backup"
        process = subprocess.Popen(desk.command("backup", str(target)), cwd=ROOT, stderr=subprocess.DEVNULL)
        while not (work / "mailgate.db").exists() or (work / "mailgate.db").stat().st_size < 10_000_000:
            assert process.poll() is None, "it was done too soon"
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not target.exists()
        assert desk.verb("backup", str(target)).returncode == 0
        assert not work.exists()
        assert desk.verb("restore", str(target)).returncode == 0


def test_backup_to_a_full_disk_says_so_and_leaves_nothing(tmp_path: Path, small_disk: Path) -> None:
    with desk_in(tmp_path) as desk:
        assert desk.verb("sell", "acme", "4h").returncode == 0
        ballast = fill(small_disk)
        _says_later(desk, small_disk, "MB are free")
        ballast.unlink()
        assert desk.verb("backup", str(small_disk / "copy.db")).returncode == 0


def test_disk_that_fills_while_it_is_copied_leaves_nothing(tmp_path: Path, small_disk: Path) -> None:
    """A quota, or somebody else: there was room when it was looked at."""
    with desk_in(tmp_path) as desk:
        assert desk.verb("sell", "acme", "4h").returncode == 0
        with closing(sqlite3.connect(desk.store)) as store, store:
            store.execute("insert into blob (digest, size, data) values ('x', 20000000, zeroblob(20000000))")
        assert desk.verb("backup", str(tmp_path / "copy.db")).returncode == 0
        limited = ["prlimit", "--fsize=10000000", *desk.command("backup", str(small_disk / "copy.db"))]
        ended = subprocess.run(limited, capture_output=True, cwd=ROOT, check=False)
        assert ended.returncode == 75, ended.stderr
        assert ended.stderr.count(b"\n") == 1
        assert list(small_disk.iterdir()) == []


def _says_later(desk: Desk, folder: Path, why: str) -> None:
    before = set(folder.iterdir())
    ended = desk.verb("backup", str(folder / "copy.db"))
    assert ended.returncode == 75
    assert why in ended.stderr.decode()
    assert ended.stderr.count(b"\n") == 1
    assert set(folder.iterdir()) == before


def _files(desk: Desk) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (desk.data / "outbox").iterdir()}
