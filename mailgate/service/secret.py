"""The desk's secret, from which reply addresses and Message-IDs are made: in `data/`, for us alone."""

from __future__ import annotations

import secrets
from pathlib import Path

from mailgate import disk
from mailgate.errors import Refused
from mailgate.store import STORE

NAME = "secret.key"
# Where a store and its secret wait until they are restored, inside data/.
RESTORING = "restoring"
_BYTES = 32


def desk_key(data: Path) -> bytes:
    """Read the secret, or make it on the first run (mode 0600).

    Losing it makes every reply address that was ever sent out worthless; `mailgate backup` takes it along.
    Raises Refused for a file that is no such secret, or that others may read.
    """
    path = data / NAME
    complete_restore(data)
    if not path.exists():
        disk.create(path, secrets.token_bytes(_BYTES))
    return _read(path)


def complete_restore(data: Path) -> None:
    """Give a restored store the secret that came with it, also where a kill came between the two.

    Both wait in a folder of their own; once the store has left it, it is the one in force.
    """
    waiting = data / RESTORING
    if (waiting / NAME).exists() and not (waiting / STORE).exists():
        (waiting / NAME).replace(data / NAME)
        disk.sync(data)


def _read(path: Path) -> bytes:
    key = path.read_bytes()
    if len(key) != _BYTES:
        raise Refused(f"{path}: is not a secret of {_BYTES} bytes; restore it from the backup")
    disk.check_private(path)
    return key
