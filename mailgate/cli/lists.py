"""`tickets`, `ticket`, `quarantine`, `outbox`: what there is."""

from __future__ import annotations

import sys
from typing import Any

import click

from mailgate.cli.books import entry_object
from mailgate.cli.common import (
    Place,
    as_json,
    known_client,
    number_of,
    on,
    pass_place,
    row_number,
    show,
    table,
    tag_of,
    when,
)
from mailgate.core.model import Status, Ticket
from mailgate.core.settings.rules import Rules
from mailgate.errors import MailgateError, NotFound, Refused
from mailgate.service.process import process_released
from mailgate.service.take import utc_now
from mailgate.store import Connection, entries, journal, matters, outbox, quarantine
from mailgate.store import messages as message_store
from mailgate.store import tickets as ticket_store
from mailgate.store.messages import Message
from mailgate.store.outbox import Queued
from mailgate.store.quarantine import Quarantined


@click.command()
@click.option("--client", help="Only this client's.")
@click.option("--status", type=click.Choice([status.value for status in Status]), help="Only these.")
@click.option("--search", metavar="WORDS", help="Words of the subject.")
@as_json
@pass_place
def tickets(place: Place, client: str | None, status: str | None, search: str | None, json_wanted: bool) -> None:
    """List tickets, newest first."""
    rules = place.rules()
    if client:
        known_client(rules, client)
    with place.store() as store, store.read() as tx:
        found = ticket_store.listed(tx, client, status, search)
    rows = [_ticket_object(ticket, rules) for ticket in found]
    columns = ("id", "client", "status", "priority", "technician", "minutes", "subject")
    show(rows, json_wanted, lambda rows: table(rows, columns, "no tickets"))


@click.command()
@click.argument("id")
@as_json
@pass_place
def ticket(place: Place, id: str, json_wanted: bool) -> None:  # noqa: A002
    """Show a ticket with its conversation and its entries."""
    rules = place.rules()
    number = number_of(rules, id)
    with place.store() as store, store.read() as tx:
        found = ticket_store.get(tx, number)
        if found is None:
            raise NotFound(f"{tag_of(rules, number)}: no such ticket")
        shown = _ticket_object(found, rules)
        shown["messages"] = [_message_object(message, rules) for message in message_store.of_ticket(tx, number)]
        disputed = matters.disputed(tx, found.client)
        shown["entries"] = [entry_object(entry, rules, disputed) for entry in entries.of_ticket(tx, number)]
    show(shown, json_wanted, _conversation)


@click.group(name="quarantine", invoke_without_command=True)
@as_json
@pass_place
@click.pass_context
def quarantine_group(context: click.Context, place: Place, json_wanted: bool) -> None:
    """List what waits in quarantine; show, release or drop one."""
    if context.invoked_subcommand:
        return
    rules = place.rules()
    with place.store() as store, store.read() as tx:
        rows = [_quarantine_object(held, rules) for held in quarantine.waiting(tx)]
    columns = ("id", "at", "from", "subject", "reason")
    show(rows, json_wanted, lambda rows: table(rows, columns, "nothing in quarantine"))


@quarantine_group.command(name="show")
@click.argument("id", type=row_number)
@as_json
@pass_place
def quarantine_show(place: Place, id: int, json_wanted: bool) -> None:  # noqa: A002
    """Print the whole raw message; as JSON with the reason and, of a failure of ours, its traceback."""
    rules = place.rules()
    with place.store() as store, store.read() as tx:
        held = _quarantined(quarantine.get(tx, id), id)
        kept = journal.get(tx, held.journal)
    raw = kept.raw if kept else b""
    if json_wanted:
        shown = {**_quarantine_object(held, rules), "state": held.state, "detail": held.detail or None}
        show({**shown, "raw": raw.decode("utf-8", "replace")}, json_wanted, str)
        return
    if held.detail:
        click.echo(held.detail, err=True)
    sys.stdout.buffer.write(raw)


@quarantine_group.command(name="release")
@click.argument("id", type=row_number)
@pass_place
def quarantine_release(place: Place, id: int) -> None:  # noqa: A002
    """Process a message after all, vouched for by whoever runs this; the rules of today apply."""
    office = place.office()
    try:
        with place.store() as store, store.write() as tx:
            held = _waiting(quarantine.get(tx, id), id)
            plan = process_released(tx, office, held, utc_now())
    except MailgateError:
        raise
    except Exception as error:
        raise Refused(f"{id}: stays in quarantine, the program fails on it: {error}") from error
    click.echo(f"released: {plan.outcome} ({plan.why[-1]})")


@quarantine_group.command(name="drop")
@click.argument("id", type=row_number)
@pass_place
def quarantine_drop(place: Place, id: int) -> None:  # noqa: A002
    """Take a message off the list; its raw bytes stay in the journal."""
    with place.store() as store, store.write() as tx:
        _waiting(quarantine.get(tx, id), id)
        quarantine.decide(tx, id, "dropped")
    click.echo(f"dropped {id}")


