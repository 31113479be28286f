"""`secret show`: access data that were taken out of messages, for who must have them."""

from __future__ import annotations

from typing import Any

import click

from mailgate.cli.common import Place, as_json, number_of, pass_place, row_number, show, table, tag_of
from mailgate.cli.records import who
from mailgate.errors import NotFound
from mailgate.service.take import utc_now
from mailgate.store import looks, vault
from mailgate.store import tickets as ticket_store


@click.group(name="secret")
def secret_group() -> None:
    """Passwords and keys that stand covered in messages, as in ⟦•••57⟧."""


@secret_group.command(name="show")
@click.argument("what", metavar="SOP-12[/57]")
@as_json
@pass_place
def secret_show(place: Place, what: str, json_wanted: bool) -> None:
    """Show all of a ticket, or the one of a number; who looked is recorded first."""
    rules = place.rules()
    tag, _, one = what.partition("/")
    number, wanted = number_of(rules, tag), _number(one)
    with place.store() as store:
        with store.write() as tx:
            found = ticket_store.get(tx, number)
            ticket = (found and found.merged_into) or number
            told = [(id_, message) for id_, message in vault.of_ticket(tx, ticket) if wanted in (None, id_)]
            if not told:
                raise NotFound(f"{what}: no access data")
            for message in dict.fromkeys(message for _, message in told):
                looks.note(tx, message, who(), utc_now())
        with store.read() as tx:
            values = {message: vault.of_message(tx, message) for _, message in told}
    rows: list[dict[str, Any]] = [
        {"id": id_, "ticket": tag_of(rules, ticket), "message": message, "value": values[message][id_]}
        for id_, message in told
    ]
    show(rows, json_wanted, lambda rows: rows[0]["value"] if one else table(rows, ("id", "message", "value"), ""))


def _number(text: str) -> int | None:
    """Raises BadParameter for what is no number."""
    return int(row_number(text)) if text else None


VERBS = (secret_group,)
