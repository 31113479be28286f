"""A copy is whole, proven and complete, or it has no name; a restore has happened or it has not."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from sqlite_utils import Database

from mailgate.core.model import Kind
from mailgate.errors import NotFound, Refused, StoreUnavailable
from mailgate.service.audit import audited
from mailgate.service.backup import Backup, Restored, back_up, keep_newest, name_at, restore
from mailgate.service.secret import desk_key
from mailgate.store import Store, backups, entries, events, schema
from mailgate.store.backups import Seal
from mailgate.store.connection import connect
from tests.stored import StoredDesk, stored_desk
from tests.support import NOW, written

LATER = NOW + timedelta(days=1)
STEPS = ("service/backup.py", "service/secret.py", "disk.py", "store/backups.py")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def desk(data: Path) -> Iterator[StoredDesk]:
    with stored_desk(data) as opened:
        yield opened


def copied(desk: StoredDesk, file: Path, *, force: bool = False) -> Backup:
    return back_up(desk.store, file, NOW, lambda done, pages: None, force=force)


def restored(data: Path, file: Path, at: datetime = LATER, *, force: bool = False) -> Restored:
    return restore(data, file, at, force=force)


def balance(data: Path) -> int:
    """What the store of a folder says, opened as a verb opens it."""
    store = Store(data / "mailgate.db")
    try:
        with store.read() as tx:
            assert audited(tx).problems == []
            return entries.balance(tx, "acme")
    finally:
        store.close()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_copy_has_the_store_and_the_secret_and_beside_it_the_keys(desk: StoredDesk, data: Path, tmp_path: Path):
    desk.take()
    desk.book(240)
    key = desk_key(data)
    file = tmp_path / "copy.db"
    made = copied(desk, file)
    assert (made.file, made.size, made.audit.entries) == (file, file.stat().st_size, 1)
    assert file.stat().st_mode & 0o777 == 0o600
    assert names(tmp_path) == {"data", "copy.db", "copy.db.key"}
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    restored(elsewhere, file)
    assert balance(elsewhere) == 240
    assert desk_key(elsewhere) == key


def test_good_copy_is_noted_in_the_store(desk: StoredDesk, tmp_path: Path):
    copied(desk, tmp_path / "copy.db")
    with desk.store.read() as tx:
        assert events.latest(tx, "backup") == NOW


@pytest.mark.slow
def test_copy_of_a_busy_store_is_one_state_and_keeps_no_writer_waiting(desk: StoredDesk, data: Path, tmp_path: Path):
    """Without one read transaction around all steps each commit would send the copy back to its start."""
    desk.take(written("x" * 9_000_000))
    done = threading.Event()
    written_meanwhile, steps = [], []

    def write() -> None:
        other = connect(data / "mailgate.db")
        number = 0
        while not done.is_set():
            number += 1
            other.run("begin immediate")
            other.run("insert into absence (technician, since, until) values (:n, '2026', '2027')", n=str(number))
            other.run("commit")
            written_meanwhile.append(number)
            time.sleep(0.002)
        other.db.conn.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        back_up(desk.store, tmp_path / "copy.db", NOW, lambda at, pages: steps.append(at), force=False)
    finally:
        done.set()
        writer.join()
    assert len(steps) >= 3
    assert steps == sorted(set(steps)), "the copy began anew"
    assert len(written_meanwhile) > 10


def test_file_that_is_there_is_kept_unless_forced(desk: StoredDesk, tmp_path: Path):
    file = tmp_path / "copy.db"
    file.write_bytes(b"precious")
    with pytest.raises(Refused, match="--force"):
        copied(desk, file)
    assert file.read_bytes() == b"precious"
    copied(desk, file, force=True)
    assert file.read_bytes().startswith(b"SQLite format 3")


def test_copy_whose_books_do_not_add_up_is_kept_under_another_name_and_not_counted(desk: StoredDesk, tmp_path: Path):
    with desk.store.write() as tx:
        tx.run("drop trigger entry_never_goes")
    made = copied(desk, tmp_path / "copy.db")
    assert made.audit.problems == ["ledger: the guard entry_never_goes is missing"]
    assert names(tmp_path) == {"data", "copy.db.unproven", "copy.db.unproven.key"}
    with desk.store.read() as tx:
        assert events.latest(tx, "backup") is None


def test_copy_that_cannot_be_finished_leaves_nothing(desk: StoredDesk, tmp_path: Path):
    def fail(done: int, pages: int) -> None:
        raise StoreUnavailable("stop")

    with pytest.raises(StoreUnavailable, match=r"copy\.db: cannot be written now: stop"):
        back_up(desk.store, tmp_path / "copy.db", NOW, fail, force=False)
    assert names(tmp_path) == {"data"}


def test_what_a_killed_copy_left_is_cleared_by_the_next(desk: StoredDesk, tmp_path: Path):
    left = tmp_path / ".mailgate-backup"
    left.mkdir()
    (left / "mailgate.db").write_bytes(b"half")
    (left / "mailgate.db-wal").write_bytes(b"half")
    copied(desk, tmp_path / "copy.db")
    assert names(tmp_path) == {"data", "copy.db", "copy.db.key"}


def test_folder_keeps_the_newest_backups_and_what_is_not_its_own(tmp_path: Path):
    times = [NOW + timedelta(days=day) for day in range(4)]
    for name in (*map(name_at, times), "mailgate-notes.txt", "other.db"):
        (tmp_path / name).touch()
    gone = keep_newest(tmp_path, 2)
    assert [path.name for path in gone] == [name_at(times[1]), name_at(times[0])]
    assert names(tmp_path) == {name_at(times[2]), name_at(times[3]), "mailgate-notes.txt", "other.db"}


@pytest.mark.parametrize("content", [b"", b"From: ana@acme.example\n\nHola\n", b"SQLite format 3\0" + b"\7" * 5000])
def test_file_that_is_no_backup_is_refused_and_nothing_changes(
    desk: StoredDesk, data: Path, tmp_path: Path, content: bytes
):
    desk.book(240)
    desk.store.close()
    (tmp_path / "wrong").write_bytes(content)
    before = names(data)
    with pytest.raises(Refused, match="wrong: is no backup"):
        restored(data, tmp_path / "wrong")
    assert names(data) == before
    assert balance(data) == 240


def test_bare_copy_of_a_store_is_refused_for_it_has_no_secret(desk: StoredDesk, data: Path, tmp_path: Path):
    desk.store.close()
    (tmp_path / "bare.db").write_bytes((data / "mailgate.db").read_bytes())
    with pytest.raises(Refused, match="is no backup"):
        restored(data, tmp_path / "bare.db")
    with pytest.raises(NotFound):
        restored(data, tmp_path / "nowhere.db")


def test_backup_that_is_cut_or_scratched_is_refused(desk: StoredDesk, data: Path, tmp_path: Path):
    desk.take(written("línea\n" * 20_000))
    file = tmp_path / "copy.db"
    copied(desk, file)
    desk.store.close()
    whole = file.read_bytes()
    scratched = bytearray(whole)
    scratched[8192 : len(whole) - 8192 : 512] = b"\xff" * len(range(8192, len(whole) - 8192, 512))
    for content in (whole[: len(whole) // 2], bytes(scratched)):
        file.write_bytes(content)
        with pytest.raises(Refused, match=r"copy\.db"):
            restored(data, file)
    assert "restoring" not in names(data)


def test_backup_whose_books_do_not_add_up_is_restored_only_when_forced(desk: StoredDesk, data: Path, tmp_path: Path):
    with desk.store.write() as tx:
        tx.run("drop trigger entry_never_goes")
    file = copied(desk, tmp_path / "copy.db").file
    desk.store.close()
    with pytest.raises(Refused, match="guard entry_never_goes is missing"):
        restored(data, file)
    assert restored(data, file, force=True).made_at == NOW


def test_store_in_use_is_not_replaced(desk: StoredDesk, data: Path, tmp_path: Path):
    file = copied(desk, tmp_path / "copy.db").file
    with pytest.raises(StoreUnavailable, match="another program"):
        restored(data, file)
    assert "restoring" not in names(data)


def test_store_from_before_is_kept_whole_beside_the_new_one(desk: StoredDesk, data: Path, tmp_path: Path):
    desk.book(240)
    file = copied(desk, tmp_path / "copy.db").file
    desk.book(60)
    desk.store.close()
    done = restored(data, file)
    assert balance(data) == 240
    assert done.kept == data / "mailgate.db.before-restore-20261104T100000Z"
    with closing(sqlite3.connect(done.kept)) as old:
        assert old.execute("select sum(minutes) from entry").fetchone() == (300,)


def test_damaged_store_with_its_log_makes_way(desk: StoredDesk, data: Path, tmp_path: Path):
    """The log of the old store beside the new one would be folded into it."""
    desk.book(240)
    file = copied(desk, tmp_path / "copy.db").file
    desk.book(60)
    log = (data / "mailgate.db-wal").read_bytes()
    desk.store.close()
    (data / "mailgate.db").write_bytes(b"\7" * 100_000)
    (data / "mailgate.db-wal").write_bytes(log[: len(log) // 2])
    restored(data, file)
    assert balance(data) == 240
    assert "mailgate.db.before-restore-20261104T100000Z-wal" in names(data)


def test_numbers_that_people_have_seen_since_the_backup_are_not_given_again(
    desk: StoredDesk, data: Path, tmp_path: Path
):
    """Marta's answer to a mail of a ticket that was lost must not book minutes on another one."""
    desk.take()
    desk.book(240)
    file = copied(desk, tmp_path / "copy.db").file
    desk.take(written(message_id="<m2@acme.example>"))
    lost = desk.book(240)
    desk.store.close()
    assert restored(data, file).next_ticket == 3
    with stored_desk(data) as again:
        assert again.book(240) == lost + 1
        assert again.take(written(message_id="<m3@acme.example>")).ticket.id == 3
        mails = again.raws()
        assert len({line for raw in mails for line in raw.split(b"\r\n") if line.startswith(b"Message-ID")}) == len(
            mails
        )
    assert restored(data, file, LATER + timedelta(days=1)).next_ticket == 4


