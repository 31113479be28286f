"""What all readers of arguments share: what they know of the desk, and how a command names its ticket."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from mailgate.core.commands.vocabulary import folded
from mailgate.core.model import Command, Problem, Role

LONGEST_NOTE = 500


@dataclass(frozen=True, slots=True)
class Context:
    """What the reader of commands has to know.

    tag: of the desk, "SOP". today: in the desk's time zone. most: minutes that one command may
    book. technicians: id to name. form: whether lines of the evening's form count.
    """

    role: Role
    tag: str
    today: date
    most: int
    technicians: Mapping[str, str]
    form: bool = False


# Each reader takes the command, its name as written ("#tiempo"), the rest of the line, one space
# between words, and the context; it gives the command with what it read, or with a problem. Where a ticket
# is named, the name has it behind: "#tiempo SOP-12".
Reader = Callable[[Command, str, str, Context], Command]

TICKET = re.compile(r"\[?([a-z][a-z0-9]{0,9})-([1-9][0-9]{0,8})\]?(?= |$)", re.ASCII | re.IGNORECASE)


def wrong(command: Command, code: str, got: str, right: str) -> Command:
    """The command with a problem."""
    return replace(command, problem=Problem(code, got, right))


def noted(command: Command, note: str) -> Command:
    """With the note; one that is too long is refused, never cut: the report shows it as it stands."""
    if len(note) > LONGEST_NOTE:
        return wrong(command, "note_too_long", str(len(note)), str(LONGEST_NOTE))
    return replace(command, note=note)


def ours(ticket: re.Match[str], context: Context) -> bool:
    """Whether what looks like a ticket bears the desk's own tag."""
    return folded(ticket[1]) == folded(context.tag)


def in_spanish(command: Command, name: str) -> bool:
    """Whether the Spanish name was written."""
    return folded(name).partition(" ")[0] != f"#{command.name}"


def for_ticket(reader: Reader) -> Reader:
    """`[SOP-12]`, then what the reader reads. What is proposed names the ticket, too."""

    def read(command: Command, name: str, text: str, context: Context) -> Command:
        named = TICKET.match(text)
        if named and ours(named, context):
            command = replace(command, ticket=int(named[2]))
            return reader(command, f"{name} {named[0]}", text[named.end() :].lstrip(), context)
        found = reader(command, name, text, context)
        if named and found.problem:  # without one it is no ticket: a technician may be called "web-2"
            return wrong(command, "wrong_tag", named[0], f"{context.tag}-{named[2]}")
        rest, _, last = text.rpartition(" ")
        stray = TICKET.fullmatch(last)
        if found.problem and stray and ours(stray, context) and not reader(command, name, rest, context).problem:
            return wrong(command, "order", command.line, f"{name} {stray[0]} {rest}")
        return found

    return read
