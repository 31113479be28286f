"""Mails that are to be sent: written in the transaction that causes them, sent after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailgate.core.mail import ALARMS, Due, Outgoing
from mailgate.core.retry import SIGN_IN_FIRST
from mailgate.store import blobs
from mailgate.store.connection import Connection, Row
from mailgate.store.keyring import DamagedError
from mailgate.store.times import moment, opt_moment, opt_stamp, stamp

CANCELLED = "cancelled"
_AN_ALARM = f"template in ({', '.join(repr(template) for template in ALARMS)})"


@dataclass(frozen=True, slots=True)
class Queued:
    """A row of the outbox as people see it. state: "queued", "sent" or "failed".

    bounced: "" for a mail that did not come back, else "soft", "hard" or "past", see `migrations/hostile`.
    kept: whether the mail itself is still there.
    """

    id: int
    to: str
    subject: str
    template: str
    state: str
    tries: int
    next_try_at: datetime | None
    last_error: str | None
    ticket: int | None
    message_id: str = ""
    bounced: str = ""
    kept: bool = True
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is to be sent. error: of the oldest; overtaken: whether a newer one was sent, other than an alarm."""

    count: int = 0
    since: datetime | None = None
    error: str = ""
    overtaken: bool = False


def queue(tx: Connection, mail: Outgoing, now: datetime) -> int:
    """Put a mail into the outbox, due at once."""
    return int(
        tx.value(
            "insert into outbox (created_at, sender, recipient, subject, template, message_id, ticket,"
            " blob, next_try_at) values (:now, :sender, :recipient, :subject, :template, :message_id,"
            " :ticket, :blob, :now) returning id",
            now=stamp(now),
            sender=mail.sender,
            recipient=mail.notice.to,
            subject=mail.subject,
            template=mail.notice.template,
            message_id=mail.message_id,
            ticket=mail.notice.ticket or None,  # of the desk itself
            blob=blobs.put(tx, mail.raw),
        )
    )


def claim_due(tx: Connection, now: datetime, until: datetime, most: int, *, alarms: bool = False) -> list[Due]:
    """Take the oldest mails that are due for oneself, until a time when the claim lapses. alarms: of these alone.

    Fewer where they are big, but at least one. What one person is to read of one ticket goes out in its order:
    the next is not due while one before it waits.
    """
    sizes = tx.rows(
        "select o.id, b.size from outbox o join blob b on b.id = o.blob"
        " where o.state = 'queued' and o.next_try_at <= :now"
        " and (o.leased_until is null or o.leased_until <= :now)"
        " and not exists (select 1 from outbox e where e.ticket = o.ticket and e.recipient = o.recipient"
        " and e.id < o.id and e.state = 'queued')"
        f" {f'and o.{_AN_ALARM}' if alarms else ''} order by o.next_try_at, o.id limit :most",
        now=stamp(now),
        most=most,
    )
    mine = blobs.at_once(sizes)
    for number in mine:
        tx.run("update outbox set leased_until = :until where id = :id", until=stamp(until), id=number)
    return [_due(tx, row) for number in mine if (row := tx.row(_DUE, id=number))]


def bring_back(tx: Connection, now: datetime, latest: datetime) -> int:
    """Make due what is put off until later than `latest`, and what was never tried yet and lies ahead; how many."""
    return tx.run(
        "update outbox set next_try_at = :now where state = 'queued' and next_try_at > :now"
        " and (tries = 0 or next_try_at > :latest)",
        now=stamp(now),
        latest=stamp(latest),
    )


def release_claims(tx: Connection) -> None:
    """Forget the claims of a process that is gone: only for the one that holds the daemon's lock."""
    tx.run("update outbox set leased_until = null where state = 'queued' and leased_until is not null")


def mark_sent(tx: Connection, outbox: int, now: datetime) -> None:
    """The next hop has the mail."""
    tx.run(
        "update outbox set state = 'sent', tries = tries + 1, next_try_at = null, leased_until = null,"
        " last_error = null, sent_at = :now where id = :id",
        now=stamp(now),
        id=outbox,
    )


