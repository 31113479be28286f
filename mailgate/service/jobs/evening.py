"""A technician's evening: what they booked, what they answered without time, what they still hold back.

At the end of each day, open or not; sent where there is something to tell. What is done after it is in the next one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from mailgate.core.address import DESK_ITSELF
from mailgate.core.contract.consequences import to_staff
from mailgate.core.desk import Desk
from mailgate.core.mail import Notice
from mailgate.core.model import Entry, Kind
from mailgate.service.letters import post
from mailgate.service.office import Office
from mailgate.store import Connection, entries, events, holds, messages, tickets
from mailgate.store.messages import Message

# When the day ends on which the desk is closed, and the latest for one that is open until midnight.
_CLOSED_DAY = time(20)
_LATEST = time(23, 50)
# What was done longer ago is news to nobody, after a daemon that was off.
_AT_MOST = timedelta(days=7)


def run(tx: Connection, office: Office, now: datetime) -> int:
    """Send each technician their evening once the day of the desk has ended; give how many were sent."""
    desk = office.desk
    today = desk.local_day(now)
    if now < _end(desk, today) or events.is_recorded(tx, "evening", "", today.isoformat()):
        return 0
    oldest = now - _AT_MOST
    since = max(events.latest(tx, "evening") or oldest, oldest)
    number = events.record(tx, "evening", "", today.isoformat(), now)
    notices = list(evenings(tx, desk, since, now))
    post(tx, office, notices, now, f"x{number}")
    return len(notices)


def evenings(tx: Connection, desk: Desk, since: datetime, now: datetime) -> Iterator[Notice]:
    """The evening's mail of each technician who did something since then."""
    remind = desk.rules.time.missing == "remind"
    unbooked = messages.answers_without_time(tx, since, now) if remind else []
    for key, person in desk.rules.technicians.items():
        booked = entries.booked(tx, key, since, now)
        answers = [message for message in unbooked if message.author in person.addresses]
        waiting = holds.of_technician(tx, key)
        if booked or answers or any(message.at > since for _, message in waiting):
            values = {
                "day": desk.local_day(now),
                "total": sum(entry.worked for entry in booked),
                "clients": _clients(desk, booked),
                "answers": _answers(tx, desk, answers, booked),
                "held": [_held(desk, reason, message) for reason, message in waiting],
            }
            yield to_staff(desk, key, "evening", values, DESK_ITSELF)


def _clients(desk: Desk, booked: Sequence[Entry]) -> list[dict[str, Any]]:
    """What was booked, by client."""
    by_name = sorted(booked, key=lambda entry: (desk.client_name(entry.client), entry.id))
    groups = ((name, list(group)) for name, group in groupby(by_name, lambda entry: desk.client_name(entry.client)))
    return [
        {
            "client_name": name,
            "minutes": sum(entry.worked for entry in group),
            "entries": [_entry(desk, entry) for entry in group],
        }
        for name, group in groups
    ]


def _entry(desk: Desk, entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "tag": desk.tag(entry.ticket or 0),
        "minutes": entry.worked,
        "note": entry.note,
        "day": entry.day,
        "courtesy": entry.kind is Kind.COURTESY,
        "phone": entry.phone,
    }


def _answers(tx: Connection, desk: Desk, answers: Sequence[Message], booked: Sequence[Entry]) -> list[dict[str, Any]]:
    """One line of the form for each ticket that was answered without time."""
    found = tickets.get_many(tx, sorted({message.ticket for message in answers if message.ticket}))
    return [
        {
            "tag": desk.tag(number),
            "subject": ticket.subject,
            "words": [" ".join(message.text.split()) for message in answers if message.ticket == number],
            "booked": sum(entry.worked for entry in booked if entry.ticket == number),
        }
        for number, ticket in found.items()
    ]


def _held(desk: Desk, reason: str, message: Message) -> dict[str, Any]:
    return {"tag": desk.tag(message.ticket or 0), "subject": message.subject, "reason": reason}


def _end(desk: Desk, day: date) -> datetime:
    """When a day's work ends: at closing time, at 20:00 on a day on which the desk is closed."""
    spans = desk.calendar.spans(day)
    return min(spans[-1][1], _at(desk, day, _LATEST)) if spans else _at(desk, day, _CLOSED_DAY)


def _at(desk: Desk, day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, desk.rules.zone).astimezone(UTC)
