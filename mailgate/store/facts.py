"""Look up all that a decision must know, in one transaction, by indexes only."""

from __future__ import annotations

from mailgate.core.facts import Facts, Heard, Held, Wanted
from mailgate.store import entries, messages, tickets
from mailgate.store.connection import Connection

# Quotes reach back to the newest mails of a ticket; the rest is cut by its marks alone.
_HISTORY = 20


def facts_for(tx: Connection, wanted: Wanted) -> Facts:
    """What the store knows of the things that a mail points at."""
    by_message_id = messages.tickets_of_ids(tx, wanted.message_ids)
    numbers = wanted.tickets.union(*by_message_id.values())
    found = tickets.get_many(tx, sorted(numbers))
    named = [entry for number in sorted(wanted.entries) if (entry := entries.get(tx, number))]
    clients = {ticket.client for ticket in found.values()} | {entry.client for entry in named}
    clients |= {wanted.client} if wanted.client else set()
    return Facts(
        repeat_of=messages.repeat_of(tx, wanted.message_id, wanted.digest),
        tickets=found,
        by_message_id=by_message_id,
        addressees={number: messages.addressees(tx, number) for number in found},
        history={number: messages.texts(tx, number, _HISTORY) for number in found},
        heard={number: heard for number in found if (heard := _heard(tx, number))},
        held={number: held for number in found if (held := _held(tx, number, wanted.person))},
        balances={client: entries.balance(tx, client) for client in clients},
        entries={entry.id: entry for entry in named},
        voided=frozenset(entry.id for entry in named if entries.voided(tx, entry.id)),
        next_ticket=tickets.next_id(tx),
    )


def _heard(tx: Connection, ticket: int) -> Heard | None:
    last = messages.last_of_client(tx, ticket)
    if last is None:
        return None
    return Heard(last.author, last.author_name, last.at, last.text, last.message_id, last.refs, last.subject)


def _held(tx: Connection, ticket: int, technician: str) -> Held | None:
    found = messages.held(tx, ticket, technician) if technician else None
    if found is None:
        return None
    hold, message = found
    return Held(hold, message.id, message.text, tuple(entries.of_message(tx, message.id)))
