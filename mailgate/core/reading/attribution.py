"""Attributions, such as "El lun, 2 nov 2026 a las 10:12, Ana Prieto (<ana@acme.example>) escribió:".

They are told by what they hold rather than by one pattern per program: the verb, who, when.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mailgate.core.reading.opening import ATTRIBUTION, COMMAND_LINE, LONGEST_LINE, TIME, Opening
from mailgate.core.reading.quotewords import WROTE, any_of, folded, language_of

LONGEST = 600
"""Characters."""

MOST_LINES = 4

SHORT = 12
"""Characters of a line that may hold nothing but "wrote"."""

_WROTE = re.compile(rf"(?<![^\W\d_])(?P<verb>{any_of(WROTE)})(?!\w)")
_DATE = re.compile(r"\d{1,4}[-/.] ?\d{1,2}[-/.] ?\d{1,4}|(?<!\d)\d{4}(?!\d)")
_AT = folded("el|en|on|le|il|in data|am|op|em|no dia|w dniu|dnia|dne|den|pa|στις|في")
_BEGINS = re.compile(rf"\W{{0,3}}(?:(?:{_AT}) )*(?:[^\W\d_]{{1,12}}[.,]{{0,2}} ){{0,2}}\d{{1,4}}")


def find(lines: Sequence[str], at: int, floor: int) -> Opening | None:
    """The attribution that ends at a line, over up to `MOST_LINES` lines."""
    last = lines[at].rstrip("-* >")
    if not last or (last[-1] not in ":：" and not _ends_in_verb(last)):
        return None
    floor = max(floor, at - MOST_LINES + 1)
    text = ""
    for start in range(at, floor - 1, -1):
        text = f"{lines[start]} {text}"
        if not lines[start] or len(text) > LONGEST or COMMAND_LINE.match(lines[start]):
            break
        if told := _introduces(text):
            begins = _beginning(lines, start, floor, text)
            if begins < start:
                told = _introduces(" ".join(lines[begins : at + 1])) or told
            return Opening(begins, at + 1, ATTRIBUTION, *told)
    return None


def _ends_in_verb(line: str) -> bool:
    """Whether a line ends in "wrote" without a colon; such an attribution names an address, or wraps below it."""
    if "@" not in line and len(line) > SHORT:
        return False
    text = folded(line[-40:])
    return any(match.end() == len(text) for match in _WROTE.finditer(text))


def _introduces(text: str) -> tuple[str, bool] | None:
    """Language of an attribution and whether it is sure, None where the text is none.

    It has the verb and says who (an address) or when; or it says all of who, when and what time in
    a language that we do not know. An address or a whole date makes it sure; "el 2/11 Ana escribió:"
    may as well be somebody's story.
    """
    text = folded(text).strip("-* ")
    address, date, time = "@" in text, _DATE.search(text), TIME.search(text)
    if not (address or date or time):
        return None
    verbs = list(_WROTE.finditer(text))
    if not text.endswith((":", "：", ":>")):
        return (_told_in(verbs), True) if verbs and date and address else None
    if not verbs:
        return ("", address) if date and time else None
    after = text[verbs[-1].end() :]
    if len(after.strip(" :：>")) > 3 and not (TIME.search(after) or _DATE.search(after) or "@" in after):
        return None
    begins = _BEGINS.match(text)
    if address or date or (time and begins):
        return _told_in(verbs), address or bool(date and (begins or time))
    return None


def _told_in(verbs: Sequence[re.Match[str]]) -> str:
    return language_of(WROTE, verbs[-1]["verb"])


def _beginning(lines: Sequence[str], start: int, floor: int, text: str) -> int:
    """The line where a wrapped attribution begins: above "<ana@…>" and "escribió:" stands the date."""
    if _BEGINS.match(folded(text)):
        return start
    address_first = "@" in text.split(maxsplit=1)[0] or text[0] in "<("
    for above in range(start - 1, floor - 1, -1):
        line = folded(lines[above][:LONGEST_LINE])
        if not line or line.endswith((".", "!", "?", ":")) or COMMAND_LINE.match(line):
            break
        if _BEGINS.match(line) and (address_first or _DATE.search(line) or TIME.search(line)):
            return above
    return start


def says_who_when(line: str) -> bool:
    """Whether a bare line says that somebody wrote at some time, as German Outlook does above its header block."""
    text = folded(line[:LONGEST_LINE])
    return bool(not COMMAND_LINE.match(line) and _BEGINS.match(text) and _WROTE.search(text) and TIME.search(text))