def mark_failed(tx: Connection, outbox: int, error: str, next_try_at: datetime | None) -> bool:
    """The next hop did not take the mail: try again at a time, or give up for good (None).

    False where it is not queued any more: somebody cancelled it while it was under way.
    """
    changed = tx.run(
        "update outbox set state = :state, tries = tries + 1, next_try_at = :next, leased_until = null,"
        " last_error = :error where id = :id and state = 'queued'",
        state="failed" if next_try_at is None else "queued",
        next=opt_stamp(next_try_at),
        error=error,
        id=outbox,
    )
    return changed > 0


def mark_bounced(tx: Connection, outbox: int, grade: str, error: str, now: datetime) -> None:
    """A mail did not arrive, as a server says that had it, or had been offered it: not to be sent again by itself."""
    tx.run(
        "update outbox set state = 'failed', next_try_at = null, leased_until = null, last_error = :error,"
        " bounced = :grade, bounced_at = :now where id = :id",
        error=error,
        grade=grade,
        now=stamp(now),
        id=outbox,
    )


def failures(tx: Connection, address: str, since: datetime) -> int:
    """How many mails to an address came back since then because it is dead, for all that is known."""
    return int(
        tx.value(
            "select count(*) from outbox where bounced = 'hard' and recipient = :address and bounced_at > :since",
            address=address,
            since=stamp(since),
        )
    )


def forgive(tx: Connection, address: str) -> None:
    """Somebody wrote from an address: it lives."""
    # With a time, as each has one: else SQLite takes the index of all that was ever sent there.
    dead = "bounced = 'hard' and recipient = :address and bounced_at > ''"
    # Asked first: an update that finds nothing costs ten times as much, and nearly always there is nothing.
    if tx.value(f"select 1 from outbox where {dead} limit 1", address=address):
        tx.run(f"update outbox set bounced = 'past' where {dead}", address=address)


def is_under_way(tx: Connection, outbox: int, now: datetime) -> bool:
    """Whether a process is sending this mail right now."""
    claimed = "select 1 from outbox where id = :id and state = 'queued' and leased_until > :now"
    return bool(tx.value(claimed, id=outbox, now=stamp(now)))


def listed(tx: Connection) -> list[Queued]:
    """What is to be sent and what failed, oldest first."""
    rows = [
        *tx.rows("select * from outbox where state = 'queued'"),
        *tx.rows("select * from outbox where state = 'failed'"),
    ]
    return [_queued(row) for row in sorted(rows, key=lambda row: int(row["id"]))]


def newest(tx: Connection, most: int) -> list[Queued]:
    """The newest mails, sent or not, oldest first."""
    rows = tx.rows("select * from outbox order by id desc limit :most", most=most)
    return [_queued(row) for row in reversed(rows)]


def queued(tx: Connection) -> int:
    """How many mails are to be sent."""
    return int(tx.value("select count(*) from outbox where state = 'queued'"))


def failed_since(tx: Connection, since: datetime) -> list[Queued]:
    """What was written since then and given up, newest first, without what a person cancelled."""
    rows = tx.rows(
        "select * from outbox where state = 'failed' and created_at > :since order by created_at desc",
        since=stamp(since),
    )
    return [_queued(row) for row in rows if row["last_error"] != CANCELLED]


def waiting(tx: Connection) -> Waiting:
    """What is to be sent, and what the oldest of it waits for."""
    # Both in one: for the smallest number alone SQLite walks through all that was ever sent until one waits.
    found = tx.rows("select count(*) as count, min(id) as oldest from outbox where state = 'queued'")[0]
    row = tx.row("select id, created_at, last_error from outbox where id = :oldest", oldest=found["oldest"])
    if row is None:
        return Waiting()
    newer = f"select 1 from outbox where id > :id and state = 'sent' and not {_AN_ALARM} limit 1"
    overtaken = bool(tx.value(newer, id=row["id"]))
    return Waiting(found["count"], moment(row["created_at"]), row["last_error"] or "", overtaken)


