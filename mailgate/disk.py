"""Files that are whole and durable, or not there: what a kill or a power cut may leave is known."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from mailgate.errors import Refused
from mailgate.pause import pause

_LOOK_SECONDS = 0.02


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk: a power cut may forget a new name without it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def workshop(place: Path) -> Iterator[Path]:
    """A folder for what is not finished (0700): emptied of what a kill left, and gone afterwards.

    Raises Refused where another process works in it.
    """
    place.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if not locked(handle):
            raise Refused(f"{place}: another mailgate is at the same work")
        _clear(place)
        try:
            yield place
        finally:
            shutil.rmtree(place)
    finally:
        os.close(handle)


def locked(handle: int, patience: float = 0.0) -> bool:
    """Whether we have the lock of an open file, alone, over threads and processes; it ends with the file's closing.

    patience: seconds to wait for who has it.
    """
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            pause(_LOOK_SECONDS)
        else:
            return True


def create(path: Path, content: str | bytes) -> None:
    """Make a file for us alone (0600), whole and durable before it has its name: who was first counts."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".secret.") as draft:  # made with mode 0600
        _fill(draft, content)
        with contextlib.suppress(FileExistsError):
            os.link(draft.name, path)
    sync(path.parent)


def put(path: Path, content: str | bytes) -> None:
    """The same in the place of a file that may be there."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".secret.", delete=False) as draft:
        try:
            _fill(draft, content)
            if path.exists():
                owned_like(Path(draft.name), path)
            Path(draft.name).replace(path)
        except BaseException:
            Path(draft.name).unlink(missing_ok=True)
            raise
    sync(path.parent)


def check_private(path: Path) -> None:
    """Raises Refused for a file that others may read."""
    if path.stat().st_mode & 0o077:
        raise Refused(f"{path}: others may read it; run: chmod 600 {path}")


def owned_like(path: Path, like: Path) -> None:
    """Give a file to the owner of another: what root puts into the desk's folder is the desk's to use."""
    wanted = like.stat()
    if os.geteuid() == 0:
        os.chown(path, wanted.st_uid, wanted.st_gid)


def _fill(file: IO[bytes], content: str | bytes) -> None:
    file.write(content.encode() if isinstance(content, str) else content)
    file.flush()
    os.fsync(file.fileno())


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
