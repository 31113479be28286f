"""What was said before in a ticket: the strongest evidence that a line is quoted.

Texts are compared as sequences of words, blind to quote marks, wrapping, case and links, so that a
line counts as said before only beside the same neighbours, in whatever language and layout.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

SPAN = 4
"""How many words in a row must agree."""

_BEGINNING = 60
"""So many characters mostly hold the first words whole."""

_LINK = re.compile(r"<(?:https?:|mailto:)[^<>\s]*>|\[mailto:[^\[\]\s]*\]", re.IGNORECASE)
_WORD = re.compile(r"#?\w+")
# Access data are covered in both texts, each time under another number.
_COVERED = re.compile(r"⟦•••\d*⟧")

Run = tuple[str, ...]
"""`SPAN` words in a row."""


def words(text: str) -> list[str]:
    """The words of a text in the form in which they are compared."""
    text = text.replace("＃", "#")
    if "⟦" in text:
        text = _COVERED.sub(" ", text)
    if "<" in text or "[mailto:" in text:
        text = _LINK.sub(" ", text)
    return _WORD.findall(text.casefold())


def runs(said: Sequence[str]) -> Iterator[Run]:
    """Every run of words, in their order."""
    return zip(*(said[offset:] for offset in range(SPAN)), strict=False)


def first_word(text: str) -> str:
    """The first word with all that touches it: a quick look whether a line may begin a message."""
    parts = text[:_BEGINNING].split(None, 1)
    return parts[0].casefold() if parts else ""


def beginning(message: str) -> Run:
    """The run with which a message begins; shorter where it has fewer words."""
    said = words(message[:_BEGINNING])
    return tuple((said if len(said) > SPAN else words(message[: 10 * _BEGINNING]))[:SPAN])


@dataclass(frozen=True, slots=True)
class Past:
    """The runs of words in earlier messages."""

    said: frozenset[Run]

    @classmethod
    def of(cls, messages: Iterable[str]) -> Past:
        """Index messages, in linear time."""
        return cls(frozenset(run for message in messages for run in runs(words(message))))

    def known(self, said: Sequence[str]) -> list[bool]:
        """For each word, whether it stands in a run that was said before."""
        known = [False] * len(said)
        for at, run in enumerate(runs(said)):
            if run in self.said:
                known[at : at + SPAN] = [True] * SPAN
        return known
