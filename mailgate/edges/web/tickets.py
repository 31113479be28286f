"""Tickets: the first page, lists, and a ticket with its conversation and its entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from markupsafe import escape

from mailgate.core.access_data.covering import filled
from mailgate.core.access_data.covering import shown as parted
from mailgate.core.model import Entry, Kind, MatterKind, Role, Status, Ticket
from mailgate.edges.web import writing
from mailgate.edges.web.asking import Answer, Ask, Elsewhere, Shown
from mailgate.edges.web.seen import the_message, the_ticket, theirs
from mailgate.service.reports import account
from mailgate.store import Connection, accounts, entries, looks, matters, messages, tickets, vault
from mailgate.store.messages import Message

_LISTED = 30
_OPEN = 20
# A page stays small: so many messages, and of all together so many bytes; the rest is a click away.
_MESSAGES = 20
_BYTES = 30_000
_LONGEST = 6_000
_FILES = 50
# What an attachment costs in the page beside its name.
_OF_A_FILE = 200
_ENTRIES = 30
_SPENT_ON = 5
_LOOKS = 10


def first(ask: Ask) -> Answer:
    """Minutes left, what they went into this month, what is going on."""
    if ask.who.role is not Role.CLIENT:
        return Elsewhere("/board" if ask.who.role is Role.DIRECTOR else "/tickets")
    client = ask.who.client or ""
    month = ask.desk.local_day(ask.now).replace(day=1)
    with ask.read() as tx:
        stands = account(tx, ask.desk, client, ask.now)
        spent = accounts.spent_since(tx, client, month)
        going = tickets.going(tx, theirs(ask), _OPEN)
        most = _spent_on(tx, spent)
    values = {
        "here": "home",
        "account": stands,
        "client_name": ask.desk.client_name(client),
        "month": month,
        "spent": sum(spent.values()),
        "spent_on": most,
        "tickets": [row(ask, ticket) for ticket in going],
        "more": len(going) == _OPEN,
    }
    return Shown("home", values)


def _spent_on(tx: Connection, minutes: Mapping[int, int]) -> list[dict[str, Any]]:
    """The tickets that took the most. share: of all of it, 0 to 100."""
    total = sum(taken for taken in minutes.values() if taken > 0) or 1
    most = sorted((number for number in minutes if number and minutes[number] > 0), key=lambda n: -minutes[n])
    found = tickets.get_many(tx, most[:_SPENT_ON])
    return [
        {"ticket": ticket, "minutes": minutes[number], "share": round(100 * minutes[number] / total)}
        for number, ticket in found.items()
    ]


def listed(ask: Ask) -> Answer:
    """A page of tickets, the newest first. status: one, "going" for what is not closed, "" for all."""
    status = ask.query.get("status", "")
    only = replace(theirs(ask), before=ask.chosen("before"))
    if status in {one.value for one in Status}:
        only = replace(only, status=status)
    with ask.read() as tx:
        found = tickets.listed(tx, only, _LISTED + 1)
    shown = found[:_LISTED]
    values = {
        "here": "tickets",
        "tickets": [row(ask, ticket) for ticket in shown],
        "status": status,
        "statuses": [one.value for one in Status],
        "pages": _pages(ask, shown[-1].id if len(found) > _LISTED else None),
        **people(ask),
    }
    return Shown("tickets", values)


def people(ask: Ask) -> dict[str, Any]:
    """Whom the director may filter by: id to name; what they chose."""
    rules = ask.desk.rules
    director = ask.who.role is Role.DIRECTOR
    return {
        "clients": {key: client.name for key, client in sorted(rules.clients.items())} if director else {},
        "technicians": {key: person.name for key, person in rules.technicians.items()} if director else {},
        "client": ask.query.get("client", ""),
        "technician": ask.query.get("technician", ""),
    }


def _pages(ask: Ask, last: int | None) -> dict[str, str]:
    """Where the newest and the older ones are."""
    kept = [(name, ask.query[name]) for name in ("status", "client", "technician") if ask.query.get(name)]
    query = "&".join(f"{name}={value}" for name, value in kept)
    older = f"/tickets?{query}{'&' if query else ''}before={last}" if last else ""
    return {"before": f"/tickets?{query}" if ask.query.get("before") else "", "after": older}


def row(ask: Ask, ticket: Ticket) -> dict[str, Any]:
    """What a list says of a ticket."""
    return {
        "ticket": ticket,
        "tag": ask.desk.tag(ticket.id),
        "client_name": (ask.desk.client_name(ticket.client) or ticket.requester) if ask.who.role.staff else "",
        "technician_name": ask.desk.staff_name(ticket.technician),
        "late": ticket.answer_due_at is not None and ticket.answer_due_at < ask.now,
    }


def shown(ask: Ask) -> Answer:
    """A ticket: what was said, the newest last, what was booked, and forms to answer and to dispute."""
    return _page(ask, {})


def reveal(ask: Ask) -> Answer:
    """The ticket with the access data of one message; that somebody asked is recorded."""
    with ask.read() as tx:
        message, ticket = the_message(tx, ask)
    ask.write(lambda tx: looks.note(tx, message.id, ask.who.address, ask.now))
    return _page(replace(ask, path={"ticket": str(ticket.id)}, query={"from": str(message.id)}), {message.id: True})


def _page(ask: Ask, revealed: Mapping[int, bool]) -> Answer:
    with ask.read() as tx:
        ticket = the_ticket(tx, ask)
        until = ask.chosen("from")
        said = messages.some_of_ticket(tx, ticket.id, until, _MESSAGES + 1, internal=ask.who.role.staff)
        fitting = _fitting(said[:_MESSAGES], trails=ask.who.role.staff)
        secrets = {message.id: vault.of_message(tx, message.id) for message in fitting}
        booked = entries.of_ticket(tx, ticket.id)
        waiting = [one for one in matters.open_of_client(tx, ticket.client) if one.ticket == ticket.id]
        disputed = matters.disputed(tx, ticket.client) if ticket.client else frozenset()
        settled = {entry.of for entry in booked if entry.of}
        asked = looks.of_ticket(tx, ticket.id, _LOOKS) if ask.who.role is Role.DIRECTOR else []
    older = said[len(fitting)].id if len(said) > len(fitting) else None
    values = {
        "here": "tickets",
        **row(ask, ticket),
        "said": [_said(ask, one, secrets[one.id], show=one.id in revealed) for one in reversed(fitting)],
        "older": older,
        "newest": until is None,
        "entries": [_booked(ask, entry, disputed, settled) for entry in booked[-_ENTRIES:]],
        "left_out": max(0, len(booked) - _ENTRIES),
        "approve": [one for one in waiting if one.kind in (MatterKind.ESTIMATE, MatterKind.DEBIT)],
        "looks": asked,
        "once": writing.form_name(ask),
        "done": ask.query.get("done", ""),
        "follows_tag": ask.desk.tag(ticket.follows) if ticket.follows else "",
    }
    return Shown("ticket", values)


def _fitting(said: Sequence[Message], *, trails: bool) -> Sequence[Message]:
    """The newest that fit on a page; at least one. trails: each is shown with why it was treated so."""
    left = _BYTES
    for number, message in enumerate(said):
        left -= weight(message.text[:_LONGEST]) + _OF_A_FILE * min(len(message.attachments), _FILES)
        left -= weight(message.why) if trails else 0
        if left < 0 and number:
            return said[:number]
    return said


def weight(text: str) -> int:
    """The bytes of a text in a page."""
    return len(escape(text).encode("utf-8", "replace"))


def _said(ask: Ask, message: Message, secrets: Mapping[int, str], *, show: bool) -> dict[str, Any]:
    """A message as it is shown. cut: there is more of it on a page of its own."""
    pieces = parted(message.text[:_LONGEST].strip("\n"), secrets, show=show)
    hiding = any(file.guarded or filled(file.name, secrets) != file.name for file in message.attachments)
    files = [file for file in message.attachments if not (file.inline and file.content_id)][:_FILES]
    staff = ask.who.role.staff
    return {
        "message": message,
        "name": message.author_name or _name(ask, message),
        "desk": message.role.staff or message.role is Role.DESK,
        "pieces": pieces,
        "masked": not show and (hiding or any(piece.secret for piece in pieces)),
        "revealed": show,
        "cut": len(message.text) > _LONGEST,
        "original": message.blob is not None and (staff or message.role is Role.CLIENT),
        "gone": message.blob is None,
        "why": message.why.splitlines() if staff else [],
        "files": [replace(file, name=filled(file.name, secrets)) for file in files] if show else files,
    }


def _name(ask: Ask, message: Message) -> str:
    person = ask.desk.rules.who(message.author)
    return person.name if person is not None and person.role.staff else message.author


def _booked(ask: Ask, entry: Entry, disputed: frozenset[int], settled: set[int]) -> dict[str, Any]:
    """An entry as it is shown. may_dispute: whether its client still may."""
    open_to = entry.kind is Kind.DEBIT and entry.id not in settled and entry.id not in disputed
    return {
        "entry": entry,
        "technician_name": ask.desk.staff_name(entry.technician),
        "disputed": entry.id in disputed,
        "may_dispute": open_to and ask.who.role is Role.CLIENT,
    }
