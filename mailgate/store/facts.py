"""Look up all that a decision must know, in one transaction, by indexes only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta

from mailgate.core import past, undelivered
from mailgate.core.choose import Roster
from mailgate.core.facts import Facts, Heard, Held, Newer, Returned, Waiting, Wanted
from mailgate.core.loops import Exchange
from mailgate.core.model import Entry
from mailgate.store import (
    absences,
    entries,
    events,
    exchange,
    experience,
    guests,
    holds,
    matters,
    messages,
    outbox,
    quarantine,
    repute,
    tickets,
    vault,
)
from mailgate.store.connection import Connection
from mailgate.store.messages import Message
from mailgate.store.outbox import Queued

# What somebody usually books shows in their newest debits.
_DEBITS = 20
# Quotes reach back to the newest mails of a ticket; the rest is cut by its marks alone.
_HISTORY = 20
_MOST_RETURNED = 5
_DAY = timedelta(days=1)


def facts_for(tx: Connection, wanted: Wanted, now: datetime) -> Facts:
    """What the store knows of the things that a mail points at."""
    by_message_id = messages.tickets_of_ids(tx, wanted.message_ids)
    returned = _returned(tx, wanted, now)
    numbers = wanted.tickets.union(*by_message_id.values(), {one.ticket for one in returned if one.ticket})
    found = tickets.where_they_go_on(tx, sorted(numbers))
    prospect = tickets.of_prospect(tx, wanted.prospect) if wanted.prospect else None
    found |= {prospect.id: prospect} if prospect else {}
    named = [entry for number in sorted(wanted.entries) if (entry := entries.get(tx, number))]
    clients = {ticket.client for ticket in found.values()} | {entry.client for entry in named}
    clients = (clients | {wanted.client}) - {""}
    balances = {client: entries.balance(tx, client) for client in clients}
    ended = frozenset(client for client, left in balances.items() if left <= 0 and entries.bought(tx, client))
    waiting = tuple(matter for client in sorted(clients) for matter in matters.open_of_client(tx, client))
    # A ruling is given anywhere, and answers where it was asked for.
    asked_in = {matter.ticket for matter in waiting if matter.ticket and matter.entry in wanted.entries}
    asked_in |= {entry.ticket for entry in named if entry.ticket}
    found |= tickets.get_many(tx, sorted(asked_in - found.keys()))
    here = {ticket.id for ticket in found.values()}
    return Facts(
        asked_at=outbox.written_at(tx, wanted.message_ids[0]) if waiting and wanted.message_ids else None,
        repeat_of=messages.repeat_of(tx, wanted.message_id, wanted.digest, wanted.blurred),
        tickets=found,
        by_message_id=by_message_id,
        addressees={number: messages.addressees(tx, number) for number in found},
        history={number: messages.texts(tx, number, _HISTORY) for number in found},
        heard={number: heard for number in found if (heard := _heard(tx, number))},
        held={(number, who): held for number in found for who in wanted.holders if (held := _held(tx, number, who))},
        newer={number: _newer(tx, number, wanted) for number in found if wanted.person},
        debits=entries.last_debits(tx, wanted.person, _DEBITS) if wanted.person else (),
        balances=balances,
        entries={entry.id: entry for entry in named},
        voided=frozenset(entry.id for entry in named if entries.voided(tx, entry.id)),
        quarantined=frozenset(number for number in wanted.quarantined if quarantine.is_waiting(tx, number)),
        matters=waiting,
        ended=ended,
        paused={client: tickets.held_for_balance(tx, client) for client in ended if wanted.person},
        accounts={client: tuple(entries.of_client(tx, client)) for client in clients if wanted.accounts},
        merged={number: tickets.merged_into(tx, number) for number in here | wanted.disputed if wanted.accounts},
        prospect=prospect,
        prospects=tickets.prospects_since(tx, now - _DAY) if wanted.prospect else 0,
        halted=bool(wanted.person or waiting) and events.halted_since(tx) is not None,
        repute=repute.of(tx, wanted.message_id, wanted.author, now),
        roster=_roster(tx, wanted, now),
        mine=tickets.with_technician(tx, wanted.person) if wanted.away else (),
        away_told=wanted.away and events.away_told(tx, wanted.person, now),
        next_ticket=tickets.next_id(tx),
        guest_in=guests.admitted(tx, wanted.stranger, here) if wanted.stranger else frozenset(),
        waits_in=frozenset(
            ticket for ticket in here if wanted.stranger and guests.waiting(tx, ticket, wanted.stranger)
        ),
        at_the_door={number: waits for number in wanted.quarantined if (waits := _at_the_door(tx, number))},
        guests={ticket: heard for ticket in here if wanted.person and (heard := _guest(tx, ticket))},
        next_quarantined=quarantine.newest(tx) + 1,
        booked_since=_booked_since(tx, wanted, now) if wanted.form else (),
        returned=returned,
        secrets=vault.of_tickets(tx, found),
        next_secret=vault.next_id(tx),
        exchange=exchange.of(tx, wanted.writer, here, now) if wanted.writer else Exchange(),
    )


def _returned(tx: Connection, wanted: Wanted, now: datetime) -> tuple[Returned, ...]:
    """Mails of ours that may have come back; for nearly every mail none is asked for."""
    found = [outbox.get(tx, number) for number in sorted(wanted.returned)[:_MOST_RETURNED]]
    found += [outbox.with_message_id(tx, one) for one in wanted.returned_ids]
    if wanted.bounce:
        found += [one for ticket in sorted(wanted.tickets) for one in outbox.newest_to_each(tx, ticket)]
    return tuple(_as_returned(tx, row, now) for row in {one.id: one for one in found if one}.values())


def returned(tx: Connection, mail: int, now: datetime) -> Returned | None:
    """One mail of ours, as one that did not arrive."""
    row = outbox.get(tx, mail)
    return _as_returned(tx, row, now) if row else None


def _as_returned(tx: Connection, row: Queued, now: datetime) -> Returned:
    return Returned(
        mail=row.id,
        message_id=row.message_id,
        to=row.to,
        subject=row.subject,
        template=row.template,
        ticket=row.ticket,
        told=row.bounced != "",
        failures=outbox.failures(tx, row.to, now - undelivered.WITHIN),
    )


def _booked_since(tx: Connection, wanted: Wanted, now: datetime) -> tuple[Entry, ...]:
    written = outbox.written_at(tx, wanted.message_ids[0]) if wanted.message_ids else None
    return tuple(entries.booked(tx, wanted.person, written, now)) if written else ()


def _roster(tx: Connection, wanted: Wanted, now: datetime) -> Roster:
    """What speaks for each of them only where the client's own one is not there."""
    if not (wanted.technicians or wanted.away or wanted.plans):
        return Roster()
    noted = absences.since(tx, yesterday(now))
    if wanted.technicians and (not wanted.own or wanted.own in noted):
        return roster_for(tx, wanted.client, wanted.technicians, now)
    return Roster(absences=noted)


