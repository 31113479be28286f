"""A machine that lacks something: file handles, rights, a disk that can be written. It is told in a line, nothing is
lost, and it goes on when that is mended."""

from __future__ import annotations

import os
import random
import smtplib
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults import checks
from tests.faults.driver import Desk, desk_in
from tests.faults.senders import Oracle, Postbag, attempt, load

pytestmark = pytest.mark.slow

# Root may read and write everything; without these capabilities the rights count for it, too.
_BOUND = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
_UNREADABLE = 0o000
_UNWRITABLE = 0o500
_MAILBOX = """
[[imap]]
host = "127.0.0.1"
port = {port}
tls = "none"
user = "soporte"
password_env = "HOME"
poll = "1s"
"""


def _lines(desk: Desk, *words: str) -> list[str]:
    """What the log says with one of these words."""
    return [line["text"] for line in desk.logged() if any(word in line["text"] for word in words)]


def _tracebacks(desk: Desk) -> list[str]:
    return [line["traceback"] for line in desk.logged() if "traceback" in line] + [
        line for line in desk.log.read_text().splitlines() if line.startswith("Traceback")
    ]


def _handles(desk: Desk, most: int) -> None:
    """Let the daemon that runs have so many file handles and no more; those that it has it keeps."""
    subprocess.run(["prlimit", "--pid", str(desk.pid), f"--nofile={most}:1024"], check=True)


def test_no_file_handles_is_told_in_a_line_and_it_goes_on_when_there_are_some(tmp_path: Path) -> None:
    bag, oracle = Postbag(random.Random(6)), Oracle()
    with desk_in(tmp_path) as desk, socket.create_server(("127.0.0.1", 0)) as mailbox:
        desk.rules.write_text(desk.rules.read_text() + _MAILBOX.format(port=mailbox.getsockname()[1]))
        desk.start()
        with load(desk, bag, oracle, senders=1):
            time.sleep(0.5)
            _handles(desk, 5)
            with socket.create_connection(("127.0.0.1", desk.port), timeout=3) as peer, pytest.raises(TimeoutError):
                peer.recv(100)
            mailbox.settimeout(0)
            while _comes(mailbox):
                pass  # what came before
            _handles(desk, 1024)
            with smtplib.SMTP("127.0.0.1", desk.port, timeout=30) as peer:
                peer.ehlo("sender.example")
                assert attempt(peer, bag.request(), oracle) == "ok"
        assert _until(lambda: _comes(mailbox)), "the mailbox is not collected from any more"
        checks.hurry(desk)
        assert checks.problems(desk, bag.made, oracle) == []
        assert list(checks.files_problems(desk)) == []
    assert len(_lines(desk, "no connection can be taken now: Too many open files")) == 1
    assert _tracebacks(desk) == []
    assert set(oracle.codes) <= {0, 250, 451}


