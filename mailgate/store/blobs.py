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


def at_once(sizes: Sequence[Row]) -> list[int]:
    """Of rows with id and size, the ids of the first ones that memory has room for together; at least one."""
    totals = accumulate(row["size"] for row in sizes)
    return [row["id"] for row, total in zip(sizes, totals, strict=True) if total <= _MOST_BYTES or row is sizes[0]]