def yesterday(now: datetime) -> date:
    """In the desk's zone it may not be as late as in UTC."""
    return (now - _DAY).date()


def roster_for(tx: Connection, client: str, technicians: Iterable[str], now: datetime) -> Roster:
    """What is known of the technicians for a ticket of a client."""
    return Roster(
        on_client=experience.with_client(tx, client),
        on_category=experience.by_category(tx),
        load={technician: tickets.load(tx, technician) for technician in technicians},
        absences=absences.since(tx, yesterday(now)),
    )


def facts_at(tx: Connection, wanted: Wanted, text: str, at: datetime) -> Facts:
    """The same as it was when a mail came that was processed since, as far as the store can tell.

    text: the whole text of the mail. What people decided of a ticket afterwards cannot be told from what they
    decided before.
    """
    facts = past.as_of(facts_for(tx, wanted, at), text, at)
    balances = {client: entries.balance_at(tx, client, at) for client in facts.balances}
    return replace(
        facts,
        heard={number: heard for number in facts.tickets if (heard := _heard(tx, number, at))},
        balances=balances,
        ended=frozenset(client for client in facts.ended if balances[client] <= 0),
    )


def _at_the_door(tx: Connection, number: int) -> Waiting | None:
    found = quarantine.get(tx, number)
    if found is None or found.ticket is None or found.state != "waiting":
        return None
    return Waiting(found.ticket, found.sender, guests.waiting(tx, found.ticket, found.sender))


def _heard(tx: Connection, ticket: int, before: datetime | None = None) -> Heard | None:
    last = messages.last_of_client(tx, ticket, before)
    return _as_heard(last) if last else None


def _guest(tx: Connection, ticket: int) -> Heard | None:
    last = messages.newest_of_guest(tx, ticket)
    return _as_heard(last) if last else None


def _as_heard(last: Message) -> Heard:
    return Heard(last.author, last.author_name, last.at, last.text, last.message_id, last.refs, last.subject)


def _held(tx: Connection, ticket: int, technician: str) -> Held | None:
    found = holds.waiting(tx, ticket, technician)
    if found is None:
        return None
    hold, reason, number = found
    message = messages.get(tx, number)
    if message is None:
        return None
    return Held(hold, number, message.text, tuple(entries.of_message(tx, number)), reason)


def _newer(tx: Connection, ticket: int, wanted: Wanted) -> tuple[Newer, ...]:
    """What came into a ticket after what the mail answers."""
    seen = holds.seen_until(tx, ticket, wanted.message_ids, wanted.date)
    found = holds.newer(tx, ticket, seen) if seen is not None else ()
    return tuple(Newer(one.author, one.author_name, one.role, one.at, one.text, bool(one.attachments)) for one in found)
