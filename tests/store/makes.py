"""Values for the tests of the store, with what does not matter filled in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from mailgate.core.mail import Envelope, Notice, Outgoing
from mailgate.core.model import Entry, Kind, Outcome, Role, Ticket
from mailgate.store import Connection, blobs, entries, journal, messages, outbox, tickets
from mailgate.store.messages import Message

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
ENVELOPE = Envelope("smtp", "ana@acme.example", ("soporte@desk.example",), "192.0.2.7")


def ticket(tx: Connection, number: int = 1, client: str = "acme") -> Ticket:
    """A ticket of a client, in the store."""
    opened = Ticket(number, client, f"Consulta {number}", f"ana@{client}.example", NOW)
    tickets.open_ticket(tx, opened)
    return opened


def taken(tx: Connection, raw: bytes = b"Subject: hola\r\n\r\nhola\r\n", **changes: Any) -> int:
    """A message in the journal."""
    return journal.take(tx, raw, replace(ENVELOPE, **changes), NOW)


def message(tx: Connection, number: int = 1, of: int | None = None, **changes: Any) -> int:
    """A processed message, with its row in the journal."""
    raw = f"message {number}".encode()
    kept = taken(tx, raw)
    made = Message(
        id=0,
        ticket=of,
        at=NOW,
        author="marta@desk.example",
        author_name="Marta",
        role=Role.TECHNICIAN,
        internal=False,
        automatic="",
        authenticated=True,
        message_id=f"{number}@desk.example",
        digest=f"digest {number}",
        refs=(),
        subject="hola",
        text="hola",
        outcome=Outcome.APPEND,
        why="",
        blob=blobs.put(tx, raw),
    )
    added = messages.add(tx, replace(made, **changes))
    journal.finish(tx, kept, Outcome.APPEND, added)
    return added


def debit(minutes: int = 12, **changes: Any) -> Entry:
    """A debit of a ticket, not booked yet."""
    entry = Entry(
        id=0,
        client="acme",
        kind=Kind.DEBIT,
        minutes=-minutes,
        at=NOW,
        day=TODAY,
        worked=minutes,
        ticket=1,
        technician="marta",
        note="cambio de DNS",
    )
    return replace(entry, **changes)


def void(of: Entry) -> Entry:
    """The entry that takes another one back."""
    return replace(of, id=0, kind=Kind.VOID, minutes=-of.minutes, worked=0, of=of.id, message=None, line=None)


def booked(tx: Connection, entry: Entry) -> Entry:
    """The entry as it stands in the ledger."""
    found = entries.get(tx, entries.append(tx, entry))
    assert found is not None
    return found


def mail(number: int = 1, of: int | None = None, to: str = "ana@acme.example") -> Outgoing:
    """A mail that is written and not queued yet."""
    notice = Notice("ack", to=to, language="es", ticket=of)
    message_id = f"j{number}.0@desk.example"
    raw = f"Message-ID: <{message_id}>\r\n\r\nhola\r\n".encode()
    return Outgoing(notice, message_id, "Re: hola", "soporte@desk.example", raw, "hola\n")


def queued(tx: Connection, number: int = 1, of: int | None = None) -> int:
    """A mail in the outbox, due since NOW."""
    return outbox.queue(tx, mail(number, of), NOW)
