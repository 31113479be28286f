"""Decide once more on mail that came: under the rules of then, and under others. Changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from mailgate.core.desk import Desk
from mailgate.core.differences import Difference, differences
from mailgate.core.facts import wanted
from mailgate.core.intake import decide
from mailgate.core.mail import Mail
from mailgate.core.model import Outcome
from mailgate.core.plan import Plan
from mailgate.core.reading import fresh
from mailgate.core.settings.checks import build
from mailgate.errors import Refused, StoreUnavailable
from mailgate.service import parsing
from mailgate.store import Connection, Store, journal, quarantine, rules_taken
from mailgate.store.facts import facts_at
from mailgate.store.journal import Kept

# As many as are read at once, each time in a snapshot of its own: a daemon beside it goes on.
_BATCH = 50


@dataclass(frozen=True, slots=True)
class Replayed:
    """A message on which the decision would be another. journal: its number. ticket: what became of it, or None."""

    journal: int
    at: datetime
    sender: str
    subject: str
    ticket: int | None
    differences: list[Difference]


class Replay:
    """One run over the mail that was processed since a time.

    done: how many messages were looked at so far; gone: how many cannot be, since they are kept no longer.
    """

    def __init__(self, store: Store, desk: Desk, since: datetime) -> None:
        self.done = self.gone = 0
        self._store = store
        self._desk = desk
        self._since = since
        self._released: frozenset[int] = frozenset()
        self._then: tuple[int, Desk] | None = None

    def run(self, progress: Callable[[int], None]) -> Iterator[Replayed]:
        """The messages that would be treated otherwise, oldest first. Raises Refused where nothing is known of then."""
        with self._store.read() as tx:
            last = journal.newest_before(tx, self._since)
            self.gone = journal.gone_since(tx, last)
            self._released = quarantine.released(tx)
        while batch := self._batch(last):
            last = batch[-1][0]
            yield from (found for _, found in batch if found)
            self.done += len(batch)
            progress(self.done)

    def _batch(self, after: int) -> list[tuple[int, Replayed | None]]:
        with self._store.read() as tx:
            return [(kept.id, self._replayed(tx, kept)) for kept in journal.processed(tx, after, _BATCH)]

    def _replayed(self, tx: Connection, kept: Kept) -> Replayed | None:
        before = self._desk_at(tx, kept.taken_at)
        outcome, ticket = journal.became(tx, kept.id)
        if outcome is Outcome.REPEAT or before.rules == self._desk.rules:
            return None
        mail = replace(parsing.parse(kept.raw, kept.envelope), verdicts=kept.verdicts)
        try:
            found = differences(*self._decided(tx, kept, mail, before), before, self._desk)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one that the program fails on must not hide the others
            found = [Difference("outcome", str(outcome), f"the program fails on it: {error}")]
        sender = mail.sender or mail.header("from")
        return Replayed(kept.id, kept.taken_at, sender, mail.subject, ticket, found) if found else None

    def _decided(self, tx: Connection, kept: Kept, mail: Mail, before: Desk) -> tuple[Plan, Plan]:
        """What is decided with what was known when the mail came: by the rules of then, and by these."""
        at, text = kept.taken_at, fresh.source(mail)[0]
        vouched = kept.envelope.vouched or kept.id in self._released
        asked, asks = wanted(mail, before, at), wanted(mail, self._desk, at)
        knew = facts_at(tx, asked, text, at)
        knows = knew if asks == asked else facts_at(tx, asks, text, at)
        was = decide(mail, knew, before, at, vouched=vouched)
        return was, decide(mail, knows, self._desk, at, vouched=vouched)

    def _desk_at(self, tx: Connection, at: datetime) -> Desk:
        """The desk under the rules of a time; only the last one is kept, for mail comes in order."""
        number = rules_taken.in_force(tx, at)
        if number is None:
            raise Refused("there is nothing to compare with: no rules were noted yet; `run` and `inject` note them")
        if self._then is None or self._then[0] != number:
            built = build(json.loads(rules_taken.get(tx, number)))
            if isinstance(built, list):
                raise Refused(f"the rules of {at:%Y-%m-%d} cannot be read by this version: {built[0].what}")
            self._then = (number, Desk(built, self._desk.key))
        return self._then[1]
