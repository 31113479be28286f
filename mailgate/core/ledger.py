"""The account of a client: an append-only list of entries whose sum is the balance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal

from mailgate.core.model import Entry, Kind, Ticket

State = Literal["active", "ended", "expired", "none"]

VOID_WINDOW = timedelta(days=1)
_WORK = (Kind.DEBIT, Kind.COURTESY)


def balance(entries: Iterable[Entry]) -> int:
    """Minutes left; the only place that a balance comes from (the store's sum is the same sum)."""
    return sum(entry.minutes for entry in entries)


def charged(minutes: int, left: int, overdraft: str) -> int | None:
    """How much of a debit is charged against what is left; None where it must be refused.

    minutes: > 0. overdraft: "allow" charges all, "cap" down to zero, "refuse" all or nothing.
    """
    if minutes <= left or overdraft == "allow":
        return minutes
    return max(left, 0) if overdraft == "cap" else None


def spent(ticket: Ticket, entries: Iterable[Entry]) -> int:
    """Minutes charged on a ticket once these entries are booked, of which some may be other tickets'."""
    return ticket.minutes - sum(entry.minutes for entry in entries if entry.ticket == ticket.id)


def void(of: Entry, at: datetime, day: date, note: str, technician: str | None) -> Entry:
    """The entry that takes another one back whole. Its number is given when it is booked."""
    return replace(
        of,
        id=0,
        kind=Kind.VOID,
        minutes=-of.minutes,
        worked=0,
        at=at,
        day=day,
        note=note,
        of=of.id,
        technician=technician,
        message=None,
        line=None,
    )


def last_used(entries: Sequence[Entry]) -> date | None:
    """Day of the last debit; before any, of the last purchase; None for an account never used."""
    debits = [entry.day for entry in entries if entry.kind is Kind.DEBIT]
    purchases = [entry.day for entry in entries if entry.kind is Kind.PURCHASE]
    return max(debits, default=None) or max(purchases, default=None)


def ended_by(entries: Iterable[Entry]) -> Entry | None:
    """The entry that used up what was left; None while something is left, or where nothing was bought.

    A purchase that a debt swallows whole is used up at once.
    """
    last, left = None, 0
    for entry in entries:
        before, left = left, left + entry.minutes
        if left > 0:
            last = None
        elif before > 0 or entry.kind is Kind.PURCHASE:
            last = entry
    return last


def state(entries: Sequence[Entry], expires_on: date | None, today: date) -> State:
    """Whether the service runs, has ended (nothing left), has expired, or was never bought."""
    if not any(entry.kind is Kind.PURCHASE for entry in entries):
        return "none"
    if last := ended_by(entries):
        return "expired" if last.kind is Kind.EXPIRY else "ended"
    return "expired" if expires_on is not None and today > expires_on else "active"


@dataclass(frozen=True, slots=True)
class Line:
    """An entry in a statement, with the balance after it."""

    entry: Entry
    balance_after: int


@dataclass(frozen=True, slots=True)
class Statement:
    """What happened to an account from one day to another, both included; checkable with a pencil.

    opening + the lines' minutes = closing. An entry stands on the day it was booked, so that a
    month that has passed never changes.
    """

    since: date
    until: date
    opening: int
    lines: tuple[Line, ...]

    @property
    def closing(self) -> int:
        """Minutes left at the end of the last day."""
        return self.lines[-1].balance_after if self.lines else self.opening


def statement(opening: int, entries: Sequence[Entry], since: date, until: date) -> Statement:
    """Draw up a statement. opening: the balance before. entries: of one client, booked in that time, oldest first."""
    lines = []
    left = opening
    for entry in entries:
        left += entry.minutes
        lines.append(Line(entry, left))
    return Statement(since, until, opening, tuple(lines))


@dataclass(frozen=True, slots=True)
class Broken:
    """An invariant that does not hold. entry: the number of the entry where it shows."""

    entry: int
    what: str


def signs_fit_kinds(entries: Sequence[Entry]) -> Iterator[Broken]:
    """Purchases and adjustments add, debits and refunds take or stand at zero, courtesies do neither."""
    for entry in entries:
        fits = {
            Kind.PURCHASE: entry.minutes > 0,
            Kind.DEBIT: -entry.worked <= entry.minutes <= 0 < entry.worked,
            Kind.COURTESY: entry.minutes == 0 < entry.worked,
            Kind.ADJUST: entry.minutes > 0,
            Kind.REFUND: entry.minutes <= 0,
            Kind.EXPIRY: entry.minutes < 0,
        }.get(entry.kind, True)
        if not fits:
            yield Broken(entry.id, f"a {entry.kind} of {entry.minutes} minutes ({entry.worked} worked)")


def _answers(entries: Sequence[Entry], *kinds: Kind) -> Iterator[tuple[Entry, Entry | None]]:
    """The entries of some kinds, each with the earlier one of its client that it answers."""
    known: dict[tuple[str, int | None], Entry] = {}
    for entry in entries:
        if entry.kind in kinds:
            yield entry, known.get((entry.client, entry.of))
        known[entry.client, entry.id] = entry


def voids_cancel_exactly(entries: Sequence[Entry]) -> Iterator[Broken]:
    """A void takes back one earlier piece of work of its client: what adjustments left of it, to the minute."""
    adjusted: Counter[int] = Counter()
    for entry, of in _answers(entries, Kind.VOID, Kind.ADJUST):
        if entry.kind is Kind.ADJUST:
            adjusted[entry.of or 0] += entry.minutes
        elif of is None or of.kind not in _WORK or entry.minutes != -of.minutes - adjusted[of.id]:
            yield Broken(entry.id, f"does not cancel entry {entry.of}")


def adjustments_give_back_what_was_taken(entries: Sequence[Entry]) -> Iterator[Broken]:
    """An adjustment answers an earlier debit of its client; with a void before it, never more than that took."""
    back: Counter[int] = Counter()
    for entry, of in _answers(entries, Kind.VOID, Kind.ADJUST):
        back[entry.of or 0] += entry.minutes
        if entry.kind is Kind.ADJUST and (of is None or of.kind is not Kind.DEBIT or back[of.id] > -of.minutes):
            yield Broken(entry.id, f"gives back more than entry {entry.of} took")


def refunds_answer_purchases_once(entries: Sequence[Entry]) -> Iterator[Broken]:
    """A refund answers an earlier purchase of its client, and takes no more minutes than were bought."""
    seen: set[int] = set()
    for entry, of in _answers(entries, Kind.REFUND):
        if of is None or of.kind is not Kind.PURCHASE or -entry.minutes > of.minutes:
            yield Broken(entry.id, f"does not refund entry {entry.of}")
        elif of.id in seen:
            yield Broken(entry.id, f"refunds entry {entry.of} a second time")
        seen.add(entry.of or 0)


def expiries_take_all(entries: Sequence[Entry]) -> Iterator[Broken]:
    """An expiry leaves exactly nothing."""
    left: Counter[str] = Counter()
    for entry in entries:
        left[entry.client] += entry.minutes
        if entry.kind is Kind.EXPIRY and left[entry.client] != 0:
            yield Broken(entry.id, f"an expiry that leaves {left[entry.client]} minutes")


def nothing_voided_twice(entries: Sequence[Entry]) -> Iterator[Broken]:
    """No entry is taken back more than once."""
    seen: set[int | None] = set()
    for entry in entries:
        if entry.kind is Kind.VOID:
            if entry.of in seen:
                yield Broken(entry.id, f"voids entry {entry.of} a second time")
            seen.add(entry.of)


def no_line_books_twice(entries: Sequence[Entry]) -> Iterator[Broken]:
    """One entry for a line of a message."""
    seen: set[tuple[int, int | None]] = set()
    for entry in entries:
        if entry.message is not None and entry.line is not None:
            key = (entry.message, entry.line)
            if key in seen:
                yield Broken(entry.id, f"message {entry.message}, line {entry.line} booked twice")
            seen.add(key)


def times_are_aware(entries: Sequence[Entry]) -> Iterator[Broken]:
    """Every time of booking says its zone."""
    for entry in entries:
        if entry.at.tzinfo is None:
            yield Broken(entry.id, "a time without a zone")


CHECKS = (
    signs_fit_kinds,
    voids_cancel_exactly,
    nothing_voided_twice,
    adjustments_give_back_what_was_taken,
    refunds_answer_purchases_once,
    expiries_take_all,
    no_line_books_twice,
    times_are_aware,
)


def audit(entries: Sequence[Entry]) -> list[Broken]:
    """Every broken invariant of the ledger, each naming its entry; does not stop at the first."""
    return [broken for check in CHECKS for broken in check(entries)]
