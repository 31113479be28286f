"""Forget a client: what was said goes first, in portions beside a running daemon, then the name from the books.

A run that was broken off is taken up by the next: each step may be done again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from mailgate.core.desk import Desk
from mailgate.core.erasure import Obstacle, mark, obstacles
from mailgate.core.mail import Envelope, file_name
from mailgate.core.message import mime
from mailgate.service.export import Progress, theirs
from mailgate.service.jobs.retention import OUTBOX
from mailgate.service.office import Office
from mailgate.service.redact import overwrite_index
from mailgate.store import (
    Connection,
    Store,
    blobs,
    entries,
    erasure,
    events,
    matters,
    messages,
    records,
    tickets,
)
from mailgate.store.records import Theirs
from mailgate.store.tickets import Only

_MOST_TICKETS = 20
_MOST_OPEN = 1_000_000
# How many backups the timer keeps that ships, one a night.
_NIGHTS = 14

Files = list[tuple[datetime, int]]
"""Mails of the outbox whose bytes went: time and number of each, which name its file."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What there is of a client, and what stands against forgetting it. in_rules: the rules list them still.

    backup_at: of the last backup, which has all of it; None where there was none. backups_until: when the last of
    the backups that have it goes, where the timer makes them that ships.
    """

    client: str
    tickets: int
    entries: int
    minutes: int
    obstacles: list[Obstacle]
    in_rules: bool
    backup_at: datetime | None
    backups_until: date | None


@dataclass(frozen=True, slots=True)
class Erased:
    """What was done. pseudonym: "" where the books keep the name. folded: whether the log of the store is emptied."""

    pseudonym: str
    tickets: int
    entries: int
    folded: bool


def standing(tx: Connection, desk: Desk, client: str, now: datetime) -> Standing:
    """How a client stands."""
    booked = entries.of_client(tx, client)
    going = tickets.going(tx, Only(client=client), _MOST_OPEN)
    backup_at = events.latest(tx, "backup")
    return Standing(
        client=client,
        tickets=tickets.count(tx, Only(client=client)),
        entries=len(booked),
        minutes=sum(entry.minutes for entry in booked),
        obstacles=obstacles(desk, desk.local_day(now), going, matters.open_of_client(tx, client), booked),
        in_rules=desk.rules.client(client) is not None,
        backup_at=backup_at,
        backups_until=desk.local_day(backup_at) + timedelta(days=_NIGHTS) if backup_at else None,
    )


@dataclass(frozen=True, slots=True)
class _Case:
    """Who is forgotten. check: whether an address is theirs; name: the pseudonym."""

    desk: Desk
    client: str
    check: Theirs
    name: str
    now: datetime


def erase(
    store: Store, office: Office, client: str, now: datetime, who: str, progress: Progress, *, keep_books: bool
) -> Erased:
    """Forget a client. keep_books: tickets and ledger keep their id, which the law may want; all else goes."""
    desk = office.desk
    with store.write() as tx:
        name = erasure.begin(tx, client, mark(desk.key, client), desk.rules.clients)
        case = _Case(desk, client, theirs(tx, desk, client), name, now)
        every = tickets.count(tx, Only(client=client))
    _step(store, lambda tx: _loose(tx, case))
    done = _tickets(store, case, lambda number: progress(number, every))
    with store.write() as tx:
        _unlink(tx, _late(tx, case))
        events.record(tx, "erase", client, f"{now.isoformat()} {who}", now)
        booked = _rename(tx, case, keep_books=keep_books)
    overwrite_index(store)
    return Erased("" if keep_books else name, done, booked, store.empty_log())


def _step(store: Store, step: Callable[[Connection], Files]) -> None:
    """One transaction; the files of what it removed go before its end: after a kill it is done again."""
    with store.write() as tx:
        _unlink(tx, step(tx))


def _unlink(tx: Connection, gone: Files) -> None:
    for at, number in gone:
        (Path(tx.file).parent / OUTBOX / file_name(at, number)).unlink(missing_ok=True)


def _tickets(store: Store, case: _Case, progress: Callable[[int], None]) -> int:
    """All tickets, a few at a time; how many they were."""
    done = last = 0
    while True:
        with store.read() as tx:
            numbers = erasure.tickets(tx, case.client, last, _MOST_TICKETS)
        if not numbers:
            return done
        _step(store, partial(_forget_tickets, numbers=numbers, case=case))
        done, last = done + len(numbers), numbers[-1]
        progress(done)


def _forget_tickets(tx: Connection, numbers: Iterable[int], case: _Case) -> Files:
    return [file for number in numbers for file in erasure.forget_ticket(tx, number, case.name, case.now)]


def _late(tx: Connection, case: _Case) -> Files:
    """What came while the rest was forgotten."""
    gone = _forget_tickets(tx, erasure.with_words(tx, case.client), case)
    return gone + _messages(tx, case)


def _messages(tx: Connection, case: _Case) -> Files:
    """What they wrote, and were written, that belongs to no ticket."""
    gone: Files = []
    for number in records.messages_of_no_ticket(tx, case.check):
        gone += erasure.forget_message(tx, number, case.name)
    for mail in records.posted_of_no_ticket(tx, case.check):
        gone += erasure.forget_posted(tx, mail.id)
    return gone


def _rename(tx: Connection, case: _Case, *, keep_books: bool) -> int:
    """Take the name from the books; how many entries have another one now."""
    erasure.forget_rules(tx, case.client, case.client if keep_books else case.name)
    if keep_books:
        erasure.give_up_name(tx, case.client)
        return 0
    return erasure.rename(tx, case.client, case.name)


def _loose(tx: Connection, case: _Case) -> Files:
    """What belongs to no ticket, and what is known of their addresses."""
    gone = [*_named(tx, case), *_messages(tx, case)]
    for held in records.quarantined(tx, case.check):
        erasure.forget_quarantined(tx, held.id, case.now)
    for number, blob in erasure.bare(tx):
        raw = blobs.readable(tx, blob)
        if raw is None or case.check(mime.parse(raw, _NOWHERE).sender or ""):
            gone += erasure.forget_bare(tx, number)
    erasure.forget_traces(tx, case.check, case.name, _own_domains(tx, case))
    return gone


def _named(tx: Connection, case: _Case) -> Files:
    """Mails from and to the desk's own people that belong to no ticket and name them: digests, rulings, evenings."""
    words = _names(tx, case)
    gone: Files = []
    for number, blob in erasure.posted_to_others(tx, case.check):
        if _speaks_of(blobs.readable(tx, blob), words):
            gone += erasure.forget_raw_of_posted(tx, number)
    for number in erasure.said_in_no_ticket_by_staff(tx):
        message = messages.get(tx, number)
        if message and message.blob and _speaks_of(blobs.readable(tx, message.blob), words):
            gone += erasure.forget_message(tx, number, case.name)
    return gone


