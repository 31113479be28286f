"""What happens by the clock: the books are proven, accounts expire, months are stated. Each once.

An event and its mails are written in one transaction, so that it happens once whatever stops the
process; what a daemon that was off has missed is due still, and caught up with.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial

from mailgate.core import ledger
from mailgate.core.contract import account, settlement
from mailgate.core.contract.account import DueEvent
from mailgate.core.contract.consequences import offer, to_both, to_client
from mailgate.core.desk import Desk
from mailgate.core.erasure import is_pseudonym
from mailgate.core.mail import Notice
from mailgate.core.model import Entry
from mailgate.core.settings.units import Period
from mailgate.core.writing.phrases import count
from mailgate.errors import StoreUnavailable
from mailgate.service.audit import Audit, audited_apart, audited_here, halt, resume
from mailgate.service.letters import post
from mailgate.service.office import Office
from mailgate.service.take import Clock, utc_now
from mailgate.store import Connection, Store, accounts, entries, events, matters
from mailgate.store.writer import Writer

log = logging.getLogger("mailgate.daily")

# Gives the result, or None where it is told to stop before there is one.
Prove = Callable[[Store, Callable[[], bool]], Audit | None]

_MONTH = Period(months=1)
_DAY = timedelta(days=1)
# How long after its month a statement is still sent, to who was off meanwhile.
_LATEST = Period(months=12)
# That the proof of the books makes way for mail, a minute each.
_MOST_TIMES = 60
# After the start, in which it shows whether much mail has waited for it.
_MOMENT_SECONDS = 1.0


@dataclass(slots=True)
class Done:
    """What a day's run did. happened: how often each kind of event; problems: of the books."""

    happened: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        if self.problems:
            return f"the day's work waits: {count(len(self.problems), 'problem', 'problems', 'en')} in the books"
        counts = [f"{self.happened[kind]} {name}" for kind, name in _NAMES.items()]
        return ", ".join([*counts, *([f"failed: {' '.join(self.failed)}"] if self.failed else [])])


_NAMES = {"expiry_warning": "warnings of expiry", "expiry": "expiries", "statement": "statements"}


@dataclass(frozen=True, slots=True)
class _Event:
    """Something that is due now. entry: what it books."""

    kind: events.Kind
    key: str
    notices: tuple[Notice, ...] = ()
    entry: Entry | None = None


def run_daily(
    store: Store,
    writer: Writer,
    office: Office,
    now: datetime,
    going: Callable[[], bool] = lambda: True,
    prove: Prove = audited_here,
) -> Done | None:
    """Prove the books, then do for each account what is due; None where the proof was told to stop.

    While the books do not add up nothing else is done. A failure with one client is logged and does
    not stop the others. going: asked before each client. Raises StoreUnavailable.
    """
    result = prove(store, going)
    if result is None:
        return None
    with store.read() as tx:
        halts = events.halts(tx)
    if result.problems:
        writer.submit(lambda tx: halt(tx, office, result.problems, now)).result()
        return Done(problems=result.problems)
    if halts:
        writer.submit(lambda tx: resume(tx, halts, now)).result()
    done = Done()
    for client in result.balances:
        if not going():
            return done
        if is_pseudonym(client):
            continue
        _try_account(writer, office, client, now, done)
    writer.submit(lambda tx: events.record(tx, "day", "", _key(office, now), now)).result()
    return done


def is_done(store: Store, office: Office, now: datetime) -> bool:
    """Whether the work of today was done, by this process or by one before it."""
    with store.read() as tx:
        return events.is_recorded(tx, "day", "", _key(office, now))


def _key(office: Office, now: datetime) -> str:
    return office.desk.local_day(now).isoformat()


def _try_account(writer: Writer, office: Office, client: str, now: datetime, done: Done) -> None:
    try:
        done.happened += writer.submit(partial(settle, office=office, client=client, now=now)).result()
    except StoreUnavailable:
        raise
    except Exception:
        log.exception("the day's work for %s failed; the others go on", client)
        done.failed.append(client)


def settle(tx: Connection, office: Office, client: str, now: datetime) -> Counter[str]:
    """Do what is due for one client, in the caller's transaction; count the events that were told."""
    accounts.carry_forward(tx, client)
    done: Counter[str] = Counter()
    for due in [*_expiring(tx, office.desk, client, now), *_statements(tx, office.desk, client, now)]:
        number = events.record(tx, due.kind, client, due.key, now)
        if due.entry:
            entries.append(tx, due.entry)
        post(tx, office, due.notices, now, f"x{number}")
        done[due.kind] += bool(due.notices)
    return done


