"""What the store must look up before a mail can be decided on, and what it found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mailgate.core import address, ledger, own
from mailgate.core.choose import Roster
from mailgate.core.commands import claims, command, form
from mailgate.core.desk import Desk
from mailgate.core.loops import Exchange
from mailgate.core.mail import Mail
from mailgate.core.message import automatic, bounce
from mailgate.core.model import Command, Entry, Matter, Person, Role, Ticket
from mailgate.core.reading import fresh

# Of a thread's IDs the nearest; of what a mail names, more than a long day's work on many tickets.
_MOST_IDS = 20
_MOST_NAMED = 200
# Commands that need every entry of the client's.
_ON_ACCOUNTS = ("accept", "decline", "cancel")
PLANNING = ("plan", "postpone")


@dataclass(frozen=True, slots=True)
class Author:
    """A client's person who writes. domain: of their address. addresses: where what they ask for may go."""

    domain: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one mail points at, before anything is believed.

    tickets: numbers in reply addresses, subject and text. entries: numbers after `#void`. quarantined: numbers
    after `#release`.
    person: id of the technician who writes, "" for others. date: what a technician's mail says of when it was
    written. client: id of the client who writes.
    stranger: address of somebody unknown who writes, "" for others. prospect: the same, where such people may
    become clients. accounts: whether the decision needs every entry of the clients. technicians: among whom one
    may have to be chosen, () where none has. own: the client's own one, whom the rules do not say to be away, else "".
    plans: whether work is planned, which takes the absences of who does it.
    away: whether the technician who writes says that they are away, or a robot of theirs does.
    form: whether lines of the evening's form may stand in what they write.
    author: who a client's mail says that it is from.
    disputed: tickets that a client disputes by their numbers.
    returned, returned_ids: mails of ours that came back, by their numbers in the outbox and by Message-ID.
    bounce: whether the mail may be one. writer: address of whom the mail says that it is from.
    holders: technicians whose held answers are asked for: who writes, and those that a `#send` names.
    blurred: the digest as it is kept of a mail from which something was taken out, see `Desk.blurred`.
    """

    message_id: str
    digest: str
    message_ids: tuple[str, ...]
    tickets: frozenset[int]
    entries: frozenset[int]
    person: str
    client: str
    prospect: str = ""
    author: Author | None = None
    accounts: bool = False
    date: datetime | None = None
    stranger: str = ""
    quarantined: frozenset[int] = frozenset()
    technicians: tuple[str, ...] = ()
    away: bool = False
    plans: bool = False
    own: str = ""
    form: bool = False
    disputed: frozenset[int] = frozenset()
    returned: frozenset[int] = frozenset()
    returned_ids: tuple[str, ...] = ()
    bounce: bool = False
    writer: str = ""
    holders: tuple[str, ...] = ()
    blurred: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """The client's newest message of a ticket: what an answer answers, quotes and threads to."""

    author: str
    name: str
    at: datetime
    text: str
    message_id: str
    references: tuple[str, ...]
    subject: str


