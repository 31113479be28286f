"""The tables of the first two schemas and the guards of the ledger."""

TABLES = """
create table blob (
    id integer primary key,
    digest text not null unique,
    size integer not null,
    data blob not null
) strict;

create table journal (
    id integer primary key,
    taken_at text not null,
    source text not null check (source in ('smtp', 'lmtp', 'imap', 'inject')),
    peer text not null,
    mail_from text,
    rcpt_to text not null,
    blob integer not null references blob (id),
    state text not null default 'taken' check (state in ('taken', 'done', 'quarantined')),
    tries integer not null default 0,
    outcome text,
    message integer references message (id)
) strict;
create index journal_taken on journal (id) where state = 'taken';
create index journal_message on journal (message);

create table mailbox_uid (
    mailbox text not null,
    uidvalidity integer not null,
    uid integer not null,
    journal integer references journal (id),
    settled integer not null default 0,
    reason text not null default '',
    primary key (mailbox, uidvalidity, uid)
) strict;
create index mailbox_unsettled on mailbox_uid (mailbox, uidvalidity, uid) where settled = 0;

create table ticket (
    id integer primary key,
    client text not null,
    subject text not null,
    requester text not null,
    opened_at text not null,
    status text not null
        check (status in ('new', 'open', 'waiting', 'scheduled', 'held', 'closed')),
    priority text not null check (priority in ('urgent', 'high', 'normal', 'low')),
    category text,
    technician text,
    first_answer_at text,
    answer_due_at text,
    closed_at text,
    planned_start text,
    planned_delivery text,
    estimate integer,
    follows integer references ticket (id)
) strict;
create index ticket_client on ticket (client, id);
create index ticket_status on ticket (status, id);

create table message (
    id integer primary key,
    ticket integer references ticket (id),
    at text not null,
    author text not null,
    author_name text not null,
    role text not null,
    internal integer not null,
    automatic text not null,
    authenticated integer not null,
    message_id text not null,
    digest text not null,
    refs text not null,
    subject text not null,
    text text not null,
    outcome text not null,
    why text not null,
    blob integer not null references blob (id),
    unique (message_id, digest)
) strict;
create index message_ticket on message (ticket, id);

create table attachment (
    message integer not null references message (id),
    part integer not null,
    name text not null,
    type text not null,
    size integer not null,
    content_id text,
    inline integer not null,
    primary key (message, part)
) strict;

create table transcript (
    id integer primary key,
    ticket integer not null references ticket (id),
    text text not null
) strict;
create index transcript_ticket on transcript (ticket, id);

create table entry (
    id integer primary key,
    client text not null,
    kind text not null
        check (kind in ('purchase', 'debit', 'courtesy', 'void', 'adjust', 'expiry', 'refund')),
    minutes integer not null,
    worked integer not null check (worked >= 0),
    at text not null,
    day text not null,
    ticket integer references ticket (id),
    technician text,
    note text not null,
    of integer references entry (id),
    message integer references message (id),
    line integer,
    phone integer not null,
    package text,
    price text,
    paid_by text,
    reference text,
    unique (message, line),
    check (case kind
        when 'purchase' then minutes > 0
        when 'debit' then minutes <= 0 and worked > 0 and ticket is not null
        when 'courtesy' then minutes = 0 and worked > 0 and ticket is not null
        when 'void' then of is not null
        else 1 end)
) strict;
create index entry_client on entry (client, id);
create index entry_sum on entry (client, minutes);
create index entry_ticket on entry (ticket, minutes);
create unique index entry_void_once on entry (of) where kind = 'void';

create table outbox (
    id integer primary key,
    created_at text not null,
    sender text not null,
    recipient text not null,
    subject text not null,
    template text not null,
    message_id text not null unique,
    ticket integer references ticket (id),
    blob integer not null references blob (id),
    state text not null default 'queued' check (state in ('queued', 'sent', 'failed')),
    tries integer not null default 0,
    next_try_at text,
    leased_until text,
    last_error text,
    sent_at text
) strict;
create index outbox_due on outbox (next_try_at, id) where state = 'queued';
create index outbox_ticket on outbox (ticket, recipient);

create table quarantine (
    id integer primary key,
    at text not null,
    journal integer not null references journal (id),
    sender text not null,
    subject text not null,
    reason text not null,
    detail text not null,
    ticket integer references ticket (id),
    message_id text not null,
    digest text not null,
    state text not null default 'waiting' check (state in ('waiting', 'released', 'dropped'))
) strict;
create index quarantine_waiting on quarantine (id) where state = 'waiting';
create index quarantine_message on quarantine (message_id, digest);

create table held (
    id integer primary key,
    message integer not null references message (id),
    ticket integer not null references ticket (id),
    technician text not null,
    reason text not null,
    state text not null default 'waiting' check (state in ('waiting', 'released'))
) strict;
create index held_waiting on held (ticket, technician, id) where state = 'waiting';
"""

CONTRACT = """
alter table ticket add column spend_limit integer;
alter table ticket add column held_for text not null default ''
    check (held_for in ('', 'balance', 'rule', 'away'));
update ticket set held_for = 'rule' where status = 'held';
create index ticket_held on ticket (client, id) where held_for = 'balance';
create index ticket_requester on ticket (requester, id) where client = '';
create index ticket_prospects on ticket (opened_at) where client = '';

create table matter (
    id integer primary key,
    kind text not null check (kind in ('dispute', 'refund', 'estimate', 'debit')),
    client text not null,
    at text not null,
    ticket integer references ticket (id),
    entry integer references entry (id),
    minutes integer,
    technician text,
    day text,
    note text not null,
    phone integer not null,
    reason text not null,
    message integer references message (id),
    line integer,
    state text not null default 'open'
        check (state in ('open', 'granted', 'reduced', 'refused', 'withdrawn')),
    decided_at text,
    decision integer references message (id),
    check ((kind = 'dispute') = (entry is not null)),
    check ((state = 'open') = (decided_at is null))
) strict;
create index matter_open on matter (client, id) where state = 'open';
create unique index matter_dispute_once on matter (entry) where state = 'open' and entry is not null;
create index matter_entry on matter (entry) where entry is not null;
create unique index matter_line_once on matter (message, line, entry) where line is not null;

create index entry_bought on entry (client) where kind = 'purchase';
create index entry_of on entry (of) where of is not null;
create unique index entry_ruled_once on entry (of) where kind in ('void', 'adjust');
create unique index entry_refunded_once on entry (of) where kind = 'refund';

create table event (
    id integer primary key,
    kind text not null,
    client text not null,
    key text not null,
    at text not null,
    unique (kind, client, key)
) strict;
"""

# The ledger is append-only whatever program opens the file: an entry is answered by another entry.
GUARDS = """
create trigger entry_never_changes before update on entry
begin select raise(abort, 'entries of the ledger are never changed'); end;
create trigger entry_never_goes before delete on entry
begin select raise(abort, 'entries of the ledger are never removed'); end;
"""
