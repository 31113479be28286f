"""The schema, as numbered migrations: forward only, each in one transaction with its record.

The schema holds the invariants: what must never happen, the database refuses. Migrations use plain
ALTER TABLE, never sqlite-utils' `transform()`, which drops a table's triggers.
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from mailgate.errors import Refused
from mailgate.store.connection import Connection, transaction
from mailgate.store.migrations.age import AGE, FEWER_INDEXES
from mailgate.store.migrations.beginning import CONTRACT, GUARDS, TABLES
from mailgate.store.migrations.desk import CLIENT_AREA, PROOF, WORKING_DESK
from mailgate.store.migrations.hostile import FIRST_SIGHT, HOSTILE, WARNINGS
from mailgate.store.migrations.records import ERASURE, GUARDED, NUMBERS, RECORDS, REDACTION, SEALING, VAULT

migrations = Migrations("mailgate")


@migrations()
def m0001_first_schema(db: Database) -> None:
    """Journal, tickets, messages, ledger, outbox, quarantine."""
    db.executescript(TABLES)
    db.executescript(GUARDS)


@migrations()
def m0002_service_contract(db: Database) -> None:
    """Matters that wait for a word, events that happen once, limits of tickets."""
    db.executescript(CONTRACT)


@migrations()
def m0003_working_desk(db: Database) -> None:
    """Clocks of promises, absences, who knows what, guests, rules as they were taken up, search, proof."""
    db.executescript(WORKING_DESK + PROOF)


@migrations()
def m0004_client_area(db: Database) -> None:
    """Links to sign in, sessions, who looked at access data; messages that come by the client area."""
    db.executescript(CLIENT_AREA)
    _reword(db, "journal", "'imap', 'inject')", "'imap', 'inject', 'web')")


def _reword(db: Database, table: str, before: str, after: str) -> None:
    """Allow more in a table than it was made with.

    As SQLite says to change a check (lang_altertable.html, section 7): what is on disk stays as it is, while to
    copy the table would break what refers to it.
    """
    run = db.conn.execute
    version = run("pragma schema_version").fetchone()[0]
    run("pragma writable_schema = on")
    changed = run(
        "update sqlite_schema set sql = replace(sql, ?, ?)"
        " where type = 'table' and name = ? and sql like '%' || ? || '%'",
        (before, after, table, before),
    )
    if changed.rowcount != 1:
        raise AssertionError(f"{table} is not as it was made")
    run(f"pragma schema_version = {version + 1}")
    run("pragma writable_schema = reset")


@migrations()
def m0005_hostile(db: Database) -> None:
    """Mails that came back, and mails that go round."""
    db.executescript(HOSTILE)


@migrations()
def m0006_first_sight(db: Database) -> None:
    """What of a mailbox is ours to take, and what was left there."""
    db.executescript(FIRST_SIGHT)


@migrations()
def m0007_records(db: Database) -> None:
    """What is kept for so long and no longer: raw bytes may be gone, and files, and what was said."""
    for table in ("journal", "message", "outbox"):
        _reword(db, table, "blob integer not null references blob (id)", "blob integer references blob (id)")
    db.executescript(RECORDS)


@migrations()
def m0008_sealing(db: Database) -> None:
    """Mails are sealed; which keys were used."""
    db.executescript(SEALING)


@migrations()
def m0009_redaction(db: Database) -> None:
    """What was taken out of tickets for good."""
    db.executescript(REDACTION)


@migrations()
def m0010_erasure(db: Database) -> None:
    """Clients who were forgotten, whose entries stay under a pseudonym."""
    db.executescript(ERASURE)


@migrations()
def m0011_vault(db: Database) -> None:
    """Access data, taken out of the messages that told them."""
    db.executescript(VAULT)


@migrations()
def m0012_warnings(db: Database) -> None:
    """How many mails told staff of what others sent."""
    db.executescript(WARNINGS)


@migrations()
def m0013_guarded_files(db: Database) -> None:
    """Files in which there are access data."""
    db.executescript(GUARDED)


@migrations()
def m0014_age(db: Database) -> None:
    """What a client's older entries come to, and when it was booked."""
    db.executescript(AGE)


@migrations()
def m0015_fewer_indexes(db: Database) -> None:
    """Indexes that nothing asks for cost each message."""
    db.executescript(FEWER_INDEXES)


@migrations()
def m0016_vault_numbers(db: Database) -> None:
    """Numbers of access data that are never given again."""
    db.executescript(NUMBERS)


def migrate(connection: Connection) -> None:
    """Bring the store to this version's schema.

    Raises Refused for a store that a newer version wrote: going on would lose what it added.
    """
    known = {migration.name for migration in migrations.pending(connection.db)}
    applied = {migration.name for migration in migrations.applied(connection.db)}
    mine = {migration.name for migration in migrations._migrations}
    if unknown := applied - mine:
        raise Refused(f"the store was written by a newer mailgate ({', '.join(sorted(unknown))})")
    if known:
        with transaction(connection):
            migrations.apply(connection.db)
