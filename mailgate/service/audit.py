"""Prove the books: the ledger's invariants, and that nothing in the store hangs in the air.

What does not add up stops the booking of minutes until a later proof is good.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection as PipeConnection
from pathlib import Path

from mailgate import cores
from mailgate.core import ledger
from mailgate.core.contract.proofs import matters_fit, prices_fit
from mailgate.core.mail import Notice
from mailgate.core.model import Entry
from mailgate.core.settings.rules import Rules
from mailgate.core.writing.phrases import count
from mailgate.errors import StoreUnavailable
from mailgate.service.letters import post
from mailgate.service.office import Office
from mailgate.store import Connection, Store, entries, events, matters
from mailgate.store.proofs import mails_told, problems_of_store

log = logging.getLogger("mailgate.audit")

_SPAWN = multiprocessing.get_context("spawn")
_LOOK_SECONDS = 0.2
# How much less of the processor the proof asks for than the mail beside it, see nice(2).
_MODEST = 10
# Of what is off, a mail tells as much as somebody will read; `mailgate audit` tells all.
MOST_TOLD = 50


@dataclass(frozen=True, slots=True)
class Audit:
    """What was looked at, and everything that is off."""

    entries: int
    balances: dict[str, int]
    problems: list[str]

    def told(self) -> str:
        """The result for people."""
        booked = count(self.entries, "entry", "entries", "en")
        checked = f"{booked} of {count(len(self.balances), 'client', 'clients', 'en')}"
        if not self.problems:
            return f"good: {checked}, sums, chains and store agree"
        return "\n".join([*self.problems, f"{count(len(self.problems), 'problem', 'problems', 'en')} in {checked}"])


def audited(tx: Connection) -> Audit:
    """Look at the whole ledger and the whole store."""
    booked = entries.everything(tx)
    sums: Counter[str] = Counter()
    for entry in booked:
        sums[entry.client] += entry.minutes
    broken = [*ledger.audit(booked), *prices_fit(booked)]
    problems = [f"entry {one.entry}: {one.what}" for one in broken]
    for client, left in sums.items():
        if (stored := entries.balance(tx, client)) != left:
            problems.append(f"client {client}: the store says {stored} minutes, the entries sum to {left}")
    problems += matters_fit(matters.everything(tx), booked)
    problems += _told_too_often(tx, booked)
    return Audit(len(booked), dict(sorted(sums.items())), [*problems, *problems_of_store(tx)])


def audited_here(store: Store, going: Callable[[], bool]) -> Audit | None:
    """Look at the store now; None where there is no time any more."""
    if not going():
        return None
    with store.read() as tx:
        return audited(tx)


def audited_apart(store: Store, going: Callable[[], bool]) -> Audit | None:
    """The same in a process of its own, so that mail goes on beside it: a big store takes a minute or more.

    None when `going` says so meanwhile. Raises StoreUnavailable where that process could not look.
    """
    if not going():
        return None
    receiver, sender = _SPAWN.Pipe(duplex=False)
    child = _SPAWN.Process(target=_send_audit, args=(store.path, sender), name="audit", daemon=True)
    child.start()
    sender.close()
    try:
        while going():
            if receiver.poll(_LOOK_SECONDS):
                found = receiver.recv()
                if isinstance(found, Audit):
                    return found
                raise found
        return None
    except EOFError:
        raise StoreUnavailable("the process that proves the books ended before it was done") from None
    finally:
        child.kill()
        child.join()


def _send_audit(path: Path, sender: PipeConnection) -> None:
    cores.use_all()
    with contextlib.suppress(OSError):  # where that is not allowed it is done all the same
        os.nice(_MODEST)
    try:
        store = Store(path)
        with store.read() as tx:
            sender.send(audited(tx))
        store.close()
    except StoreUnavailable as error:
        sender.send(error)


def _told_too_often(tx: Connection, booked: Sequence[Entry]) -> Iterator[str]:
    """Mails of a low or used up balance beyond the bookings that can have caused them.

    A booking and its mails carry the same instant. The end of a service is told to client and director.
    """
    lowered: Counter[datetime] = Counter()
    ended: Counter[datetime] = Counter()
    left: Counter[str] = Counter()
    for entry in booked:
        before, left[entry.client] = left[entry.client], left[entry.client] + entry.minutes
        lowered[entry.at] += entry.minutes < 0
        ended[entry.at] += 2 * (before > 0 >= left[entry.client])
    for template, causes in (("low_balance", lowered), ("service_ended", ended)):
        for number, at in mails_told(tx, template):
            causes[at] -= 1
            if causes[at] < 0:
                yield f"outbox {number}: a {template} that no booking caused"


def halt(tx: Connection, office: Office, problems: Sequence[str], now: datetime) -> bool:
    """Book no more minutes, and tell the admin; False where that is so already."""
    if events.halts(tx):
        return False
    number = events.record(tx, "halt", "", now.isoformat(), now)
    post(tx, office, [_books_halted(office.desk.rules, problems, now)], now, f"x{number}")
    for problem in problems[:MOST_TOLD]:
        log.error("%s", problem)
    log.error("%d problems in the books; no minutes are booked until an audit is good", len(problems))
    return True


def resume(tx: Connection, halts: Sequence[str], now: datetime) -> None:
    """Book minutes again after a good proof. halts: the keys of those that it ends."""
    for key in halts:
        events.record(tx, "resume", "", key, now)
        log.info("the books add up; minutes are booked again after the halt of %s", key)


def _books_halted(rules: Rules, problems: Sequence[str], since: datetime) -> Notice:
    more = [f"… {len(problems) - MOST_TOLD}: mailgate audit"] if len(problems) > MOST_TOLD else []
    return Notice(
        "books_halted",
        to=rules.desk.admin,
        language=rules.desk.language,
        values={"problems": [*problems[:MOST_TOLD], *more], "since": since},
        automatic="auto-generated",
    )
