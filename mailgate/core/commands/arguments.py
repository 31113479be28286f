"""What stands after the name of a command: minutes, days, tickets, people, words.

Each reader gives the command with what it read, or with the problem that it found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from mailgate.core.commands import days, duration, vocabulary
from mailgate.core.commands.vocabulary import SETTABLE, Word, folded
from mailgate.core.model import Command, Problem, Role

LONGEST_NOTE = 500
# 100 hours: more is a project of several tickets, or a slip of the fingers.
LONGEST_ESTIMATE = 6000
# Farther ahead nobody plans: it is a slip of the fingers in the year.
_FARTHEST = timedelta(days=366)


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


def wrong(command: Command, code: str, got: str, right: str) -> Command:
    """The command with a problem."""
    return replace(command, problem=Problem(code, got, right))


# Each reader takes the command, its name as written ("#tiempo"), the rest of the line, one space
# between words, and the context; it gives the command with what it read, or with a problem. Where a ticket
# is named, the name has it behind: "#tiempo SOP-12".
Reader = Callable[[Command, str, str, Context], Command]

_TICKET = re.compile(r"\[?([a-z][a-z0-9]{0,9})-([1-9][0-9]{0,8})\]?(?= |$)", re.ASCII | re.IGNORECASE)
_ENTRY = re.compile(r"#?([1-9][0-9]{0,8})(?: (.*))?", re.ASCII)


def _minutes(command: Command, name: str, text: str, context: Context) -> Command:
    """`[SOP-12] 12m [@day] [note]`."""
    ticket = _TICKET.match(text)
    if ticket and not _ours(ticket, context):
        return wrong(command, "wrong_tag", ticket[0], f"{context.tag}-{ticket[2]}")
    spent, rest = duration.lead(text[ticket.end() :] if ticket else text)
    minutes = duration.parse(spent, context.most)
    if isinstance(minutes, Problem):
        return replace(command, problem=minutes)
    at, _, note = rest.partition(" ") if rest.startswith("@") else ("", "", rest)
    day = days.parse(at, context.today)
    if isinstance(day, Problem):
        return replace(command, problem=day)
    given = _Booking(ticket[0] if ticket else "", spent, at, note)
    if (meant := given.in_order(context)) != given:
        return wrong(command, "order", command.line, f"{name} {meant}")
    number = int(ticket[2]) if ticket else None
    return noted(replace(command, minutes=minutes, day=day, ticket=number), note)


def _for_ticket(reader: Reader) -> Reader:
    """`[SOP-12]`, then what the reader reads. What is proposed names the ticket, too."""

    def read(command: Command, name: str, text: str, context: Context) -> Command:
        named = _TICKET.match(text)
        if named and _ours(named, context):
            command = replace(command, ticket=int(named[2]))
            return reader(command, f"{name} {named[0]}", text[named.end() :].lstrip(), context)
        found = reader(command, name, text, context)
        if named and found.problem:  # without one it is no ticket: a technician may be called "web-2"
            return wrong(command, "wrong_tag", named[0], f"{context.tag}-{named[2]}")
        rest, _, last = text.rpartition(" ")
        stray = _TICKET.fullmatch(last)
        if found.problem and stray and _ours(stray, context) and not reader(command, name, rest, context).problem:
            return wrong(command, "order", command.line, f"{name} {stray[0]} {rest}")
        return found

    return read


def _ours(ticket: re.Match[str], context: Context) -> bool:
    return folded(ticket[1]) == folded(context.tag)


@dataclass(frozen=True, slots=True)
class _Booking:
    """The arguments of `#time`, as written."""

    ticket: str
    spent: str
    day: str
    note: str

    def __str__(self) -> str:
        return " ".join(filter(None, (self.ticket, self.spent, self.day, self.note)))

    def in_order(self, context: Context) -> _Booking:
        """With the ticket and day that strayed into the note put into place.

        "12m SOP-9" would be booked on the wrong ticket, "12m llamada @ayer" on the wrong day.
        """
        words, ticket, day = self.note.split(), self.ticket, self.day
        if not ticket and words and (stray := _TICKET.fullmatch(words[0])) and _ours(stray, context):
            ticket = words.pop(0)
        dates = [] if day else [word for word in words if word[0] == "@" and days.named(word, context.today)]
        note = " ".join(word for word in words if word not in dates[:1])
        return _Booking(ticket, self.spent, day or "".join(dates[:1]), note)


def noted(command: Command, note: str) -> Command:
    """With the note; one that is too long is refused, never cut: the report shows it as it stands."""
    if len(note) > LONGEST_NOTE:
        return wrong(command, "note_too_long", str(len(note)), str(LONGEST_NOTE))
    return replace(command, note=note)


def _entry(command: Command, name: str, text: str, context: Context) -> Command:
    """`345 [reason]`."""
    entry = _ENTRY.fullmatch(text)
    if entry is None:
        return wrong(command, "entry_unreadable", text, f"{name} 345")
    return noted(replace(command, entry=int(entry[1])), entry[2] or "")


def _quarantined(command: Command, name: str, text: str, context: Context) -> Command:
    """`17`, a number in the quarantine."""
    number = _ENTRY.fullmatch(text)
    if number is None:
        return wrong(command, "quarantine_unreadable", text, f"{name} 17")
    if number[2]:
        return wrong(command, "too_much", number[2], f"{name} {number[1]}")
    return replace(command, quarantined=int(number[1]))


def _adjust(command: Command, name: str, text: str, context: Context) -> Command:
    """`345 10m [reason]`: the minutes that the entry is to stand for from now on."""
    entry = _ENTRY.fullmatch(text)
    if entry is None:
        return wrong(command, "entry_unreadable", text, f"{name} 345 10m")
    left, reason = duration.lead(entry[2] or "")
    minutes = duration.parse(left, context.most)
    if isinstance(minutes, Problem) and minutes.code == "duration_zero":
        void = "#anular" if _in_spanish(command, name) else "#void"
        return wrong(command, "adjust_to_nothing", left, f"{void} {entry[1]}")
    if isinstance(minutes, Problem):
        return replace(command, problem=minutes)
    return noted(replace(command, entry=int(entry[1]), minutes=minutes), reason)


_ASKING = ("ask", "consultar")


def _estimate(command: Command, name: str, text: str, context: Context) -> Command:
    """`90m [ask]`; what is estimated may be more than one command may book."""
    length, more = duration.lead(text)
    minutes = duration.parse(length, LONGEST_ESTIMATE)
    if isinstance(minutes, Problem):
        code = "estimate_too_long" if minutes.code == "duration_too_long" else minutes.code
        return replace(command, problem=replace(minutes, code=code))
    if more and folded(more).rstrip(".,;:!") not in _ASKING:
        ask = _ASKING[_in_spanish(command, name)]
        return wrong(command, "too_much", more, f"{name} {length} {ask}")
    return replace(command, minutes=minutes, value="ask" if more else "")


_LIKE_A_DAY = re.compile(r"@\w|[0-9]+[-/.][0-9]")


def _planned(command: Command, name: str, text: str, context: Context) -> Command:
    """`2026-12-01 [2026-12-03] [reason]`: start, delivery, and of `#postpone` the reason."""
    first, _, rest = text.partition(" ")
    example = f"{name} {context.today + timedelta(days=1)} {context.today + timedelta(days=3)}"
    start = days.coming(first, context.today)
    if not text:
        return wrong(command, "argument_missing", name, example)
    if start is None:
        return wrong(command, "plan_unreadable", first, example)
    second, _, reason = rest.partition(" ")
    until = days.delivery(second, start, context.today) if second else None
    if until is None and _LIKE_A_DAY.match(second):
        return wrong(command, "plan_unreadable", second, example)
    if (last := max(start, until or start)) > context.today + _FARTHEST:
        return wrong(command, "plan_too_far", str(last), str(context.today + _FARTHEST))
    reason = reason if until else rest
    if reason and command.name == "plan":
        return wrong(command, "too_much", reason, " ".join(filter(None, (name, first, second if until else ""))))
    return noted(replace(command, day=start, until=until), reason)


def _reason(command: Command, name: str, text: str, context: Context) -> Command:
    """`[reason]`."""
    return noted(command, text)


def _note(command: Command, name: str, text: str, context: Context) -> Command:
    """The whole mail is the note; what stands on the line of the command is a part of it."""
    return replace(command, note=text)


def _nothing(command: Command, name: str, text: str, context: Context) -> Command:
    return wrong(command, "takes_nothing", text, name) if text else command


_VALUES: Mapping[str, tuple[Word, ...]] = {
    "status": vocabulary.STATUSES,
    "priority": vocabulary.PRIORITIES,
    "category": vocabulary.CATEGORIES,
}


def _in_spanish(command: Command, name: str) -> bool:
    """Whether the Spanish name was written."""
    return folded(name).partition(" ")[0] != f"#{command.name}"


def _value(command: Command, name: str, text: str, context: Context) -> Command:
    """One of a few words; what is proposed is in the language in which the command was written."""
    words, status = _VALUES[command.name], command.name == "status"
    spanish = _in_spanish(command, name)
    choice = [word.shown(spanish=spanish) for word in words if not status or word.value in SETTABLE]
    if not text:
        return wrong(command, "argument_missing", name, f"{name} {choice[0]}")
    said, more = _said(text, lambda start: vocabulary.meaning(words, start))
    value = vocabulary.meaning(words, said)
    if value is None:
        return wrong(command, f"{command.name}_unknown", text, ", ".join(choice))
    if status and value not in SETTABLE:
        return wrong(command, "status_not_settable", said, ", ".join(choice))
    if more:
        return wrong(command, "too_much", more, f"{name} {said}")
    return replace(command, value=str(value))


def _merge(command: Command, name: str, text: str, context: Context) -> Command:
    """`[SOP-12] SOP-9`: the mail's ticket, or the first, goes on in the last."""
    words = text.split(" ") if text else []
    tickets = [_TICKET.fullmatch(word) for word in words[:2]]
    strange = next((found for found in tickets if found and not _ours(found, context)), None)
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