@dataclass(frozen=True, slots=True)
class Held:
    """A technician's message that waits for a word. hold: its number. entries: what it booked.

    reason: as `Plan.hold`.
    """

    hold: int
    message: int
    text: str
    entries: tuple[Entry, ...] = ()
    reason: str = "forward"

    @property
    def whole(self) -> bool:
        """Whether nothing of it was done yet; of a forward, only the sending waits."""
        return self.reason != "forward"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message in quarantine that points at a ticket. together: numbers of all that its sender has waiting there."""

    ticket: int
    sender: str
    together: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Newer:
    """A message of a ticket that its answerer may not have seen. author: address. name: "" for none.

    files: whether it came with any.
    """

    author: str
    name: str
    role: Role
    at: datetime
    text: str
    files: bool = False


@dataclass(frozen=True, slots=True)
class Repute:
    """What the store knows of a writer's mail so far.

    id_used: a message with this Message-ID was kept before. signs: a signature proved mail of the client's
    domain before. reports: how many balances, reports and histories were sent to an address in the last day, by
    address and template.
    asked: addresses that were asked in that time whether a mail was theirs. warned: how many mails of a kind told
    staff in that time of what others sent, by address and template; for staff and strangers.
    """

    id_used: bool = False
    signs: bool = False
    reports: Mapping[tuple[str, str], int] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()
    warned: Mapping[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Returned:
    """A mail of ours that came back, as it stands in the outbox. ticket: None for none.

    told: it was told already that it did not arrive. failures: how often mail to its address failed for good
    of late, see `undelivered.MOST`.
    """

    mail: int
    message_id: str
    to: str
    subject: str
    template: str
    ticket: int | None
    told: bool = False
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """What the store knows of the things that a mail points at.

    tickets: by every number that was asked for; one that was merged stands as the ticket in which it goes on.
    repeat_of: where the same message stands already, "" if it is new. asked_at: when the mail of ours was
    written that this one answers, looked up where something waits for a word. by_message_id: the tickets in
    which an ID was received or sent. addressees: who was ever written to in a ticket. history:
    whole texts of a ticket's messages, newest last. held: by ticket and technician.
    newer: what came into a ticket after what a technician's mail answers, oldest first.
    debits: minutes of their newest debits. balances: minutes by client. voided: those of
    the entries that a void answers. quarantined: those of the messages in quarantine that still wait. matters:
    what is open of the clients, oldest first. ended: the clients that bought time and have none left. paused:
    their tickets that are held for want of it, looked up for staff, who alone bring minutes back.
    accounts: every entry of a client, oldest first, where the decision needs them. merged: the tickets that went into
    one whose entries are disputed. prospect: the
    ticket of an unknown writer; prospects: how many such tickets were opened in the last day. halted:
    the books do not add up and no minutes are booked. repute: what the writer's mail was so far.
    roster: what the choice of a technician has to know.
    mine: what somebody who is away has to do. away_told: the director was told of a robot of theirs just now.
    next_ticket: the number of the next new ticket. guest_in: tickets into which an unknown writer was let.
    waits_in: those in which a mail of theirs waits. at_the_door: of the messages that staff name, those that
    wait with a ticket. guests: the newest message of a ticket, where a guest wrote it, for staff.
    next_quarantined: the number of the next message in quarantine. booked_since: what the writer of a form booked since
    the mail that they answer was written. returned: mails of ours that may have come back.
    exchange: what goes to and fro between the writer and the desk.
    secrets: access data that were told in these tickets before. own_secrets: those of this very mail, where it was
    kept before, by their numbers. next_secret: the number of the next new one.
    """

    repeat_of: str = ""
    asked_at: datetime | None = None
    tickets: Mapping[int, Ticket] = field(default_factory=dict)
    by_message_id: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    addressees: Mapping[int, frozenset[str]] = field(default_factory=dict)
    history: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    heard: Mapping[int, Heard] = field(default_factory=dict)
    held: Mapping[tuple[int, str], Held] = field(default_factory=dict)
    newer: Mapping[int, tuple[Newer, ...]] = field(default_factory=dict)
    debits: tuple[int, ...] = ()
    balances: Mapping[str, int] = field(default_factory=dict)
    entries: Mapping[int, Entry] = field(default_factory=dict)
    voided: frozenset[int] = frozenset()
    quarantined: frozenset[int] = frozenset()
    matters: tuple[Matter, ...] = ()
    ended: frozenset[str] = frozenset()
    paused: Mapping[str, tuple[Ticket, ...]] = field(default_factory=dict)
    accounts: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    merged: Mapping[int, frozenset[int]] = field(default_factory=dict)
    prospect: Ticket | None = None
    prospects: int = 0
    halted: bool = False
    repute: Repute = field(default_factory=Repute)
    roster: Roster = field(default_factory=Roster)
    mine: tuple[Ticket, ...] = ()
    away_told: bool = False
    next_ticket: int = 1
    guest_in: frozenset[int] = frozenset()
    waits_in: frozenset[int] = frozenset()
    at_the_door: Mapping[int, Waiting] = field(default_factory=dict)
    guests: Mapping[int, Heard] = field(default_factory=dict)
    next_quarantined: int = 1
    booked_since: tuple[Entry, ...] = ()
    returned: tuple[Returned, ...] = ()
    exchange: Exchange = field(default_factory=Exchange)
    secrets: frozenset[str] = frozenset()
    own_secrets: Mapping[int, str] = field(default_factory=dict)
    next_secret: int = 1

    def balance_after(self, client: str, entries: Iterable[Entry]) -> int:
        """The client's minutes once these entries are booked."""
        booked = ledger.balance(entry for entry in entries if entry.client == client)
        return self.balances.get(client, 0) + booked


