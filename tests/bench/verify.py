"""What a run must have left in the store: a wrong run reports no figure.

On several connections a reply may overtake what it answers. The journal says in which order the desk
took the mails, and from that order follows exactly what each of them must have become.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.corpus import MINUTES, Mail
from tests.bench.watch import ask
from tests.support import BY_THE_HOUR

_REFERENCES = 10  # as many as a mail of the corpus names


def snapshot(database: Path) -> Counter[str]:
    """How much of everything there is."""
    if not database.exists():
        return Counter()
    counts: Counter[str] = Counter()
    for table in ("ticket", "message", "entry", "journal", "quarantine"):
        counts[table] = ask(database, f"select count(*) from {table}")[0][0]
    counts["waiting"] = ask(database, "select count(*) from journal where state <> 'done'")[0][0]
    counts["minutes"] = -ask(database, "select coalesce(sum(minutes), 0) from entry")[0][0]
    for template, count in ask(database, "select template, count(*) from outbox group by template"):
        if template not in BY_THE_HOUR:
            counts[f"mail {template}"] = count
    return counts


def expected(mails: Sequence[Mail], order: Sequence[int]) -> Counter[str]:
    """What these mails add when they are taken in this order (numbers of the corpus)."""
    by_number = {mail.number: mail for mail in mails}
    counts: Counter[str] = Counter(journal=len(order), message=len(order))
    there: dict[int, _Filed] = {}
    for at, number in enumerate(order):
        mail = by_number[number]
        answered = next((there[one] for one in _answered(mail, by_number) if one in there), None)
        is_answer = mail.kind == "tech_reply"
        if answered is None and is_answer:
            counts.update({"mail no_ticket": 1})  # sent back: it belongs to no ticket
            continue
        ticket = answered.ticket if answered else number
        seen = answered.at if answered else at
        others = (one for one in there.values() if one.ticket == ticket and one.at > seen and one.is_told)
        held = is_answer and any(one.writer != mail.sender for one in others)
        there[number] = _Filed(ticket, at, mail.sender, is_told=not held)
        counts.update(_added(is_answer, held, opens=answered is None))
    return counts


@dataclass(frozen=True, slots=True)
class _Filed:
    """A mail in its ticket. at: its place in the order. is_told: it is not held back."""

    ticket: int
    at: int
    writer: str
    is_told: bool


def _added(is_answer: bool, held: bool, opens: bool) -> dict[str, int]:
    """An answer that did not see what came meanwhile is handed back for another look."""
    if held:
        return {"mail held": 1}
    if is_answer:
        return {"entry": 1, "minutes": MINUTES, "mail answer": 1}
    return {"mail notice": 1, "ticket": 1, "mail ack": 1} if opens else {"mail notice": 1}


def _answered(mail: Mail, by_number: Mapping[int, Mail]) -> list[int]:
    """The numbers of the mails that a reply refers to."""
    found: list[int] = []
    parent = mail.parent
    while parent is not None and len(found) < _REFERENCES:
        found.append(parent)
        parent = by_number[parent].parent
    return found


def check(before: Counter[str], after: Counter[str], must: Counter[str]) -> None:
    """Raises SystemExit with what differs."""
    keys = sorted({*before, *after, *must})
    wrong = [
        f"{key}: {after[key] - before[key]}, must be {must[key]}"
        for key in keys
        if after[key] - before[key] != must[key]
    ]
    if wrong:
        raise SystemExit("the desk did something else than it must, so there is no figure:\n" + "\n".join(wrong))
