"""Which messages of which mailbox were taken: by UIDVALIDITY and UID, never by \\Seen (RFC 3501 2.3.1.1)."""

from __future__ import annotations

from datetime import datetime

from mailgate.core.mailbox import Uid
from mailgate.store.connection import Connection
from mailgate.store.times import opt_moment, stamp


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


def taken_last(tx: Connection, mailbox: str) -> datetime | None:
    """When the last mail of a mailbox was taken, None where none ever was."""
    return opt_moment(
        tx.value(
            "select j.taken_at from mailbox_uid u join journal j on j.id = u.journal"
            " where u.mailbox = :mailbox order by u.uidvalidity desc, u.uid desc limit 1",
            mailbox=mailbox,
        )
    )


def failing(tx: Connection, mailbox: str) -> tuple[datetime | None, str]:
    """Since when a mailbox cannot be reached, None while it can, and why."""
    row = tx.row("select failing_since, error from mailbox where name = :name", name=mailbox)
    return (opt_moment(row["failing_since"]), row["error"]) if row else (None, "")


def note_failure(tx: Connection, mailbox: str, error: str, now: datetime) -> None:
    """Note that a mailbox cannot be reached; since when stays as it is while it lasts."""
    tx.run(
        "insert into mailbox (name, failing_since, error) values (:name, :now, :error)"
        " on conflict (name) do update set error = :error, failing_since = coalesce(mailbox.failing_since, :now)",
        name=mailbox,
        error=error,
        now=stamp(now),
    )


def note_reached(tx: Connection, mailbox: str) -> None:
    """Note that a mailbox can be reached (again)."""
    tx.run("update mailbox set failing_since = null, error = '' where name = :name", name=mailbox)
