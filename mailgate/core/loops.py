"""Whether mails go round between programs of which none says that it is one (RFC 3834 section 2 asks them to).

Headers alone stop no loop. What is counted is not how much somebody writes but what only programs do: answer our
automatic mails with their own words again, and take turns in a ticket faster than people can.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from mailgate.core.mail import Mail
from mailgate.core.message import subject
from mailgate.core.settings.units import Cap

# Of a subject that grows with each answer; what is longer is cut where it is told.
_TAIL = 200

LONGEST = timedelta(days=1)
"""How far back anything is counted."""


@dataclass(frozen=True, slots=True)
class Before:
    """A message of the same writer, not long ago."""

    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the store knows of a mail's writer and ticket.

    before: their newest messages of the last hour. answered: whether the last automatic mail to them has left.
    echoes: when mails of theirs were answers to automatic mails. turns: by ticket, its messages of people, each
    whether staff wrote it and when, oldest first. told: addresses and numbers of tickets of which the director was
    told today.
    """

    before: tuple[Before, ...] = ()
    answered: bool = False
    echoes: tuple[datetime, ...] = ()
    turns: Mapping[int, Sequence[tuple[bool, datetime]]] = field(default_factory=dict)
    told: frozenset[str] = frozenset()


def is_echo(mail: Mail, text: str, exchange: Exchange) -> bool:
    """Whether a mail looks like a program's answer to an automatic mail, which bore the subject of one before.

    It comes after that, and has the same subject with something before it, or the same and the same words.
    """
    if not exchange.answered:
        return False
    return any(_echoes(mail.subject, text, one) for one in exchange.before)


def _echoes(now: str, text: str, before: Before) -> bool:
    if subject.bare(now) == subject.bare(before.subject):
        return now != subject.bare(now) or text.split() == before.text.split()
    then = subject.bare(before.subject[-_TAIL:])
    return bool(then) and now.endswith(then)


def turns(messages: Iterable[tuple[bool, datetime]]) -> tuple[datetime, ...]:
    """When the word went from the desk to the other side, or back."""
    return tuple(at for (before, _), (after, at) in pairwise(messages) if before != after)


def over(caps: Iterable[Cap], happened: Sequence[datetime], now: datetime) -> Cap | None:
    """The first cap that is passed by one more at this time; None where there is room in each window."""
    for cap in caps:
        since = now - timedelta(seconds=cap.seconds)
        if sum(at > since for at in happened) >= cap.count:
            return cap
    return None
