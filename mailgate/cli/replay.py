"""`check --replay`: what other rules would have done with the mail that came."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any

import click

from mailgate.cli.common import Place, show, tag_of, when
from mailgate.cli.terminal import harmless
from mailgate.core.differences import Difference
from mailgate.core.settings import units
from mailgate.core.settings.rules import Rules
from mailgate.core.settings.units import Period
from mailgate.service.replay import Replay, Replayed
from mailgate.service.take import utc_now


class _PeriodType(click.ParamType[Period]):
    """A period as rules.toml writes it."""

    name = "period"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Period:
        """Fails with what would be right."""
        try:
            return units.period(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


PERIOD = _PeriodType()


def replayed(place: Place, period: Period, json_wanted: bool) -> None:
    """Print each message that would be treated otherwise, and how many there are."""
    office = place.office()
    with place.store() as store:
        rules = office.desk.rules
        since = _back(utc_now().astimezone(rules.zone), period)
        replay = Replay(store, office.desk, since)
        found = replay.run(_progress)
        if json_wanted:
            show([_object(one, rules) for one in found], json_wanted, str)
            return
        many = 0
        for one in found:
            many += 1
            click.echo(_block(one, rules))
    whole, differ = f"{replay.done} message{'' if replay.done == 1 else 's'}", f"{many or 'none'}"
    gone = f"; {replay.gone} more are no longer kept" if replay.gone else ""
    click.echo(f"\n{whole} since {since:%Y-%m-%d %H:%M}, {differ} would be treated otherwise{gone}")


def _back(now: datetime, period: Period) -> datetime:
    """The same time of a day that lies this long before."""
    day = period.before(now.date())
    return now.replace(year=day.year, month=day.month, day=day.day)


def _progress(done: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{done} messages … ", nl=False, err=True)


def _block(one: Replayed, rules: Rules) -> str:
    """One message: when, from whom, what it is about, and what differs."""
    tag = f"  {tag_of(rules, one.ticket)}" if one.ticket else ""
    local = one.at.astimezone(rules.zone)
    head = f"{local:%Y-%m-%d %H:%M}  {one.sender}{tag}  {one.subject or '(no subject)'}"
    lines = [f"  {_change(what)}" for what in one.differences]
    return "\n".join(["", harmless(head), *map(harmless, lines)])


def _change(one: Difference) -> str:
    """What differs; of the mails only those that do, for most are the same."""
    if one.what != "mails":
        return f"{one.what}: {one.was} → {one.would_be}" + (f" (rule {one.by})" if one.by else "")
    was, would_be = ({*mails.split(", ")} - {"none"} for mails in (one.was, one.would_be))
    changes = (("also", would_be - was), ("no longer", was - would_be))
    return "mails: " + "; ".join(f"{how} {', '.join(sorted(mails))}" for how, mails in changes if mails)


def _object(one: Replayed, rules: Rules) -> dict[str, Any]:
    return {
        "journal": one.journal,
        "at": when(one.at, rules.zone),
        "from": one.sender,
        "subject": one.subject,
        "ticket": tag_of(rules, one.ticket),
        "differences": [
            {"what": what.what, "was": what.was, "would_be": what.would_be, "rule": what.by or None}
            for what in one.differences
        ],
    }
