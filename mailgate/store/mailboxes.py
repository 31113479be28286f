"""Which messages of which mailbox were taken: by UIDVALIDITY and UID, never by \\Seen (RFC 3501 2.3.1.1)."""

from __future__ import annotations

from mailgate.core.mailbox import Uid
from mailgate.store.connection import Connection


def last_uid(tx: Connection, mailbox: str, uidvalidity: int) -> int:
    """The highest UID that was taken or skipped, 0 if none."""
    found = tx.value(
        "select max(uid) from mailbox_uid where mailbox = :mailbox and uidvalidity = :uidvalidity",
        mailbox=mailbox,
        uidvalidity=uidvalidity,
    )
    return int(found or 0)


def unsettled(tx: Connection, mailbox: str, uidvalidity: int) -> list[int]:
    """UIDs that were taken while what comes after on the server is not done yet."""
    rows = tx.rows(
        "select uid from mailbox_uid"
        " where mailbox = :mailbox and uidvalidity = :uidvalidity and settled = 0 order by uid",
        mailbox=mailbox,
        uidvalidity=uidvalidity,
    )
    return [row["uid"] for row in rows]


def settle(tx: Connection, mailbox: str, uidvalidity: int, uids: list[int]) -> None:
    """Note that these messages were flagged, moved or deleted on the server."""
    for uid in uids:
        tx.run(
            "update mailbox_uid set settled = 1 where mailbox = :mailbox and uidvalidity = :uidvalidity and uid = :uid",
            mailbox=mailbox,
            uidvalidity=uidvalidity,
            uid=uid,
        )


def skip(tx: Connection, uid: Uid, reason: str) -> None:
    """Note a message that stays in the mailbox for good."""
    tx.run(
        "insert into mailbox_uid (mailbox, uidvalidity, uid, settled, reason)"
        " values (:mailbox, :uidvalidity, :uid, 1, :reason) on conflict do nothing",
        mailbox=uid.mailbox,
        uidvalidity=uid.uidvalidity,
        uid=uid.uid,
        reason=reason,
    )
