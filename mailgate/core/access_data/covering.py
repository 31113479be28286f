"""Access data taken out of a mail: a place with a number stands for each, "⟦•••57⟧", and the values are kept apart.

Covered before anything is decided, so that whatever is made of the mail (texts, subjects, notes, trails) holds the
places alone. Only what is written for somebody who may see a value has it put back (`filled`).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from html import escape

from mailgate.core.access_data import Piece, Span, apart, files, pieces, spans
from mailgate.core.access_data.strength import is_strong
from mailgate.core.mail import Attachment, Mail
from mailgate.core.reading import fresh

PLACE = re.compile(r"⟦•••(\d{0,15})⟧")
# A shorter value may be a word of the text by chance.
_UNMISTAKABLE = 6
# So many are looked for everywhere: each is a pass over the text, and a mail may be made of nothing else.
_MOST_KNOWN = 200
# So many of a file are kept, to be known in its ticket again: the file itself has them all.
_MOST_OF_FILE = 20
# The line that has something taken out for good says what.
_REDACTING = re.compile(r"^[ \t]*[#＃][ \t]*(?:redact|ocultar)\b.*$", re.IGNORECASE | re.MULTILINE)
_FILE_NAME = re.compile(r"^(?P<name>.*?)(?P<ending>\.\w{1,5})?$", re.DOTALL)


def place(number: int) -> str:
    """What stands for a value."""
    return f"⟦•••{number}⟧"


def unnumbered(text: str) -> str:
    """The text with places that lead to no value."""
    return PLACE.sub("⟦•••⟧", text)


def filled(text: str, values: Mapping[int, str]) -> str:
    """The text with these values in their places; others stay covered."""
    if "⟦" not in text:
        return text
    return PLACE.sub(lambda found: values.get(int(found[1] or 0), found[0]), text)


def shown(text: str, values: Mapping[int, str], *, show: bool) -> tuple[Piece, ...]:
    """A stored text, parted where access data stand: written out, or covered still.

    values: of that very message; what it quotes of others stays a place. What an earlier version left in clear is
    covered, too.
    """
    if show:
        return (Piece(filled(text, values)),)
    parts: list[Piece] = []
    end = 0
    for found in PLACE.finditer(text):
        if int(found[1] or 0) in values:
            parts += (*pieces(text[end : found.start()]), Piece(found[0], secret=True))
            end = found.end()
    return (*parts, *pieces(text[end:]))


class Covering:
    """Covers the parts of one message, the same value always with the same number.

    known: values that were told in its ticket before, which are recognised wherever they stand. numbers: those that
    the message has already. first: the number of the next new value.
    """

    def __init__(self, known: Collection[str] = (), numbers: Mapping[int, str] | None = None, first: int = 1) -> None:
        self.values = dict(numbers or {})
        self._numbers = {value: number for number, value in self.values.items()}
        self._known = {value for value in (*known, *self._numbers) if _unmistakable(value)}
        self._next = first

    def learns(self, text: str, known: Collection[Span] | None = None) -> bool:
        """Whether there is anything in a part; it is recognised in the others from now on, too.

        known: where access data stand in it, None to look.
        """
        found = [text[start:stop] for start, stop in (spans(text) if known is None else known)]
        self._known |= set(filter(_unmistakable, found[: max(0, _MOST_KNOWN - len(self._known))]))
        return bool(found) or any(value in text for value in self._known)

    def covered(self, text: str) -> str:
        """The text with places."""
        parts: list[str] = []
        end = 0
        for start, stop in self._spans(text):
            parts += (text[end:start], place(self._number(text[start:stop])))
            end = stop
        return "".join((*parts, text[end:])) if parts else text

    def keep(self, text: str) -> None:
        """Number what is in a text that keeps its values itself, the first of them."""
        for start, stop in list(self._spans(text))[:_MOST_OF_FILE]:
            self._number(text[start:stop])

    def name(self, name: str) -> str:
        """The name of a file, in which signs part words."""
        found = _FILE_NAME.match(name)
        bare, ending = (found["name"], found["ending"] or "") if found else (name, "")
        covered = self.covered(bare)
        if covered != bare:
            return covered + ending
        for start, stop in reversed(spans(_in_words(bare))):
            bare = bare[:start] + place(self._number(bare[start:stop])) + bare[stop:]
        return bare + ending

    def _number(self, value: str) -> int:
        if value not in self._numbers:
            self._numbers[value] = self._next
            self.values[self._next] = value
            self._next += 1
        return self._numbers[value]

    def _spans(self, text: str) -> Iterator[Span]:
        found = [*spans(text), *(span for value in self._known for span in _occurrences(text, value))]
        if not found:
            return
        kept = apart(sorted(match.span() for match in (*_REDACTING.finditer(text), *PLACE.finditer(text))))
        yield from apart(_outside(sorted(found), list(kept)))


def cover(mail: Mail, known: Collection[str], numbers: Mapping[int, str], first: int) -> tuple[Mail, Mapping[int, str]]:
    """The mail with places for its access data, and the value of each by its number; see `Covering`.

    Its files stay as they are: those that hold access data are marked.
    """
    text, from_html = fresh.source(mail)
    covering = Covering(known, numbers, first)
    names = (_in_words(file.name) for file in mail.attachments)
    found = [covering.learns(text, mail.ahead.access_data if mail.ahead else None)]
    found += [covering.learns(part) for part in (mail.subject, *names)]
    guarded = {part: said for part, said in files.texts(mail.attachments).items() if covering.learns(said)}
    if not any(found) and not guarded:
        return mail, {}
    covered = covering.covered(text)
    subject = covering.covered(mail.subject)
    attachments = tuple(_covered_file(file, covering, guarded) for file in mail.attachments)
    if not covering.values and not guarded:
        return mail, {}
    # What is made of the HTML is the text that it says; beside a text part it is only compared with that.
    html = "" if from_html else _in_html(mail.html, covering.values)
    for said in guarded.values():
        covering.keep(said)
    headers = {**mail.headers, "subject": (subject,)} if subject != mail.subject else mail.headers
    told = replace(mail, text=covered, html=html, subject=subject, attachments=attachments, headers=headers, ahead=None)
    return told, covering.values


def _in_words(name: str) -> str:
    """The name of a file as words, each sign where it was."""
    return re.sub(r"[_-]", " ", name)


def _covered_file(file: Attachment, covering: Covering, guarded: Collection[int]) -> Attachment:
    name, marked = covering.name(file.name), file.part in guarded
    return replace(file, name=name, guarded=marked) if name != file.name or marked else file


def _in_html(html: str, values: Mapping[int, str]) -> str:
    """The HTML with places; "" where a value may as well be a word of it."""
    if not all(map(_unmistakable, values.values())):
        return ""
    for number, value in values.items():
        for written in {value, escape(value), escape(value, quote=False)}:
            html = html.replace(written, place(number))
    return html


def _unmistakable(value: str) -> bool:
    return len(value) >= _UNMISTAKABLE and (is_strong(value) or " " in value or "\n" in value)


def _outside(found: list[Span], kept: list[Span]) -> list[Span]:
    """Those that touch none of what is kept; both sorted, what is kept apart."""
    ends = [end for _, end in kept]
    nearest = (bisect_right(ends, start) for start, _ in found)
    return [one for one, at in zip(found, nearest, strict=True) if at == len(kept) or kept[at][0] >= one[1]]


def _occurrences(text: str, value: str) -> Iterator[Span]:
    at = text.find(value)
    while at >= 0:
        yield at, at + len(value)
        at = text.find(value, at + len(value))
