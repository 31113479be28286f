"""`backup` and `restore` as people and programs see them."""

from __future__ import annotations

import json
import os
import pty
import sqlite3
import subprocess
from pathlib import Path

import pytest

from tests.faults.driver import ROOT, Desk, desk_in

pytestmark = pytest.mark.slow


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    with desk_in(tmp_path) as made:
        assert made.verb("sell", "acme", "4h").returncode == 0
        return made


def test_backup_and_restore_are_told_in_a_few_lines(desk: Desk, tmp_path: Path) -> None:
    file = str(tmp_path / "copy.db")
    told = desk.verb("backup", file)
    good = "0 MB, good: 1 entry of 1 client, sums, chains and store agree"
    kept = f"its keys are {file}.key: keep them in another place"
    assert (told.returncode, told.stdout.decode(), told.stderr) == (0, f"{file}: {good}\n{kept}\n", b"")
    assert Path(f"{file}.key").read_bytes() == (desk.data / "vault.key").read_bytes()
    told = desk.verb("restore", file)
    assert (told.returncode, told.stderr) == (0, b"")
    first, second, third = told.stdout.decode().splitlines()
    assert first.startswith("restored the backup of 20")
    assert first.endswith("; the next ticket is number 1")
    assert second.startswith(f"the store from before is {desk.data}/mailgate.db.before-restore-20")
    assert third == "1 mail will be sent; some may have been sent before"


def test_both_tell_programs_all_of_it(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    first = json.loads(desk.verb("backup", str(folder), "--json").stdout)
    assert Path(first["file"]).parent == folder
    assert first["balances"] == {"acme": 240}
    restored = json.loads(desk.verb("restore", first["file"], "--json").stdout)
    assert restored["made_at"] == first["at"]
    assert set(restored) == {"made_at", "version", "kept", "queued", "next_ticket", "fault", "back"}


def test_backup_of_broken_books_ends_with_1_and_says_what_is_off(desk: Desk, tmp_path: Path) -> None:
    with sqlite3.connect(desk.store) as store:
        store.execute("drop trigger entry_never_goes")
    store.close()
    told = desk.verb("backup", str(tmp_path / "copy.db"))
    assert told.returncode == 1
    assert "the guard entry_never_goes is missing" in told.stdout.decode()
    assert "no good backup" in told.stdout.decode()


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["backup"], 2, "FILE"),
        (["backup", "x.db", "--keep", "3"], 2, "--keep"),
        (["backup", "no/where/x.db"], 1, "no/where: no such folder"),
        (["restore", "nowhere.db"], 1, "nowhere.db: no such file"),
        (["restore", "rules.toml"], 1, "rules.toml: is no backup of mailgate"),
    ],
)
def test_what_cannot_be_done_is_one_line(desk: Desk, arguments: list[str], code: int, word: str) -> None:
    ended = subprocess.run(
        desk.command(*arguments), capture_output=True, text=True, cwd=desk.folder, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (code, "")
    assert word in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_progress_is_shown_to_a_person(desk: Desk, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    subprocess.run(desk.command("backup", str(tmp_path / "copy.db")), stderr=theirs, cwd=ROOT, check=True)
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 4096):
            shown += piece
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert b"100%" in shown
