"""Where the story is played: the desk that runs here, or a throw-away one."""

from __future__ import annotations

import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from mailgate import config
from mailgate.core.settings.fields import Endpoint
from mailgate.core.settings.rules import Rules
from mailgate.errors import Refused
from mailgate.opening import sole_daemon
from mailgate.pause import pause
from mailgate.store import STORE

_START_SECONDS = 20
_STOP_SECONDS = 10
_ANSWER_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Stage:
    """A desk that runs. told: which it is, for the reader."""

    rules: Rules
    rules_path: Path
    data: Path
    host: str
    port: int
    told: str


@contextmanager
def opened(rules_path: Path, data: Path, *, own: bool) -> Iterator[Stage]:
    """The running desk, where the story can be played on it and `own` is not wanted; else a throw-away one.

    Raises Refused for a desk that sends real mail.
    """
    found = "--own" if own else _running(rules_path, data)
    if isinstance(found, Stage):
        yield found
        return
    with tempfile.TemporaryDirectory(prefix="mailgate-demo-") as folder, _throw_away(Path(folder), found) as stage:
        yield stage


def _running(rules_path: Path, data: Path) -> Stage | str:
    """The desk of these rules, or why the story cannot be played on it."""
    if not rules_path.exists():
        return f"there is no {rules_path}"
    rules = config.load(rules_path)
    listen = rules.smtp.listen
    if listen is None or listen.kind != "tcp" or not _answers(listen):
        return f"no desk of {rules_path} answers"
    if rules.outgoing.via == "smtp":
        raise Refused(
            'this desk sends real mail (outgoing.via = "smtp"), so the story is not played on it;'
            " `mailgate demo --own` starts a throw-away desk"
        )
    if rules.trust.technicians == "strict" or rules.trust.clients == "require":
        return "the rules ask for proofs (trust) that the people of the story do not have"
    if not _runs_on(data):
        raise Refused(f"the desk that answers does not run on {data}; name its folder with --data, or use --own")
    return Stage(rules, rules_path, data, listen.host, listen.port, "the desk that runs here")


def _answers(listen: Endpoint) -> bool:
    """Whether a mailgate greets at this address."""
    try:
        with smtplib.SMTP(timeout=_ANSWER_SECONDS, local_hostname="demo.example") as server:
            _, greeting = server.connect(listen.host, listen.port)
    except (OSError, smtplib.SMTPException):
        return False
    return b"mailgate" in greeting


def _runs_on(data: Path) -> bool:
    if not (data / STORE).exists():
        return False
    try:
        with sole_daemon(data):
            return False
    except Refused:
        return True


@contextmanager
def _throw_away(folder: Path, why: str) -> Iterator[Stage]:
    """Start `mailgate run` on a free port in a folder, and stop it at the end."""
    rules_path, data, log = folder / "rules.toml", folder / "data", folder / "log"
    listen = Endpoint("tcp", "127.0.0.1", free_port())
    template = Template((files("mailgate.demo") / "rules.toml").read_text(encoding="utf-8"))
    rules_path.write_text(template.substitute(listen=f"{listen.host}:{listen.port}"), encoding="utf-8")
    command = [sys.executable, "-m", "mailgate", "--rules", str(rules_path), "--data", str(data), "run"]
    told = f"a throw-away desk ({why})"
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as daemon:  # noqa: S603
        try:
            _wait_for(daemon, listen, log)
            yield Stage(config.load(rules_path), rules_path, data, listen.host, listen.port, told)
        finally:
            daemon.terminate()
            try:
                daemon.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                daemon.kill()


def _wait_for(daemon: subprocess.Popen[bytes], listen: Endpoint, log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while not _answers(listen):
        if daemon.poll() is not None or time.monotonic() > end:
            last = log.read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]
            raise Refused(f"the throw-away desk did not start: {last or 'it said nothing'}")
        pause(0.05)


def free_port() -> int:
    """A TCP port of this machine that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
