"""What stands after the name of a command: the table of its readers.

Each gives the command with what it read, or with the problem that it found.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from mailgate.core.access_data.covering import place
from mailgate.core.commands import duration
from mailgate.core.commands.booking import minutes_on
from mailgate.core.commands.choices import one_of, person
from mailgate.core.commands.reader import TICKET, Context, Reader, for_ticket, in_spanish, noted, ours, wrong
from mailgate.core.commands.spans import away, planned
from mailgate.core.commands.vocabulary import folded
from mailgate.core.model import Command, Problem
from mailgate.core.redaction import SHORTEST, Secret

# 100 hours: more is a project of several tickets, or a slip of the fingers.
LONGEST_ESTIMATE = 6000

_ENTRY = re.compile(r"#?([1-9][0-9]{0,8})(?: (.*))?", re.ASCII)


def _entry(command: Command, name: str, text: str, context: Context) -> Command:
    """`345 [reason]`."""
    entry = _ENTRY.fullmatch(text)
    if entry is None:
        return _unread(command, "entry_unreadable", name, text, "345")
    return noted(replace(command, entry=int(entry[1])), entry[2] or "")


def _quarantined(command: Command, name: str, text: str, context: Context) -> Command:
    """`17`, a number in the quarantine."""
    number = _ENTRY.fullmatch(text)
    if number is None:
        return _unread(command, "quarantine_unreadable", name, text, "17")
    if number[2]:
        return wrong(command, "too_much", number[2], f"{name} {number[1]}")
    return replace(command, quarantined=int(number[1]))


def _adjust(command: Command, name: str, text: str, context: Context) -> Command:
    """`345 10m [reason]`: the minutes that the entry is to stand for from now on."""
    entry = _ENTRY.fullmatch(text)
    if entry is None:
        return _unread(command, "entry_unreadable", name, text, "345 10m")
    left, reason = duration.lead(entry[2] or "")
    minutes = duration.parse(left, context.most)
    if isinstance(minutes, Problem) and minutes.code == "duration_zero":
        void = "#anular" if in_spanish(command, name) else "#void"
        return wrong(command, "adjust_to_nothing", left, f"{void} {entry[1]}")
    if isinstance(minutes, Problem):
        return replace(command, problem=minutes)
    return noted(replace(command, entry=int(entry[1]), minutes=minutes), reason)


def _unread(command: Command, code: str, name: str, text: str, example: str) -> Command:
    """A number that is missing, or is none."""
    return (
        wrong(command, code, text, f"{name} {example}")
        if text
        else wrong(command, "argument_missing", name, f"{name} {example}")
    )


_ASKING = ("ask", "consultar")


def _estimate(command: Command, name: str, text: str, context: Context) -> Command:
    """`90m [ask]`; what is estimated may be more than one command may book."""
    length, more = duration.lead(text)
    minutes = duration.parse(length, LONGEST_ESTIMATE)
    if isinstance(minutes, Problem):
        code = "estimate_too_long" if minutes.code == "duration_too_long" else minutes.code
        return replace(command, problem=replace(minutes, code=code))
    if more and folded(more).rstrip(".,;:!") not in _ASKING:
        ask = _ASKING[in_spanish(command, name)]
        return wrong(command, "too_much", more, f"{name} {length} {ask}")
    return replace(command, minutes=minutes, value="ask" if more else "")


def _reason(command: Command, name: str, text: str, context: Context) -> Command:
    """`[reason]`."""
    return noted(command, text)


def _note(command: Command, name: str, text: str, context: Context) -> Command:
    """The whole mail is the note; what stands on the line of the command is a part of it."""
    return replace(command, note=text)


def _whose(command: Command, name: str, text: str, context: Context) -> Command:
    """`[marta]`: the technician whose answer it is about, the writer's own where none is named."""
    return person(command, name, text, context) if text else command


def _nothing(command: Command, name: str, text: str, context: Context) -> Command:
    return wrong(command, "takes_nothing", text, name) if text else command


def _merge(command: Command, name: str, text: str, context: Context) -> Command:
    """`[SOP-12] SOP-9`: the mail's ticket, or the first, goes on in the last."""
    words = text.split(" ") if text else []
    tickets = [TICKET.fullmatch(word) for word in words[:2]]
    strange = next((found for found in tickets if found and not ours(found, context)), None)
    if strange:
        return wrong(command, "wrong_tag", strange[0], f"{context.tag}-{strange[2]}")
    if words and words[0].lstrip("#").isdecimal():
        return wrong(command, "wrong_tag", words[0], f"{context.tag}-{words[0].lstrip('#')}")
    named = [found for found in tickets if found]
    if not named:
        return wrong(command, "argument_missing", name, f"{name} {context.tag}-9")
    if len(words) > len(named):
        more = " ".join(words[len(named) :])
        return wrong(command, "too_much", more, f"{name} {' '.join(words[: len(named)])}")
    first = int(named[0][2]) if len(named) > 1 else None
    return replace(command, ticket=first, into=int(named[-1][2]))


_NUMBERED = re.compile(r"\[?([a-z][a-z0-9]{0,9})-([1-9][0-9]{0,8})/([1-9][0-9]{0,8})\]?", re.ASCII | re.IGNORECASE)
_QUOTED = re.compile(r"«\s*(.+?)\s*»|“(.+)”|\"(.+)\"")


def _redact(command: Command, name: str, text: str, context: Context) -> Command:
    """The text to take out, without marks of quotation around all of it; or `SOP-12/57`, as `secret show` names it."""
    numbered = _NUMBERED.fullmatch(text)
    if numbered and folded(numbered[1]) == folded(context.tag):
        return replace(command, ticket=int(numbered[2]), note=place(int(numbered[3])))
    quoted = _QUOTED.fullmatch(text)
    secret = next(filter(None, quoted.groups())) if quoted else text
    if not secret:
        return wrong(command, "argument_missing", name, f"{name} …")
    if Secret(secret).too_short:
        return wrong(command, "secret_too_short", secret, str(SHORTEST))
    return noted(command, secret)


READERS: Mapping[str, Reader] = {
    "time": minutes_on,
    "call": minutes_on,
    "free": minutes_on,
    "note": _note,
    "status": for_ticket(one_of),
    "close": for_ticket(_nothing),
    "priority": for_ticket(one_of),
    "assign": for_ticket(person),
    "category": for_ticket(one_of),
    "void": _entry,
    "send": for_ticket(_whose),
    "yes": _nothing,
    "test": _nothing,
    "merge": _merge,
    "allow": _quarantined,
    "redact": for_ticket(_redact),
    "estimate": for_ticket(_estimate),
    "plan": for_ticket(planned),
    "postpone": for_ticket(planned),
    "away": away,
    "uphold": _entry,
    "adjust": _adjust,
    "accept": for_ticket(_reason),
    "decline": for_ticket(_reason),
    "cancel": for_ticket(_reason),
    "release": _quarantined,
    "drop": _quarantined,
}
