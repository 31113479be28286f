"""What is kept, for how long and how: retention, seals, redactions, erasures, access data."""

# What retention and erasure remove leaves a reference without anything behind it; each index finds who needs a blob.
RECORDS = """
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
SEALING = """
alter table blob add column key text not null default '';
create index blob_key on blob (key);
create table sealing_key (name text primary key, since text not null, lost_at text) strict;
"""

# What was taken out of a ticket: the trace, of which kind of row it was and its number. The note of an entry may lose
# a secret, and nothing else of it changes: the sums of the ledger are what they were.
REDACTION = """
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
ERASURE = """
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

VAULT = """
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

# Whether access data were found in a file: it is for who asks to see them.
GUARDED = """
alter table attachment add column guarded integer not null default 0;
"""

# The highest number that access data were ever kept under. What was destroyed left its number in a text, where nothing
# else may ever be read in its place.
NUMBERS = """
create table vault_number (
    highest integer not null
) strict;
insert into vault_number select coalesce(max(id), 0) from vault;
"""
