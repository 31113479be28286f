"""Raw bytes, each content once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import accumulate

from mailgate.store.connection import Connection, Row

# Of raw mails that are held in memory together, unless a single one is bigger.
_MOST_BYTES = 4_000_000


def put(tx: Connection, data: bytes) -> int:
    """Keep the bytes and give their id; the same bytes are kept once."""
    digest = hashlib.sha256(data).hexdigest()
    made = tx.value(
        "insert into blob (digest, size, data) values (:digest, :size, :data)"
        " on conflict (digest) do nothing returning id",
        digest=digest,
        size=len(data),
        data=data,
    )
    return int(made or tx.value("select id from blob where digest = :digest", digest=digest))


def get(tx: Connection, blob: int) -> bytes:
    """The bytes of a blob."""
    return bytes(tx.value("select data from blob where id = :blob", blob=blob))


def replace(tx: Connection, blob: int, data: bytes) -> bool:
    """Put other bytes in the place of a blob's, for all that refer to it; those from before are gone.

    False, and nothing done, where another blob has these bytes.
    """
    digest = hashlib.sha256(data).hexdigest()
    if tx.value("select 1 from blob where digest = :digest and id <> :blob", digest=digest, blob=blob):
        return False
    tx.run(
        "update blob set digest = :digest, size = :size, data = :data where id = :blob",
        digest=digest,
        size=len(data),
        data=data,
        blob=blob,
    )
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


def at_once(sizes: Sequence[Row]) -> list[int]:
    """Of rows with id and size, the ids of the first ones that memory has room for together; at least one."""
    totals = accumulate(row["size"] for row in sizes)
    return [row["id"] for row, total in zip(sizes, totals, strict=True) if total <= _MOST_BYTES or row is sizes[0]]
