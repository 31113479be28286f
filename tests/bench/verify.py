"""What a run must have left in the store: a wrong run reports no figure.

On several connections a reply may overtake what it answers. The journal says in which order the desk
took the mails, and from that order follows exactly what each of them must have become.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.corpus import MINUTES, Mail
from tests.bench.watch import ask

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
        counts[f"mail {template}"] = count
    return counts


def expected(mails: Sequence[Mail], order: Sequence[int]) -> Counter[str]:
    """What these mails add when they are taken in this order (numbers of the corpus)."""
    by_number = {mail.number: mail for mail in mails}
    counts: Counter[str] = Counter(journal=len(order), message=len(order))
    there: set[int] = set()
    for number in order:
        mail = by_number[number]
        threaded = any(answered in there for answered in _answered(mail, by_number))
        there.add(number)
        if mail.kind == "tech_reply":
            if not threaded:
                there.remove(number)  # sent back: it belongs to no ticket
            counts.update({"entry": 1, "minutes": MINUTES, "mail answer": 1} if threaded else {"mail no_ticket": 1})
        else:
            counts.update({"mail notice": 1} if threaded else {"mail notice": 1, "ticket": 1, "mail ack": 1})
    return counts


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
