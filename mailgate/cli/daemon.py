"""`run` and `check`."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

import click

from mailgate import config
from mailgate.app import Daemon
from mailgate.cli.common import Place, as_json, pass_place
from mailgate.cli.online import tried
from mailgate.cli.replay import PERIOD, replayed
from mailgate.core.settings.units import Period
from mailgate.edges.named_files import Doubt, doubts
from mailgate.errors import Refused, RulesError, RulesProblem
from mailgate.opening import sole_daemon
from mailgate.service import logins

_STANDARD = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {"message", "taskName"}

# `status` has the daemon's lock for a moment, to see whether another has it.
_PATIENCE_SECONDS = 0.5
_QUIET_SECONDS = 60.0
_MOST_SAID = 1000


class _JsonLines(logging.Formatter):
    """One JSON object a line, for systemd's journal and log collectors."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "text": record.getMessage(),
            **{key: value for key, value in record.__dict__.items() if key not in _STANDARD},
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class Repeats(logging.Filter):
    """Lets a warning through once a minute: what the machine does not allow is tried, and said, again and again.

    steady: a clock, in seconds.
    """

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._steady = steady
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is news. What is forgotten is at most said again."""
        if record.levelno != logging.WARNING:
            return True
        line, now = (record.name, record.getMessage()), self._steady()
        if now - self._said.get(line, -_QUIET_SECONDS) < _QUIET_SECONDS:
            return False
        if len(self._said) >= _MOST_SAID:
            self._said.clear()
        self._said[line] = now
        return True


def set_up_logging(json_lines: bool) -> None:
    """Lines to stderr: readable in a terminal, JSON elsewhere."""
    handler = logging.StreamHandler(sys.stderr)
    readable = logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")
    handler.setFormatter(_JsonLines() if json_lines else readable)
    handler.addFilter(Repeats())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # imapclient tells every command at DEBUG; mail-parser tells whole headers at ERROR.
    for name in ("imapclient", "mailparser"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


@click.command()
@click.option("--log", type=click.Choice(["auto", "text", "json"]), default="auto", show_default=True)
@pass_place
def run(place: Place, log: str) -> None:
    """Run the desk: gateway, mailboxes, outbox, schedule."""
    set_up_logging(log == "json" or (log == "auto" and not sys.stderr.isatty()))
    place.data.mkdir(parents=True, exist_ok=True)
    with sole_daemon(place.data, _PATIENCE_SECONDS):
        daemon = Daemon(place.rules_path, place.data)
        try:
            asyncio.run(daemon.run())
        except OSError as error:
            raise Refused(f"cannot listen: {error.strerror or error}; see smtp.listen in the rules") from error


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
    return [*problems, *place.renderer().check()], mild


VERBS = (run, check)