def test_where_nobody_knows_the_numbers_given_since_a_gap_is_left(desk: StoredDesk, tmp_path: Path):
    desk.take()
    desk.book(240)
    file = copied(desk, tmp_path / "copy.db").file
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert restored(elsewhere, file).next_ticket == 102


def test_mail_made_again_after_a_restore_has_another_message_id(desk: StoredDesk, data: Path, tmp_path: Path):
    """Mail programs drop what has an ID that they know, and causes are counted from the backup on again."""
    file = copied(desk, tmp_path / "copy.db").file
    desk.take(at=NOW)
    before = desk.raws()
    desk.store.close()
    restored(data, file)
    with stored_desk(data) as again:
        again.take(at=LATER)
        after = again.raws()
    ids = [
        {line for raw in raws for line in raw.split(b"\r\n") if line.startswith(b"Message-ID")}
        for raws in (before, after)
    ]
    assert all(ids)
    assert not ids[0] & ids[1]


def test_restored_files_belong_to_the_owner_of_the_folder(desk: StoredDesk, tmp_path: Path):
    if os.geteuid() != 0:
        pytest.skip("needs root, to give a folder to somebody else")
    file = copied(desk, tmp_path / "copy.db").file
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    os.chown(theirs, 65534, 65534)
    restored(theirs, file)
    assert {(path.stat().st_uid, path.stat().st_mode & 0o777) for path in theirs.iterdir()} == {(65534, 0o600)}


