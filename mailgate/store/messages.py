"""The messages of the desk, in and out, as they were understood."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mailgate.core.mail import Attachment
from mailgate.core.model import Outcome, Role
from mailgate.store import search
from mailgate.store.connection import Connection, Row
from mailgate.store.times import moment, stamp


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was processed. ticket: None for questions and what belongs to no ticket.

    text: what readers of the ticket see, commands taken out. refs: Message-IDs of its References.
    why: the trail of the decision, one step a line. automatic: "" or why it is a robot's. proof: what proved
    who wrote, in words. blob: its raw bytes, None once they are gone.
    """

    id: int
    ticket: int | None
    at: datetime
    author: str
    author_name: str
    role: Role
    internal: bool
    automatic: str
    authenticated: bool
    message_id: str
    digest: str
    refs: tuple[str, ...]
    subject: str
    text: str
    outcome: Outcome
    why: str
    blob: int | None
    attachments: tuple[Attachment, ...] = ()
    echo: bool = False
    proof: str = ""


_SAME = "where message_id = :message_id and digest in (:digest, :blurred)"

# Of a row of `message`: whether its author was let into its ticket as a third person.
_BY_GUEST = "exists (select 1 from guest g where g.ticket = message.ticket and g.address = message.author)"


def add(tx: Connection, message: Message) -> int:
    """Keep a message with its attachments' names, to be found where it stands in a ticket; gives its number."""
    made = int(
        tx.value(
            "insert into message (ticket, at, author, author_name, role, internal, automatic,"
            " authenticated, proof, message_id, digest, refs, subject, text, outcome, why, blob, echo)"
            " values (:ticket, :at, :author, :author_name, :role, :internal, :automatic,"
            " :authenticated, :proof, :message_id, :digest, :refs, :subject, :text, :outcome, :why, :blob, :echo)"
            " returning id",
            ticket=message.ticket,
            at=stamp(message.at),
            author=message.author,
            author_name=message.author_name,
            role=message.role,
            internal=int(message.internal),
            automatic=message.automatic,
            authenticated=int(message.authenticated),
            proof=message.proof,
            message_id=message.message_id,
            digest=message.digest,
            refs=" ".join(message.refs),
            subject=message.subject,
            text=message.text,
            outcome=message.outcome,
            why=message.why,
            blob=message.blob,
            echo=int(message.echo),
        )
    )
    for attachment in message.attachments:
        tx.run(
            "insert into attachment (message, part, name, type, size, content_id, inline, guarded)"
            " values (:message, :part, :name, :type, :size, :content_id, :inline, :guarded)",
            message=made,
            part=attachment.part,
            name=attachment.name,
            type=attachment.type,
            size=attachment.size,
            content_id=attachment.content_id,
            inline=int(attachment.inline),
            guarded=int(attachment.guarded),
        )
    if message.ticket is not None:
        search.keep(tx, made, message.subject, message.text)
        _has_words_again(tx, message.ticket)
    return made


def _has_words_again(tx: Connection, ticket: int) -> None:
    """A ticket that was forgotten holds something again: it is to be forgotten once more in its time."""
    tx.run("update ticket set gone_at = null where id = :ticket and gone_at is not null", ticket=ticket)


def repeat_of(tx: Connection, message_id: str, digest: str, blurred: str = "") -> str:
    """Where the same message stands already, as a phrase; "" if it is new.

    The same: the Message-ID and the content agree. blurred: the digest as it is kept of what was redacted. A message
    in quarantine counts while it waits.
    """
    if found := same_as(tx, message_id, digest, blurred):
        return f"message {found}"
    waits = f"select id from quarantine {_SAME} and state = 'waiting'"
    if found := tx.value(waits, message_id=message_id, digest=digest, blurred=blurred):
        return f"quarantine {found}"
    return ""


def same_as(tx: Connection, message_id: str, digest: str, blurred: str = "") -> int | None:
    """The number of the message of this ID and content, None where there is none."""
    same = f"select id from message {_SAME}"
    number: int | None = tx.value(same, message_id=message_id, digest=digest, blurred=blurred)
    return number


def came(tx: Connection, message_id: str) -> bool:
    """Whether a message of this ID was taken and processed, whatever became of it."""
    known = (
        "select 1 from message where message_id = :id union all select 1 from quarantine where message_id = :id limit 1"
    )
    return bool(tx.value(known, id=message_id))


