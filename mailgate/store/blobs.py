"""Raw bytes, each content once, sealed (see `keyring`)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from mailgate.store.connection import Connection, Row
from mailgate.store.keyring import DamagedError, KeyLostError

# Of raw mails that are held in memory together, unless a single one is bigger.
_MOST_BYTES = 4_000_000
_PURPOSE = "mail"


def put(tx: Connection, data: bytes) -> int:
    """Keep the bytes and give their id; the same bytes are kept once."""
    key = tx.keyring.newest
    digest = key.digest(data)
    made = tx.value(
        "insert into blob (digest, size, key, data) values (:digest, :size, :key, :data)"
        " on conflict (digest) do nothing returning id",
        digest=digest,
        size=len(data),
        key=key.name,
        data=key.seal(data, _PURPOSE),
    )
    return int(made or tx.value("select id from blob where digest = :digest", digest=digest))


def get(tx: Connection, blob: int) -> bytes:
    """The bytes of a blob. Raises KeyLostError, DamagedError."""
    row = tx.row("select key, data from blob where id = :blob", blob=blob)
    if row is None:
        raise LookupError(f"blob {blob}: gone")
    return opened(tx, row)


def readable(tx: Connection, blob: int | None) -> bytes | None:
    """The bytes, None where they are gone or damaged, or their key is given up for good.

    Raises KeyLostError until it is.
    """
    try:
        return None if blob is None else get(tx, blob)
    except KeyLostError:
        if tx.keyring.fault:
            raise
        return None
    except DamagedError:
        return None


def opened(tx: Connection, row: Row) -> bytes:
    """The bytes of a row with key and data. Raises KeyLostError, DamagedError."""
    return tx.keyring.open(row["key"], row["data"], _PURPOSE)


def under(tx: Connection, key: str) -> int:
    """How many blobs a key has sealed."""
    return int(tx.value("select count(*) from blob where key = :key", key=key))


def seal_anew(tx: Connection, key: str, most: int) -> int:
    """Put some of the blobs of a key under the newest one; how many that were. 0: none is left that can be opened."""
    following = "select id, size from blob where key = :key and id > :after order by id limit :most"
    done = after = 0
    while not done and (sizes := tx.rows(following, key=key, after=after, most=most)):
        mine = at_once(sizes)
        done, after = sum(_sealed_anew(tx, number) for number in mine), mine[-1]
    return done


def _sealed_anew(tx: Connection, blob: int) -> bool:
    """False for one that is damaged, which stays as it is."""
    try:
        data = get(tx, blob)
    except DamagedError:
        return False
    digest = tx.keyring.newest.digest(data)
    if tx.value("select 1 from blob where digest = :digest", digest=digest):
        digest = f"{digest} {blob}"  # the same came again meanwhile, and is there twice
    _write(tx, blob, data, digest)
    return True


def replace(tx: Connection, blob: int, data: bytes) -> bool:
    """Put other bytes in the place of a blob's, for all that refer to it; those from before are gone.

    False, and nothing done, where another blob has these bytes.
    """
    digest = tx.keyring.newest.digest(data)
    if tx.value("select 1 from blob where digest = :digest and id <> :blob", digest=digest, blob=blob):
        return False
    _write(tx, blob, data, digest)
    return True


def remove_unneeded(tx: Connection, blob: int) -> bool:
    """Remove a blob that nothing refers to any more; whether it was so."""
    return bool(
        tx.run(
            "delete from blob where id = :blob and not exists (select 1 from journal where blob = :blob)"
            " and not exists (select 1 from message where blob = :blob)"
            " and not exists (select 1 from outbox where blob = :blob)",
            blob=blob,
        )
    )


def _write(tx: Connection, blob: int, data: bytes, digest: str) -> None:
    key = tx.keyring.newest
    tx.run(
        "update blob set digest = :digest, size = :size, key = :key, data = :data where id = :blob",
        digest=digest,
        size=len(data),
        key=key.name,
        data=key.seal(data, _PURPOSE),
        blob=blob,
    )


def at_once(sizes: Sequence[Row]) -> list[int]:
    """Of rows with id and size, the ids of the first ones that memory has room for together; at least one."""
    totals = accumulate(row["size"] for row in sizes)
    return [row["id"] for row, total in zip(sizes, totals, strict=True) if total <= _MOST_BYTES or row is sizes[0]]
