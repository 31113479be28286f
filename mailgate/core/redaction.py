"""A text that is taken out of a ticket for good: where it stands in words, in HTML and in bytes, however it is written.

What is looked for is the text as it was given, capitals and accents included; the blanks in it may be line ends and
marks of quoting, as mail programs break and quote lines.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html.entities import codepoint2name
from urllib.parse import quote

from mailgate.core.commands.vocabulary import plain

# ASCII, so that it can stand in every charset; it does not tell how long the text was.
MARK = "*****"
# A shorter text stands everywhere by chance.
SHORTEST = 4

# What programs put into long words to break them. All of it at once: else a long run of it is gone through for each.
_HIDDEN = "[\u00ad\u200b-\u200d\u2060\ufeff]*+"
_GAP = r"[\s>]+"
_TAGS = r"(?:<[^<>]*>)*+"
_HTML_GAP = r"(?:[\s>]|&nbsp;|&#160;|&#[xX][aA]0;|<[^<>]*>)+"
_CHARSETS = ("utf-8", "cp1252", "utf-16-le", "utf-16-be")


@dataclass(frozen=True)
class Redaction:
    """What a technician's mail takes out of a ticket. text: the secret itself; it is kept nowhere."""

    ticket: int
    text: str = field(repr=False)


class Secret:
    """A text to be hidden. It stands in no representation of this value, so in no traceback.

    covered: what stands in stored texts for access data: by value its places, as "⟦•••57⟧".
    """

    def __init__(self, text: str, covered: Mapping[str, Collection[str]] | None = None) -> None:
        self._covered = covered or {}
        self._words = tuple(plain(text).split())
        self._as_given = tuple(text.split())  # some letters are others once they are composed

    @property
    def too_short(self) -> bool:
        """Whether it would be found everywhere by chance, or where something was hidden before."""
        return len("".join(self._words).replace(MARK[0], "")) < SHORTEST

    def holds(self, text: str) -> bool:
        """Whether a text is all of it or a part."""
        return text in " ".join(self._as_given)

    def hide(self, text: str) -> tuple[str, int]:
        """The text without it, and in how many places it stood."""
        return self._in_text.subn(MARK, text)

    def hide_in_html(self, html: str) -> tuple[str, int]:
        """The same in HTML, where tags and entities may stand between and for its letters."""
        return self._in_html.subn(MARK, html)

    def hide_in_bytes(self, data: bytes) -> tuple[bytes, int]:
        """The same in what is no text that can be read as a whole, in the charsets of files that people send."""
        places = 0
        for form, mark in self._as_bytes.items():
            found = data.count(form)
            places += found
            data = data.replace(form, mark) if found else data
        return data, places

    @cached_property
    def _in_text(self) -> re.Pattern[str]:
        written = _GAP.join(_HIDDEN.join(map(_letter, word)) for word in self._words)
        return re.compile("|".join([written, *self._as_they_are, *self._with_places]))

    @cached_property
    def _in_html(self) -> re.Pattern[str]:
        between = f"{_HIDDEN}{_TAGS}{_HIDDEN}"
        written = _HTML_GAP.join(between.join(map(_html_letter, word)) for word in self._words)
        return re.compile("|".join([written, *self._as_they_are]))

    @property
    def _as_they_are(self) -> list[str]:
        """Patterns of it as it was given, and in the address of a page (RFC 3986 section 2.1)."""
        return [
            _GAP.join(map(re.escape, self._as_given)),
            re.escape(quote(" ".join(self._words), safe="", errors="replace")),
        ]

    @property
    def _with_places(self) -> list[str]:
        """The pattern of it where access data in it are covered; none where there are none."""
        text = " ".join(self._as_given)
        inside = sorted((value for value in self._covered if value in text), key=len, reverse=True)
        if not inside:
            return []
        parts = re.split(f"({'|'.join(map(re.escape, inside))})", text)
        places = ["|".join(map(re.escape, self._covered[value])) for value in parts[1::2]]
        around = [re.escape(part).replace("\\ ", _GAP) for part in parts[::2]]
        return [around[0] + "".join(f"(?:{one}){rest}" for one, rest in zip(places, around[1:], strict=True))]

    @cached_property
    def _as_bytes(self) -> dict[bytes, bytes]:
        """It in each charset, and the mark in the same."""
        text = " ".join(self._words)
        return {text.encode(name): MARK.encode(name) for name in reversed(_CHARSETS) if _can_be(text, name)}


def _can_be(text: str, charset: str) -> bool:
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        return False
    return True


def _letter(char: str) -> str:
    """A letter, composed or not."""
    apart = unicodedata.normalize("NFD", char)
    return re.escape(char) if apart == char else f"(?:{re.escape(char)}|{re.escape(apart)})"


def _html_letter(char: str) -> str:
    code = ord(char)
    named = f"|&{codepoint2name[code]};" if code in codepoint2name else "|&apos;" if char == "'" else ""
    return f"(?:{_letter(char)}{named}|&#0*{code};|&#[xX]0*(?i:{code:x});)"
