"""`balance`, `report`, `sell`, `refund`, `audit`: the money side."""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import asdict
from typing import Any

import click

from mailgate.cli.common import Place, as_json, client_of_books, known_client, on, pass_place, show, table, tag_of, when
from mailgate.core.commands import questions
from mailgate.core.ledger import Statement
from mailgate.core.mail import Notice
from mailgate.core.model import Entry, Problem
from mailgate.core.settings.rules import Rules
from mailgate.errors import Refused
from mailgate.service import refunds, sales
from mailgate.service.audit import audited, resume
from mailgate.service.reports import Account, account
from mailgate.service.sales import Order
from mailgate.service.statements import report_csv, report_values, statement_of
from mailgate.service.take import utc_now
from mailgate.store import events, matters


@click.command()
@click.argument("client", required=False)
@as_json
@pass_place
def balance(place: Place, client: str | None, json_wanted: bool) -> None:
    """Show the minutes that a client, or each, has left."""
    office = place.office()
    rules = office.desk.rules
    with place.store() as store, store.read() as tx:
        wanted = [client_of_books(tx, rules, client)] if client else sorted(rules.clients)
        rows = [_account_object(account(tx, office.desk, name, utc_now())) for name in wanted]
    columns = ("client", "minutes", "state", "expires_on", "last_used_on")
    show(rows[0] if client else rows, json_wanted, lambda _: table(rows, columns, "no clients yet"))


@click.command()
@click.argument("client")
@click.argument("period", required=False, default="")
@click.option("--format", "form", type=click.Choice(["text", "html", "csv", "pdf"]), default="text", show_default=True)
@as_json
@pass_place
def report(place: Place, client: str, period: str, form: str, json_wanted: bool) -> None:
    """Show each entry of a period: 2026-10, 2026-10-01..2026-11-15, or since the last purchase."""
    if form == "pdf" and not json_wanted and sys.stdout.isatty():
        raise click.UsageError("a PDF is not for a terminal; write it to a file: --format pdf > report.pdf")
    now = utc_now()
    span = questions.period(period, now.astimezone(place.rules().zone).date()) if period else None
    if isinstance(span, Problem):
        raise click.UsageError(place.renderer().problem(span, "en"))
    since, until = span or (None, None)
    office = place.office()
    desk = office.desk
    with place.store() as store, store.read() as tx:
        client_of_books(tx, desk.rules, client)
        statement = statement_of(tx, desk, client, since, until, now)
        values = report_values(tx, desk, client, statement)
        disputed = matters.disputed(tx, client)
    language = desk.rules.language_of(client)
    if json_wanted:
        show(_statement_object(client, statement, desk.rules, disputed), json_wanted, str)
    elif form == "csv":
        sys.stdout.buffer.write(report_csv(values, language))
    elif form == "pdf":
        from mailgate import pdf  # seldom needed, and slow to load

        sys.stdout.buffer.write(pdf.report_pdf(values, language, desk.rules.desk.name))
    else:
        notice = Notice("report", "", language, values=values)
        text, html = office.renderer.preview(notice, desk.rules.zone, desk.rules.desk.name)
        click.echo(html if form == "html" else text)


@click.command()
@click.argument("client")
@click.argument("package")
@click.option("--paid-by", type=click.Choice(["transfer", "paypal"]), help="How it was paid.")
@click.option("--reference", help="The payment's reference.")
@click.option("--force", is_flag=True, help="Book a first purchase though the package may not be one.")
@as_json
@pass_place
def sell(
    place: Place,
    client: str,
    package: str,
    paid_by: str | None,
    reference: str | None,
    force: bool,
    json_wanted: bool,
) -> None:
    """Book a purchase: the package's minutes are added to the client's balance."""
    office = place.office(may_begin=True)
    order = Order(known_client(office.desk.rules, client), package, paid_by, reference, force)
    with place.store(may_begin=True) as store, store.write() as tx:
        sale = sales.sell(tx, office, order, utc_now())
    resumed = [office.desk.tag(ticket) for ticket in sale.resumed]
    told = f"entry {sale.entry}: {client} bought {package}; {sale.balance} minutes left"
    told += f"; work goes on: {', '.join(resumed)}" if resumed else ""
    show({**asdict(sale), "resumed": resumed}, json_wanted, lambda _: told)


@click.command()
@click.argument("client")
@click.option("--reason", default="", metavar="TEXT", help="What the client wrote; or what they are told.")
@click.option("--accept/--decline", "granted", default=None, help="The director's word on what was asked.")
@as_json
@pass_place
def refund(place: Place, client: str, reason: str, granted: bool | None, json_wanted: bool) -> None:
    """Note that a client wants the money back, or what was decided; both sides are told."""
    office = place.office()
    with place.store() as store, store.write() as tx:
        client_of_books(tx, office.desk.rules, client)
        if granted is None:
            stands = refunds.ask(tx, office, client, reason, utc_now())
        else:
            stands = refunds.rule(tx, office, client, granted, reason, utc_now())
    told = f"refund of {stands.amount or 'nothing'} to {client}: {stands.state}; {stands.balance} minutes left"
    show(asdict(stands), json_wanted, lambda _: told)


@click.command()
@as_json
@pass_place
def audit(place: Place, json_wanted: bool) -> None:
    """Prove the ledger and the store: sums, chains, orphans. Exit 1 if anything is off.

    After a halt, a good proof lets minutes be booked again.
    """
    with place.store() as store:
        with store.read() as tx:
            result, halts = audited(tx), events.halts(tx)
        ended = bool(halts) and not result.problems
        if ended:
            with store.write() as tx:
                resume(tx, halts, utc_now())
    told = result.told() + ("\nminutes are booked again" if ended else "")
    show(asdict(result), json_wanted, lambda _: told)
    if result.problems:
        raise click.exceptions.Exit(Refused.exit_code)


def entry_object(entry: Entry, rules: Rules, disputed: Collection[int]) -> dict[str, Any]:
    """An entry of the ledger for programs. disputed: the numbers of those that wait for a ruling."""
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
        "disputed": entry.id in disputed,
    }


def _statement_object(client: str, statement: Statement, rules: Rules, disputed: Collection[int]) -> dict[str, Any]:
    lines = [
        {**entry_object(line.entry, rules, disputed), "balance_after": line.balance_after} for line in statement.lines
    ]
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


VERBS = (balance, report, sell, refund, audit)
