"""What the clock brings to tickets and people: a table of jobs, each run every minute.

A job asks the store what is due, so that a daemon that was off finds it still. What it did it records as
an event in the transaction of its mails, so that nothing is told twice.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime

from mailgate.errors import StoreUnavailable, of_the_machine
from mailgate.service.jobs import (
    absences,
    clock,
    covering,
    digest,
    evening,
    left,
    planned,
    promises,
    retention,
    sealing,
    troubles,
)
from mailgate.service.office import Office
from mailgate.store import Connection
from mailgate.store.writer import Writer

log = logging.getLogger("mailgate.schedule")

Job = Callable[[Connection, Office, datetime], int]
"""Does what is due at `now`, in the caller's transaction; gives how many things it did."""

JOBS: Mapping[str, Job] = {
    "clock": clock.run,  # what a clock that was ahead has put off
    "planned": planned.run,  # work whose day has come, deliveries that are overdue
    "promises": promises.run,  # answers that are due soon, or late
    "absences": absences.run,  # tickets of who goes, and of who comes back
    "digest": digest.run,  # the director's morning
    "troubles": troubles.run,  # the admin's machinery
    "left": left.run,  # mail that stays in a mailbox
    "evening": evening.run,  # each technician's evening
    "retention": retention.run,  # what is kept no longer
    "sealing": sealing.run,  # mails under an older key
    "covering": covering.run,  # access data that an earlier version stored in clear
}

IN_DOUBT: Mapping[str, Job] = {"clock": clock.run}
"""Those that do no harm by a wrong date: while it is in doubt, what was put off by one goes out all the same."""


def tick(writer: Writer, office: Office, now: datetime, jobs: Mapping[str, Job] = JOBS) -> Counter[str]:
    """Run each job in a transaction of its own; give how many things each did. Waits for the commits.

    A job that fails is logged and stops none of the others. What the store does not allow now is due
    still at the next tick.
    """
    running = {name: writer.submit(_bound(job, office, now)) for name, job in jobs.items()}
    done: Counter[str] = Counter()
    waiting: dict[str, list[str]] = {}
    for name, future in running.items():
        try:
            done[name] += future.result()
        except Exception as error:
            if isinstance(error, StoreUnavailable) or of_the_machine(error):
                waiting.setdefault(str(error), []).append(name)
                continue
            log.exception("%s failed; the other jobs go on", name)
    for why, names in waiting.items():
        log.warning("waits: %s: %s", ", ".join(names), why)
    if told := ", ".join(f"{name} {count}" for name, count in done.items() if count):
        log.info("%s", told)
    return +done


def _bound(job: Job, office: Office, now: datetime) -> Callable[[Connection], int]:
    return lambda tx: job(tx, office, now)
