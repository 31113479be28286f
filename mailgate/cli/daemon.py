"""`run`. What it imports stays in memory for months."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

import click

from mailgate import cores
from mailgate.app import Daemon
from mailgate.cli.common import Place, pass_place
from mailgate.errors import Refused
from mailgate.opening import sole_daemon

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
    with sole_daemon(place.data, _PATIENCE_SECONDS), cores.on_one():
        daemon = Daemon(place.rules_path, place.data)
        try:
            asyncio.run(daemon.run())
        except OSError as error:
            raise Refused(f"cannot listen: {error.strerror or error}; see smtp.listen in the rules") from error


VERBS = (run,)