def _assign(command: Command, name: str, text: str, context: Context) -> Command:
    """A technician, by id or name or by the beginning of either, if nobody else's begins so."""
    if not text:
        return wrong(command, "argument_missing", name, f"{name} {next(iter(context.technicians), '')}")
    said, more = _said(text, lambda start: _called(start, context.technicians))
    people = _called(said, context.technicians)
    if not people:
        return wrong(command, "technician_unknown", text, ", ".join(context.technicians))
    if len(people) > 1:
        return wrong(command, "technician_ambiguous", said, ", ".join(people))
    if more:
        return wrong(command, "too_much", more, f"{name} {said}")
    return replace(command, value=people[0])


def _said(text: str, known: Callable[[str], object]) -> tuple[str, str]:
    """The longest beginning, of at most four words, that is known, and the rest; all if none is."""
    words = text.split(" ")
    for count in range(min(len(words), 4), 0, -1):
        start = " ".join(words[:count]).rstrip(".,;:!")
        if start and known(start):
            return start, " ".join(words[count:])
    return text, ""


def _called(text: str, technicians: Mapping[str, str]) -> list[str]:
    """Ids of those who may be meant, by the surest of: id, name, first name, beginning of id or name."""
    sought = folded(text).removeprefix("@")
    people = [(key, folded(key), folded(name)) for key, name in technicians.items()]
    tiers = (
        [key for key, short, _ in people if short == sought],
        [key for key, _, name in people if name == sought],
        [key for key, _, name in people if name.partition(" ")[0] == sought],
        [key for key, short, name in people if short.startswith(sought) or name.startswith(sought)],
    )
    return next(filter(None, tiers), []) if sought else []


