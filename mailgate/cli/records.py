"""`export`, `looks`: what the desk holds of a client, and who looked at it."""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import Any

import click

from mailgate.cli.common import Place, as_json, pass_place, show, table, tag_of, when
from mailgate.core.writing.phrases import count
from mailgate.service import export as service
from mailgate.service.take import utc_now
from mailgate.store import events, looks, messages

# As many looks as a person looks through.
_SHOWN = 100


@click.command()
@click.argument("client")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="A new folder, or a .zip.  [default: CLIENT-DAY.zip here]",
)
@as_json
@pass_place
def export(place: Place, client: str, output: Path | None, json_wanted: bool) -> None:
    """Write everything about CLIENT in open formats: mails, files, tickets, ledger, who looked at what.

    Nothing of other clients is in it. What is for the desk alone stands in folders of their own, to be
    looked through before it is handed over. The daemon goes on meanwhile.
    """
    office, now = place.office(), utc_now()
    target = output or Path(f"{client}-{office.desk.local_day(now)}.zip")
    with place.store() as store, _bar() as bar:

        def progress(done: int, tickets: int) -> None:
            bar.length = tickets
            bar.update(done - bar.pos)

        with store.read() as tx:
            service.known(tx, office.desk, client)
            written = service.write(target, service.files(tx, office, client, now, progress))
        with store.write() as tx:
            events.record(tx, "export", client, f"{now.isoformat()} {who()}", now)
    told = f"{target}: {count(written, 'file', 'files', 'en')} about {client}; it may hold access data, keep it safe"
    show({"client": client, "output": str(target), "files": written}, json_wanted, lambda _: told)


def who() -> str:
    """Who runs this, as the machine knows them."""
    return os.environ.get("SUDO_USER") or getpass.getuser()


def _bar() -> Any:  # click does not give the type a name
    return click.progressbar(length=1, label="exporting", file=sys.stderr, hidden=not sys.stderr.isatty())


@click.command(name="looks")
@click.option("--client", metavar="ID", help="Only at what stands in tickets of this client.")
@as_json
@pass_place
def looks_list(place: Place, client: str | None, json_wanted: bool) -> None:
    """List who had access data shown, the newest first: whom, when, and in which message."""
    rules = place.rules()
    with place.store() as store, store.read() as tx:
        rows = [
            {
                "at": when(look.at, rules.zone),
                "who": look.address,
                "ticket": tag_of(rules, message.ticket),
                "message": look.message,
            }
            for look in looks.listed(tx, client, None if json_wanted else _SHOWN)
            if (message := messages.get(tx, look.message))
        ]
    show(rows, json_wanted, lambda rows: table(rows, ("at", "who", "ticket", "message"), "nobody looked"))


VERBS = (export, looks_list)
