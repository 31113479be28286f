"""`balance`, `report`, `sell`, `audit`: the money side."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Any

import click

from mailgate.cli.common import Place, as_json, known_client, on, pass_place, show, table, tag_of, when
from mailgate.core.commands import vocabulary
from mailgate.core.ledger import Statement
from mailgate.core.model import Entry, Kind, Notice, Problem
from mailgate.core.settings.rules import Rules
from mailgate.errors import NotFound, Refused
from mailgate.service.audit import audited
from mailgate.service.reports import Account, account, report_csv, report_values, statement_of
from mailgate.service.take import utc_now
from mailgate.store import entries


@click.command()
@click.argument("client", required=False)
@as_json
@pass_place
def balance(place: Place, client: str | None, json_wanted: bool) -> None:
    """Show the minutes that a client, or each, has left."""
    office = place.office()
    rules = office.desk.rules
    wanted = [known_client(rules, client)] if client else sorted(rules.clients)
    with place.store() as store, store.read() as tx:
        rows = [_account_object(account(tx, office.desk, name, utc_now())) for name in wanted]
    columns = ("client", "minutes", "state", "expires_on", "last_used_on")
    show(rows[0] if client else rows, json_wanted, lambda _: table(rows, columns, "no clients yet"))


@click.command()
@click.argument("client")
@click.argument("period", required=False, default="")
@click.option("--format", "form", type=click.Choice(["text", "html", "csv"]), default="text", show_default=True)
@as_json
@pass_place
def report(place: Place, client: str, period: str, form: str, json_wanted: bool) -> None:
    """Show each entry of a period: 2026-10, 2026-10-01..2026-11-15, or since the last purchase."""
    office = place.office()
    desk, now = office.desk, utc_now()
    known_client(desk.rules, client)
    span = vocabulary.period(period, desk.local_day(now)) if period else None
    if isinstance(span, Problem):
        raise click.UsageError(office.renderer.problem(span, "en"))
    since, until = span or (None, None)
    with place.store() as store, store.read() as tx:
        statement = statement_of(tx, desk, client, since, until, now)
        values = report_values(tx, desk, client, statement)
    language = desk.rules.language_of(client)
    if json_wanted:
        show(_statement_object(client, statement, desk.rules), json_wanted, str)
    elif form == "csv":
        sys.stdout.buffer.write(report_csv(values, language))
    else:
        notice = Notice("report", "", language, values=values)
        text, html = office.renderer.preview(notice, desk.rules.zone, desk.rules.desk.name)
        click.echo(html if form == "html" else text)


@click.command()
@click.argument("client")
@click.argument("package")
@click.option("--paid-by", type=click.Choice(["transfer", "paypal"]), help="How it was paid.")
@click.option("--reference", help="The payment's reference.")
@as_json
@pass_place
def sell(
    place: Place, client: str, package: str, paid_by: str | None, reference: str | None, json_wanted: bool
) -> None:
    """Book a purchase: the package's minutes are added to the client's balance."""
    office = place.office()
    rules, now = office.desk.rules, utc_now()
    known_client(rules, client)
    sold = rules.packages.get(package)
    if sold is None:
        raise NotFound(f"{package}: no such package; the rules have: {', '.join(rules.packages) or 'none'}")
    entry = Entry(
        id=0,
        client=client,
        kind=Kind.PURCHASE,
        minutes=sold.minutes,
        at=now,
        day=office.desk.local_day(now),
        note=f"{package} · {sold.price}",
        package=package,
        price=sold.price,
        paid_by=paid_by,
        reference=reference,
    )
    with place.store() as store, store.write() as tx:
        number = entries.append(tx, entry)
        left = entries.balance(tx, client)
    shown = {"entry": number, "client": client, "package": package, "minutes": sold.minutes, "balance": left}
    show(shown, json_wanted, lambda _: f"entry {number}: {client} bought {package}; {left} minutes left")


@click.command()
@as_json
@pass_place
def audit(place: Place, json_wanted: bool) -> None:
    """Prove the ledger and the store: sums, chains, orphans. Exit 1 if anything is off."""
    with place.store() as store, store.read() as tx:
        result = audited(tx)
    show(asdict(result), json_wanted, lambda _: result.told())
    if result.problems:
        raise click.exceptions.Exit(Refused.exit_code)


def entry_object(entry: Entry, rules: Rules) -> dict[str, Any]:
    """An entry of the ledger for programs."""
    return {
        "id": entry.id,
        "at": when(entry.at, rules.zone),
        "day": on(entry.day),
        "client": entry.client,
        "kind": entry.kind.value,
        "minutes": entry.minutes,
        "worked": entry.worked,
        "ticket": tag_of(rules, entry.ticket),
        "technician": entry.technician,
        "note": entry.note or None,
        "of": entry.of,
        "disputed": False,
    }


def _statement_object(client: str, statement: Statement, rules: Rules) -> dict[str, Any]:
    lines = [{**entry_object(line.entry, rules), "balance_after": line.balance_after} for line in statement.lines]
    return {
        "client": client,
        "since": on(statement.since),
        "until": on(statement.until),
        "opening": statement.opening,
        "closing": statement.closing,
        "entries": lines,
    }


def _account_object(stands: Account) -> dict[str, Any]:
    return {
        "client": stands.client,
        "minutes": stands.minutes,
        "state": stands.state,
        "expires_on": on(stands.expires_on),
        "last_used_on": on(stands.last_used_on),
    }


VERBS = (balance, report, sell, audit)
