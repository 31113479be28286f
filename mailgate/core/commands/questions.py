"""The questions of clients: one word ("saldo", "informe 2026-10 pdf") that is answered and opens no ticket."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from mailgate.core.commands.vocabulary import folded
from mailgate.core.model import Problem

QuestionName = Literal["balance", "report", "history", "help"]

QUESTIONS: Mapping[str, QuestionName] = {
    "saldo": "balance",
    "balance": "balance",
    "informe": "report",
    "report": "report",
    "historial": "history",
    "history": "history",
    "ayuda": "help",
    "help": "help",
}


@dataclass(frozen=True, slots=True)
class Question:
    """What a mail asks for by one word.

    period: of a report, as written, for `period`; "" where there is none. pdf: a report as PDF too.
    """

    name: QuestionName
    period: str = ""
    pdf: bool = False


_REPLY = re.compile(r"(?: *(?:re|fwd?|rv|reenv|aw|wg)(?:\[[0-9]{1,3}\])? *:)+ *")
_FORM = r"(?: (?:(?:en|in|as) )?(pdf|csv))?"
_QUESTION = re.compile(rf"#? ?(?P<name>[a-z]+)(?P<more>{_FORM}(?P<period> [0-9][0-9. -]*)?{_FORM})")


def question(subject: str, first_line: str) -> Question | None:
    """What is asked in the subject or in the first line of fresh text; None for any other mail.

    The subject of a reply ("Re: Saldo") asks only if no other text stands below it: people answer
    our answers, and what they write there must not be lost.
    """
    asked = _asked(folded(first_line))
    head = folded(subject)
    if reply := _REPLY.match(head):
        return asked if asked or first_line.strip() else _asked(head[reply.end() :])
    return _asked(head) or asked


def _asked(text: str) -> Question | None:
    words = " ".join(text.split()).strip(" .,;:!?¿¡\"'«»*")
    shape = _QUESTION.fullmatch(words)
    name = QUESTIONS.get(shape["name"]) if shape else None
    if shape is None or name is None or (shape["more"] and name != "report"):
        return None
    return Question(name, (shape["period"] or "").replace(" ", ""), pdf="pdf" in shape.groups())


_SIDE = re.compile(r"([0-9]{4})-([0-9]{1,2})(?:-([0-9]{1,2}))?")


def period(text: str, today: date) -> tuple[date, date] | Problem | None:
    """First and last day, both included, of "2026-10" or "2026-10-01..2026-11-15"; None for "".

    Each side may be a month or a day. A period that has begun may end in the future.
    """
    if not text.strip():
        return None
    start, dots, end = (side.strip() for side in text.partition(".."))
    first, last = _days(start), _days(end if dots else start)
    if first is None or last is None:
        return Problem("period_unreadable", text, "2026-10, 2026-10-01..2026-11-15")
    if first[0] > last[1]:
        return Problem("period_backwards", text, f"{end}..{start}")
    if first[0] > today:
        return Problem("period_future", text, f"{today:%Y-%m}")
    return first[0], last[1]


def _days(side: str) -> tuple[date, date] | None:
    """First and last day of a month or of a day; None where the calendar has no such thing."""
    shape = _SIDE.fullmatch(side)
    if shape is None:
        return None
    year, month, day = int(shape[1]), int(shape[2]), int(shape[3] or 0)
    try:
        if shape[3]:
            return date(year, month, day), date(year, month, day)
        return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
    except ValueError:  # IllegalMonthError is one
        return None
