"""The schema, as numbered migrations: forward only, each in one transaction with its record.

The schema holds the invariants: what must never happen, the database refuses. Migrations use plain
ALTER TABLE, never sqlite-utils' `transform()`, which drops a table's triggers.
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from mailgate.errors import Refused
from mailgate.store.connection import Connection, transaction
from mailgate.store.tables import CONTRACT, GUARDS, TABLES

migrations = Migrations("mailgate")

_WORKING_DESK = """
alter table ticket add column asked_at text;
alter table ticket add column quick_due_at text;
alter table ticket add column answer_left integer;
alter table ticket add column quick_left integer;
alter table ticket add column merged_into integer references ticket (id);
create index ticket_due on ticket (answer_due_at) where answer_due_at is not null;
create index ticket_load on ticket (technician, status) where status in ('new', 'open');
create index ticket_planned on ticket (planned_start) where status = 'scheduled';
create index ticket_delivery on ticket (planned_delivery) where planned_delivery is not null and status <> 'closed';
create index ticket_away on ticket (technician, id) where held_for = 'away';
create index ticket_technician on ticket (technician, id);
create index ticket_priority on ticket (priority, id);
create index ticket_category on ticket (category, id) where category is not null;
create index ticket_merged on ticket (merged_into) where merged_into is not null;

create table absence (
    id integer primary key,
    technician text not null,
    since text not null,
    until text not null,
    message integer references message (id),
    check (since <= until)
) strict;
create index absence_until on absence (until);

create table experience (
    technician text not null,
    scope text not null check (scope in ('client', 'category')),
    name text not null,
    minutes integer not null,
    primary key (scope, name, technician)
) strict;
insert into experience
    select e.technician, 'client', e.client, sum(e.worked) from entry e
    where e.kind in ('debit', 'courtesy') and e.technician is not null
        and not exists (select 1 from entry v where v.of = e.id and v.kind = 'void')
    group by e.technician, e.client;
insert into experience
    select e.technician, 'category', t.category, sum(e.worked) from entry e join ticket t on t.id = e.ticket
    where e.kind in ('debit', 'courtesy') and e.technician is not null and t.category is not null
        and not exists (select 1 from entry v where v.of = e.id and v.kind = 'void')
    group by e.technician, t.category;

create table guest (
    ticket integer not null references ticket (id),
    address text not null,
    message integer references message (id),
    primary key (ticket, address)
) strict;

create table rules_taken (
    id integer primary key,
    at text not null,
    digest text not null,
    data text not null
) strict;

alter table held add column released_by integer references message (id);
create index held_released on held (ticket, released_by) where released_by is not null;
create index entry_technician on entry (technician, id) where kind = 'debit';
create table mailbox (
    name text primary key,
    failing_since text,
    error text not null
) strict;
create index journal_source on journal (source, id);
create index outbox_failed on outbox (created_at) where state = 'failed';

create table restored (
    id integer primary key,
    at text not null,
    made_at text not null,
    ticket integer not null,
    entry integer not null
) strict;

create index ticket_opened on ticket (opened_at);
create index entry_booked on entry (technician, at) where technician is not null;
create index message_at on message (at);
create index quarantine_ticket on quarantine (ticket, sender) where state = 'waiting' and ticket is not null;
create index event_at on event (at);
create virtual table search using fts5 (
    subject, text, content = 'message', content_rowid = 'id', tokenize = "unicode61 remove_diacritics 2"
);
insert into search (rowid, subject, text) select id, subject, text from message where ticket is not null;
"""

_PROOF = """
alter table journal add column helo text not null default '';
alter table journal add column auth_user text not null default '';
alter table journal add column proof_tries integer not null default 0;
alter table journal add column proof_sender text;
alter table journal add column retry_at text;
alter table journal add column evidence text;
create index journal_ready on journal (id) where state = 'taken' and retry_at is null;
create index journal_retry on journal (retry_at) where state = 'taken' and retry_at is not null;
create index journal_behind on journal (proof_sender, id) where state = 'taken' and retry_at is not null;
alter table message add column proof text not null default '';
create table signer (domain text primary key, at text not null) strict;
create index outbox_answers on outbox (recipient, created_at)
    where template in ('balance', 'report', 'history', 'unverified');
