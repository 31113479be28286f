"""A ticket on a terminal: how it stands, what was said oldest first, what was booked."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from functools import partial

import click

from mailgate.cli.common import table, tag_of
from mailgate.cli.terminal import cells, coloured, cut, harmless, harmless_line, prose_width
from mailgate.core.mail import Attachment
from mailgate.core.model import Entry, Kind, Role, Ticket
from mailgate.core.settings.rules import Rules
from mailgate.store.messages import Message

_dim = partial(click.style, dim=True)
_bold = partial(click.style, bold=True)
_INKS = {Role.CLIENT: "cyan", Role.TECHNICIAN: "green", Role.DIRECTOR: "green"}
_HELD = {"balance": "until time is bought", "rule": "by a rule", "away": "its technician is away"}
_LABEL = 12
# What the lines after the first of a paragraph are set under: blanks, and the mark of a list.
_HANGING = re.compile(r"\s*(?:[-*•–]\s+)?")


def conversation(ticket: Ticket, said: Sequence[Message], booked: Sequence[Entry], rules: Rules) -> None:
    """Print a ticket; colour only where it is wanted, foreign text made harmless."""
    colour, width = coloured(), prose_width()
    for line in (*_head(ticket, rules, width), *_said(said, rules, width), "", *_booked(booked, ticket)):
        click.echo(line, color=colour)


def _head(ticket: Ticket, rules: Rules, width: int) -> Iterator[str]:
    title = f"{tag_of(rules, ticket.id)}  {harmless_line(ticket.subject) or '(no subject)'}"
    yield from (_bold(line) for line in textwrap.wrap(title, width))
    for label, text in _standing(ticket, rules):
        first, *more = textwrap.wrap(harmless_line(text), width - _LABEL) or [""]
        yield _dim(f"{label:<{_LABEL}}") + first
        yield from (" " * _LABEL + line for line in more)


def _standing(ticket: Ticket, rules: Rules) -> Iterator[tuple[str, str]]:
    """How it stands: a label and what it says, of what there is."""
    client, technician = rules.client(ticket.client), rules.technician(ticket.technician or "")
    yield "client", f"{client.name} ({ticket.client})" if client else ticket.client or "no client yet"
    yield "asked by", ticket.requester
    yield "status", ticket.status.value + (f": {_HELD[ticket.held_for]}" if ticket.held_for else "")
    yield "priority", ticket.priority.value + (f", {ticket.category}" if ticket.category else "")
    yield "technician", technician.name if technician else ticket.technician or "nobody"
    yield from _times(ticket, rules)
    yield from _money(ticket)
    for label, other in (("follows", ticket.follows), ("merged into", ticket.merged_into)):
        if other:
            yield label, str(tag_of(rules, other))


def _times(ticket: Ticket, rules: Rules) -> Iterator[tuple[str, str]]:
    instants = (
        ("opened", ticket.opened_at),
        ("answered", ticket.first_answer_at),
        ("answer due", ticket.answer_due_at),
        ("quick due", ticket.quick_due_at),
        ("closed", ticket.closed_at),
    )
    yield from ((label, _when(at, rules)) for label, at in instants if at)
    days = (("planned", ticket.planned_start), ("delivery", ticket.planned_delivery))
    yield from ((label, _day(day)) for label, day in days if day)


def _money(ticket: Ticket) -> Iterator[tuple[str, str]]:
    bounds = (("estimated", ticket.estimate), ("limit", ticket.limit))
    known = "".join(f", {label} {minutes} min" for label, minutes in bounds if minutes is not None)
    yield "charged", f"{ticket.minutes} min{known}"


def _said(said: Sequence[Message], rules: Rules, width: int) -> Iterator[str]:
    for message in said:
        yield from ("", _rule(message, rules, width), "")
        paint = _dim if message.internal else str
        # Commands are taken out of a text, and a mail may hold nothing else.
        text = message.text.strip("\n") or ("" if message.attachments else "(no text)")
        if message.blob is None and not message.why:
            text = "(no longer kept)"
        yield from (paint(line) for line in _wrapped(text, width) if text)
        yield from (click.style(f"[{_file(file)}]", fg="magenta") for file in message.attachments)


def _rule(message: Message, rules: Rules, width: int) -> str:
    """Who said it, as what, and when: the line over a message."""
    name = harmless_line(message.author_name)
    address = harmless_line(message.author) or "nobody"
    marks = [message.role.value, "automatic" * bool(message.automatic), "internal" * message.internal]
    marks += ["mail no longer kept" * (message.blob is None)]
    said = " · ".join(["", *filter(None, marks), _when(message.at, rules)])
    who = cut(f"{name} <{address}>" if name else address, max(_LABEL, width - cells(said) - 6))
    head = f"── {who}{said} "
    return click.style(head + "─" * max(2, width - cells(head)), fg=_INKS.get(message.role, "yellow"))


def _wrapped(text: str, width: int) -> Iterator[str]:
    """Lines no longer than the terminal is wide; what is indented or a list stays so, long words (links) stay whole."""
    for line in harmless(text).split("\n"):
        found = _HANGING.match(line)
        indent = " " * min(len(found[0]) if found else 0, width // 2)
        yield from textwrap.wrap(
            line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        ) or [""]


def _file(file: Attachment) -> str:
    return f"{harmless_line(file.name)}, {_size(file.size)}{'' if file.kept else ', no longer kept'}"


def _size(size: int) -> str:
    """Bytes as people say them."""
    if size < 1000:
        return f"{size} B"
    return f"{size / 1000:.0f} kB" if size < 999_500 else f"{size / 1_000_000:.1f} MB"


def _booked(booked: Sequence[Entry], ticket: Ticket) -> Iterator[str]:
    if not booked:
        yield "no minutes booked"
        return
    rows = [
        {
            "entry": entry.id,
            "day": entry.day.isoformat(),
            "kind": entry.kind.value,
            "minutes": entry.minutes,
            "worked": entry.worked or None,
            "technician": entry.technician,
            "note": f"answers {entry.of}" if entry.of and not entry.note else entry.note,
        }
        for entry in booked
    ]
    yield table(rows, tuple(rows[0]), "")
    free = sum(entry.worked for entry in booked if entry.kind is Kind.COURTESY)
    yield f"{ticket.minutes} min charged" + (f", {free} min as a courtesy" if free else "")


def _when(at: datetime, rules: Rules) -> str:
    """A time on the desk's clock."""
    local = at.astimezone(rules.zone)
    return f"{_day(local.date())}, {local:%H:%M}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
