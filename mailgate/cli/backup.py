"""`backup` and `restore`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from mailgate.cli.common import Place, as_json, pass_place, show
from mailgate.core.writing.phrases import count
from mailgate.errors import Refused
from mailgate.opening import sole_daemon
from mailgate.service import backup as service
from mailgate.service.take import utc_now

_file = click.argument("file", type=click.Path(path_type=Path))


@click.command()
@_file
@click.option("--force", is_flag=True, help="Overwrite FILE.")
@click.option("--no-keys", is_flag=True, help="Do not put the keys of the sealed mails beside it.")
@click.option("--keep", type=click.IntRange(min=1), help="Of a folder of backups, keep only so many.")
@as_json
@pass_place
def backup(place: Place, file: Path, force: bool, no_keys: bool, keep: int | None, json_wanted: bool) -> None:
    """Copy the desk to FILE while it works: all it knows, and the secret of its reply addresses.

    Its mails are sealed; the keys go to FILE.key, to be kept in another place. The copy is proven like `audit`
    does before it gets its name; exit 1 if anything is off. Where FILE is a folder, the backup is named by its time.
    """
    now = utc_now()
    folder = file if file.is_dir() else None
    if keep and not folder:
        raise click.UsageError("--keep is for a folder of backups; name one instead of a file")
    target = folder / service.name_at(now) if folder else file
    with place.store() as store, _bar() as bar:

        def progress(done: int, pages: int) -> None:
            bar.length = pages
            bar.update(done - bar.pos)

        made = service.back_up(store, target, now, progress, force=force, with_keys=not no_keys)
    good = not made.audit.problems
    gone = service.keep_newest(folder, keep) if folder and keep and good else []
    found = {"file": made.file, "at": made.at.isoformat(), "size": made.size, "keys": made.keys, **asdict(made.audit)}
    show({**found, "removed": gone}, json_wanted, lambda _: _made(made))
    if not good:
        raise click.exceptions.Exit(Refused.exit_code)


@click.command()
@_file
@click.option("--force", is_flag=True, help="Even though its books do not add up.")
@as_json
@pass_place
def restore(place: Place, file: Path, force: bool, json_wanted: bool) -> None:
    """Make the backup in FILE the store, once it is proven; the store from before is kept.

    Not while the daemon runs. What was taken in or sent since the backup is not in it: read
    docs/operations.md before.
    """
    place.data.mkdir(parents=True, exist_ok=True)
    with sole_daemon(place.data):
        restored = service.restore(place.data, file, utc_now(), force=force)
    show({**asdict(restored), "made_at": restored.made_at.isoformat()}, json_wanted, lambda _: _restored(restored))


def _bar() -> Any:  # click does not give the type a name
    return click.progressbar(length=1, label="copying", file=sys.stderr, hidden=not sys.stderr.isatty())


def _made(made: service.Backup) -> str:
    told = f"{made.file}: {made.size >> 20} MB, {made.audit.told()}"
    told += f"\nits keys are {made.keys}: keep them in another place" if made.keys else ""
    return f"{told}\nthis is no good backup, and was not counted as one" if made.audit.problems else told


def _restored(done: service.Restored) -> str:
    lines = [f"restored the backup of {done.made_at:%Y-%m-%d %H:%M} UTC; the next ticket is number {done.next_ticket}"]
    lines += [f"the store from before is {done.kept}"] if done.kept else []
    lines += (
        [f"{count(done.queued, 'mail', 'mails', 'en')} will be sent; some may have been sent before"]
        if done.queued
        else []
    )
    lines += [f"! {done.fault}"] if done.fault else []
    lines += [f"! {client}: forgotten since, and in this backup: mailgate erase {client}" for client in done.back]
    return "\n".join(lines)


VERBS = (backup, restore)
