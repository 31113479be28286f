"""What is written in the client area: it is handed in as a mail, and processed as one."""

from __future__ import annotations

import secrets
import time

from mailgate.core.model import Entry, Ticket
from mailgate.core.writing.submission import Submission, as_mail, on_one_line, once
from mailgate.edges.web.asking import Answer, Ask, Elsewhere, NotThere, Shown, numeral
from mailgate.edges.web.seen import the_ticket
from mailgate.pause import pause
from mailgate.store import entries, journal, matters, tickets

# How long a page waits until what was written has been processed; that takes milliseconds, unless much else waits.
_PATIENCE = 3.0
_LOOK_EVERY = 0.02
_COMMANDS = {"es": ("#reclamar", "#devolucion"), "en": ("#dispute", "#refund")}


def form_name(ask: Ask) -> str:
    """What names a form that is shown now."""
    return once(ask.now, secrets.token_urlsafe(12))


def new_form(ask: Ask) -> Answer:
    """Where a new request is written."""
    return Shown("new", {"here": "new", "once": form_name(ask), "subject": "", "text": "", "empty": False})


def new(ask: Ask) -> Answer:
    """Hand a new request in."""
    text, subject = ask.form.get("text", ""), ask.form.get("subject", "")
    if not text.strip() and not ask.files:
        given = {"here": "new", "once": form_name(ask), "subject": subject, "text": text, "empty": True}
        return Shown("new", given, status=422)
    return _hand_in(ask, text, None, subject)


def answer(ask: Ask) -> Answer:
    """Hand an answer in."""
    with ask.read() as tx:
        ticket = the_ticket(tx, ask)
    text = ask.form.get("text", "")
    if not text.strip() and not ask.files:
        return Elsewhere(f"/tickets/{ticket.id}?done=empty#answer")
    return _hand_in(ask, text, ticket)


def dispute(ask: Ask) -> Answer:
    """Dispute an entry, in the words of a mail: "#reclamar 345: motivo"."""
    number = numeral(ask.form.get("entry", ""))
    with ask.read() as tx:
        ticket = the_ticket(tx, ask)
        entry = entries.get(tx, number)
        if (
            entry is None
            or entry.client != ask.who.client
            or not _is_of(entry, ticket, tickets.get(tx, entry.ticket or 0))
        ):
            raise NotThere
        if entry.id in matters.disputed(tx, entry.client):
            return Elsewhere(f"/tickets/{ticket.id}?done=disputed")
    reason = on_one_line(ask.form.get("reason", ""))
    command = _COMMANDS[ask.language][0]
    return _hand_in(ask, f"{command} {entry.id}: {reason}" if reason else f"{command} {entry.id}", ticket)


def refund(ask: Ask) -> Answer:
    """Ask for the money back, in the words of a mail: "#devolucion motivo"."""
    command = _COMMANDS[ask.language][1]
    subject = {"es": "Devolución", "en": "Refund"}[ask.language]
    return _hand_in(ask, f"{command} {on_one_line(ask.form.get('reason', ''))}".rstrip(), None, subject)


def received(ask: Ask) -> Answer:
    """Something was handed in that shows in no ticket: it is answered by mail."""
    return Shown("received", {"here": ""})


def _is_of(entry: Entry, ticket: Ticket, own: Ticket | None) -> bool:
    """Whether an entry was booked on a ticket, or on one that goes on in it."""
    return own is not None and ticket.id in (own.id, own.merged_into)


def _hand_in(ask: Ask, text: str, ticket: Ticket | None, subject: str = "") -> Answer:
    """Hand a mail in; go on where it stands now."""
    sent = Submission(ask.who, text, ticket, subject, ask.files, ask.form.get("once", ""), ask.peer)
    raw, envelope = as_mail(sent, ask.desk, ask.now, secrets.token_urlsafe(24))
    number = ask.works.intake.submit(raw, envelope).result()
    found = _processed(ask, number)
    if found is None or (ticket is not None and found != ticket.id):
        return Elsewhere("/received")
    return Elsewhere(f"/tickets/{found}?done=sent")


def _processed(ask: Ask, number: int) -> int | None:
    """The ticket in which a message of the journal stands, once it is processed; None for none, or not yet."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        with ask.read() as tx:
            outcome, ticket = journal.became(tx, number)
        if outcome is not None:
            return ticket
        pause(_LOOK_EVERY)
    return None
