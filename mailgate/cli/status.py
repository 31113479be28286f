"""`status`: whether all is well, and what to do where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import click

from mailgate.cli.common import Place, as_json, pass_place, show, when
from mailgate.core.health import Trouble, troubles
from mailgate.core.writing.phrases import count
from mailgate.errors import NotFound, Refused, RulesError
from mailgate.opening import last_office, running_daemon
from mailgate.service import health
from mailgate.service.office import Office
from mailgate.service.take import utc_now


@click.command()
@as_json
@pass_place
def status(place: Place, json_wanted: bool) -> None:
    """Show how the desk's machinery stands. Exit 1 if something is wrong, each with what to do; 2 if
    the rules are: then those that were taken up last are in force.

    What counts as wrong is set in [monitor] of the rules.
    """
    office, refusal = _office(place)
    now = utc_now()
    process, since = running_daemon(place.data) or (None, None)
    with place.store() as store, store.read() as tx:
        found = health.looked(tx, office.desk.rules, now)
    off = [] if process else [Trouble("daemon")]
    off += [health.refused(refusal)] if refusal else []
    off += troubles(found, office.desk.rules.monitor, now)
    daemon = {"running": process is not None, "process": process, "since": when(since, office.desk.rules.zone)}
    show({"daemon": daemon, **health.spoken(office, found, off, now)}, json_wanted, _told)
    if refusal:
        raise refusal
    if off:
        raise click.exceptions.Exit(Refused.exit_code)


def _office(place: Place) -> tuple[Office, RulesError | None]:
    """The one that the rules make; where they are wrong, the one in force, and what is wrong."""
    try:
        return place.office(), None
    except RulesError as error:
        with suppress(NotFound), place.store() as store:
            if office := last_office(store, place.data):
                return office, error
        raise


def _told(found: dict[str, Any]) -> str:
    rows = [f"{name + ':':<17}{words}" for name, words in _rows(found)]
    wrong = [f"! {problem['what']}\n  {problem['do']}" for problem in found["problems"]]
    return "\n".join([*rows, "", *(wrong or ["all is well"])])


def _rows(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    daemon = found["daemon"]
    yield "daemon", f"process {daemon['process']}, since {daemon['since']}" if daemon["running"] else "does not run"
    roads = [f"{road} {at}" for road, at in found["roads"].items() if at]
    yield "last mail in", "; ".join(roads) or "none yet"
    for box in found["mailboxes"]:
        failing = f"; not reached since {box['failing_since']}" if box["failing_since"] else ""
        untidied = f"; to be put away: {_backlog(box['untidied'])}" if box["untidied"]["count"] else ""
        yield "mailbox", f"{box['name']}: last mail {box['taken_at'] or 'none yet'}{failing}{untidied}"
    for login in found["logins"]:
        signed_in = f"token of {login['renewed_at']}, ends {login['ends_at']} unless renewed"
        state = f"a person has to sign in: {login['error']}" if login["error"] else signed_in
        yield "login", f"{login['name']}: {state}"
    yield "to process", _backlog(found["unprocessed"])
    if found["undecided"]["count"]:
        yield "waits for DNS", _backlog(found["undecided"])
    yield "to send", _backlog(found["unsent"])
    yield "given up", f"{count(found['given_up'], 'mail', 'mails', 'en')} of the last week"
    yield "quarantine", _backlog(found["quarantine"])
    yield "disk", f"{_gigabytes(found['disk_free'])} free of {_gigabytes(found['disk_size'])}"
    yield "last backup", found["backup_at"] or "none yet"
    if found["cleared_at"]:
        yield "retention", f"all removed that was due, {found['cleared_at']}"
    yield "last good audit", found["audited_at"] or "none yet"


def _backlog(waiting: dict[str, Any]) -> str:
    return f"{waiting['count']}, the oldest since {waiting['since']}" if waiting["count"] else "nothing"


def _gigabytes(size: int) -> str:
    return f"{size / 1024**3:.1f} GB"


VERBS = (status,)