_NOWHERE = Envelope("inject")


def _speaks_of(raw: bytes | None, words: Iterable[str]) -> bool:
    """Whether a mail names them; what nobody can read may."""
    if raw is None:
        return True
    mail = mime.parse(raw, _NOWHERE)
    said = f"{mail.subject}\n{mail.text}\n{mail.html}".casefold()
    return any(word in said for word in words)


def _names(tx: Connection, case: _Case) -> list[str]:
    """What the client is called in a mail: by name, address, and the tags of their tickets."""
    listed = case.desk.rules.client(case.client)
    numbers = (ticket.id for ticket in tickets.listed(tx, Only(client=case.client)))
    tags = {f"{case.desk.tag(number)}{end}" for number in numbers for end in " ]\n.,:;)"}
    names = {one.removeprefix("*@") for one in _addresses(tx, case)} | tags | ({listed.name} if listed else set())
    return [name.casefold() for name in names]


def _addresses(tx: Connection, case: _Case) -> set[str]:
    """Those of the rules, as they stand there, and those from which they wrote."""
    listed = case.desk.rules.client(case.client)
    return {*records.wrote_in_tickets(tx, case.client), *(listed.addresses if listed else ())}


def _own_domains(tx: Connection, case: _Case) -> set[str]:
    """The domains that nobody else of the rules has."""
    rules = case.desk.rules
    others = {address for key, one in rules.clients.items() if key != case.client for address in one.addresses}
    others |= {address for person in rules.technicians.values() for address in person.addresses}
    return _domains(_addresses(tx, case)) - _domains(others)


def _domains(addresses: Iterable[str]) -> set[str]:
    return {address.rpartition("@")[2] for address in addresses}
