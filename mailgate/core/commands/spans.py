"""Arguments that are days ahead: of planned work, of an absence."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

from mailgate.core.commands import days
from mailgate.core.commands.reader import Context, noted, wrong
from mailgate.core.commands.vocabulary import folded
from mailgate.core.model import Command

# Farther ahead nobody plans: it is a slip of the fingers in the year.
_FARTHEST = timedelta(days=366)

_LIKE_A_DAY = re.compile(r"@\w|[0-9]+[-/.][0-9]")


def planned(command: Command, name: str, text: str, context: Context) -> Command:
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


_THERE = ("off", "no")
_FILLERS = ("del", "desde", "from", "el", "on", "a", "al", "hasta", "to", "until", "-", "\N{EN DASH}")


def away(command: Command, name: str, text: str, context: Context) -> Command:
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
