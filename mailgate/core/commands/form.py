"""Lines of the evening's form: `SOP-12 15m [note]` books, `345 10m [note]` corrects an entry. No `#` before them.

They count in answers to the desk itself alone, where no text is for anybody else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from mailgate.core.commands import duration
from mailgate.core.commands.arguments import READERS
from mailgate.core.commands.reader import Context, noted, wrong
from mailgate.core.commands.vocabulary import plain
from mailgate.core.model import Command, Problem

_CORRECTION = re.compile(r"#?([1-9][0-9]{0,8}) (?=[0-9])(.*)", re.ASCII)
_QUOTED = re.compile(r"[>|\s]+")


def read(command: Command, line: str, context: Context) -> Command | None:
    """A line of the form that was filled in, with its problem if it is wrong; None for any other.

    line: trimmed, as it looks. What the form leaves blank is "__m": "SOP-12 __15m" is filled in, too.
    """
    words = line.split()
    if words and re.fullmatch(rf"\[?{re.escape(context.tag)}-[0-9]+\]?", words[0], re.IGNORECASE):
        spent = " ".join([*(word.replace("_", "") for word in words[1:3]), *words[3:]]).strip()
        booked = replace(command, name="time")
        return READERS["time"](booked, "#time", f"{words[0]} {spent}", context) if spent[:1].isdigit() else None
    found = _CORRECTION.fullmatch(" ".join(words))
    return _correction(replace(command, name="correct", entry=int(found[1])), found[2], context) if found else None


def _correction(command: Command, text: str, context: Context) -> Command:
    """`10m [note]`: the minutes that the entry should have had."""
    length, note = duration.lead(text)
    minutes = duration.parse(length, context.most)
    if isinstance(minutes, Problem) and minutes.code == "duration_zero":
        return wrong(command, "adjust_to_nothing", length, f"#void {command.entry}")
    if isinstance(minutes, Problem):
        return replace(command, problem=minutes)
    return noted(replace(command, minutes=minutes), note)


def is_line(command: Command) -> bool:
    """Whether a command was written as a line of the form."""
    return command.name == "correct" or (command.name == "time" and plain(command.line)[:1] != "#")


def filled_in_quote(text: str, context: Context) -> Sequence[str]:
    """The lines of the form that stand filled in anywhere in a text, marks of quotes left out."""
    lines = [_QUOTED.sub("", plain(line), count=1).strip() for line in text.splitlines()]
    return [line for line in lines if (found := read(Command("", line, 0), line, context)) and not found.problem]
