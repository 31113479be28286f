"""Which messages of which mailbox were taken: by UIDVALIDITY and UID, never by \\Seen (RFC 3501 2.3.1.1)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from mailgate.core.health import Backlog
from mailgate.core.mailbox import Left, Sighting, Uid
from mailgate.store.connection import Connection, Row
from mailgate.store.times import moment, opt_moment, stamp

# A folder that is restored, or moved here, may take so long to fill.
_RESTORING = timedelta(days=1)


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


def skip(tx: Connection, uid: Uid, left: Left, now: datetime) -> None:
    """Note a message that stays in the mailbox for good."""
    new = tx.run(
        "insert into mailbox_uid (mailbox, uidvalidity, uid, settled, reason)"
        " values (:mailbox, :uidvalidity, :uid, 1, :reason) on conflict do nothing",
        mailbox=uid.mailbox,
        uidvalidity=uid.uidvalidity,
        uid=uid.uid,
        reason=left.kind,
    )
    if new:
        _leave(tx, left, now)


def sighting(tx: Connection, mailbox: str, uidvalidity: int) -> Sighting | None:
    """What was settled when a folder was first seen; None where it was not yet."""
    row = tx.row(
        "select up_to, since, until, anew from sighting where mailbox = :mailbox and uidvalidity = :uidvalidity",
        mailbox=mailbox,
        uidvalidity=uidvalidity,
    )
    if row is None:
        return None
    return Sighting(uidvalidity, row["up_to"], moment(row["since"]), moment(row["until"]), anew=bool(row["anew"]))


def first_sight(tx: Connection, mailbox: str, uidvalidity: int, span: timedelta, now: datetime) -> Sighting:
    """From when on mail of a folder is to be taken that was never seen under this UIDVALIDITY.

    Of one that was seen with other UIDs, all that came before its last mail was taken, or was none of ours;
    the content tells what was taken. The span is a margin then, for clocks that differ.
    """
    known = tx.value("select max(since) from sighting where mailbox = :mailbox", mailbox=mailbox)
    since = now - span
    if known is not None:
        last = taken_last(tx, mailbox)
        since = max(moment(known), last - span) if last else moment(known)
    return Sighting(uidvalidity, 0, since, now + _RESTORING, anew=known is not None)


def sight(tx: Connection, mailbox: str, seen: Sighting, now: datetime) -> None:
    """Settle it, or that it reaches further. With other UIDs, nothing is left to be done to the messages of before."""
    tx.run(
        "insert into sighting (mailbox, uidvalidity, up_to, since, until, anew)"
        " values (:mailbox, :uidvalidity, :up_to, :since, :until, :anew)"
        " on conflict (mailbox, uidvalidity) do update set up_to = :up_to",
        mailbox=mailbox,
        uidvalidity=seen.uidvalidity,
        up_to=seen.up_to,
        since=stamp(seen.since),
        until=stamp(seen.until),
        anew=int(seen.anew),
    )
    tx.run(
        "update mailbox_uid set settled = 1 where mailbox = :mailbox and uidvalidity <> :uidvalidity and settled = 0",
        mailbox=mailbox,
        uidvalidity=seen.uidvalidity,
    )
    if seen.left:
        _leave(tx, Left("anew" if seen.anew else "old", mailbox, seen.left), now)


def _leave(tx: Connection, left: Left, now: datetime) -> None:
    tx.run(
        "insert into left_mail (at, kind, mailbox, count, size, sender, subject)"
        " values (:at, :kind, :mailbox, :count, :size, :sender, :subject)",
        at=stamp(now),
        kind=left.kind,
        mailbox=left.mailbox,
        count=left.count,
        size=left.size,
        sender=left.sender,
        subject=left.subject,
    )


def untold(tx: Connection, most: int) -> dict[int, Left]:
    """What was left and nobody was told of yet, oldest first, by number."""
    rows = tx.rows("select * from left_mail where told_at is null order by id limit :most", most=most)
    return {row["id"]: _left(row) for row in rows}


def _left(row: Row) -> Left:
    return Left(row["kind"], row["mailbox"], row["count"], row["size"], row["sender"], row["subject"])


def told_last(tx: Connection) -> datetime | None:
    """When the admin was told last of something that was left."""
    return opt_moment(tx.value("select max(told_at) from left_mail"))


def told(tx: Connection, numbers: Iterable[int], now: datetime) -> None:
    """Note that the admin is told of these."""
    for number in numbers:
        tx.run("update left_mail set told_at = :now where id = :id", now=stamp(now), id=number)


def untidied(tx: Connection, mailbox: str) -> Backlog:
    """Messages that were taken, while what comes after on the server is not done."""
    row = tx.row(
        "select count(*) as count, min(j.taken_at) as since from mailbox_uid u join journal j on j.id = u.journal"
        " where u.mailbox = :mailbox and u.settled = 0",
        mailbox=mailbox,
    )
    assert row is not None
    return Backlog(row["count"], opt_moment(row["since"]))


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