def written_at(tx: Connection, message_id: str) -> datetime | None:
    """When a mail of ours with this Message-ID was written, None where it is not ours."""
    return opt_moment(tx.value("select created_at from outbox where message_id = :id", id=message_id))


def with_message_id(tx: Connection, message_id: str) -> Queued | None:
    """The mail of ours with this Message-ID, None where it is not ours."""
    row = tx.row("select * from outbox where message_id = :id", id=message_id)
    return _queued(row) if row else None


def newest_to_each(tx: Connection, ticket: int) -> list[Queued]:
    """The newest mail of a ticket to each who was written to in it."""
    rows = tx.rows(
        "select * from outbox where id in (select max(id) from outbox where ticket = :ticket group by recipient)",
        ticket=ticket,
    )
    return [_queued(row) for row in rows]


def next_id(tx: Connection) -> int:
    """The number that the next mail gets."""
    return int(tx.value("select coalesce(max(id), 0) + 1 from outbox"))


def get(tx: Connection, outbox: int) -> Queued | None:
    """One mail, sent or not; None where there is none of that number."""
    row = tx.row("select * from outbox where id = :id", id=outbox)
    return _queued(row) if row else None


def retry(tx: Connection, outbox: int, now: datetime) -> None:
    """Make a mail due again, failed or not."""
    tx.run(
        "update outbox set state = 'queued', next_try_at = :now, leased_until = null, bounced = ''"
        " where id = :id and state <> 'sent'",
        now=stamp(now),
        id=outbox,
    )


def retry_for_want_of(tx: Connection, login: str, now: datetime) -> int:
    """Make due what failed for want of a login, now that there is one; how many. login: as its errors name it."""
    refused = ", ".join(f"'{code}'" for code in SIGN_IN_FIRST)
    return tx.run(
        "update outbox set next_try_at = :now where state = 'queued' and next_try_at > :now"
        f" and (last_error like '%' || :login || '%' or substr(last_error, 1, 3) in ({refused}))",
        login=login,
        now=stamp(now),
    )


def give_up(tx: Connection, key: str) -> None:
    """Never send what waits under a key that is lost."""
    tx.run(
        "update outbox set state = 'failed', next_try_at = null, last_error = 'its key is lost'"
        " where state = 'queued' and blob in (select id from blob where key = :key)",
        key=key,
    )


def cancel(tx: Connection, outbox: int) -> None:
    """Never send a mail that is still queued."""
    tx.run(
        "update outbox set state = 'failed', next_try_at = null, last_error = :cancelled"
        " where id = :id and state = 'queued'",
        cancelled=CANCELLED,
        id=outbox,
    )


_DUE = (
    "select o.id, o.created_at, o.sender, o.recipient, o.message_id, o.template, o.tries, b.key, b.data"
    " from outbox o join blob b on b.id = o.blob where o.id = :id"
)


def _due(tx: Connection, row: Row) -> Due:
    try:
        raw, fault = blobs.opened(tx, row), ""
    except DamagedError as error:
        raw, fault = b"", str(error)
    return Due(
        id=row["id"],
        created_at=moment(row["created_at"]),
        sender=row["sender"],
        to=row["recipient"],
        raw=raw,
        tries=row["tries"],
        message_id=row["message_id"],
        template=row["template"],
        fault=fault,
    )


def _queued(row: Row) -> Queued:
    return Queued(
        id=row["id"],
        to=row["recipient"],
        subject=row["subject"],
        template=row["template"],
        state=row["state"],
        tries=row["tries"],
        next_try_at=opt_moment(row["next_try_at"]),
        last_error=row["last_error"],
        ticket=row["ticket"],
        message_id=row["message_id"],
        bounced=row["bounced"],
        kept=row["blob"] is not None,
        sent_at=opt_moment(row["sent_at"]),
    )
