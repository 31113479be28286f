"""What comes from outside uncalled-for: mails that came back or go round, old mailboxes, warnings."""

# A mail that came back stands as failed. bounced: "hard" where its address is dead, "past" once that wrote since.
HOSTILE = """
alter table outbox add column bounced text not null default '' check (bounced in ('', 'soft', 'hard', 'past'));
alter table outbox add column bounced_at text;
create index outbox_dead on outbox (recipient, bounced_at) where bounced = 'hard';
create index outbox_recipient on outbox (recipient, id);
alter table message add column echo integer not null default 0;
create index message_author on message (author, id);
create index message_echo on message (author, at) where echo = 1;
"""

FIRST_SIGHT = """
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

# The mails that tell staff of what others sent.
WARNINGS = """
create index outbox_warnings on outbox (created_at, recipient, template) where template in ('unproven', 'guest_waits');
"""
