"""What must hold in the store at all times, as questions whose right answer is "none"."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from mailgate.store import experience
from mailgate.store.connection import Connection
from mailgate.store.times import moment

_ORPHANS = {
    "entry {id}: comes from a message that no technician wrote": (
        "select e.id from entry e join message m on m.id = e.message where m.role not in ('technician', 'director')"
    ),
    "entry {id}: work that no message booked": (
        "select e.id from entry e where e.kind in ('debit', 'courtesy') and e.message is null"
    ),
    "entry {id}: its ticket is another client's": (
        "select e.id from entry e join ticket t on t.id = e.ticket where t.client <> e.client"
    ),
    # What the director settles expires by their message, not by the clock.
    "entry {id}: an expiry that no event of the clock booked": (
        "select e.id from entry e where e.kind = 'expiry' and e.message is null and not exists"
        " (select 1 from event x where x.kind = 'expiry' and x.client = e.client and x.at = e.at)"
    ),
    "event {id}: an expiry that booked no entry": (
        "select x.id from event x where x.kind = 'expiry' and not exists"
        " (select 1 from entry e where e.client = x.client and e.kind = 'expiry' and e.at = x.at)"
    ),
    "message {id}: no journal row holds it": (
        "select m.id from message m where not exists (select 1 from journal j where j.message = m.id)"
    ),
    "journal {id}: processed without a message and without a reason": (
        "select j.id from journal j where j.state = 'done' and j.message is null and j.outcome <> 'repeat'"
    ),
    "journal {id}: quarantined, but not in quarantine": (
        "select j.id from journal j where j.state = 'quarantined'"
        " and not exists (select 1 from quarantine q where q.journal = j.id)"
    ),
    "ticket {id}: has no message": (
        "select t.id from ticket t where t.merged_into is null"
        " and not exists (select 1 from message m where m.ticket = t.id)"
    ),
    "ticket {id}: merged, and not closed, or into one that is merged itself": (
        "select t.id from ticket t join ticket o on o.id = t.merged_into"
        " where t.status <> 'closed' or o.merged_into is not null"
    ),
    "ticket {id}: closed without a time, or with one and not closed": (
        "select t.id from ticket t where (t.status = 'closed') <> (t.closed_at is not null)"
    ),
    "ticket {id}: held for no reason, or with one and not held": (
        "select t.id from ticket t where (t.status = 'held') <> (t.held_for <> '')"
    ),
    "ticket {id}: a clock runs though no answer is owed, or though the ball is not with the desk": (
        "select t.id from ticket t where coalesce(t.answer_due_at, t.quick_due_at) is not null"
        " and (t.asked_at is null or t.status not in ('new', 'open'))"
    ),
    "outbox {id}: queued without a time to send it": (
        "select o.id from outbox o where o.state = 'queued' and o.next_try_at is null"
    ),
}
_GUARDS = ("entry_never_changes", "entry_never_goes", "entry_note_stays")
# The mails of the clock: the kind of event that each comes from, and how many of them go out for one.
_OF_EVENTS = {
    "expiry_warning": ("expiry_warning", 1),
    "expired": ("expiry", 2),
    "statement": ("statement", 1),
    "books_halted": ("halt", 1),
    "start_today": ("start", 1),
    "trouble": ("trouble", 1),
    "all_clear": ("all_clear", 1),
}


def problems_of_store(tx: Connection) -> Iterator[str]:
    """Broken files, dangling references, orphans, missing guards; each a sentence."""
    for row in tx.rows("pragma integrity_check"):
        if row["integrity_check"] != "ok":
            yield f"store: {row['integrity_check']}"
    for row in tx.rows("pragma foreign_key_check"):
        yield f"{row['table']} {row['rowid']}: refers to a {row['parent']} that is not there"
    for sentence, question in _ORPHANS.items():
        for row in tx.rows(question):
            yield sentence.format(id=row["id"])
    yield from _mails_without_an_event(tx)
    yield from experience.problems(tx)
    there = {row["name"] for row in tx.rows("select name from sqlite_master where type = 'trigger'")}
    for guard in _GUARDS:
        if guard not in there:
            yield f"ledger: the guard {guard} is missing"


def mails_told(tx: Connection, template: str) -> list[tuple[int, datetime]]:
    """The mails of a template, sent or not: number, and the instant of what caused them."""
    rows = tx.rows("select id, created_at from outbox where template = :template order by id", template=template)
    return [(row["id"], moment(row["created_at"])) for row in rows]


def _mails_without_an_event(tx: Connection) -> Iterator[str]:
    """The clock's mails that come from no event, or are more than one event has; "x7.0.…" is of event 7."""
    causes = {
        (template, f"x{row['id']}"): most
        for template, (kind, most) in _OF_EVENTS.items()
        for row in tx.rows("select id from event where kind = :kind", kind=kind)
    }
    names = ", ".join(f"'{template}'" for template in _OF_EVENTS)
    for row in tx.rows(f"select id, template, message_id from outbox where template in ({names}) order by id"):
        cause = (row["template"], row["message_id"].partition(".")[0])
        causes[cause] = causes.get(cause, 0) - 1
        if causes[cause] < 0:
            yield f"outbox {row['id']}: a {row['template']} that no event of the clock caused"
