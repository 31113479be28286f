"""What old desks need, so that nothing takes longer than at a young one."""

# carried_forward: what a client's entries up to one come to, so that a balance is no sum from the beginning on. An
# account is read by when it was booked; a sum alone needs no index of its own any more.
AGE = """
create table carried_forward (
    client text primary key,
    entry integer not null references entry (id),
    minutes integer not null
) strict;
insert into carried_forward select client, max(id), sum(minutes) from entry group by client;
drop index entry_sum;
create index entry_at on entry (client, at, kind, minutes);
"""

# Without those that no statement asks for, and with fewer rows where some are enough. Prospects: by client first, else
# all that ever wrote are looked at, since SQLite takes an index of equals before one of a range.
FEWER_INDEXES = """
drop index journal_taken;
drop index journal_message;
create index journal_message on journal (message) where message is not null;
create index journal_bare on journal (id) where message is null and state = 'done' and blob is not null;
drop index message_at;
drop index ticket_going_of;
drop index ticket_planned;
drop index ticket_prospects;
create index ticket_prospects on ticket (client, opened_at) where client = '';
"""
