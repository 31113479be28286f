"""A mail as a value: as it came in, as it is meant to go out, as it went.

All frozen. Message-IDs are kept without their angle brackets, addresses in canonical form (see `address`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from mailgate.core.proof import UNCHECKED, Verdicts

Source = Literal["smtp", "lmtp", "imap", "inject", "web"]


@dataclass(frozen=True, slots=True)
class Envelope:
    """How a message came to us (RFC 5321 section 2.3.1).

    sender: MAIL FROM, "" for the null path, None where the road has no envelope (IMAP).
    recipients: as given by the peer, not yet canonical; empty where the road has none.
    peer: for the log, e.g. "192.0.2.7" or "imap.example.es/INBOX". helo: what an SMTP client calls itself.
    user: id of the technician who signed in (RFC 4954), "" where nobody did.
    """

    source: Source
    sender: str | None = None
    recipients: tuple[str, ...] = ()
    peer: str = ""
    helo: str = ""
    user: str = ""

    @property
    def vouched(self) -> bool:
        """Whether the road itself proves who writes: this machine's own user, or a session of the client area."""
        return self.source in ("inject", "web")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part of a message that is not its text.

    part: position in a depth-first walk of the message's parts, from 0. size: bytes, decoded.
    name: cleaned for display, never a path. content_id: without angle brackets, or None.
    inline: shown inside the text (RFC 2183), as a picture that the HTML part refers to.
    content: the decoded bytes, None where the message was not read just now, as is charset, "": what the message says
    that a text is written in. kept: False once retention removed it. guarded: access data were found in it, so it is
    for who may see them.
    """

    part: int
    name: str
    type: str
    size: int
    content_id: str | None = None
    inline: bool = False
    content: bytes | None = field(default=None, repr=False, compare=False)
    charset: str = field(default="", compare=False)
    kept: bool = True
    guarded: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Mail:
    """A message as far as it can be understood; a defect is part of the value, never an exception.

    message_id: made from `digest` where the message has none. digest: hex SHA-256 of its content,
    blind to headers that are added on the way (see `mime.digest`). sender: the one mailbox of
    From (RFC 5322 section 3.6.2), None unless there is exactly one, plain and ASCII.
    recipients: whom it was for: the envelope's, else Delivered-To, X-Original-To, To and Cc.
    text, html: the decoded text/plain and text/html bodies, "" where there is none.
    headers: lower-case name to its values, unfolded and decoded, in the order of the message.
    date: what the Date header claims, or None; for display only.
    unreadable: "" or the bound that the message breaks, so that it was not read whole.
    doubt: "" or why its header cannot be read in one way only.
    verdicts: what was found out about who sent it, where something depends on that.
    ahead: what was made of the text before the message's turn, None where nothing was.
    """

    message_id: str
    digest: str
    sender: str | None
    sender_name: str = ""
    reply_to: str | None = None
    recipients: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    subject: str = ""
    date: datetime | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    text: str = ""
    html: str = ""
    attachments: tuple[Attachment, ...] = ()
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    envelope: Envelope = Envelope("inject")
    defects: tuple[str, ...] = ()
    unreadable: str = ""
    doubt: str = ""
    verdicts: Verdicts = UNCHECKED
    ahead: Ahead | None = field(default=None, repr=False, compare=False)

    def header(self, name: str) -> str:
        """The first value of a header, "" where there is none."""
        values = self.headers.get(name.lower(), ())
        return values[0] if values else ""


@dataclass(frozen=True, slots=True)
class Reading:
    """The text of a message, with what was written now apart from what is quoted.

    fresh: surely written now: no quoted history, nothing after a signature mark. May be "".
    shown: what a reader of the ticket needs so that nothing is lost: `fresh`, or the whole text.
    whole: the whole text, history and all; the plain part, else the HTML part as text.
    doubt: "" or the reason why fresh and quoted text cannot be told apart for sure; a code of
    `_problems.txt` in the templates.
    forward: whether the message hands on somebody else's.
    why: where the cut was made and on what evidence, for `explain`.
    """

    fresh: str
    shown: str
    whole: str
    doubt: str = ""
    forward: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Ahead:
    """What takes nothing but the message to find out, and so can be done before its turn.

    reading: as of a message that opens a ticket. access_data: where they stand in the text that is read, each from
    its first character to behind its last.
    """

    reading: Reading
    access_data: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """A mail that the desk means to send, before it is written.

    template: name of the template, e.g. "ack". to: canonical address. ticket: gives the mail its
    reply address; `address.DESK_ITSELF` for one that belongs to no ticket and may be answered, None for one
    that may not. values: what the template may use, plain
    values only. subject: the subject line, "" where the template has its own. author: display
    name of the sender, "" for the desk's. automatic: the value of Auto-Submitted (RFC 3834
    section 5), "" for what a person wrote. in_reply_to, references: Message-IDs to thread to.
    carry: hand the attachments of the message being processed on, byte for byte; carry_from: those
    of an earlier message, by its number. opens: names of the values in which access data of that message are
    written out, for somebody who may see them; elsewhere they stay covered.
    """

    template: str
    to: str
    language: str
    ticket: int | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    subject: str = ""
    author: str = ""
    automatic: str = "auto-replied"
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    carry: bool = False
    carry_from: int | None = None
    opens: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A file that goes out with a mail, byte for byte. content_id: without angle brackets. charset: of text, "" where
    nobody said it.
    """

    name: str
    type: str
    content: bytes
    content_id: str | None = None
    inline: bool = False
    charset: str = ""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail that is written and ready to send. raw: CRLF line ends. text: its plain text."""

    notice: Notice
    message_id: str
    subject: str
    sender: str
    raw: bytes
    text: str


def file_name(created_at: datetime, number: int) -> str:
    """The file of a mail in the outbox folder: when it was queued, in UTC, and its number there."""
    return f"{created_at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{number:08d}.eml"


# Templates of the mails that tell the admin of the machinery; they say nothing of whether the road out is good.
ALARMS = ("trouble", "all_clear", "books_halted", "rules_refused")


@dataclass(frozen=True, slots=True)
class Due:
    """A mail of the outbox that is to be sent now. sender: envelope sender. tries: so far.

    fault: why its bytes cannot be read, so that there is nothing to send; "" where they can.
    """

    id: int
    created_at: datetime
    sender: str
    to: str
    raw: bytes
    tries: int
    message_id: str = ""
    template: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """The next hop took the mail."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The mail was not taken. permanent: trying again will not help (RFC 5321 section 4.2.1, 5yz).

    hop: the next hop could not be reached; that says nothing of the mail.
    """

    error: str
    permanent: bool = False
    hop: bool = False


Delivery = Sent | Failed