def tickets_of_ids(tx: Connection, message_ids: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """The tickets in which these Message-IDs were received or sent."""
    return {message_id: found for message_id in message_ids if (found := _tickets_of(tx, message_id))}


def addressees(tx: Connection, ticket: int) -> frozenset[str]:
    """Everyone to whom a mail of this ticket was sent."""
    rows = tx.rows("select distinct recipient from outbox where ticket = :ticket", ticket=ticket)
    return frozenset(row["recipient"] for row in rows)


def last_of_client(tx: Connection, ticket: int, before: datetime | None = None) -> Message | None:
    """The newest message of a ticket from the client, or from who is none yet; robots and guests do not count.

    before: the newest of those that came before a time.
    """
    row = tx.row(
        "select * from message where ticket = :ticket and automatic = ''"
        f" and (role = 'client' or (role = 'stranger' and not {_BY_GUEST}))"
        f"{' and at < :before' if before else ''} order by id desc limit 1",
        ticket=ticket,
        **({"before": stamp(before)} if before else {}),
    )
    return _message(row) if row else None


def newest_of_guest(tx: Connection, ticket: int) -> Message | None:
    """The newest message of a ticket from outside, where a guest wrote it; None where the client did."""
    row = tx.row(
        f"select message.*, {_BY_GUEST} as by_guest from message"
        " where ticket = :ticket and role in ('client', 'stranger') and automatic = '' order by id desc limit 1",
        ticket=ticket,
    )
    return _message(row) if row and row["by_guest"] and row["role"] == Role.STRANGER else None


def remember_text(tx: Connection, ticket: int, text: str) -> None:
    """Keep the whole text of a message in or out, against which later quotes are held."""
    tx.run("insert into transcript (ticket, text) values (:ticket, :text)", ticket=ticket, text=text)


def texts(tx: Connection, ticket: int, most: int) -> tuple[str, ...]:
    """Whole texts of the newest messages of a ticket, in and out, newest last."""
    rows = tx.rows(
        "select text from transcript where ticket = :ticket order by id desc limit :most",
        ticket=ticket,
        most=most,
    )
    return tuple(row["text"] for row in reversed(rows))


def answers_without_time(tx: Connection, since: datetime, until: datetime) -> list[Message]:
    """What the desk wrote to clients after one instant and until another, and booked nothing for; oldest first."""
    last = "select id from message where at <= :since order by id desc limit 1"  # back from the newest
    rows = tx.rows(
        f"select m.* from message m join ticket t on t.id = m.ticket where m.id > coalesce(({last}), 0)"
        " and m.at > :since and m.at <= :until"
        " and m.role in ('technician', 'director') and m.internal = 0 and m.automatic = '' and t.client <> ''"
        " and not exists (select 1 from entry e where e.message = m.id) and not exists (select 1 from matter w"
        " where w.message = m.id and w.line is not null and w.kind = 'debit') order by m.at, m.id",
        since=stamp(since),
        until=stamp(until),
    )
    return [_message(row) for row in rows]


def get(tx: Connection, message: int) -> Message | None:
    """One message with its attachments."""
    row = tx.row("select * from message where id = :message", message=message)
    return _with_attachments(tx, _message(row)) if row else None


def said(tx: Connection, message: int) -> tuple[str, str]:
    """The text of a message and its subject, "" where there is none."""
    row = tx.row("select text, subject from message where id = :message", message=message)
    return (row["text"], row["subject"]) if row else ("", "")


def of_ticket(tx: Connection, ticket: int) -> Sequence[Message]:
    """The conversation of a ticket, oldest first, with attachments."""
    rows = tx.rows("select * from message where ticket = :ticket order by id", ticket=ticket)
    return [_with_attachments(tx, _message(row)) for row in rows]


def some_of_ticket(tx: Connection, ticket: int, until: int | None, most: int, *, internal: bool) -> Sequence[Message]:
    """The newest messages of a ticket up to one of this number, newest first, with attachments.

    internal: with what only the desk sees.
    """
    conditions = ("" if internal else " and internal = 0") + ("" if until is None else " and id <= :until")
    rows = tx.rows(
        f"select * from message where ticket = :ticket{conditions} order by id desc limit :most",
        ticket=ticket,
        most=most,
        **({} if until is None else {"until": until}),
    )
    return [_with_attachments(tx, _message(row)) for row in rows]


def show(tx: Connection, message: int) -> None:
    """The client gets to see a message that was internal."""
    tx.run("update message set internal = 0 where id = :message", message=message)


def rewrite(tx: Connection, before: Message, after: Message) -> None:
    """Change the words of a message: text, subject, trail and names of files. before: as it stands in the store."""
    if before.ticket is not None:
        search.forget(tx, before.id, before.subject, before.text)
        search.keep(tx, before.id, after.subject, after.text)
    tx.run(
        "update message set subject = :subject, text = :text, why = :why where id = :id",
        id=before.id,
        subject=after.subject,
        text=after.text,
        why=after.why,
    )
    for file in after.attachments:
        tx.run(
            "update attachment set name = :name where message = :message and part = :part",
            message=before.id,
            part=file.part,
            name=file.name,
        )


def decided_again(tx: Connection, message: int, why: str, *, internal: bool) -> None:
    """A message that had waited whole is carried out now: what came of it in the end."""
    tx.run(
        "update message set internal = :internal, why = :why where id = :message",
        internal=int(internal),
        why=why,
        message=message,
    )


def _tickets_of(tx: Connection, message_id: str) -> tuple[int, ...]:
    rows = tx.rows(
        "select ticket from message where message_id = :id and ticket is not null"
        " union select ticket from outbox where message_id = :id and ticket is not null",
        id=message_id,
    )
    return tuple(row["ticket"] for row in rows)


def _message(row: Row) -> Message:
    return Message(
        id=row["id"],
        ticket=row["ticket"],
        at=moment(row["at"]),
        author=row["author"],
        author_name=row["author_name"],
        role=Role(row["role"]),
        internal=bool(row["internal"]),
        automatic=row["automatic"],
        authenticated=bool(row["authenticated"]),
        proof=row["proof"],
        message_id=row["message_id"],
        digest=row["digest"],
        refs=tuple(row["refs"].split()),
        subject=row["subject"],
        text=row["text"],
        outcome=Outcome(row["outcome"]),
        why=row["why"],
        blob=row["blob"],
    )


def _with_attachments(tx: Connection, message: Message) -> Message:
    rows = tx.rows("select * from attachment where message = :message order by part", message=message.id)
    return replace(message, attachments=tuple(_attachment(row) for row in rows))


def _attachment(row: Row) -> Attachment:
    return Attachment(
        part=row["part"],
        name=row["name"],
        type=row["type"],
        size=row["size"],
        content_id=row["content_id"],
        inline=bool(row["inline"]),
        kept=bool(row["kept"]),
        guarded=bool(row["guarded"]),
    )