_THERE = ("off", "no")
_FILLERS = ("del", "desde", "from", "el", "on", "a", "al", "hasta", "to", "until", "-", "\N{EN DASH}")


def _away(command: Command, name: str, text: str, context: Context) -> Command:
    """`2026-12-21 [2026-12-24]`: the first and the last day; or `off`, where one is there after all."""
    example = f"{name} {context.today} {context.today + timedelta(days=1)}"
    if not text:
        return wrong(command, "argument_missing", name, example)
    if folded(text).rstrip(".!") in _THERE:
        return replace(command, value="off")
    words = [word for word in text.split(" ") if folded(word) not in _FILLERS]
    since = days.coming(words[0], context.today) if words else None
    # The second day is meant as seen from the first: "lunes viernes".
    until = days.coming(words[1], since) if since and len(words) > 1 else since
    if since is None or until is None:
        unread = words[1] if since else (words or [text])[0]
        return wrong(command, "away_unreadable", unread, example)
    if len(words) > 2:
        return wrong(command, "too_much", " ".join(words[2:]), f"{name} {' '.join(words[:2])}")
    return _span_of_days(command, name, since, until, context)


def _span_of_days(command: Command, name: str, since: date, until: date, context: Context) -> Command:
    if until < since:
        return wrong(command, "away_backwards", f"{since} {until}", f"{name} {until} {since}")
    if until < context.today:
        return wrong(command, "away_over", str(until), str(context.today))
    if until > context.today + _FARTHEST:
        return wrong(command, "away_too_far", str(until), str(context.today + _FARTHEST))
    return replace(command, day=since, until=until)


READERS: Mapping[str, Reader] = {
    "time": _minutes,
    "call": _minutes,
    "free": _minutes,
    "note": _note,
    "status": _for_ticket(_value),
    "close": _for_ticket(_nothing),
    "priority": _for_ticket(_value),
    "assign": _for_ticket(_assign),
    "category": _for_ticket(_value),
    "void": _entry,
    "send": _nothing,
    "yes": _nothing,
    "test": _nothing,
    "merge": _merge,
    "allow": _quarantined,
    "estimate": _for_ticket(_estimate),
    "plan": _for_ticket(_planned),
    "postpone": _for_ticket(_planned),
    "away": _away,
    "uphold": _entry,
    "adjust": _adjust,
    "accept": _for_ticket(_reason),
    "decline": _for_ticket(_reason),
    "cancel": _for_ticket(_reason),
    "release": _quarantined,
    "drop": _quarantined,
}
