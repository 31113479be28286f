"""What was taken in: the raw bytes and the envelope of every message, before anything else happens."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from mailgate.core.health import Backlog
from mailgate.core.mail import Envelope, Source
from mailgate.core.mailbox import Uid
from mailgate.core.model import Outcome
from mailgate.core.proof import UNCHECKED, Verdicts
from mailgate.store import blobs, evidence, quarantine
from mailgate.store.connection import Connection, Row
from mailgate.store.keyring import DamagedError
from mailgate.store.times import moment, opt_moment, stamp


@dataclass(frozen=True, slots=True)
class Kept:
    """A message that was taken. tries: how often processing it alone was begun.

    proof_tries: how often the DNS was asked in vain who can have sent it. verdicts: what was found when it was decided.
    """

    id: int
    taken_at: datetime
    envelope: Envelope
    raw: bytes
    blob: int
    tries: int
    proof_tries: int = 0
    verdicts: Verdicts = UNCHECKED

    def emptied(self) -> Kept:
        """The same without its bytes, for when they are read: a big mail is not to stay in memory twice."""
        return replace(self, raw=b"")


class UnreadableError(DamagedError):
    """The bytes of a message are damaged. kept: all the rest of it."""

    def __init__(self, why: str, kept: Kept) -> None:
        super().__init__(why)
        self.kept = kept


def take(tx: Connection, raw: bytes, envelope: Envelope, now: datetime, uid: Uid | None = None) -> int:
    """Keep a message; it is durable when the transaction commits. Gives its number in the journal.

    A message of a mailbox that was taken before keeps its number.
    """
    if uid is not None and (before := _taken_as(tx, uid)):
        return before
    journal = int(
        tx.value(
            "insert into journal (taken_at, source, peer, helo, auth_user, mail_from, rcpt_to, blob)"
            " values (:at, :source, :peer, :helo, :user, :mail_from, :rcpt_to, :blob) returning id",
            at=stamp(now),
            source=envelope.source,
            peer=envelope.peer,
            helo=envelope.helo,
            user=envelope.user,
            mail_from=envelope.sender,
            rcpt_to=json.dumps(envelope.recipients),
            blob=blobs.put(tx, raw),
        )
    )
    if uid is not None:
        tx.run(
            "insert into mailbox_uid (mailbox, uidvalidity, uid, journal)"
            " values (:mailbox, :uidvalidity, :uid, :journal)",
            mailbox=uid.mailbox,
            uidvalidity=uid.uidvalidity,
            uid=uid.uid,
            journal=journal,
        )
    return journal


def waiting(tx: Connection, most: int, now: datetime, besides: Collection[int] = ()) -> list[Kept]:
    """The oldest messages that are not processed yet; fewer where they are big, but at least one.

    Not those that wait for an answer of the DNS until later than `now`, nor those `besides`. Raises UnreadableError.
    """
    found = {row["id"]: row for row in _sizes(tx, most + len(besides), now) if row["id"] not in besides}
    chosen = blobs.at_once([found[number] for number in sorted(found)[:most]])
    return [kept for number in chosen if (kept := get(tx, number))]


def _sizes(tx: Connection, most: int, now: datetime) -> list[Row]:
    """Number and size of messages that may be processed: of those that never waited, and of those that have."""
    select = "select j.id, b.size from journal j join blob b on b.id = j.blob where j.state = 'taken'"
    fresh = tx.rows(f"{select} and j.retry_at is null order by j.id limit :most", most=most)
    late = tx.rows(f"{select} and j.retry_at <= :now order by j.retry_at limit :most", most=most, now=stamp(now))
    return [*fresh, *late]


def processed(tx: Connection, after: int, most: int) -> list[Kept]:
    """The next messages after one of this number that were processed; fewer where they are big."""
    sizes = tx.rows(
        "select j.id, b.size from journal j join blob b on b.id = j.blob"
        " where j.id > :after and j.state <> 'taken' order by j.id limit :most",
        after=after,
        most=most,
    )
    return [kept for number in blobs.at_once(sizes) if (kept := get(tx, number))]


def bring_back(tx: Connection, now: datetime, latest: datetime) -> int:
    """Make due what is put off until later than `latest`; how many."""
    return tx.run(
        "update journal set retry_at = :now where state = 'taken' and retry_at > :latest",
        now=stamp(now),
        latest=stamp(latest),
    )


def postpone(tx: Connection, journal: int, until: datetime, sender: str, *, tried: bool) -> None:
    """Let a message wait for proof. sender: whose later messages are to stay behind it. tried: it was asked in vain."""
    tx.run(
        "update journal set retry_at = :until, proof_sender = :sender, proof_tries = proof_tries + :tried"
        " where id = :journal and state = 'taken'",
        until=stamp(until),
        sender=sender,
        tried=int(tried),
        journal=journal,
    )


def stands_behind(tx: Connection, journal: int, sender: str) -> bool:
    """Whether an earlier message of the same sender waits for proof."""
    return bool(
        tx.value(
            "select 1 from journal where state = 'taken' and retry_at is not null"
            " and proof_sender = :sender and id < :journal limit 1",
            sender=sender,
            journal=journal,
        )
    )


def newest_before(tx: Connection, at: datetime) -> int:
    """The number of the last message that was taken before a time, 0 for none; walks back from the newest."""
    found = tx.value("select id from journal where taken_at < :at order by id desc limit 1", at=stamp(at))
    return int(found or 0)


def get(tx: Connection, journal: int) -> Kept | None:
    """One message of the journal. Raises UnreadableError."""
    row = tx.row(_KEPT + " where j.id = :journal", journal=journal)
    return _whole(tx, row) if row else None


def blob_of(tx: Connection, journal: int) -> int | None:
    """The raw bytes of a message, None once they are gone."""
    found: int | None = tx.value("select blob from journal where id = :journal", journal=journal)
    return found


def of_message(tx: Connection, message: int) -> Kept | None:
    """The row that holds a processed message."""
    row = tx.row(_KEPT + " where j.message = :message order by j.id limit 1", message=message)
    return _whole(tx, row) if row else None


def of_message_id(tx: Connection, message_id: str) -> Kept | None:
    """A processed message by its Message-ID, without angle brackets."""
    number = tx.value("select id from message where message_id = :id limit 1", id=message_id)
    return None if number is None else of_message(tx, number)


def unprocessed(tx: Connection) -> Backlog:
    """How many messages wait to be processed, and since when the oldest does."""
    return _backlog(tx, "retry_at is null")


def undecided(tx: Connection) -> Backlog:
    """The same of those that wait for an answer of the DNS: who can have sent them."""
    return _backlog(tx, "retry_at is not null")


def _backlog(tx: Connection, which: str) -> Backlog:
    row = tx.row(f"select count(*) as count, min(id) as oldest from journal where state = 'taken' and {which}")
    assert row is not None
    since = tx.value("select taken_at from journal where id = :id", id=row["oldest"])
    return Backlog(row["count"], opt_moment(since))


def gone_since(tx: Connection, after: int) -> int:
    """How many after one of this number are kept no longer."""
    return int(tx.value("select count(*) from journal where id > :after and blob is null", after=after))


def taken_last(tx: Connection, source: Source) -> datetime | None:
    """When the last message came by a road, None where none ever did."""
    newest = "select taken_at from journal where source = :source order by id desc limit 1"
    return opt_moment(tx.value(newest, source=source))


def newest(tx: Connection) -> int:
    """The number of the message that was taken last, 0 before any."""
    return int(tx.value("select coalesce(max(id), 0) from journal"))


def became(tx: Connection, journal: int) -> tuple[Outcome | None, int | None]:
    """What became of a message, and its ticket; None where it waits, and where it has none."""
    row = tx.row(
        "select j.outcome, m.ticket from journal j left join message m on m.id = j.message and j.outcome <> 'repeat'"
        " where j.id = :journal",
        journal=journal,
    )
    outcome = row["outcome"] if row else None
    return (Outcome(outcome) if outcome else None), (row["ticket"] if row else None)


def is_waiting(tx: Connection, journal: int) -> bool:
    """Whether nobody has processed it yet: asked again inside the transaction that does."""
    return bool(tx.value("select 1 from journal where id = :journal and state = 'taken'", journal=journal))


def begin_alone(tx: Connection, journal: int) -> None:
    """Note that processing this message alone begins, so that one that ends the process is found."""
    tx.run("update journal set tries = tries + 1 where id = :journal", journal=journal)


def finish(tx: Connection, journal: int, outcome: Outcome, message: int | None, verdicts: Verdicts = UNCHECKED) -> None:
    """Mark a message as processed: in the same transaction as everything it caused."""
    tx.run(
        "update journal set state = :state, outcome = :outcome, message = :message,"
        " evidence = coalesce(:evidence, evidence) where id = :journal",
        evidence=evidence.written(verdicts),
        state="quarantined" if outcome is Outcome.QUARANTINE else "done",
        outcome=outcome,
        message=message,
        journal=journal,
    )


def give_up(tx: Connection, key: str, now: datetime) -> None:
    """Put into quarantine what waits and cannot be read any more, since its key is lost."""
    reason = "the key is lost under which it was kept"
    waiting = "select j.id, j.mail_from from journal j join blob b on b.id = j.blob where j.state = 'taken'"
    now_or_later = (f"{waiting} and j.retry_at is {never} null and b.key = :key" for never in ("", "not"))
    for row in [row for some in now_or_later for row in tx.rows(some, key=key)]:
        quarantine.add(tx, row["id"], now, sender=row["mail_from"] or "", subject="", reason=reason)
        finish(tx, row["id"], Outcome.QUARANTINE, None)


def reopen(tx: Connection, journal: int) -> None:
    """Let a quarantined message be processed again."""
    tx.run("update journal set state = 'taken', tries = 0, retry_at = null where id = :journal", journal=journal)


_KEPT = (
    "select j.id, j.taken_at, j.source, j.peer, j.helo, j.auth_user, j.mail_from, j.rcpt_to, j.blob, j.tries,"
    " j.proof_tries, j.evidence, b.key, b.data"
    " from journal j join blob b on b.id = j.blob"
)


def _taken_as(tx: Connection, uid: Uid) -> int:
    found = tx.value(
        "select journal from mailbox_uid where mailbox = :mailbox and uidvalidity = :uidvalidity and uid = :uid",
        mailbox=uid.mailbox,
        uidvalidity=uid.uidvalidity,
        uid=uid.uid,
    )
    return int(found or 0)


def _whole(tx: Connection, row: Row) -> Kept:
    try:
        return _kept(row, blobs.opened(tx, row))
    except DamagedError as error:
        raise UnreadableError(str(error), _kept(row, b"")) from error


def _kept(row: Row, raw: bytes) -> Kept:
    recipients = tuple(json.loads(row["rcpt_to"]))
    envelope = Envelope(row["source"], row["mail_from"], recipients, row["peer"], row["helo"], row["auth_user"])
    return Kept(
        id=row["id"],
        taken_at=moment(row["taken_at"]),
        envelope=envelope,
        raw=raw,
        blob=row["blob"],
        tries=row["tries"],
        proof_tries=row["proof_tries"],
        verdicts=evidence.read(row["evidence"]),
    )
