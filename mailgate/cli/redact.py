"""`redact`: take a secret out of a ticket for good."""

from __future__ import annotations

import sys
from typing import Any

import click

from mailgate.cli.common import Place, as_json, pass_place, row_number, show, tag_of
from mailgate.core.redaction import MARK, SHORTEST, Secret
from mailgate.core.writing.phrases import count
from mailgate.errors import NotFound, Refused
from mailgate.service import redact as service
from mailgate.service.take import utc_now
from mailgate.store import messages

_WORDS = {
    "message": ("message", "messages"),
    "mail": ("mail that was or is to be sent", "mails that were or are to be sent"),
    "ticket": ("subject of a ticket", "subjects of tickets"),
    "entry": ("note of an entry", "notes of entries"),
    "matter": ("reason or note of a matter", "reasons or notes of matters"),
    "quarantine": ("message in quarantine", "messages in quarantine"),
}


@click.command()
@click.argument("message", type=row_number)
@click.argument("text", metavar="TEXT|-")
@as_json
@pass_place
def redact(place: Place, message: int, text: str, json_wanted: bool) -> None:
    """Take TEXT out of the ticket of a message, for good; with - it is read from stdin.

    Out of texts, raw mails, files, the index, and mails that wait to be sent: of the whole ticket, since people
    quote. MESSAGE is the number in `ticket --json`. Only who, when and where is kept, not what; exit 1 where it
    is not found.
    """
    text = sys.stdin.read() if text == "-" else text
    secret = Secret(text)
    if secret.too_short:
        raise Refused(f"the text is too short: it takes {SHORTEST} letters, else it stands everywhere by chance")
    office, now = place.office(), utc_now()
    with place.store() as store:
        with store.write() as tx:
            found = messages.get(tx, message)
            if found is None:
                raise NotFound(f"message {message}: no such message")
            by = service.By(office.desk, now)
            secret = service.meant(tx, found.ticket, text) if found.ticket else secret
            done = (
                service.redact(tx, found.ticket, secret, by)
                if found.ticket
                else service.redact_message(tx, message, secret, by)
            )
        settled = service.settle(store, now)
    if not done.places:
        raise NotFound(f"message {message}: the text does not stand in it, nor in its ticket")
    told = {"ticket": tag_of(office.desk.rules, found.ticket), "places": done.places, "rows": dict(done.found)}
    show({**told, "unread": list(done.unread), "settled": settled}, json_wanted, _told)


def _told(done: dict[str, Any]) -> str:
    rows = [count(number, *_WORDS[kind], "en") for kind, number in done["rows"].items()]
    lines = [f"{MARK} stands in {count(done['places'], 'place', 'places', 'en')} now: {', '.join(rows)}"]
    lines += [f"not looked into, since they are packed: {', '.join(done['unread'])}"] if done["unread"] else []
    if not done["settled"]:
        lines.append("the file is in use: what is left of it there goes within a few minutes, while the daemon runs")
    return "\n".join(lines)


VERBS = (redact,)