"""

_CLIENT_AREA = """
create table sign_in_link (
    id integer primary key,
    digest text not null unique,
    address text not null,
    made_at text not null,
    expires_at text not null,
    used_at text
) strict;
create index sign_in_link_open on sign_in_link (address) where used_at is null;
create index sign_in_link_expires on sign_in_link (expires_at);

create table session (
    id integer primary key,
    digest text not null unique,
    address text not null,
    program text not null,
    opened_at text not null,
    seen_at text not null,
    expires_at text not null
) strict;
create index session_address on session (address, id);
create index session_expires on session (expires_at);

create table look (
    id integer primary key,
    message integer not null references message (id),
    address text not null,
    at text not null
) strict;
create index look_message on look (message, address, at);
create index ticket_going on ticket (client, id) where status <> 'closed';
create index ticket_going_of on ticket (technician, id) where status <> 'closed';
create index entry_day on entry (client, day);
"""

# A mail that came back stands as failed. bounced: "hard" where its address is dead, "past" once that wrote since.
_HOSTILE = """
alter table outbox add column bounced text not null default '' check (bounced in ('', 'soft', 'hard', 'past'));
alter table outbox add column bounced_at text;
create index outbox_dead on outbox (recipient, bounced_at) where bounced = 'hard';
create index outbox_recipient on outbox (recipient, id);
alter table message add column echo integer not null default 0;
create index message_author on message (author, id);
create index message_echo on message (author, at) where echo = 1;
"""

_FIRST_SIGHT = """
create table sighting (
    mailbox text not null,
    uidvalidity integer not null,
    up_to integer not null,
    since text not null,
    until text not null,
    anew integer not null,
    primary key (mailbox, uidvalidity)
) strict;
insert into sighting
    select mailbox, uidvalidity, 0, '1970-01-01T00:00:00.000000+00:00', '1970-01-01T00:00:00.000000+00:00', 0
    from mailbox_uid group by mailbox, uidvalidity;

create table left_mail (
    id integer primary key,
    at text not null,
    kind text not null check (kind in ('big', 'refused', 'old', 'anew')),
    mailbox text not null,
    count integer not null,
    size integer not null,
    sender text not null,
    subject text not null,
    told_at text
) strict;
create index left_mail_told on left_mail (told_at, id);
"""


# What retention and erasure remove leaves a reference without anything behind it; each index finds who needs a blob.
_RECORDS = """
create index journal_blob on journal (blob);
create index message_blob on message (blob);
create index outbox_blob on outbox (blob);
alter table attachment add column kept integer not null default 1;
create index attachment_kept on attachment (message, part) where kept = 1;
alter table quarantine add column gone_at text;
create index quarantine_kept on quarantine (at) where gone_at is null;
alter table ticket add column gone_at text;
create index ticket_closed on ticket (closed_at) where closed_at is not null and gone_at is null;
create index quarantine_journal on quarantine (journal);
create index matter_ticket on matter (ticket) where ticket is not null;
create index look_at on look (at);

create table walk (
    name text primary key,
    key text not null,
    after integer,
    done_at text,
    removed integer not null
) strict;
"""

# The name of the key that sealed a blob, '' for what an earlier version left in clear.
_SEALING = """
alter table blob add column key text not null default '';
create index blob_key on blob (key);
create table sealing_key (name text primary key, since text not null, lost_at text) strict;
"""

# What was taken out of a ticket: the trace, of which kind of row it was and its number. The note of an entry may lose
# a secret, and nothing else of it changes: the sums of the ledger are what they were.
_REDACTION = """
create table redaction (
    id integer primary key,
    at text not null,
    author text not null,
    cause integer references message (id),
    kind text not null check (kind in ('ticket', 'message', 'entry', 'matter', 'quarantine', 'mail')),
    number integer not null,
    places integer not null check (places > 0),
    settled_at text
) strict;
create index redaction_of on redaction (kind, number);
create index redaction_unsettled on redaction (id) where settled_at is null;
create index ticket_follows on ticket (follows) where follows is not null;
create index quarantine_of_ticket on quarantine (ticket) where ticket is not null;

