"""Minutes: how the balance changed, and the report of any period as page, CSV and PDF."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from mailgate.core.contract.over_time import by_month, picture
from mailgate.core.model import Entry, Role
from mailgate.edges.web.asking import Answer, Ask, Sent, Shown
from mailgate.edges.web.seen import the_client
from mailgate.edges.web.tickets import people
from mailgate.edges.web.writing import form_name
from mailgate.service.reports import account
from mailgate.service.statements import report_csv, report_pdf, report_values, statement_of
from mailgate.store import Connection
from mailgate.store import accounts as ledgers

_MONTHS = 24
_LINES = 60
_TICKETS = 10


def balance(ask: Ask) -> Answer:
    """How the balance stands, how it changed, and how to have the money back."""
    client = the_client(ask)
    with ask.read() as tx:
        stands = account(tx, ask.desk, client, ask.now)
        months = by_month(_summed_up(tx, client, ask.desk.rules.zone), ask.desk.local_day(ask.now), _MONTHS)
    rules = ask.desk.rules
    values = {
        "here": "balance",
        **_whose(ask, client),
        "account": stands,
        "months": months,
        "picture": picture(months) if months else None,
        "once": form_name(ask),
        "packages": rules.packages,
        "payment": rules.desk.payment,
        "may_ask": ask.who.role is Role.CLIENT and stands.state != "none",
    }
    return Shown("balance", values)


def _summed_up(tx: Connection, client: str, zone: ZoneInfo) -> list[tuple[date, Entry]]:
    """What was booked in each month that may be shown, by kind; before it, what was left then."""
    booked = list(ledgers.months(tx, client, zone))
    shown, earlier = booked[-_MONTHS:], booked[:-_MONTHS]
    sums = [(month, one) for month in shown for one in ledgers.summed_up(tx, client, month, zone)]
    left = ledgers.left_before(tx, client, shown[0], zone) if earlier else []
    return [*((earlier[-1], one) for one in left), *sums]


def report(ask: Ask) -> Answer:
    """Each entry of a period, in pages; what the whole of it adds up to."""
    client = the_client(ask)
    shown, wrong = _report(ask, client)
    last = max(1, -(-len(shown["entries"]) // _LINES))
    page = min(max(ask.chosen("page") or 1, 1), last)
    kept = f"/reports?client={client}&since={shown['since']}&until={shown['until']}"
    values = {
        **shown,
        "here": "reports",
        **_whose(ask, client),
        "entries": shown["entries"][(page - 1) * _LINES : page * _LINES],
        "by_ticket": shown["by_ticket"][:_TICKETS],
        "wrong": wrong,
        "query": kept.partition("?")[2],
        "page": page,
        "last": last,
        "previous": f"{kept}&page={page - 1}" if page > 1 else "",
        "next": f"{kept}&page={page + 1}" if page < last else "",
    }
    return Shown("reports", values)


def as_csv(ask: Ask) -> Answer:
    """The report as a table for a spreadsheet."""
    return _file(ask, "csv", "text/csv; charset=utf-8", report_csv)


def as_pdf(ask: Ask) -> Answer:
    """The report on paper."""
    name = ask.desk.rules.desk.name
    return _file(ask, "pdf", "application/pdf", lambda values, language: report_pdf(values, language, name))


def _file(ask: Ask, ending: str, kind: str, make: Callable[[Mapping[str, Any], str], bytes]) -> Answer:
    values, _ = _report(ask, the_client(ask))
    stem = "informe" if ask.language == "es" else "report"
    name = f"{stem}-{values['since']}-{values['until']}.{ending}"
    return Sent(make(values, ask.language), kind, name=name)


def _report(ask: Ask, client: str) -> tuple[dict[str, Any], bool]:
    """The values of the report for the period that was asked for; whether that made no sense."""
    since, until = _day(ask.query.get("since", "")), _day(ask.query.get("until", ""))
    asked = bool(ask.query.get("since") or ask.query.get("until"))
    wrong = asked and (since is None or until is None or since > until)
    with ask.read() as tx:
        period = (None, None) if wrong or not asked else (since, until)
        statement = statement_of(tx, ask.desk, client, *period, ask.now)
        return report_values(tx, ask.desk, client, statement), wrong


def _day(text: str) -> date | None:
    """A day as forms write it, None for what is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _whose(ask: Ask, client: str) -> dict[str, Any]:
    """Whose account it is, and whose else the director may look at."""
    return {"client_name": ask.desk.client_name(client), "client": client, "clients": people(ask)["clients"]}
