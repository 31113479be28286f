"""Who is away, and when they are back: what rules.toml says together with what people wrote themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from mailgate.core.desk import Desk
from mailgate.core.model import Absence

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Gone:
    """Somebody is away. back_at: when the desk opens and they are there, None if that cannot be told.

    short: the ticket waits for them rather than go to somebody else (`promise.short_absence`).
    """

    back_at: datetime | None
    short: bool


def ahead(desk: Desk, technician: str, noted: Iterable[Absence], today: date) -> tuple[Absence, ...]:
    """The absences of a technician that are not over, by their first day. noted: those that people wrote."""
    known = desk.rules.technician(technician)
    ruled = (Absence(technician, away.since, away.until) for away in (known.away if known else ()))
    theirs = (one for one in (*ruled, *noted) if one.technician == technician and one.until >= today)
    return tuple(sorted(theirs, key=lambda one: (one.since, one.until)))


def on(absences: Iterable[Absence], day: date) -> Absence | None:
    """The absence that covers a day: of several the one that lasts longest."""
    covering = [one for one in absences if one.since <= day <= one.until]
    return max(covering, key=lambda one: one.until, default=None)


def gone(desk: Desk, absences: Sequence[Absence], now: datetime) -> Gone | None:
    """Whether somebody with these absences is away when the desk works next; None for who is there.

    Absences that follow on each other, with nothing but closed days between, are one.
    """
    if not absences:
        return None
    opening = desk.calendar.next_opening(now)
    back = opening
    while back and (away := on(absences, desk.local_day(back))):
        back = desk.calendar.next_opening(datetime.combine(away.until + _DAY, time(), desk.rules.zone))
    if opening is None or back == opening:
        return None
    return Gone(back, back is not None and _is_short(desk, opening, back))


def _is_short(desk: Desk, opening: datetime, back: datetime) -> bool:
    """Whether few enough days on which the desk is open pass by."""
    left = desk.rules.promise.short_absence
    day, until = desk.local_day(opening), desk.local_day(back)
    while day < until and left >= 0:
        left -= bool(desk.calendar.spans(day))
        day += _DAY
    return left >= 0


def all_gone(desk: Desk, noted: Mapping[str, Sequence[Absence]], now: datetime) -> dict[str, Gone]:
    """Those of the desk who are away, by id."""
    today = desk.local_day(now)
    found = {id_: gone(desk, ahead(desk, id_, noted.get(id_, ()), today), now) for id_ in desk.rules.technicians}
    return {id_: away for id_, away in found.items() if away}
