"""What is kept no longer: found by indexes, in portions; removed with all that stands for it.

What remains of a mail is who wrote it, when, its Message-ID and the digest of its content: enough to thread an
answer, to know a repeat, and to prove the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mailgate.core.retention import Limits
from mailgate.store import blobs, search, vault
from mailgate.store.connection import Connection
from mailgate.store.times import moment, stamp

WALKS = ("raw", "files", "access data")
# No time is before it.
_NEVER = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Something that may be due. young: it is too new, and so is what comes after it. needed: it is to stay."""

    id: int
    size: int
    young: bool
    needed: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A message that told access data. due: they are to go."""

    id: int
    ticket: int | None
    due: bool


_OPEN = "(t.id is not null and (t.closed_at is null or t.closed_at >= :{limit}))"
_NEEDED_BY = {
    "journal": "j.state = 'taken' or (j.message is null and j.taken_at >= :copies) or exists"
    " (select 1 from quarantine q where q.journal = j.id and q.state = 'waiting')",
    "message": f"m.at >= :raw or {_OPEN.format(limit='raw')} or exists"
    " (select 1 from held h where h.ticket = m.ticket and h.message = m.id and h.state = 'waiting')",
    "outbox": f"o.state = 'queued' or o.created_at >= :copies or {_OPEN.format(limit='copies')}",
}
_BLOBS = (
    "select b.id, b.size, coalesce((select min(taken_at) from journal where blob = b.id),"
    " (select min(created_at) from outbox where blob = b.id), '') >= :copies as young,"
    f" exists (select 1 from journal j where j.blob = b.id and ({_NEEDED_BY['journal']}))"
    " or exists (select 1 from message m left join ticket t on t.id = m.ticket"
    f" where m.blob = b.id and ({_NEEDED_BY['message']}))"
    " or exists (select 1 from outbox o left join ticket t on t.id = o.ticket"
    f" where o.blob = b.id and ({_NEEDED_BY['outbox']})) as needed"
    " from blob b where b.id > :after order by b.id limit :most"
)


def raws(tx: Connection, limits: Limits, after: int, most: int) -> list[Found]:
    """The next mails as they came or went out, the oldest first."""
    raw, copies = (_limit(one) for one in (limits.raw, limits.copies))
    return [_found(row) for row in tx.rows(_BLOBS, raw=raw, copies=copies, after=after, most=most)]


def remove_raw(tx: Connection, blob: int) -> list[tuple[datetime, int]]:
    """Remove the bytes of a mail; gives time and number of those of the outbox that it was."""
    sent = tx.rows("select id, created_at from outbox where blob = :blob", blob=blob)
    files = "update attachment set kept = 0 where kept = 1 and message in (select id from message where blob = :blob)"
    tx.run(files, blob=blob)
    for table in ("journal", "message", "outbox"):
        tx.run(f"update {table} set blob = null where blob = :blob", blob=blob)
    tx.run("delete from blob where id = :blob", blob=blob)
    return [(moment(row["created_at"]), row["id"]) for row in sent]


def with_files(tx: Connection, limits: Limits, after: int, most: int) -> list[Found]:
    """The next messages that have files, the oldest first; size: bytes of the whole mail."""
    rows = tx.rows(
        "select m.id, b.size, m.at >= :files as young,"
        f" m.at >= :files or {_OPEN.format(limit='files')} as needed"
        " from (select distinct message as id from attachment where kept = 1 and message > :after"
        " order by message limit :most) some join message m on m.id = some.id join blob b on b.id = m.blob"
        " left join ticket t on t.id = m.ticket order by m.id",
        files=_limit(limits.files),
        after=after,
        most=most,
    )
    return [_found(row) for row in rows]


def without_files(tx: Connection, message: int, blob: int, stripped: bytes) -> bool:
    """Keep of a mail what is left of it once its files are taken out; their names and sizes stay.

    False, and nothing done, where another mail has these bytes.
    """
    done = blobs.replace(tx, blob, stripped)
    if done:
        tx.run("update attachment set kept = 0 where message = :message", message=message)
    return done


def with_access_data(tx: Connection, before: datetime, after: int, most: int) -> list[Told]:
    """The next messages whose access data are kept, the oldest first."""
    rows = tx.rows(
        "select some.id, t.id as ticket, coalesce(t.closed_at < :before, t.id is null and m.at < :before, 0) as due"
        " from (select distinct message as id from vault where message > :after order by message limit :most) some"
        " join message m on m.id = some.id"
        " left join ticket t on t.id = (select ticket from vault where message = some.id limit 1) order by some.id",
        before=stamp(before),
        after=after,
        most=most,
    )
    return [Told(row["id"], row["ticket"], bool(row["due"])) for row in rows]


def forget_access_data(tx: Connection, message: int) -> None:
    """Destroy what a message told; their places stay in its text."""
    vault.forget_of_message(tx, message)
    tx.run("update attachment set guarded = 0 where message = :message and guarded = 1", message=message)


def quarantined(tx: Connection, before: datetime, most: int) -> list[int]:
    """What came into quarantine before then."""
    due = "select id from quarantine where gone_at is null and at < :before order by at limit :most"
    return [row["id"] for row in tx.rows(due, before=stamp(before), most=most)]


def forget_quarantined(tx: Connection, number: int, now: datetime) -> None:
    """Drop a message of the quarantine and what is known of it; one that was released is kept as what it became."""
    journal = tx.row(
        "select j.id, j.blob from quarantine q join journal j on j.id = q.journal"
        " where q.id = :id and j.state = 'quarantined'",
        id=number,
    )
    tx.run(
        "update quarantine set state = case state when 'waiting' then 'dropped' else state end, sender = '',"
        " subject = '', reason = '', detail = '', gone_at = :now where id = :id",
        now=stamp(now),
        id=number,
    )
    if journal is not None:
        tx.run(
            "update journal set blob = null, mail_from = null, evidence = null, proof_sender = null where id = :id",
            id=journal["id"],
        )
        if journal["blob"] is not None:
            blobs.remove_unneeded(tx, journal["blob"])


def closed(tx: Connection, before: datetime, most: int) -> list[int]:
    """Tickets that were closed before then and in which nothing came since, the one closed first before the others."""
    due = (
        "select t.id from ticket t where t.closed_at < :before and t.gone_at is null and t.closed_at is not null"
        " and not exists (select 1 from message m where m.ticket = t.id and m.at >= :before)"
        " order by t.closed_at limit :most"
    )
    return [row["id"] for row in tx.rows(due, before=stamp(before), most=most)]


def forget_said(tx: Connection, ticket: int, now: datetime) -> None:
    """Forget what was said in a ticket and by whom; who of the desk worked on it, when and how long, stays."""
    this: dict[str, object] = {"ticket": ticket}
    for row in tx.rows("select id, subject, text from message where ticket = :ticket", **this):
        if row["subject"] or row["text"]:  # else it was forgotten before: the index would count it twice
            search.forget(tx, row["id"], row["subject"], row["text"])
    messages = "(select id from message where ticket = :ticket)"
    tx.run(
        "update message set subject = '', text = '', why = '', refs = '', proof = '', author_name = '',"
        " author = case when role in ('technician', 'director') then author else '' end where ticket = :ticket",
        **this,
    )
    tx.run(f"update attachment set name = '', content_id = null where message in {messages}", **this)
    tx.run(
        "update journal set mail_from = null, rcpt_to = '[]', evidence = null, proof_sender = null"
        f" where message in {messages}",
        **this,
    )
    vault.forget(tx, ticket)
    tx.run("delete from transcript where ticket = :ticket", **this)
    tx.run("delete from guest where ticket = :ticket", **this)
    tx.run("delete from held where ticket = :ticket and state = 'waiting'", **this)
    tx.run("update matter set reason = '', note = '' where ticket = :ticket and state <> 'open'", **this)
    tx.run(
        "update outbox set subject = '', recipient = '', last_error = null"
        " where ticket = :ticket and state <> 'queued'",
        **this,
    )
    tx.run("update ticket set subject = '', requester = '', gone_at = :now where id = :ticket", now=stamp(now), **this)


def forget_looks(tx: Connection, before: datetime, most: int) -> int:
    """Forget who looked at access data before then; how often that was."""
    old = "select id from look where at < :before order by at limit :most"
    shown = "select id from event where kind = 'shown' and client = '' and key < :before order by key limit :most"
    return sum(
        tx.run(f"delete from {table} where id in ({found})", before=stamp(before), most=most)
        for table, found in (("look", old), ("event", shown))
    )


def _limit(at: datetime | None) -> str:
    return _NEVER if at is None else stamp(at)


def _found(row: dict[str, object]) -> Found:
    return Found(int(str(row["id"])), int(str(row["size"])), bool(row["young"]), bool(row["needed"]))


def portion(found: Sequence[Found], most_bytes: int) -> list[Found]:
    """The first of them that are not young, as many as bytes are to be touched at a time; at least one."""
    chosen: list[Found] = []
    size = 0
    for one in found:
        size += 0 if one.needed else one.size
        if one.young or (chosen and size > most_bytes):
            break
        chosen.append(one)
    return chosen
