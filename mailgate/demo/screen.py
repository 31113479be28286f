"""The story on a terminal: plain lines with colour on top, as wide as it allows."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Literal

import click

from mailgate.core.mail import Mail

Way = Literal["in", "out"]

_WIDEST = 96
_MOST_LINES = 8
_dim = partial(click.style, dim=True)


@dataclass(frozen=True, slots=True)
class _Ink:
    """How the mails of one direction look."""

    arrow: str
    colour: str


_INKS = {"in": _Ink("▶", "cyan"), "out": _Ink("◀", "green")}


class Screen:
    """Writes to stdout; colour only on a terminal, and not where NO_COLOR is set (no-color.org)."""

    def __init__(self) -> None:
        self._colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self._width = min(shutil.get_terminal_size((_WIDEST, 24)).columns, _WIDEST)

    def title(self, text: str) -> None:
        """The name of the piece."""
        self._say(click.style(text, bold=True), "")

    def scene(self, number: int, title: str, why: str) -> None:
        """What comes now, and why it matters."""
        head = f"── {number} · {title} "
        self._say("", click.style(head, bold=True) + _dim("─" * (self._width - len(head))), *self._wrapped(why))

    def text(self, *lines: str) -> None:
        """Plain words."""
        self._say(*(wrapped for line in lines for wrapped in self._wrapped(line)))

    def command(self, words: Sequence[str], output: str) -> None:
        """A verb of the command line, and what it printed."""
        self._say("", f"  {_dim('$')} {click.style(' '.join(('mailgate', *words)), bold=True)}")
        self._say(*(f"    {line}" for line in output.splitlines()))

    def mail(self, mail: Mail, way: Way, *, known: bool = False) -> None:
        """A mail as a reader sees it: who, to whom, what; commands stand out, quotes recede.

        known: it was shown before, so that its head is enough.
        """
        ink = _INKS[way]
        paint = partial(click.style, fg=ink.colour)
        who = f"{paint(mail.sender_name, bold=True)} {_dim(f'<{mail.sender}>')}"
        self._say("", f"  {paint(ink.arrow)} {who} {_dim('to')} {mail.to[0]}")
        self._say(f"    {_dim('Subject:')} {click.style(mail.subject, bold=True)}")
        if not known:
            body = [*self._body(mail.text, commands=way == "in"), *_files(mail)]
            self._say(*(f"    {paint('│')} {line}" for line in body))

    def silence(self, text: str) -> None:
        """That no mail comes of it."""
        self._say("", f"  {click.style('◀', fg='green')} {_dim(text)}")

    def outcome(self, text: str) -> None:
        """What has changed."""
        first, *more = textwrap.wrap(text, self._width - 4)
        self._say(f"  {click.style('✔', fg='yellow')} {first}", *(f"    {line}" for line in more))

    def _body(self, text: str, *, commands: bool) -> Iterator[str]:
        """The lines of a mail, without blank ones and signature marks; of long texts and quotes the first."""
        lines = [line for line in text.splitlines() if line.strip() not in ("", "--")]
        left = _MOST_LINES
        for quoted, run in groupby(lines, _is_quoted):
            if quoted:
                yield from map(_dim, self._quote([*run]))
                continue
            fresh = [part for line in run for part in textwrap.wrap(line, self._width - 6)]
            for line in _cut(fresh, left):
                yield click.style(line, fg="yellow", bold=True) if commands and line[0] == "#" else line
            left = max(left - len(fresh), 2)

    def _quote(self, lines: list[str]) -> Iterator[str]:
        """The first line of a quote, and how much more there is."""
        more = f"  … {len(lines) - 1} more lines" if len(lines) > 1 else ""
        yield lines[0][: self._width - 6 - len(more)] + more

    def _wrapped(self, text: str) -> list[str]:
        return textwrap.wrap(text, self._width) or [""]

    def _say(self, *lines: str) -> None:
        for line in lines:
            click.echo(line, color=self._colour)


def _files(mail: Mail) -> Iterator[str]:
    for file in mail.attachments:
        yield click.style(f"[{file.name}, {file.size:,} bytes]", fg="magenta")


def _is_quoted(line: str) -> bool:
    return line.startswith(">")


def _cut(lines: list[str], most: int) -> list[str]:
    """The first lines and how many more there are, where one line would not do for the rest."""
    if len(lines) <= most + 1:
        return lines
    return [*lines[:most], f"… {len(lines) - most} more lines"]
