"""How we speak TLS to a server: its certificate is verified, by the machine's list of whom to trust."""

from __future__ import annotations

import ssl
from functools import lru_cache
from os import stat_result
from pathlib import Path


def context() -> ssl.SSLContext:
    """One for all connections, as long as the machine's list is the same: each takes a megabyte and 20 ms."""
    paths = ssl.get_default_verify_paths()
    return _made(*((path, _state(path)) for path in (paths.cafile, paths.capath)))


def _state(path: str | None) -> tuple[int, int] | None:
    try:
        found: stat_result | None = Path(path).stat() if path else None
    except OSError:
        found = None
    return (found.st_mtime_ns, found.st_size) if found else None


@lru_cache(maxsize=1)
def _made(*lists: object) -> ssl.SSLContext:
    return ssl.create_default_context()