@click.group(name="outbox", invoke_without_command=True)
@as_json
@pass_place
@click.pass_context
def outbox_group(context: click.Context, place: Place, json_wanted: bool) -> None:
    """List what is to be sent and what failed; retry or cancel one."""
    if context.invoked_subcommand:
        return
    rules = place.rules()
    with place.store() as store, store.read() as tx:
        rows = [_outbox_object(mail, rules) for mail in outbox.listed(tx)]
    columns = ("id", "state", "to", "template", "tries", "next_try_at", "last_error", "subject")
    show(rows, json_wanted, lambda rows: table(rows, columns, "nothing waits to be sent"))


@outbox_group.command(name="retry")
@click.argument("id", type=row_number)
@pass_place
def outbox_retry(place: Place, id: int) -> None:  # noqa: A002
    """Send a mail now that waits or failed."""
    with place.store() as store, store.write() as tx:
        _unsent(tx, id, ("queued", "failed"))
        outbox.retry(tx, id, utc_now())
    click.echo(f"{id} is due now")


@outbox_group.command(name="cancel")
@click.argument("id", type=row_number)
@pass_place
def outbox_cancel(place: Place, id: int) -> None:  # noqa: A002
    """Never send a mail that waits."""
    with place.store() as store, store.write() as tx:
        _unsent(tx, id, ("queued",))
        outbox.cancel(tx, id)
    click.echo(f"{id} is cancelled")


def _quarantined(held: Quarantined | None, id: int) -> Quarantined:  # noqa: A002
    if held is None:
        raise NotFound(f"{id}: nothing of this number in quarantine")
    return held


def _waiting(held: Quarantined | None, id: int) -> Quarantined:  # noqa: A002
    found = _quarantined(held, id)
    if found.state != "waiting":
        raise Refused(f"{id}: was {found.state} already")
    return found


def _unsent(tx: Connection, id: int, states: tuple[str, ...]) -> None:  # noqa: A002
    """Raise where a mail is not in one of these states, or is being sent at this moment."""
    mail = outbox.get(tx, id)
    if mail is None:
        raise NotFound(f"{id}: no mail of this number in the outbox")
    if mail.state not in states:
        raise Refused(f"{id}: is {mail.state}")
    if outbox.is_under_way(tx, id, utc_now()):
        raise Refused(f"{id}: is being sent")


def _ticket_object(ticket: Ticket, rules: Rules) -> dict[str, Any]:
    zone = rules.zone
    return {
        "id": tag_of(rules, ticket.id),
        "client": ticket.client or None,
        "subject": ticket.subject,
        "status": ticket.status.value,
        "priority": ticket.priority.value,
        "category": ticket.category,
        "technician": ticket.technician,
        "opened_at": when(ticket.opened_at, zone),
        "first_answer_at": when(ticket.first_answer_at, zone),
        "answer_due_at": when(ticket.answer_due_at, zone),
        "quick_due_at": when(ticket.quick_due_at, zone),
        "closed_at": when(ticket.closed_at, zone),
        "planned_start": on(ticket.planned_start),
        "planned_delivery": on(ticket.planned_delivery),
        "estimate": ticket.estimate,
        "minutes": ticket.minutes,
        "limit": ticket.limit,
        "held_for": ticket.held_for or None,
        "follows": tag_of(rules, ticket.follows),
    }


def _message_object(message: Message, rules: Rules) -> dict[str, Any]:
    return {
        "id": message.id,
        "at": when(message.at, rules.zone),
        "direction": "out" if message.role.staff and not message.internal else "in",
        "author": message.author,
        "role": message.role.value,
        "internal": message.internal,
        "text": message.text,
        "attachments": [{"name": file.name, "type": file.type, "size": file.size} for file in message.attachments],
    }


def _quarantine_object(held: Quarantined, rules: Rules) -> dict[str, Any]:
    return {
        "id": held.id,
        "at": when(held.at, rules.zone),
        "from": held.sender,
        "subject": held.subject,
        "reason": held.reason,
    }


def _outbox_object(mail: Queued, rules: Rules) -> dict[str, Any]:
    return {
        "id": mail.id,
        "to": mail.to,
        "subject": mail.subject,
        "template": mail.template,
        "state": mail.state,
        "tries": mail.tries,
        "next_try_at": when(mail.next_try_at, rules.zone),
        "last_error": mail.last_error,
        "ticket": tag_of(rules, mail.ticket),
    }


def _conversation(shown: dict[str, Any]) -> str:
    client = shown["client"] or "no client yet"
    head = f"{shown['id']}  {shown['subject']}\n{client}, {shown['status']}, {shown['minutes']} min"
    said = [
        f"\n--- {message['at']}  {message['author']} ({message['role']}{', internal' * message['internal']})\n\n"
        + message["text"]
        for message in shown["messages"]
    ]
    booked = table(shown["entries"], ("id", "day", "kind", "minutes", "technician", "note"), "no minutes booked")
    return "\n".join([head, *said, "", booked])


VERBS = (tickets, ticket, quarantine_group, outbox_group)
