"""`quarantine`, `outbox`: what waits there."""

from __future__ import annotations

import sys
from typing import Any

import click

from mailgate.cli.common import (
    Place,
    as_json,
    pass_place,
    row_number,
    show,
    table,
    tag_of,
    when,
)
from mailgate.cli.records import who
from mailgate.cli.terminal import harmless
from mailgate.core.settings.rules import Rules
from mailgate.errors import MailgateError, NotFound, Refused
from mailgate.service.originals import covered as covered_mail
from mailgate.service.process import process_released
from mailgate.service.take import utc_now
from mailgate.store import Connection, events, journal, outbox, quarantine
from mailgate.store.outbox import Queued
from mailgate.store.quarantine import Quarantined

# A desk that is years old has sent a hundred thousand: what is older stands with its ticket.
_MOST_SENT = 1_000


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
@click.option("--access-data", is_flag=True, help="With access data as they stand in it; who looked is recorded first.")
@as_json
@pass_place
def quarantine_show(place: Place, id: int, json_wanted: bool, access_data: bool) -> None:  # noqa: A002
    """Print the raw message, its access data covered; the reason, and the traceback of a failure of ours, on stderr."""
    rules = place.rules()
    with place.store() as store:
        with store.read() as tx:
            held = _quarantined(quarantine.get(tx, id), id)
            kept = journal.get(tx, held.journal)
        raw, covered = covered_mail(kept.raw) if kept else (b"(no longer kept)\n", False)
        if kept and covered and access_data:
            now = utc_now()
            with store.write() as tx:
                events.record(tx, "shown", "", f"{now.isoformat()} {id} {who()}", now)
            raw, covered = kept.raw, False
    if json_wanted:
        shown = {**_quarantine_object(held, rules), "state": held.state, "detail": held.detail or None}
        show({**shown, "covered": covered, "raw": raw.decode("utf-8", "replace") if kept else None}, json_wanted, str)
        return
    note = "access data in it are covered; --access-data shows them, and that is recorded" if covered else ""
    click.echo(harmless("\n".join(filter(None, (held.reason, held.detail, note)))), err=True)
    if sys.stdout.isatty():
        click.echo(harmless(raw.decode("utf-8", "replace")))
    else:
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
    click.echo(harmless(f"released: {plan.outcome} ({plan.why[-1]})"))


@quarantine_group.command(name="drop")
@click.argument("id", type=row_number)
@pass_place
def quarantine_drop(place: Place, id: int) -> None:  # noqa: A002
    """Take a message off the list; its raw bytes stay in the journal for as long as [retention] says."""
    with place.store() as store, store.write() as tx:
        _waiting(quarantine.get(tx, id), id)
        quarantine.decide(tx, id, "dropped")
    click.echo(f"dropped {id}")


@click.group(name="outbox", invoke_without_command=True)
@click.option("--sent", is_flag=True, help=f"What was sent, too: of the newest {_MOST_SENT} mails.")
@as_json
@pass_place
@click.pass_context
def outbox_group(context: click.Context, place: Place, json_wanted: bool, sent: bool) -> None:
    """List what is to be sent and what failed; retry or cancel one."""
    if context.invoked_subcommand:
        return
    rules = place.rules()
    with place.store() as store, store.read() as tx:
        mails = {mail.id: mail for mail in (*outbox.listed(tx), *(outbox.newest(tx, _MOST_SENT) if sent else ()))}
        rows = [_outbox_object(mails[number], rules) for number in sorted(mails)]
    times = ("sent_at",) if sent else ("tries", "next_try_at", "last_error")
    columns = ("id", "state", "to", "template", *times, "subject")
    empty = "no mail was sent, and none waits to be" if sent else "nothing waits to be sent"
    show(rows, json_wanted, lambda rows: table(rows, columns, empty))


@outbox_group.command(name="retry")
@click.argument("ids", metavar="ID...", type=row_number, nargs=-1, required=True)
@pass_place
def outbox_retry(place: Place, ids: tuple[int, ...]) -> None:
    """Send mails now that wait or failed; with one that is sent, none of them."""
    with place.store() as store, store.write() as tx:
        for number in ids:
            _unsent(tx, number, ("queued", "failed"))
            outbox.retry(tx, number, utc_now())
    click.echo("\n".join(f"{number} is due now" for number in ids))


@outbox_group.command(name="cancel")
@click.argument("ids", metavar="ID...", type=row_number, nargs=-1, required=True)
@pass_place
def outbox_cancel(place: Place, ids: tuple[int, ...]) -> None:
    """Never send mails that wait; with one that does not, all stay."""
    with place.store() as store, store.write() as tx:
        for number in ids:
            _unsent(tx, number, ("queued",))
            outbox.cancel(tx, number)
    click.echo("\n".join(f"{number} is cancelled" for number in ids))


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
    if not mail.kept:
        raise Refused(f"{id}: the mail is no longer kept")
    if outbox.is_under_way(tx, id, utc_now()):
        raise Refused(f"{id}: is being sent")


def _quarantine_object(held: Quarantined, rules: Rules) -> dict[str, Any]:
    return {
        "id": held.id,
        "at": when(held.at, rules.zone),
        "from": held.sender,
        "subject": held.subject,
        "reason": held.reason,
        "ticket": tag_of(rules, held.ticket),
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
        "sent_at": when(mail.sent_at, rules.zone),
        "last_error": mail.last_error,
        "bounced": mail.bounced != "",
        "ticket": tag_of(rules, mail.ticket),
    }


VERBS = (quarantine_group, outbox_group)
