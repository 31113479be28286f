"""What must hold in the store at all times, as questions whose right answer is "none"."""

from __future__ import annotations

from collections.abc import Iterator

from mailgate.store.connection import Connection

_ORPHANS = {
    "entry {id}: comes from a message that no technician wrote": (
        "select e.id from entry e join message m on m.id = e.message where m.role not in ('technician', 'director')"
    ),
    "entry {id}: its ticket is another client's": (
        "select e.id from entry e join ticket t on t.id = e.ticket where t.client <> e.client"
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
        "select t.id from ticket t where not exists (select 1 from message m where m.ticket = t.id)"
    ),
    "outbox {id}: queued without a time to send it": (
        "select o.id from outbox o where o.state = 'queued' and o.next_try_at is null"
    ),
}
_GUARDS = ("entry_never_changes", "entry_never_goes")


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
    there = {row["name"] for row in tx.rows("select name from sqlite_master where type = 'trigger'")}
    for guard in _GUARDS:
        if guard not in there:
            yield f"ledger: the guard {guard} is missing"
