"""Stores that are there already: to make one takes 30 ms, and two thousand tests want one."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import Any

from mailgate.store import Store, connection, schema

Init = Callable[..., None]
_RELEASED = tuple(schema.migrations._migrations)


PRAGMAS = connection._PRAGMAS
"""What connections are opened with outside the tests."""
UNSYNCED = tuple("synchronous=off" if pragma == "synchronous=full" else pragma for pragma in PRAGMAS)
"""The same without the wait for the disk at each commit."""


def made_once(init: Init) -> Init:
    """`Store.__init__` that begins with a copy of what it made once in this process.

    Not where a test has migrations of its own.
    """

    @cache
    def made() -> Path:
        folder = Path(tempfile.mkdtemp(prefix="mailgate-ready-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        first = Store.__new__(Store)
        init(first, folder / "mailgate.db")
        first.close()
        return folder / "mailgate.db"

    @wraps(init)
    def copied(self: Any, path: Path, *more: Any, **named: Any) -> None:
        if path.parent.is_dir() and not path.exists() and tuple(schema.migrations._migrations) == _RELEASED:
            shutil.copy(made(), path)
        init(self, path, *more, **named)

    return copied
