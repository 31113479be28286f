"""The values that the whole program passes around. All frozen; times are aware UTC, minutes whole.

Message-IDs are kept without their angle brackets, addresses in canonical form (see `address`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Literal


class Role(StrEnum):
    """Who a message is from, as the rules and its headers say."""

    CLIENT = "client"
    TECHNICIAN = "technician"
    DIRECTOR = "director"
    ROBOT = "robot"
    STRANGER = "stranger"
    DESK = "desk"

    @property
    def staff(self) -> bool:
        """Whether this person works at the desk: a technician, the director among them."""
        return self in (Role.TECHNICIAN, Role.DIRECTOR)


class Status(StrEnum):
    """Where a ticket stands. `new`: nobody answered yet; `open`: the ball is with the desk."""

    NEW = "new"
    OPEN = "open"
    WAITING = "waiting"
    SCHEDULED = "scheduled"
    HELD = "held"
    CLOSED = "closed"


class Priority(StrEnum):
    """How soon a ticket is looked at."""

    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class Category(StrEnum):
    """The areas in which the desk works."""

    EXTENSIONS = "extensions"
    SECURITY = "security"
    TRAINING = "training"
    MIGRATION = "migration"
    UPDATE = "update"
    DESIGN = "design"
    INTEGRATION = "integration"
    PROGRAMMING = "programming"
    BUG = "bug"


class Kind(StrEnum):
    """What an entry of the ledger is."""

    PURCHASE = "purchase"
    DEBIT = "debit"
    COURTESY = "courtesy"
    VOID = "void"
    ADJUST = "adjust"
    EXPIRY = "expiry"
    REFUND = "refund"


class MatterKind(StrEnum):
    """What somebody's word is asked for.

    dispute: the client disagrees with an entry. refund: the client wants the money back. estimate:
    the client must agree to an estimate. debit: work past the limit that the client set on a ticket.
    """

    DISPUTE = "dispute"
    REFUND = "refund"
    ESTIMATE = "estimate"
    DEBIT = "debit"


class MatterState(StrEnum):
    """What became of a matter. reduced: granted in part. withdrawn: another one took its place."""

    OPEN = "open"
    GRANTED = "granted"
    REDUCED = "reduced"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Outcome(StrEnum):
    """What became of a message; the words of `mailgate explain`."""

    OPEN = "open"
    APPEND = "append"
    ANSWER = "answer"
    QUARANTINE = "quarantine"
    REJECT = "reject"
    KEEP = "keep"
    REPEAT = "repeat"


HeldFor = Literal["", "balance", "rule", "away"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom the rules know.

    id: key in the rules: of the technician, or of the client. address: the one they wrote from.
    client: id of the client, "" for who is none yet, None for staff.
    """

    role: Role
    id: str
    name: str
    address: str
    language: str
    client: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a command line cannot be carried out. Its words stand in templates/<lang>/_problems.txt.

    code: which problem. got: what was written. right: what would be right, as data (a proposal
    such as "#close", a limit such as "720", a list of allowed words).
    """

    code: str
    got: str = ""
    right: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """One command line of a mail: a technician's, or one of the few that are a client's.

    name: canonical English name without "#", e.g. "time"; what was written where it is unknown; "correct" for a
    line of the evening's form that corrects an entry. line: as
    written, trimmed. number: index of the line in the fresh text, from 0. minutes: whole, > 0, for time, call,
    free, estimate and limit; >= 0 for adjust. day: day of the work, None for today; of plan and postpone the
    start, and until: the delivery, or None; of away the first and the last day. ticket: number of the ticket that
    is named, None for the mail's own. entry: for void, dispute, uphold and adjust. quarantined: number in the
    quarantine, for release and drop. into: of the ticket to merge into. value: canonical value of status, priority,
    assign, category; of send whose answer is meant; "ask" of an estimate that the client must agree to; "off" where
    an absence is taken back.
    note: what is said besides; the reason of a dispute or postponement.
    """

    name: str
    line: str
    number: int
    minutes: int | None = None
    day: date | None = None
    until: date | None = None
    ticket: int | None = None
    entry: int | None = None
    quarantined: int | None = None
    into: int | None = None
    value: str = ""
    note: str = ""
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """One piece of work or one question. minutes: charged so far. requester: who is answered.

    client: id of the client, "" where somebody who is none yet (a prospect) asked. limit: minutes that
    the client allows on it, None for no limit. held_for: why it is held, "" where it is not.
    asked_at: when the client wrote what is to be answered, None where no answer is owed. answer_due_at,
    quick_due_at: until when, the second for what takes a few minutes; None while the clocks stand still.
    answer_left, quick_left: minutes of desk time that were left when they stopped, else None. merged_into: the
    ticket in which this one goes on.
    """

    id: int
    client: str
    subject: str
    requester: str
    opened_at: datetime
    status: Status = Status.NEW
    priority: Priority = Priority.NORMAL
    category: str | None = None
    technician: str | None = None
    first_answer_at: datetime | None = None
    answer_due_at: datetime | None = None
    closed_at: datetime | None = None
    planned_start: date | None = None
    planned_delivery: date | None = None
    estimate: int | None = None
    minutes: int = 0
    follows: int | None = None
    limit: int | None = None
    held_for: HeldFor = ""
    asked_at: datetime | None = None
    quick_due_at: datetime | None = None
    answer_left: int | None = None
    quick_left: int | None = None
    merged_into: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the append-only ledger: answered by another entry, never changed.

    minutes: whole and signed, purchases > 0, debits < 0, courtesies 0. worked: minutes of work that
    a debit or courtesy stands for, >= 0; more than -minutes where a part was not charged.
    at: aware UTC instant of booking. day: day of the work in the desk's time zone.
    of: id of the entry that this one answers. message: id of the message it came from, or None.
    line: number of the line in that message; (message, line) is unique, so no mail books twice.
    """

    id: int
    client: str
    kind: Kind
    minutes: int
    at: datetime
    day: date
    worked: int = 0
    ticket: int | None = None
    technician: str | None = None
    note: str = ""
    of: int | None = None
    message: int | None = None
    line: int | None = None
    phone: bool = False
    package: str | None = None
    price: str | None = None
    paid_by: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Absence:
    """Days on which a technician does not work, the last one included, in the desk's time zone."""

    technician: str
    since: date
    until: date


@dataclass(frozen=True, slots=True)
class Matter:
    """Something that waits for a person's word, with the evidence: who asked by which message.

    entry: the one that is disputed. minutes: of the estimate, or of the work past the limit.
    technician, day, note, phone: of that work, as they will stand in its entry. reason: what the
    client wrote. message, line: where it was asked; (message, line) is unique, so no mail asks twice.
    decision: id of the message by which it was decided, None where it was decided at this machine.
    """

    id: int
    kind: MatterKind
    client: str
    at: datetime
    ticket: int | None = None
    entry: int | None = None
    minutes: int | None = None
    technician: str | None = None
    day: date | None = None
    note: str = ""
    phone: bool = False
    reason: str = ""
    message: int | None = None
    line: int | None = None
    state: MatterState = MatterState.OPEN
    decided_at: datetime | None = None
    decision: int | None = None
