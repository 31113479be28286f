"""What happens, scene by scene: who writes what, and what must come of it. Pure; `player` plays it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from babel.dates import format_datetime

from mailgate.core.mail import Mail
from mailgate.core.model import Status
from mailgate.demo import letters
from mailgate.demo.cast import Cast
from mailgate.demo.letters import Heading, Letter

Party = Literal["client", "technician"]


@dataclass(frozen=True, slots=True)
class Past:
    """What there is to refer to. run: unique for each performance. mails: that the desk has sent, oldest first."""

    run: str
    now: datetime
    ticket_tag: str = ""
    letters: tuple[Letter, ...] = ()
    mails: tuple[Mail, ...] = ()

    def latest(self, cast: Cast, party: Party) -> Mail:
        """The latest mail that this one can answer to reach the ticket."""
        reader = cast.person if party == "client" else cast.technician
        return next(mail for mail in reversed(self.mails) if mail.reply_to and mail.to[0] == reader.address)


@dataclass(frozen=True, slots=True)
class Then:
    """What must follow. mails: who gets one; status: of the ticket; worked: minutes on it so far.

    file: how the name of a file ends that must come with one of the mails, "" for none.
    """

    status: Status
    worked: int
    mails: tuple[Party, ...] = ()
    file: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """One mail and its consequences. why: what to see in it; {person} and {technician} are first names."""

    title: str
    why: str
    letter: Callable[[Cast, Past], Letter]
    then: Then


def _trouble(cast: Cast, past: Past) -> Letter:
    heading = _heading(cast, past, "client", cast.words.trouble_subject)
    return letters.from_thunderbird(
        heading, _said(cast, cast.words.trouble), {cast.words.picture: letters.screenshot()}
    )


def _same_again(cast: Cast, past: Past) -> Letter:
    return past.letters[-1]


def _solved(cast: Cast, past: Past) -> Letter:
    return _from_phone(cast, past, cast.words.solved, cast.words.old_command)


def _slip(cast: Cast, past: Past) -> Letter:
    return _from_phone(cast, past, cast.words.slip)


def _mended(cast: Cast, past: Past) -> Letter:
    return letters.from_webmail(_reply(cast, past, "technician"), cast.words.mended)


def _absent(cast: Cast, past: Past) -> Letter:
    answer = past.latest(cast, "client")
    subject = cast.words.absent_subject.format(subject=answer.subject)
    return letters.from_exchange(_heading(cast, past, "client", subject, answer), cast.words.absent)


def _balance(cast: Cast, past: Past) -> Letter:
    return letters.from_webmail(_heading(cast, past, "client", cast.words.balance), "")


def _report(cast: Cast, past: Past) -> Letter:
    return letters.from_webmail(_heading(cast, past, "client", cast.words.report), "")


def _stranger(cast: Cast, past: Past) -> Letter:
    subject = cast.words.stranger_subject.format(tag=past.ticket_tag)
    heading = Heading(cast.stranger, cast.desk.address, subject, _message_id(past), past.now)
    return letters.from_webmail(heading, cast.words.stranger)


def _again(cast: Cast, past: Past) -> Letter:
    return letters.from_thunderbird(_reply(cast, past, "client"), _said(cast, cast.words.again), {})


def _internal(cast: Cast, past: Past) -> Letter:
    return letters.from_webmail(_reply(cast, past, "technician"), cast.words.internal)


def _last(cast: Cast, past: Past) -> Letter:
    return _from_phone(cast, past, cast.words.last)


STORY: tuple[Scene, ...] = (
    Scene(
        "A client writes, as to a person",
        "{person} knows one address and needs no account anywhere. A ticket opens: {person} is told so, and"
        " {technician}, who knows this client, gets the message with the screenshot as it is.",
        _trouble,
        Then(Status.NEW, 0, ("client", "technician"), file=".png"),
    ),
    Scene(
        "The same mail comes twice",
        "Mail servers repeat mails, and people have two mailboxes. It is the same, byte for byte, so nothing"
        " happens: no second ticket, no second acknowledgement.",
        _same_again,
        Then(Status.NEW, 0),
    ),
    Scene(
        "The technician answers from a phone",
        "{technician} just replies. Lines that begin with # are for the desk: 12 minutes, waiting for the client."
        " Below, Gmail has quoted what came before, an old #time 45m among it: quoted is past, it does not count.",
        _solved,
        Then(Status.WAITING, 12, ("client",)),
    ),
    Scene(
        "A slip of the pen",
        "#tme is no command and #closed is not quite one. Nothing of the mail is done and {person} gets nothing;"
        " {technician} gets the text back, with what is wrong and what would be right.",
        _slip,
        Then(Status.WAITING, 12, ("technician",)),
    ),
    Scene(
        "One reply mends it",
        "{technician} replies to that with the two lines put right. Now all of it happens, once.",
        _mended,
        Then(Status.CLOSED, 17, ("client",)),
    ),
    Scene(
        "{person} is out of the office",
        "A robot answers the answer. It is kept with the ticket, but robots are never answered, or two of them"
        " would write to each other all night. Nor does it open the ticket again.",
        _absent,
        Then(Status.CLOSED, 17),
    ),
    Scene(
        "One word is a question",
        "A mail with one word as its subject opens no ticket: the desk answers at once.",
        _balance,
        Then(Status.CLOSED, 17, ("client",)),
    ),
    Scene(
        "Every minute can be looked up",
        "The report names each entry: when, who, what for. A table for the spreadsheet is attached.",
        _report,
        Then(Status.CLOSED, 17, ("client",), file=".csv"),
    ),
    Scene(
        "A stranger knows the ticket's number",
        "The tag in a subject is no key. {stranger} gets nothing, not even a refusal that would tell that the"
        " ticket exists; the mail waits with it, and {technician}, who is told, could let them in.",
        _stranger,
        Then(Status.CLOSED, 17, ("technician",)),
    ),
    Scene(
        "{person} comes back to it",
        "A reply to a closed ticket opens it again; the ball is with the desk, and {technician} is told.",
        _again,
        Then(Status.OPEN, 17, ("technician",)),
    ),
    Scene(
        "A note between colleagues",
        "#note keeps the whole mail inside. The ten minutes are yesterday's work and will stand so in the report.",
        _internal,
        Then(Status.OPEN, 27),
    ),
    Scene(
        "The end of it",
        "An answer, its four minutes, and the ticket is closed: three lines written in a mail program.",
        _last,
        Then(Status.CLOSED, 31, ("client",)),
    ),
)


def _from_phone(cast: Cast, past: Past, text: str, older: str = "") -> Letter:
    """The technician's answer to the latest mail that they got; older: stands quoted within the quote."""
    answered = past.latest(cast, "technician")
    quoted = f"> {older}\n\n{answered.text}" if older else answered.text
    told: Any = _Day(past.now.astimezone(cast.zone), cast.words.locale)
    attribution = cast.words.attribution.format(day=told, name=answered.sender_name, address=answered.sender)
    return letters.from_gmail(_reply(cast, past, "technician"), _said(cast, text), attribution, quoted)


def _reply(cast: Cast, past: Past, party: Party) -> Heading:
    """A reply to the latest mail of the ticket that this one got, to the address it asks for."""
    answered = past.latest(cast, party)
    subject = answered.subject if answered.subject.startswith("Re: ") else f"Re: {answered.subject}"
    return _heading(cast, past, party, subject, answered)


def _heading(cast: Cast, past: Past, party: Party, subject: str, answers: Mail | None = None) -> Heading:
    author = cast.person if party == "client" else cast.technician
    to = (answers and answers.reply_to) or cast.desk.address
    return Heading(author, to, subject, _message_id(past), past.now.astimezone(cast.zone), answers)


def _message_id(past: Past) -> str:
    return f"{past.run}.{len(past.letters) + 1}@demo.example"


def _said(cast: Cast, text: str) -> str:
    return text.format(person=cast.person.first_name, technician=cast.technician.first_name)


@dataclass(frozen=True, slots=True)
class _Day:
    """A moment that `str.format` writes in a language: "{day:EEE, d MMM y}"."""

    at: datetime
    locale: str

    def __format__(self, pattern: str) -> str:
        return format_datetime(self.at, pattern, locale=self.locale)