def test_backup_of_an_earlier_schema_is_brought_up_to_date(data: Path, tmp_path: Path):
    file = tmp_path / "copy.db"
    with closing(sqlite3.connect(file)) as old:
        schema.migrations.apply(Database(old), stop_before="m0003_working_desk")
    backups.seal(file, Seal(NOW, "0.1.0", b"k" * 32))
    restored(data, file)
    with stored_desk(data) as again:
        assert again.take().ticket


def killed_at(step: int, data: Path, file: Path) -> bool:
    """Restore in a process that kills itself before the n-th line of the restore; whether it came that far."""
    child = os.fork()
    if child == 0:
        _count_down(step)
        try:
            restored(data, file)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def _count_down(step: int) -> None:
    left = step

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.endswith(STEPS):
            return None
        if event == "line":
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)


@pytest.mark.slow
def test_restore_killed_at_any_line_has_happened_or_has_not(tmp_path: Path):
    """Store and secret belong together: the old ones, or the new ones."""
    with stored_desk(_made(tmp_path / "new")) as new:
        new.book(240)
        file = copied(new, tmp_path / "copy.db").file
    with stored_desk(_made(tmp_path / "old")) as old:
        old.book(60, Kind.PURCHASE)
    old_key, new_key = desk_key(tmp_path / "old"), desk_key(tmp_path / "new")
    left: set[bytes] = set()
    seen, step, killed = set(), 0, True
    while killed:
        data = shutil.copytree(tmp_path / "old", tmp_path / f"old{step}")
        killed = killed_at(step, data, file)
        step += 1
        if (found := _fingerprint(data)) in left:
            continue  # most lines change nothing on the disk
        left.add(found)
        state = (desk_key(data), balance(data))
        assert state in ((old_key, 60), (new_key, 240)), f"killed before step {step - 1}"
        seen.add(state)
        restored(data, file, LATER + timedelta(days=1))
        assert (desk_key(data), balance(data), names(data) & {"restoring"}) == (new_key, 240, set())
    assert len(seen) == 2
    assert step > 50
    assert len(left) > 10


def _fingerprint(folder: Path) -> bytes:
    """Of all that a folder holds; of the logs, in which SQLite has random numbers, the size alone."""
    found = sha256()
    for path in sorted(folder.rglob("*")):
        about, log = path.stat(), path.name.endswith(("-wal", "-shm", "-journal"))
        content = sha256(path.read_bytes()).hexdigest() if path.is_file() and not log else ""
        found.update(f"{path.relative_to(folder)} {about.st_mode} {log and about.st_size} {content}\n".encode())
    return found.digest()


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
