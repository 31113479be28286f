"""The director's morning: what came, what is late, what waits for a word, who carries what. Once on each open day.

A day that was missed is not made up for: today's digest says all that still matters of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

from mailgate.core.address import DESK_ITSELF
from mailgate.core.contract.consequences import to_staff
from mailgate.core.desk import Desk
from mailgate.core.mail import Notice
from mailgate.core.model import Matter, MatterKind, Priority, Ticket
from mailgate.service.letters import post
from mailgate.service.office import Office
from mailgate.store import Connection, board, entries, events, holds, matters, outbox, quarantine, tickets
from mailgate.store.outbox import Queued
from mailgate.store.quarantine import Quarantined

# A section is looked at on a phone: the first few, and how many more there are.
_MOST = 5
_DAY = timedelta(days=1)
# A balance that nothing moved for longer, or a mail that failed before, is news to nobody.
_MOVED_WITHIN = timedelta(days=30)
_FAILED_WITHIN = timedelta(days=7)
# Days without an opening after which "the last working day" says nothing.
_LONGEST_BACK = 30

Found = TypeVar("Found")
Section = dict[str, Any]
"""name; count; items: the first of them, plain values; more: how many are left out."""


def run(tx: Connection, office: Office, now: datetime) -> int:
    """Send today's digest at opening time, or later while the desk is open; 1 if it was sent."""
    desk = office.desk
    today = desk.local_day(now)
    spans = desk.calendar.spans(today)
    if not spans or not spans[0][0] <= now < spans[-1][1] or events.is_recorded(tx, "digest", "", today.isoformat()):
        return 0
    since = events.latest(tx, "digest") or now - _DAY
    number = events.record(tx, "digest", "", today.isoformat(), now)
    notice = digest(tx, desk, since, now)
    post(tx, office, [notice] if notice else [], now, f"x{number}")
    return 1 if notice else 0


def digest(tx: Connection, desk: Desk, since: datetime, now: datetime) -> Notice | None:
    """The director's digest; None where there is nothing to tell. since: when they had the last one."""
    today = desk.local_day(now)
    sections = [section for section in _sections(tx, desk, since, now) if section["count"]]
    worked_on = _last_working_day(desk, today)
    load = _load(tx, desk, worked_on)
    if not sections and not any(one["waiting"] for one in load):
        return None
    values = {
        "day": today,
        "sections": sections,
        "load": load,
        "worked_on": worked_on,
        "technician": _somebody_else(desk, sections),
    }
    return to_staff(desk, None, "digest", values, DESK_ITSELF)


def _somebody_else(desk: Desk, sections: Sequence[Section]) -> str:
    """Who the first ticket might be given to, for the example: the director only where there is nobody else."""
    has_it = next((item["technician_name"] for section in sections for item in section["items"] if item["subject"]), "")
    others = [key for key, person in desk.rules.technicians.items() if person.name != has_it]
    return min(others, key=lambda key: key == desk.rules.desk.director, default="")


def _sections(tx: Connection, desk: Desk, since: datetime, now: datetime) -> Iterator[Section]:
    for name, found in _tickets(tx, desk, since, now):
        yield _section(name, found, lambda ticket: _ticket(desk, ticket))
    open_matters = matters.waiting(tx)
    for name, kinds in _MATTERS:
        of_kind = [matter for matter in open_matters if matter.kind in kinds]
        yield _section(name, of_kind, lambda matter: _matter(tx, desk, matter))
    yield _section("unsent", list(_unsent(tx)), lambda one: _answer(desk, *one))
    yield _section("quarantine", quarantine.waiting(tx), _quarantined)
    low = entries.low(tx, max(desk.rules.time.warn_at, default=0), now - _MOVED_WITHIN)
    yield _section("low", low, lambda one: {**_ITEM, "client_name": desk.client_name(one[0]), "minutes": one[1]})
    yield _section("failed", outbox.failed_since(tx, now - _FAILED_WITHIN), _failed)


_MATTERS = (
    ("disputes", (MatterKind.DISPUTE,)),
    ("refunds", (MatterKind.REFUND,)),
    ("estimates", (MatterKind.ESTIMATE, MatterKind.DEBIT)),
)


def _section(name: str, found: Sequence[Found], item: Callable[[Found], dict[str, Any]]) -> Section:
    shown = [item(one) for one in found[:_MOST]]
    return {"name": name, "count": len(found), "items": shown, "more": len(found) - len(shown)}


