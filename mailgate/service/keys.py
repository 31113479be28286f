"""The keys that seal mails and access data in the store: a systemd credential, or `data/vault.key`, for us alone.

A line for each key, in hex, the newest first. Nothing is ever sealed while a key is missing that the store knows.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from mailgate import disk
from mailgate.errors import Refused
from mailgate.store import STORE, Connection, Store, journal, outbox, sealing
from mailgate.store.keyring import KEY_BYTES, Keyring

NAME = "vault.key"
CREDENTIAL = "mailgate.vault"


def opened(data: Path, now: datetime) -> Store:
    """The store of a data folder with its keys, the first of which is made here.

    Where one is missing the store has a fault, and what is not sealed can still be read. Raises Refused for a
    file that holds no keys, or that others may read.
    """
    store = Store(data / STORE)
    if not place(data).exists():
        with store.read() as tx:
            known = sealing.known(tx)
        if not known:
            disk.create(data / NAME, _line(secrets.token_bytes(KEY_BYTES)))
    with store.read() as tx:
        keyring = at_hand(tx)
        fresh = set(keyring.names) - {key.name for key in sealing.known(tx)}
    store.keyring.take_up(keyring)
    if fresh and not keyring.fault:
        with store.write() as tx:
            sealing.note(tx, fresh, now)
    return store


def at_hand(tx: Connection) -> Keyring:
    """The keys as they are on the disk now, with a fault where one is missing that the store knows."""
    data = Path(tx.file).parent
    keyring = Keyring(read(data))
    missing = [key.name for key in sealing.known(tx) if not key.lost_at and key.name not in keyring.names]
    if missing:
        keyring.fault = (
            f"{place(data)}: the key {', '.join(missing)} is missing, under which mails are sealed; put it back,"
            " or if it is lost for good: mailgate key rotate --lost"
        )
    return keyring


def rotate(data: Path, store: Store, now: datetime, *, lost: bool) -> str:
    """Make a new key, which seals from now on; gives its name. The rest is put under it bit by bit (`jobs.sealing`).

    lost: go on without keys that are missing. What waits under them to be processed or sent cannot be any more: a
    person is to see it. Raises Refused where the keys are a credential, which is not ours to write.
    """
    if place(data) != data / NAME:
        raise Refused(f"the keys come from {place(data)}: put a line of 64 random hex digits on top there, and restart")
    if store.keyring.fault and not lost:
        raise Refused(store.keyring.fault)
    secret = secrets.token_bytes(KEY_BYTES)
    with store.write() as tx:
        if lost:
            _give_up(tx, store.keyring, now)
        # The file first: a key that the store knows and nobody has would be missing.
        disk.put(data / NAME, "".join(map(_line, [secret, *read(data)])))
        store.keyring.take_up(at_hand(tx))
        sealing.note(tx, store.keyring.names, now)
    return store.keyring.newest.name


def adopt(data: Path, others: Sequence[bytes]) -> None:
    """Add keys that came with a backup, behind our own."""
    ours = read(data)
    if new := [secret for secret in others if secret not in ours]:
        if place(data) != data / NAME:
            raise Refused(f"the keys come from {place(data)}: add those of the backup there first")
        disk.put(data / NAME, "".join(map(_line, [*ours, *new])))
        disk.owned_like(data / NAME, data)


def read(data: Path) -> list[bytes]:
    """The keys of a data folder, newest first; none where there is no file."""
    path = place(data)
    if not path.exists():
        return []
    if path == data / NAME:
        disk.check_private(path)
    return read_file(path)


def read_file(path: Path) -> list[bytes]:
    """The keys in a file. Raises Refused for what is no key."""
    lines = [line.partition("#")[0].strip() for line in path.read_text("utf-8", "replace").splitlines()]
    try:
        keys = [bytes.fromhex(line) for line in lines if line]
    except ValueError:
        keys = []
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        raise Refused(f"{path}: each line must be a key of {2 * KEY_BYTES} hex digits; put back the file as it was")
    return keys


def place(data: Path) -> Path:
    """Where the keys are: the credential if systemd gives one, else the file in the data folder."""
    given = os.environ.get("CREDENTIALS_DIRECTORY")
    credential = Path(given or data) / CREDENTIAL
    return credential if given and credential.is_file() else data / NAME


def _line(secret: bytes) -> str:
    return f"{secret.hex()}\n"


def _give_up(tx: Connection, keyring: Keyring, now: datetime) -> None:
    """Mark the missing keys, and what cannot be done any more, as lost."""
    gone = [key.name for key in sealing.known(tx) if not key.lost_at and key.name not in keyring.names]
    sealing.give_up(tx, gone, now)
    for name in gone:
        journal.give_up(tx, name, now)
        outbox.give_up(tx, name)
