"""`key`: what mails are sealed with."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from mailgate.cli.common import Place, as_json, pass_place, show
from mailgate.core.writing.phrases import count
from mailgate.service import keys
from mailgate.service.take import utc_now
from mailgate.store import Store, sealing
from mailgate.store.sealing import KnownKey


@click.group(invoke_without_command=True)
@as_json
@pass_place
@click.pass_context
def key(context: click.Context, place: Place, json_wanted: bool) -> None:
    """Show the keys that seal mails in the store, and what is still under an older one."""
    if context.invoked_subcommand:
        return
    with place.store() as store:
        show(_found(place, store), json_wanted, _told)


@key.command()
@click.option("--lost", is_flag=True, help="Go on without keys that are gone for good.")
@pass_place
def rotate(place: Place, lost: bool) -> None:
    """Make a new key. The desk may run: it takes the key up within a minute and seals the rest bit by bit."""
    with place.store() as store:
        name = keys.rotate(place.data, store, utc_now(), lost=lost)
    click.echo(f"key {name} seals from now on; keep a copy of {keys.place(place.data)} where the backups are not")


def _found(place: Place, store: Store) -> dict[str, Any]:
    with store.read() as tx:
        known = sealing.known(tx)
        left = 0 if store.keyring.fault else sealing.left(tx)
    newest = "" if store.keyring.fault else store.keyring.newest.name
    return {
        "file": str(keys.place(place.data)),
        "newest": newest,
        "keys": [{**asdict(one), "state": _state(one, newest, store.keyring.names)} for one in known],
        "left": left,
        "fault": store.keyring.fault,
    }


def _state(one: KnownKey, newest: str, at_hand: tuple[str, ...]) -> str:
    if one.lost_at:
        return "lost"
    if one.name not in at_hand:
        return "missing"
    return "seals" if one.name == newest else "opens"


def _told(found: dict[str, Any]) -> str:
    lines = [f"{one['name']}  {one['state']:<8} since {one['since']:%Y-%m-%d}" for one in found["keys"]]
    lines += [f"in {found['file']}"]
    if found["left"]:
        lines += [f"{count(found['left'], 'mail is', 'mails are', 'en')} still to be put under the newest"]
    return "\n".join([*lines, *([f"! {found['fault']}"] if found["fault"] else [])])


VERBS = (key,)