def _tickets(tx: Connection, desk: Desk, since: datetime, now: datetime) -> Iterator[tuple[str, list[Ticket]]]:
    """The tickets to look at, each in the first section that it belongs to."""
    today = desk.local_day(now)
    due = board.due_before(tx, desk.calendar.spans(today)[-1][1])
    deliveries = board.to_deliver(tx, today)
    found = (
        ("late", [ticket for ticket in due if ticket.answer_due_at and ticket.answer_due_at < now]),
        ("new", board.opened_since(tx, since)),
        ("due", due),
        ("overdue", [ticket for ticket in deliveries if ticket.planned_delivery != today]),
        ("delivery", deliveries),
        ("planned", board.starting(tx, today)),
        ("held", board.held(tx)),
    )
    seen: set[int] = set()
    for name, listed in found:
        # Only the first few are shown: what is urgent stands before the rest, which keep their order.
        here = [ticket for ticket in listed if ticket.id not in seen]
        yield name, sorted(here, key=lambda ticket: ticket.priority is not Priority.URGENT)
        seen.update(ticket.id for ticket in listed)


# What an item of a section may say; each says what it has.
_ITEM: Mapping[str, Any] = {
    **dict.fromkeys(("tag", "client_name", "subject", "technician", "technician_name", "priority", "held"), ""),
    **dict.fromkeys(("sender", "reason", "to"), ""),
    **dict.fromkeys(("due_at", "delivery", "since", "entry", "minutes", "number")),
}


def _ticket(desk: Desk, ticket: Ticket) -> dict[str, Any]:
    return {
        **_ITEM,
        "tag": desk.tag(ticket.id),
        "client_name": desk.client_name(ticket.client) or ticket.requester,
        "subject": ticket.subject,
        "technician_name": desk.staff_name(ticket.technician),
        "priority": ticket.priority.value,
        "due_at": ticket.answer_due_at,
        "delivery": ticket.planned_delivery,
        "held": ticket.held_for if ticket.status == "held" else "",
    }


def _matter(tx: Connection, desk: Desk, matter: Matter) -> dict[str, Any]:
    entry = entries.get(tx, matter.entry) if matter.entry else None
    return {
        **_ITEM,
        "tag": desk.tag(matter.ticket) if matter.ticket else "",
        "client_name": desk.client_name(matter.client),
        "entry": matter.entry,
        "minutes": -entry.minutes if entry else matter.minutes,
        "since": matter.at,
    }


def _unsent(tx: Connection) -> Iterator[tuple[Ticket, str, datetime]]:
    """Answers that wait whole, each with its ticket, who wrote it and when."""
    waiting = holds.all_unsent(tx)
    found = tickets.get_many(tx, sorted({number for number, _, _ in waiting}))
    yield from ((found[number], technician, at) for number, technician, at in waiting)


def _answer(desk: Desk, ticket: Ticket, technician: str, at: datetime) -> dict[str, Any]:
    return {
        **_ITEM,
        "tag": desk.tag(ticket.id),
        "client_name": desk.client_name(ticket.client) or ticket.requester,
        "subject": ticket.subject,
        "technician": technician,
        "technician_name": desk.staff_name(technician),
        "since": at,
    }


def _quarantined(held: Quarantined) -> dict[str, Any]:
    return {**_ITEM, "number": held.id, "sender": held.sender, "subject": held.subject, "reason": held.reason}


def _failed(mail: Queued) -> dict[str, Any]:
    return {**_ITEM, "to": mail.to, "subject": mail.subject}


def _load(tx: Connection, desk: Desk, worked_on: date | None) -> list[dict[str, Any]]:
    """What each technician carries, in the order of the rules: it is no ranking."""
    waiting = board.load(tx)
    return [
        {
            "name": person.name,
            "waiting": waiting.get(key, 0),
            "worked": _worked(tx, desk, key, worked_on) if worked_on else 0,
        }
        for key, person in desk.rules.technicians.items()
    ]


def _worked(tx: Connection, desk: Desk, technician: str, day: date) -> int:
    begin, end = (datetime.combine(one, time(), desk.rules.zone).astimezone(UTC) for one in (day, day + _DAY))
    return entries.worked(tx, technician, begin, end)


def _last_working_day(desk: Desk, today: date) -> date | None:
    before = (today - days * _DAY for days in range(1, _LONGEST_BACK + 1))
    return next((day for day in before if desk.calendar.spans(day)), None)