def _comes(server: socket.socket) -> bool:
    """Whether somebody connects; nothing is said to them."""
    try:
        server.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def _until(condition: Callable[[], bool], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


@contextmanager
def _mode(path: Path, mode: int) -> Iterator[None]:
    before = path.stat().st_mode
    path.chmod(mode)
    try:
        yield
    finally:
        path.chmod(before)


@pytest.mark.parametrize(
    ("name", "mode", "told"),
    [
        ("", _UNWRITABLE, "may this user not write the data folder"),
        ("mailgate.db", _UNREADABLE, "are its rights wrong"),
        ("mailgate.lock", _UNREADABLE, "mailgate.lock: Permission denied"),
        ("secret.key", _UNREADABLE, "secret.key: Permission denied"),
        ("secret.key", 0o644, "run: chmod 600"),
        ("vault.key", _UNREADABLE, "vault.key: Permission denied"),
        ("vault.key", 0o644, "run: chmod 600"),
    ],
)
def test_wrong_rights_at_the_start_are_one_clear_line_and_mending_them_is_enough(
    tmp_path: Path, name: str, mode: int, told: str
) -> None:
    with desk_in(tmp_path) as desk:
        desk.start(*_BOUND)
        desk.stop()
        with _mode(desk.data / name, mode):
            ended = subprocess.run([*_BOUND, *desk.command("run")], capture_output=True, text=True, check=False)
        assert ended.returncode in (1, 75), ended.stderr
        assert told in ended.stderr.splitlines()[-1]
        assert "Traceback" not in ended.stderr
        desk.start(*_BOUND)


def test_rights_that_go_wrong_under_a_daemon_that_runs_stop_no_mail(tmp_path: Path) -> None:
    bag, oracle = Postbag(random.Random(7)), Oracle()
    with desk_in(tmp_path) as desk:
        desk.start(*_BOUND)
        with load(desk, bag, oracle, senders=1):
            assert _until((desk.data / "outbox").is_dir)
            with (
                _mode(desk.data / "outbox", _UNWRITABLE),
                _mode(desk.data / "secret.key", _UNREADABLE),
                _mode(desk.data, _UNWRITABLE),
            ):
                desk.rules.write_text(desk.rules.read_text().replace("Soporte", "Ayuda"))
                refused = _until(lambda: bool(_lines(desk, "stay in force")))
                taken = len(bag.made)
                assert _until(lambda: len(bag.made) > taken + 5)
        checks.hurry(desk)
        kept = checks.stored(desk)
        assert all(kept[letter.message_id] == 1 for letter in bag.made)
        assert list(checks.files_problems(desk)) == []
    assert refused
    assert len(_lines(desk, "secret.key")) == 1
    assert _lines(desk, "outbox: Permission denied")
    assert _tracebacks(desk) == []
    assert set(oracle.codes) <= {0, 250}


@contextmanager
def _faulty_disk(folder: Path) -> Iterator[Path]:
    """A disk that the kernel makes read-only at an error, as Debian's installer has it, with no journal of its own."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a disk that fails")
    image, place = folder / "image", folder / "disk"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(128 * 1024**2)
    made = subprocess.run(["mkfs.ext4", "-q", "-O", "^has_journal", image], capture_output=True, text=True, check=False)
    if made.returncode or _mounted(image, place):
        pytest.skip("no disk of its own can be made here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=False)


def _mounted(image: Path, place: Path) -> int:
    command = ["mount", "-o", "loop,errors=remount-ro", image, place]
    return subprocess.run(command, capture_output=True, check=False).returncode


def _break(place: Path) -> None:
    device = subprocess.run(["findmnt", "-no", "SOURCE", place], capture_output=True, text=True, check=True).stdout
    Path("/sys/fs/ext4", Path(device.strip()).name, "trigger_fs_error").write_text("a test\n")


def test_disk_that_becomes_read_only_refuses_for_now_and_loses_nothing(tmp_path: Path) -> None:
    bag, oracle = Postbag(random.Random(8)), Oracle()
    with _faulty_disk(tmp_path) as disk, desk_in(tmp_path, data=disk / "data") as desk:
        desk.program = "tests.faults.impatient"  # what was sent cannot be noted, for which its stop would wait long
        desk.start()
        with load(desk, bag, oracle, senders=2):
            time.sleep(0.5)
            _break(disk)
            assert _until(lambda: oracle.codes[451] >= 3)
            assert desk.running()
            desk.stop()
            again = desk.verb("run")
            subprocess.run(["umount", disk], check=True)
            subprocess.run(["e2fsck", "-fy", tmp_path / "image"], capture_output=True, check=False)
            assert _mounted(tmp_path / "image", disk) == 0
            desk.start()
        checks.hurry(desk)
        assert checks.problems(desk, bag.made, oracle) == []
        desk.stop()
    assert again.returncode == 75
    assert again.stderr.decode().count("\n") == 1, again.stderr
    assert b"read-only" in again.stderr.lower()
    said = Counter((line["logger"], line["text"]) for line in desk.logged() if "has it become" in line["text"])
    assert set(said.values()) == {1}  # once by each part and job that met it, however often it tried
    assert _tracebacks(desk) == []
    assert set(oracle.codes) <= {0, 250, 451}
