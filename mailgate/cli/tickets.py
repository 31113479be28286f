"""`tickets` and `ticket`: what was asked, and how it stands."""

from __future__ import annotations

from typing import Any

import click

from mailgate.cli.books import entry_object
from mailgate.cli.common import (
    Place,
    as_json,
    client_of_books,
    number_of,
    on,
    pass_place,
    show,
    table,
    tag_of,
    when,
)
from mailgate.cli.conversation import conversation
from mailgate.core.model import Category, Priority, Status, Ticket
from mailgate.core.settings.rules import Rules
from mailgate.errors import NotFound
from mailgate.service import finding
from mailgate.service.finding import Found
from mailgate.service.take import utc_now
from mailgate.store import Connection, entries, matters
from mailgate.store import messages as message_store
from mailgate.store import tickets as ticket_store
from mailgate.store.messages import Message
from mailgate.store.tickets import Only

_COLUMNS = ("id", "client", "status", "priority", "technician", "minutes", "subject")
_COLUMNS_FOUND = ("id", "client", "status", "subject", "excerpt")
# As many tickets as a person looks through.
_SHOWN = 50


@click.command()
@click.option("--client", help="Only this client's.")
@click.option("--status", type=click.Choice([status.value for status in Status]), help="Only these.")
@click.option("--technician", help="Only those of this technician.")
@click.option("--priority", type=click.Choice([priority.value for priority in Priority]), help="Only these.")
@click.option("--category", type=click.Choice([category.value for category in Category]), help="Only these.")
@click.option("--late", is_flag=True, help="Only those whose answer is overdue.")
@click.option("--search", "words", metavar="WORDS", help="Words of the subject or of what was said, or a number.")
@click.option("--limit", type=click.IntRange(min=1, max=2**63 - 1), help=f"As many.  [default: {_SHOWN}; all as JSON]")
@as_json
@pass_place
def tickets(
    place: Place, /, words: str | None, late: bool, limit: int | None, json_wanted: bool, **columns: str | None
) -> None:
    """List tickets, newest first; with --search the best first, with --late the one that waits longest.

    All words must stand in one message, in any case, with or without accents; the last may be only begun.
    """
    rules = place.rules()
    only = Only(**columns, late_at=utc_now() if late else None)  # type: ignore[arg-type]
    most = limit or (None if json_wanted else _SHOWN)
    with place.store() as store, store.read() as tx:
        _known(tx, rules, columns)
        found, more = (
            finding.find(tx, rules.desk.tag, words, only, most) if words is not None else _listed(tx, only, most)
        )
    rows = [_ticket_object(one.ticket, rules) for one in found]
    if json_wanted:
        show(rows, json_wanted, str)
        return
    rows = [{**row, "excerpt": one.excerpt} for row, one in zip(rows, found, strict=True)]
    click.echo(table(rows, _COLUMNS if words is None else _COLUMNS_FOUND, "no tickets"))
    if more:
        click.echo(f"… and {more} more (--limit)")


def _known(tx: Connection, rules: Rules, columns: dict[str, str | None]) -> None:
    """Raise NotFound where a client is named whom nothing knows, or a technician that the rules do not have."""
    if client := columns["client"]:
        client_of_books(tx, rules, client)
    technician = columns["technician"]
    if technician and technician not in rules.technicians:
        raise NotFound(f"{technician}: no such technician; the rules have: {', '.join(sorted(rules.technicians))}")


def _listed(tx: Connection, only: Only, most: int | None) -> tuple[list[Found], int]:
    """The newest tickets, and how many there are besides."""
    found = ticket_store.listed(tx, only, most)
    more = ticket_store.count(tx, only) - len(found) if most else 0
    return [Found(ticket) for ticket in found], more


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
        said = message_store.of_ticket(tx, number)
        booked = entries.of_ticket(tx, number)
        disputed = matters.disputed(tx, found.client)
    if not json_wanted:
        conversation(found, said, booked, rules)
        return
    shown = _ticket_object(found, rules)
    shown["messages"] = [_message_object(message, rules) for message in said]
    shown["entries"] = [entry_object(entry, rules, disputed) for entry in booked]
    show(shown, json_wanted, str)


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
        "merged_into": tag_of(rules, ticket.merged_into),
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
        "kept": message.blob is not None,
        "attachments": [
            {"name": file.name, "type": file.type, "size": file.size, "kept": file.kept} for file in message.attachments
        ],
    }


VERBS = (tickets, ticket)