drop trigger entry_never_changes;
create trigger entry_never_changes before update of id, client, kind, minutes, worked, at, day, ticket, technician,
    of, message, line, phone, package, price, paid_by, reference on entry
begin select raise(abort, 'entries of the ledger are never changed'); end;
create trigger entry_note_stays before update of note on entry
when not exists (select 1 from redaction where kind = 'entry' and number = old.id and settled_at is null)
begin select raise(abort, 'a note of the ledger is changed by a redaction alone'); end;
"""


# The other change of an entry: a client who is forgotten is called by a pseudonym. client: who is being forgotten.
_ERASURE = """
create table erasure (
    id integer primary key,
    pseudonym text not null unique,
    mark text not null,
    client text unique
) strict;
drop trigger entry_never_changes;
create trigger entry_never_changes before update of id, client, kind, minutes, worked, at, day, ticket, technician,
    of, message, line, phone, package, price, paid_by, reference on entry
when new.id <> old.id or new.kind <> old.kind or new.minutes <> old.minutes or new.worked <> old.worked
    or new.at <> old.at or new.day <> old.day or new.phone <> old.phone or new.ticket is not old.ticket
    or new.technician is not old.technician or new.of is not old.of or new.message is not old.message
    or new.line is not old.line or new.package is not old.package or new.price is not old.price
    or new.paid_by is not old.paid_by or new.note <> '' or new.reference is not null
    or not exists (select 1 from erasure x where x.client = old.client and x.pseudonym = new.client)
begin select raise(abort, 'entries of the ledger are never changed'); end;
drop trigger entry_note_stays;
create trigger entry_note_stays before update of note on entry
when not exists (select 1 from redaction where kind = 'entry' and number = old.id and settled_at is null)
    and not (new.note = '' and exists
        (select 1 from erasure x where x.client = old.client and x.pseudonym = new.client))
begin select raise(abort, 'a note of the ledger is changed by a redaction alone'); end;
"""


# The mails that tell staff of what others sent.
_WARNINGS = """
create index outbox_warnings on outbox (created_at, recipient, template) where template in ('unproven', 'guest_waits');
"""


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
    db.executescript(_WORKING_DESK + _PROOF)


@migrations()
def m0004_client_area(db: Database) -> None:
    """Links to sign in, sessions, who looked at access data; messages that come by the client area."""
    db.executescript(_CLIENT_AREA)
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
    db.executescript(_HOSTILE)


@migrations()
def m0006_first_sight(db: Database) -> None:
    """What of a mailbox is ours to take, and what was left there."""
    db.executescript(_FIRST_SIGHT)


@migrations()
def m0007_records(db: Database) -> None:
    """What is kept for so long and no longer: raw bytes may be gone, and files, and what was said."""
    for table in ("journal", "message", "outbox"):
        _reword(db, table, "blob integer not null references blob (id)", "blob integer references blob (id)")
    db.executescript(_RECORDS)


@migrations()
def m0008_sealing(db: Database) -> None:
    """Mails are sealed; which keys were used."""
    db.executescript(_SEALING)


@migrations()
def m0009_redaction(db: Database) -> None:
    """What was taken out of tickets for good."""
    db.executescript(_REDACTION)


@migrations()
def m0010_erasure(db: Database) -> None:
    """Clients who were forgotten, whose entries stay under a pseudonym."""
    db.executescript(_ERASURE)


_VAULT = """
create table vault (
    id integer primary key,
    message integer not null references message (id),
    ticket integer references ticket (id),
    key text not null,
    sealed blob not null
) strict;
create index vault_message on vault (message, id);
create index vault_ticket on vault (ticket, id);
create index vault_key on vault (key);
"""


@migrations()
def m0011_vault(db: Database) -> None:
    """Access data, taken out of the messages that told them."""
    db.executescript(_VAULT)


@migrations()
def m0012_warnings(db: Database) -> None:
    """How many mails told staff of what others sent."""
    db.executescript(_WARNINGS)


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
