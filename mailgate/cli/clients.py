"""`client add`: who may write to the desk."""

from __future__ import annotations

from pathlib import Path

import click

from mailgate.cli.common import Place, as_json, pass_place, show
from mailgate.enrol import Enrolled, enrol


@click.group(name="client")
def client_group() -> None:
    """Say who may write to the desk, and for which client."""


@client_group.command(name="add")
@click.argument("id")
@click.argument("addresses", metavar="ADDRESS...", nargs=-1, required=True)
@click.option("--name", help="What the client is called.  [default: the ID]")
@click.option("--technician", metavar="ID", help="Who usually works for them.")
@click.option("--contact", metavar="ADDRESS", help="Who gets notices and reports.  [default: the first address]")
@click.option("--language", type=click.Choice(["es", "en"]), help="The language to write in.  [default: the desk's]")
@click.option(
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file for a new client.  [default: a new one where clients.d/*.toml is included, else the rules]",
)
@as_json
@pass_place
def client_add(
    place: Place,
    /,
    id: str,  # noqa: A002
    addresses: tuple[str, ...],
    file: Path | None,
    json_wanted: bool,
    **about: str | None,
) -> None:
    """Let ADDRESSes write for a client, who may be a new one.

    *@DOMAIN lets everybody of a domain write. The rules keep their comments and their order; a running
    daemon takes the change up by itself.
    """
    given = {key: value for key, value in about.items() if value is not None}
    done = enrol(place.rules_path, id, addresses, given, file)
    shown = {"client": done.client, "file": done.file, "new": done.new, "added": list(done.added)}
    show(shown, json_wanted, lambda _: _told(done))


def _told(done: Enrolled) -> str:
    if not done.added:
        return f"{done.client}: nothing to add, {done.file} has it already"
    kind = "new client" if done.new else "client"
    return f"{kind} {done.client}: added {', '.join(done.added)} ({done.file})"


VERBS = (client_group,)
