"""How tickets are worked: clocks, absences, who knows what, proof, the client area."""

WORKING_DESK = """
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

PROOF = """
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

CLIENT_AREA = """
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