def _expiring(tx: Connection, desk: Desk, client: str, now: datetime) -> Iterator[_Event]:
    """Warnings, and the end of an account that nobody used."""
    today, booked = desk.local_day(now), accounts.standing(tx, client)
    known = events.happened(tx, "expiry_warning", client) | events.happened(tx, "expiry", client)
    disputed = bool(matters.disputed(tx, client))
    for due in account.due_events(booked, desk.rules.time, today, disputed=disputed, happened=known):
        if due.kind == "expiry":
            yield _expiry(desk, client, booked, due, now)
        else:
            notices = (_warning(desk, client, booked, due, today),) if due.send else ()
            yield _Event("expiry_warning", due.key, notices)


def _warning(desk: Desk, client: str, booked: Sequence[Entry], due: DueEvent, today: date) -> Notice:
    values = {
        "balance": ledger.balance(booked),
        "expires_on": due.expires_on,
        "days": (due.expires_on - today).days,
    }
    return to_client(desk, client, "expiry_warning", values)


def _expiry(desk: Desk, client: str, booked: Sequence[Entry], due: DueEvent, now: datetime) -> _Event:
    taken = settlement.expiry(booked, client, now, desk.local_day(now))
    values = {
        "client": client,
        "minutes": -taken.minutes,
        "expires_on": due.expires_on,
        "refund_until": account.refund_until([*booked, taken], desk.rules.time.refund_window, desk.rules.zone),
        **offer(desk),
    }
    return _Event("expiry", due.key, tuple(to_both(desk, client, "expired", values)), taken)


def _statements(tx: Connection, desk: Desk, client: str, now: datetime) -> Iterator[_Event]:
    """A report of each month that is over and saw some movement; one of long ago is news to nobody."""
    known = events.happened(tx, "statement", client)
    for month in account.statement_months(accounts.months(tx, client, desk.rules.zone), desk.local_day(now), known):
        since = date.fromisoformat(f"{month}-01")
        until = _MONTH.add_to(since) - _DAY
        values = {"client": client, "since": since, "until": until}
        late = _LATEST.add_to(until) < desk.local_day(now)
        yield _Event("statement", month, () if late else (to_client(desk, client, "statement", values),))


class Daily:
    """Runs the day's work when the daemon starts and whenever the desk's day has changed.

    office: gives the rules in force; done: called after a run. busy: whether much mail comes in, which the proof of the
    books would hold up: it makes way, for an hour of these at most, and begins anew.
    """

    def __init__(
        self,
        store: Store,
        writer: Writer,
        office: Callable[[], Office],
        done: Callable[[], None],
        clock: Clock = utc_now,
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store = store
        self._writer = writer
        self._office = office
        self._done = done
        self._clock = clock
        self._busy = busy
        self._made_way = 0
        self._stopping = False
        self._has_begun = False
        self._day: date | None = None
        self._changed = threading.Condition()

    def tick(self) -> None:
        """Do the work of the day unless it is done; it may take a while, so not in the event loop.

        What the store did not allow is tried again by the next tick, what failed otherwise by the next day.
        """
        office, now = self._office(), self._clock()
        today = office.desk.local_day(now)
        # Not "later than": a clock that was wrong and is put right has its day, too.
        if today == self._day or self._stopping:
            return
        try:
            if not is_done(self._store, office, now):
                done = run_daily(self._store, self._writer, office, now, self._is_going, self._proof)
                if done is None:
                    return
                log.info("%s: %s", today, done)
        except StoreUnavailable as error:
            log.warning("the day's work waits: %s", error)
            return
        except Exception:
            log.exception("the day's work stopped short")
        with self._changed:
            self._day, self._made_way = today, 0
            self._changed.notify_all()
        self._done()

    def wait(self, seconds: float) -> None:
        """Wait until the work of today is done or makes way, or for so many seconds.

        What looks neglected to a daemon that was off, as the proof of the books, is in order then.
        """
        today = self._office().desk.local_day(self._clock())
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._day == today or self._made_way > 0, seconds)

    def stop(self) -> None:
        """Finish the client under way, then do no more."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def _is_going(self) -> bool:
        return not self._stopping

    def _proof(self, store: Store, going: Callable[[], bool]) -> Audit | None:
        if not self._has_begun:
            with self._changed:
                self._changed.wait_for(lambda: self._stopping, _MOMENT_SECONDS)
            self._has_begun = True
        waits = self._made_way < _MOST_TIMES
        found = audited_apart(store, lambda: going() and not (waits and self._busy()))
        if found is None and going():
            log.info("the proof of the books makes way for the mail that comes in")
            with self._changed:
                self._made_way += 1
                self._changed.notify_all()
        return found
