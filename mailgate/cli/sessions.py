"""`sessions`: who is signed in to the client area, and signing somebody out."""

from __future__ import annotations

from typing import Any

import click

from mailgate.cli.common import Place, as_json, pass_place, show, table, when
from mailgate.core.address import canonical
from mailgate.core.settings.rules import Rules
from mailgate.core.writing.phrases import count
from mailgate.errors import NotFound
from mailgate.service.take import utc_now
from mailgate.store import Connection, sessions
from mailgate.store.sessions import Session


@click.command(name="sessions")
@click.option(
    "--end",
    "whose",
    metavar="PERSON",
    help="Sign somebody out everywhere: an address, or the id of a technician or a client.",
)
@as_json
@pass_place
def sessions_verb(place: Place, whose: str | None, json_wanted: bool) -> None:
    """List who is signed in to the client area; end somebody's sessions, and links that they did not use."""
    rules, now = place.rules(), utc_now()
    if whose is not None:
        with place.store() as store, store.write() as tx:
            ended = sum(sessions.end_all(tx, address, 0, now) for address in _addresses(tx, rules, whose))
        show({"ended": ended}, json_wanted, lambda _: f"ended {count(ended, 'session', 'sessions', 'en')} of {whose}")
        return
    with place.store() as store, store.read() as tx:
        rows = [_object(session, rules) for session in sessions.everyone(tx, now)]
    columns = ("address", "person", "program", "opened_at", "seen_at", "expires_at")
    show(rows, json_wanted, lambda rows: table(rows, columns, "nobody is signed in"))


def _addresses(tx: Connection, rules: Rules, whose: str) -> set[str]:
    """The addresses that are meant: of a person, or of all who have signed in for a client. Raises NotFound."""
    if "@" in whose:
        return {canonical(whose) or whose}
    technician, client = rules.technician(whose), rules.client(whose)
    if technician is None and client is None:
        raise NotFound(f"{whose}: no address, and no technician or client of the rules")
    signed_in = {one for one in sessions.addresses(tx) if _is_of(rules, one, whose)}
    return signed_in | set(technician.addresses if technician else ())


def _is_of(rules: Rules, address: str, whose: str) -> bool:
    person = rules.who(address)
    return person is not None and whose in (person.id, person.client)


def _object(session: Session, rules: Rules) -> dict[str, Any]:
    """person: the technician or client that the address is of, None where the rules know it no longer."""
    person = rules.who(session.address)
    return {
        "id": session.id,
        "address": session.address,
        "person": (person.client or person.id) if person else None,
        "program": session.program,
        "opened_at": when(session.opened_at, rules.zone),
        "seen_at": when(session.seen_at, rules.zone),
        "expires_at": when(session.expires_at, rules.zone),
    }


VERBS = (sessions_verb,)
