"""Where the words that somebody looks for stand in a text."""

from __future__ import annotations

import re
from collections.abc import Container, Sequence

from mailgate.core.commands.vocabulary import folded

# A run of letters and digits, with accents that stand apart: what a search index takes for a word.
WORD = re.compile(r"(?:[^\W_][\u0300-\u036f]*)+")
# Of a text the beginning; an excerpt has so many words, some of them before the first that was found.
_MOST_TEXT = 20_000
_LONG = 12
_BEFORE = 2


def excerpt(text: str, wanted: Sequence[str]) -> str:
    """The part of a text with most of the words, on one line, each between « »; "" where none stands in it.

    wanted: words, compared in any case and without accents; of the last the beginning will do.
    """
    text = text[:_MOST_TEXT]
    words = list(WORD.finditer(text))
    keys = [folded(word) for word in wanted]
    found = {place: key for place, word in enumerate(words) if (key := _found(folded(word[0]), keys))}
    if not found:
        return ""
    best = max(found, key=lambda place: len({found[near] for near in range(place, place + _LONG) if near in found}))
    first = max(0, best - _BEFORE)
    shown = range(first, min(first + _LONG, len(words)))
    return _joined(text, words, shown, found.keys())


def _found(word: str, keys: Sequence[str]) -> str:
    """The word looked for that this one is, "" for none."""
    if word in keys:
        return word
    return keys[-1] if keys and word.startswith(keys[-1]) else ""


def _joined(text: str, words: Sequence[re.Match[str]], shown: range, found: Container[int]) -> str:
    marked = []
    end = words[shown[0]].start()
    for place in shown:
        word = words[place]
        marked.append(text[end : word.start()])
        marked.append(f"«{word[0]}»" if place in found else word[0])
        end = word.end()
    before = "…" if shown[0] > 0 else ""
    after = "…" if shown[-1] + 1 < len(words) else ""
    return before + " ".join("".join(marked).split()) + after
