"""Put tickets into a store as years of work would have: through the store's own functions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from mailgate.core.mail import Envelope, Notice, Outgoing
from mailgate.core.model import Entry, Kind, Outcome, Priority, Role, Status, Ticket
from mailgate.service import keys
from mailgate.store import Connection, entries, journal, messages, outbox, tickets
from mailgate.store.messages import Message
from tests.bench.corpus import CLIENTS, DESK, MINUTES, TECHNICIANS

_AT_ONCE = 500
_BEGAN = datetime(2023, 1, 2, 8, tzinfo=UTC)
_TEXT = "\r\n".join(f"Línea {n}: la página no carga desde esta mañana y afecta a tres compañeros." for n in range(8))
_HTML = "".join(f"<p style='margin:0 0 1em'>{line}</p>\r\n" for line in _TEXT.split("\r\n"))


def fill(database: Path, many: int) -> None:
    """Go on until there are so many tickets. Of six, three have a second message and one an answer with minutes."""
    store = keys.opened(database.parent, _BEGAN)
    try:
        with store.read() as tx:
            first = tickets.next_id(tx)
        for start in range(first, many + 1, _AT_ONCE):
            with store.write() as tx:
                for number in range(start, min(start + _AT_ONCE, many + 1)):
                    _ticket(tx, number)
    finally:
        store.close()


def _ticket(tx: Connection, number: int) -> None:
    at = _BEGAN + timedelta(minutes=10 * number)
    client, technician = f"c{number % CLIENTS:02d}", f"t{number % TECHNICIANS}"
    ticket = Ticket(
        id=number,
        client=client,
        subject=f"La página no carga (ref. {number})",
        requester=f"{client}@empresa.example",
        opened_at=at,
        status=Status.CLOSED if number % 6 == 0 else Status.NEW,
        priority=Priority.NORMAL,
        technician=technician,
        closed_at=at + timedelta(days=1) if number % 6 == 0 else None,
    )
    tickets.open_ticket(tx, ticket)
    if number % 100 < 1:
        _purchase(tx, client, at)
    _received(tx, ticket, "1", ticket.requester, Role.CLIENT, at)
    _sent(tx, ticket, "ack", ticket.requester, at)
    _sent(tx, ticket, "notice", f"{technician}@bench.example", at)
    if number % 2:
        _received(tx, ticket, "2", ticket.requester, Role.CLIENT, at)
        _sent(tx, ticket, "notice", f"{technician}@bench.example", at, "second")
    if number % 6 == 0:
        message = _received(tx, ticket, "3", f"{technician}@bench.example", Role.TECHNICIAN, at)
        _debit(tx, ticket, technician, message, at)
        _sent(tx, ticket, "answer", ticket.requester, at)


def _received(tx: Connection, ticket: Ticket, which: str, author: str, role: Role, at: datetime) -> int:
    message_id = f"filled.{ticket.id}.{which}@{author.rpartition('@')[2]}"
    raw = _mail(author, DESK, message_id, ticket.subject)
    taken = journal.take(tx, raw, Envelope("smtp", author, (DESK,), "127.0.0.1"), at)
    kept = journal.get(tx, taken)
    assert kept is not None
    message = messages.add(
        tx,
        Message(
            id=0,
            ticket=ticket.id,
            at=at,
            author=author,
            author_name="",
            role=role,
            internal=False,
            automatic="",
            authenticated=True,
            message_id=message_id,
            digest=sha256(raw).hexdigest(),
            refs=(),
            subject=ticket.subject,
            text=_TEXT,
            outcome=Outcome.OPEN if which == "1" else Outcome.APPEND,
            why="sender: a client\ntext: nothing quoted\nmails: notice",
            blob=kept.blob,
        ),
    )
    messages.remember_text(tx, ticket.id, _TEXT)
    journal.finish(tx, taken, Outcome.OPEN if which == "1" else Outcome.APPEND, message)
    return message


def _sent(tx: Connection, ticket: Ticket, template: str, to: str, at: datetime, which: str = "first") -> None:
    message_id = f"filled.{ticket.id}.{template}.{which}.mailgate@bench.example"
    raw = _mail(DESK, to, message_id, f"Re: {ticket.subject}", _HTML)
    notice = Notice(template, to, "es", ticket.id)
    number = outbox.queue(tx, Outgoing(notice, message_id, ticket.subject, DESK, raw, _TEXT), at)
    outbox.mark_sent(tx, number, at)
    messages.remember_text(tx, ticket.id, _TEXT)


def _mail(sender: str, to: str, message_id: str, subject: str, html: str = "") -> bytes:
    headers = f"From: {sender}\r\nTo: {to}\r\nMessage-ID: <{message_id}>\r\nSubject: {subject}\r\n\r\n"
    return (headers + _TEXT + html).encode()


def _purchase(tx: Connection, client: str, at: datetime) -> None:
    bought = Entry(id=0, client=client, kind=Kind.PURCHASE, minutes=720, at=at, day=at.date(), package="12h")
    entries.append(tx, bought)


def _debit(tx: Connection, ticket: Ticket, technician: str, message: int, at: datetime) -> None:
    entries.append(
        tx,
        Entry(
            id=0,
            client=ticket.client,
            kind=Kind.DEBIT,
            minutes=-MINUTES,
            worked=MINUTES,
            at=at,
            day=at.date(),
            ticket=ticket.id,
            technician=technician,
            note=ticket.subject,
            message=message,
            line=0,
        ),
    )
