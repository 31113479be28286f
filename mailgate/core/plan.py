"""What a mail shall change: a value that grows from stage to stage and is carried out as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self

from mailgate.core.choose import Choice
from mailgate.core.commands.command import Script
from mailgate.core.facts import Held
from mailgate.core.mail import Mail, Notice, Reading
from mailgate.core.message.automatic import Automatic
from mailgate.core.message.bounce import Grade
from mailgate.core.model import Absence, Entry, Matter, MatterState, Outcome, Person, Role, Ticket
from mailgate.core.redaction import Redaction

NO_SCRIPT = Script((), "")


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a matter that was open. matter: its number."""

    matter: int
    state: MatterState


@dataclass(frozen=True, slots=True)
class Merge:
    """Two numbers: the ticket that goes on in another, and that one."""

    source: int
    target: int


@dataclass(frozen=True, slots=True)
class Guest:
    """A third person whom the desk lets into a ticket: this one address, this one ticket."""

    ticket: int
    address: str


@dataclass(frozen=True, slots=True)
class Bounced:
    """A mail of ours that did not arrive. mail: its number in the outbox. grade: whether its address is dead."""

    mail: int
    grade: Grade
    error: str


@dataclass(frozen=True)
class Plan:
    """The decision on one mail, so far.

    person: who wrote, None for strangers and robots. authenticated: whether that is proven.
    proof: by what, in words. doubt: for others than staff, "unproven" where it is not, "wary" where it is not though
    the writer's domain can prove its mail: nothing is done for it that costs or reveals.
    vouched: somebody at this machine stands for the message (it was injected or released). confirmed: its
    writer said that it shall be done although it was held back.
    ticket: the ticket it belongs to, as it stood before, or as it is opened. changed: as it shall stand
    afterwards. follows: the ticket, closed for too long, that a new one goes on from. own_token: the sender
    wrote to a reply address that was made for them. guest: the sender was let into the ticket as a third
    person. text: what readers of the ticket will see of it. internal: not for the client's eyes. hold: "" or
    why it waits for the technician's word: "forward", and whole "collision" (it did not see what came
    meanwhile) or "time" (it books an unlikely time). releases: what waited and is sent now; one that waited
    whole is done before this mail. supersedes: it takes the place of what its writer had waiting whole. rules,
    notify, assigned_by: those that applied, technicians to tell, the one that assigned it. choice: who does it
    and why, None where that is not asked. absences: that the writer tells; there: what they told before is taken
    back. robot_of: the technician for whom a robot answers, of whom the director is told. entries: for the ledger,
    numbers not given yet. matters: what waits for somebody's word from now on. decisions: what was waiting and
    does not any more. others: other tickets that change with it, as they shall stand. merges: tickets whose
    conversation goes on in another. admits: who may speak in a ticket from now on. released, dropped: numbers in
    the quarantine that the director decides on. redactions: what is taken out of tickets for good. bounced: what came
    back. echo: it looks like a program's answer to an automatic mail. loops: addresses and tickets to which the desk
    fell silent, of which the director is told.
    secrets: access data of the mail by the numbers of the places that stand for them, everywhere else in the plan.
    reason: of a quarantine, a sentence.
    final: nothing after this stage changes it. why: the trail, one step each.
    """

    mail: Mail
    vouched: bool = False
    confirmed: bool = False
    role: Role = Role.STRANGER
    person: Person | None = None
    authenticated: bool = False
    proof: str = ""
    doubt: Literal["", "unproven", "wary"] = ""
    automatic: Automatic | None = None
    ticket: Ticket | None = None
    changed: Ticket | None = None
    opens: bool = False
    follows: int | None = None
    own_token: bool = False
    guest: bool = False
    reading: Reading | None = None
    script: Script = NO_SCRIPT
    text: str = ""
    internal: bool = False
    hold: str = ""
    releases: Held | None = None
    supersedes: bool = False
    rules: tuple[str, ...] = ()
    notify: tuple[str, ...] = ()
    assigned_by: str = ""
    choice: Choice | None = None
    absences: tuple[Absence, ...] = ()
    there: bool = False
    robot_of: str = ""
    entries: tuple[Entry, ...] = ()
    matters: tuple[Matter, ...] = ()
    decisions: tuple[Decision, ...] = ()
    others: tuple[Ticket, ...] = ()
    merges: tuple[Merge, ...] = ()
    admits: tuple[Guest, ...] = ()
    released: tuple[int, ...] = ()
    dropped: tuple[int, ...] = ()
    redactions: tuple[Redaction, ...] = ()
    bounced: Bounced | None = None
    echo: bool = False
    loops: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()
    secrets: Mapping[int, str] = field(default_factory=dict)
    outcome: Outcome | None = None
    reason: str = ""
    final: bool = False
    why: tuple[str, ...] = ()

    def but(self, why: str = "", **changes: Any) -> Self:
        """The same plan with changes, and with a step added to the trail."""
        if why:
            changes["why"] = (*self.why, why)
        if not changes.keys() <= _FIELDS:
            raise TypeError(f"a plan has no {', '.join(changes.keys() - _FIELDS)}")
        plan = object.__new__(type(self))  # a dozen times for each mail: replace() would set every field anew
        plan.__dict__.update(self.__dict__, **changes)
        return plan

    def ends(self, outcome: Outcome, why: str, **changes: Any) -> Self:
        """The same plan, decided."""
        return self.but(why, outcome=outcome, final=True, **changes)

    def quarantined(self, reason: str) -> Self:
        """Kept whole, without any effect, for a person to look at."""
        return self.ends(Outcome.QUARANTINE, f"quarantine: {reason}", reason=reason)

    def stands(self, ticket: int | None, known: Mapping[int, Ticket]) -> Ticket | None:
        """How a ticket stands after what is decided so far, the mail's own for None; known: as the store has them."""
        here = self.changed
        if ticket is None or (here and here.id == ticket):
            return here
        return next((other for other in self.others if other.id == ticket), known.get(ticket))

    def changing(self, ticket: Ticket, why: str = "") -> Self:
        """The same plan, with a ticket as it shall stand: the mail's own, or another."""
        if self.changed and self.changed.id == ticket.id:
            return self.but(why, changed=ticket)
        return self.but(why, others=(*(other for other in self.others if other.id != ticket.id), ticket))

    @property
    def answers_desk_itself(self) -> bool:
        """Whether it came to the writer's own reply address of no ticket, as answers to the evening's mail do."""
        return self.own_token and self.ticket is None and self.follows is None

    @property
    def wary(self) -> bool:
        """Whether it may be another who wrote, more than where nobody can tell."""
        return self.doubt == "wary"

    @property
    def author(self) -> str | None:
        """Id of the technician or client who wrote, None for nobody that the rules know."""
        return self.person.id if self.person else None

    @property
    def filed_in(self) -> int | None:
        """The ticket in whose conversation the message stands; what was handed back stands in none."""
        return self.ticket.id if self.ticket and self.outcome is not Outcome.REJECT else None

    @property
    def hands_on(self) -> bool:
        """Whether the mail hands on somebody else's: in its text, or attached whole (RFC 2046 section 5.2.1)."""
        forward = self.reading is not None and self.reading.forward
        return forward or any(file.type == "message/rfc822" for file in self.mail.attachments)

    @property
    def waits_whole(self) -> bool:
        """Whether nothing of the mail is done until its writer says so."""
        return self.hold not in ("", "forward")

    @property
    def carries_something(self) -> bool:
        """Whether the mail holds anything for the other side besides commands."""
        return bool(self.text.strip()) or any(not (file.inline and file.content_id) for file in self.mail.attachments)

    def has(self, name: str) -> bool:
        """Whether the technician gave a command of this name."""
        return any(command.name == name for command in self.script.commands)


_FIELDS = frozenset(one.name for one in fields(Plan))