def wanted(mail: Mail, desk: Desk, now: datetime) -> Wanted:
    """Say what must be looked up for this mail."""
    person = desk.rules.who(mail.sender) if mail.sender else None
    orders = _orders(mail, person, desk, now)
    asks = _Asks.of(mail, person, desk)
    pointers = (address.reply_pointer(recipient, desk.rules.desks) for recipient in mail.recipients)
    named = [pointer[0] for pointer in pointers if pointer and pointer[0] != address.DESK_ITSELF]
    named += [int(number) for number in desk.tags.findall(mail.subject)]
    named += [number for order in orders for number in (order.ticket, order.into) if number]
    entries = dict.fromkeys(order.entry for order in (*orders, *asks.claims) if order.entry)
    return Wanted(
        message_id=mail.message_id,
        digest=mail.digest,
        blurred=desk.blurred(mail.digest),
        message_ids=(*mail.in_reply_to, *reversed(mail.references))[:_MOST_IDS],
        tickets=frozenset(list(dict.fromkeys(named))[:_MOST_NAMED]),
        entries=frozenset(list(entries)[:_MOST_NAMED]),
        quarantined=frozenset([order.quarantined for order in orders if order.quarantined][:_MOST_NAMED]),
        person=person.id if person is not None and person.role.staff else "",
        client=(person.client or "") if person is not None else "",
        author=_author(person, desk),
        prospect=(mail.sender or "") if person is None and desk.rules.desk.strangers == "prospect" else "",
        accounts=asks.account or any(order.name in _ON_ACCOUNTS for order in orders),
        date=mail.date,
        stranger=(mail.sender or "") if person is None else "",
        technicians=tuple(desk.rules.technicians) if person is not None and person.client else (),
        away=any(order.name == "away" for order in orders) or _robot_of_staff(mail, person, desk),
        plans=any(order.name in PLANNING for order in orders),
        own=_own(person, desk),
        form=any(map(form.is_line, orders)),
        disputed=frozenset([claim.ticket for claim in asks.claims if claim.ticket][:_MOST_NAMED]),
        returned=frozenset(
            pointer[0] for one in mail.recipients if (pointer := address.return_pointer(one, desk.rules.desks))
        ),
        returned_ids=returned_ids(mail, desk),
        bounce=automatic.maybe_bounce(mail),
        writer=mail.sender or "",
        holders=_holders(orders, person),
    )


def _holders(orders: tuple[Command, ...], person: Person | None) -> tuple[str, ...]:
    if person is None or not person.role.staff:
        return ()
    return tuple(dict.fromkeys((person.id, *(one.value for one in orders if one.name == "send" and one.value))))


def returned_ids(mail: Mail, desk: Desk) -> tuple[str, ...]:
    """Message-IDs of mails of ours that come back with this one."""
    if not automatic.maybe_bounce(mail):
        return ()
    domain = desk.rules.desk.address.partition("@")[2]
    return (*bounce.returned_ids(mail, domain), *mail.in_reply_to[:1])


def _robot_of_staff(mail: Mail, person: Person | None, desk: Desk) -> bool:
    return person is not None and person.role.staff and automatic.automatic(mail, desk.rules.desks) is not None


def _own(person: Person | None, desk: Desk) -> str:
    client = desk.rules.client(person.client) if person is not None and person.client else None
    technician = desk.rules.technician((client.technician if client else None) or "")
    return client.technician or "" if client and technician and not technician.away else ""


@dataclass(frozen=True, slots=True)
class _Asks:
    """What a client asks of the contract. account: whether it takes the whole ledger to answer."""

    claims: tuple[Command, ...] = ()
    account: bool = False

    @classmethod
    def of(cls, mail: Mail, person: Person | None, desk: Desk) -> _Asks:
        if person is None or person.role is not Role.CLIENT or not claims.maybe_claims(mail.text or mail.html):
            return cls()
        text, _ = fresh.source(mail)
        found = claims.read(text, desk.rules.desk.tag)
        whole = any(claim.name == "refund" or (claim.name == "dispute" and not claim.entry) for claim in found)
        return cls(found, whole or claims.maybe_money_back(text))


def _author(person: Person | None, desk: Desk) -> Author | None:
    if person is None or person.role is not Role.CLIENT:
        return None
    where = (desk.registered(person, proven=proven) for proven in (True, False))
    return Author(person.address.rpartition("@")[2], tuple(dict.fromkeys(where)))


def _orders(mail: Mail, person: Person | None, desk: Desk, now: datetime) -> tuple[Command, ...]:
    """Every command that stands in a mail of staff, quoted ones too: which are fresh is decided later."""
    if person is None or not person.role.staff:
        return ()
    text, _ = fresh.source(mail)
    return command.parse(text, desk.context(person.role, now, form=own.answers_desk_itself(mail, desk))).commands
