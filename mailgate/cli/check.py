"""`check`."""

from __future__ import annotations

import json

import click

from mailgate import config
from mailgate.cli.common import Place, as_json, pass_place
from mailgate.cli.online import tried
from mailgate.cli.replay import PERIOD, replayed
from mailgate.core.settings.units import Period
from mailgate.edges.named_files import Doubt, doubts
from mailgate.errors import RulesError, RulesProblem
from mailgate.service import logins


@click.command()
@click.option("--replay", metavar="PERIOD", type=PERIOD, help='Decide once more on the mail of the last "30d", "2w".')
@click.option("--online", is_flag=True, help="Try the roads in and out, and the DNS of the desk's domain.")
@as_json
@pass_place
def check(place: Place, replay: Period | None, json_wanted: bool, online: bool) -> None:
    """Check rules.toml, the files that it names, and the templates; every problem is listed.

    With --replay say what these rules would have done otherwise than those that were in force when the mail
    came, each message by itself. Changes nothing.

    With --online sign in everywhere, send a mail to the desk itself, see it come back, and look at the DNS of
    the desk's domain. Exit 1 if anything is to be done.
    """
    problems, warnings = _wrong(place)
    if json_wanted and (problems or not (replay or online)):
        told = [*((one, False) for one in problems), *((one, True) for one in warnings)]
        listed = [
            {"file": one.file, "line": one.line, "key": one.where, "what": one.what, "warning": mild}
            for one, mild in told
        ]
        click.echo(json.dumps(listed, ensure_ascii=False, indent=2))
    for problem in problems:
        click.echo(str(problem), err=True)
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    if problems:
        plural = "" if len(problems) == 1 else "s"
        click.echo(f"{place.rules_path}: {len(problems)} problem{plural}", err=True)
        raise click.exceptions.Exit(RulesError.exit_code)
    if not json_wanted:
        click.echo(f"{place.rules_path}: good")
    if replay:
        replayed(place, replay, json_wanted)
    if online:
        tried(place, json_wanted)


def _wrong(place: Place) -> tuple[list[RulesProblem], list[RulesProblem]]:
    """What keeps the daemon from starting, and what does not."""
    unready: list[Doubt] = []
    try:
        rules = place.rules()
        unready += doubts(rules, place.rules_path.parent)
        unready += (Doubt(fault, grave=False) for fault in logins.faults(rules, place.data))
        problems = config.problems(place.rules_path, [doubt.fault for doubt in unready if doubt.grave])
    except RulesError as error:
        problems = error.problems
    mild = config.problems(place.rules_path, [doubt.fault for doubt in unready if not doubt.grave]) if unready else []
    renderer = place.renderer()
    return [*problems, *renderer.check()], [*mild, *renderer.strays()]


VERBS = (check,)
