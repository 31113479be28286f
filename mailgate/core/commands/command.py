"""The commands in what a technician wrote, and the text that is left for the client.

A command stands on a line of its own, anywhere before the signature, never in code. Nothing is
carried out here: whoever applies a `Script` applies all of it, or nothing if it has problems. So a
line that may or may not be meant as a command becomes a problem: asking costs a mail, guessing
costs the client minutes or shows them what was not for them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mailgate.core.commands import form, vocabulary
from mailgate.core.commands.arguments import READERS
from mailgate.core.commands.reader import Context, wrong
from mailgate.core.commands.standing import Lines
from mailgate.core.commands.vocabulary import Verb, folded
from mailgate.core.model import Command, Role

__all__ = ["Context", "Script", "parse"]


@dataclass(frozen=True, slots=True)
class Script:
    """What a technician's mail says to the desk (commands) and to the client (body)."""

    commands: tuple[Command, ...]
    body: str

    @property
    def problems(self) -> tuple[Command, ...]:
        """The commands that are wrong; if there is one, none of them may be carried out."""
        return tuple(command for command in self.commands if command.problem)


def parse(fresh: str, context: Context) -> Script:
    """Read the fresh text of somebody of the staff. Never raises."""
    lines = Lines.of(fresh)
    found: list[Command] = []
    for number, line in lines.standing():
        written = Command("", lines.written[number].strip(), number)
        command = _read(written, line, context) or (form.read(written, line, context) if context.form else None)
        if command and number > lines.open_from:
            command = wrong(command, "fence_open", command.line, "```")
        if command:
            found.append(command)
    # Around the lines of the form no text is for anybody: greetings, names, what is left of the form.
    body = "" if context.form and any(map(form.is_line, found)) else _body(lines, found)
    return Script(tuple(_telling_apart(found)), body)


_BOOKINGS = ("time", "call", "free")


def _telling_apart(found: Sequence[Command]) -> Iterator[Command]:
    """Two bookings that agree in everything may be one, pasted twice: the later ones are asked about."""
    times: Counter[tuple[object, ...]] = Counter()
    for command in found:
        booking = (command.name, command.ticket, command.minutes, command.day, folded(command.note))
        books = command.name in _BOOKINGS and not command.problem
        times[booking] += books
        if books and times[booking] > 1:
            yield wrong(command, "twice", command.line, f"{command.line} ({times[booking]})")
        else:
            yield command


def _body(lines: Lines, found: Sequence[Command]) -> str:
    """The text without its command lines, runs of blank lines made one (not in code).

    What follows `#note` on its line is part of the text.
    """
    instead = {command.number: command.note if command.name == "note" else None for command in found}
    kept: list[str] = []
    for number, line in enumerate(lines.written):
        text = instead.get(number, line)
        if text is not None and (text.strip() or number in lines.fenced or (kept and kept[-1].strip())):
            kept.append(text)
    return "\n".join(kept).rstrip()


# ---- which command it is -------------------------------------------------------------------------

_SHAPE = re.compile(r"(?P<mark>#{1,6} ?|@)(?P<word>[^\W\d_]+)(?P<rest>.*)", re.DOTALL)
_STOP = re.compile(r"[:=.,;!?](?=\s|$)")
_BRACE = re.compile(r"[{}]")
_LISTED = re.compile(r"(?:[-–—•·▪◦*+]|[0-9]{1,2}[.)]) *(?P<bare>#.+)", re.ASCII)
_WRAPPED = re.compile(r"(?:\*{1,2}|_{1,2}|[«“\"'‘(]) *(?P<bare>#.+?) *(?:\*{1,2}|_{1,2}|[»”\"'’)])[.,;]?")
_WORDY = ("note", "accept", "decline", "cancel")


def _read(command: Command, line: str, context: Context) -> Command | None:
    """The command on a line, with its problem if it is wrong; None for a line of text."""
    shape = _SHAPE.fullmatch(line)
    if shape is None:
        return _dressed(command, line, context)
    verb = vocabulary.verb(shape["word"])
    if verb and verb.director_only and context.role is not Role.DIRECTOR:
        return None
    if verb and shape["mark"] == "#" and _set_off(shape["rest"]):
        return _carried(replace(command, name=verb.name), verb, shape, context)
    return _near(command, verb, shape, context)


def _set_off(rest: str) -> bool:
    """Whether the word before is over: the line ends, or a blank of any kind follows."""
    return not rest[:1].strip()


def _carried(command: Command, verb: Verb, shape: re.Match[str], context: Context) -> Command:
    """A line with the name of a command: its arguments, or what is wrong with them.

    A brace in what is no right command, or after one that takes any words, smells of CSS.
    """
    name, text = f"#{shape['word']}", " ".join(shape["rest"].split())
    command = READERS[verb.name](command, name, text, context)
    if (command.problem or verb.name in _WORDY) and _BRACE.search(text):
        return wrong(command, "looks_like_code", command.line, "```")
    return command


def _near(command: Command, verb: Verb | None, shape: re.Match[str], context: Context) -> Command | None:
    """A line that was probably meant as a command: "#closed", "#time: 12m", "#time12m", "@close".

    Where a mark or a missing space leaves it open ("## Time", "#status-bar"), only what would be
    right as a command is taken for one.
    """
    mark, word, rest = shape.groups()
    name = word if verb else vocabulary.nearest(word, director=context.role is Role.DIRECTOR)
    if name is None or _BRACE.search(rest) or (mark != "#" and not verb):
        return None
    line = f"#{name} {rest.lstrip(':=.,;!?- ')}".strip()
    meant = _read(replace(command, name=""), line, context)
    sure = mark == "#" and (_set_off(rest) or _STOP.match(rest))
    if meant is None or not (sure or _plausible(meant, mark, line)):
        return None
    unread = Command(word, command.line, command.number)
    return wrong(unread, "unknown_near", f"{mark}{word}", f"#{name}" if meant.problem else line)


def _dressed(command: Command, line: str, context: Context) -> Command | None:
    """What would be right as a command, were it not an item of a list, or quoted: "- #time 12m", "«#close»".

    Mails of the desk show commands in quotation marks, and people copy them so.
    """
    shape = _WRAPPED.fullmatch(line) or _LISTED.fullmatch(line)
    meant = _read(command, shape["bare"], context) if shape else None
    if shape is None or meant is None or meant.problem:
        return None
    return wrong(Command(meant.name, command.line, command.number), "dressed", line, shape["bare"])


def _plausible(meant: Command, mark: str, line: str) -> bool:
    """Whether a line with the wrong mark is a command after all.

    "# note: mind the cache" is a comment; "# nota" alone more likely a mail not meant for the client.
    """
    if meant.problem:
        return False
    return mark in ("#", "@") or meant.minutes is not None or " " not in line
