"""What a process opens before it works: the store of a data folder, the office that its rules make, the lock."""

from __future__ import annotations

import contextlib
import fcntl
import json
import multiprocessing
import os
import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from mailgate import config, disk
from mailgate.core.desk import Desk
from mailgate.core.settings.checks import build
from mailgate.core.settings.rules import Rules
from mailgate.errors import Refused, RulesError, RulesProblem, StoreUnavailable
from mailgate.render import Renderer
from mailgate.service import keys
from mailgate.service.office import Office
from mailgate.service.secret import desk_key
from mailgate.service.take import utc_now
from mailgate.store import Store, rules_taken


def open_store(data: Path) -> Store:
    """The store of a data folder, made on the first run. Raises StoreUnavailable."""
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(f"{data}: {error.strerror}") from error
    return keys.opened(data, utc_now())


def open_office(rules_path: Path, data: Path, before: Office | None = None) -> Office:
    """Rules, secret and templates. Raises RulesError with everything that is wrong in them.

    Templates that ship were proven before they did; beside a site's, which may break them, all are checked, which takes
    a second. before: the one in force, whose templates go on where nobody has changed them.
    """
    rules, written = config.read(rules_path)
    templates, site = _templates(rules_path), site_templates(rules_path)
    if before and before.templates == templates:
        return Office(Desk(rules, desk_key(data)), before.renderer, written, templates)
    if site and (problems := _checked_apart(site)):
        raise RulesError(problems)
    return Office(Desk(rules, desk_key(data)), Renderer(site), written, templates)


def last_office(store: Store, data: Path) -> Office | None:
    """That of the rules which were taken up last, with the templates that ship; None where there are none."""
    with store.read() as tx:
        number = rules_taken.newest(tx)
        built = None if number is None else build(json.loads(rules_taken.get(tx, number)))
    return Office(Desk(built, desk_key(data)), Renderer()) if isinstance(built, Rules) else None


def _checked_apart(site: Path) -> list[RulesProblem]:
    """What is wrong with the templates, found out in a process that ends, and with it the 10 MB that it takes.

    Here where other threads run, which a copy of the process would do without.
    """
    if threading.active_count() > 1:
        return Renderer(site).check()
    receiver, sender = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=lambda: sender.send(Renderer(site).check()), daemon=True)
    child.start()
    sender.close()
    try:
        found: list[RulesProblem] = receiver.recv()
    except EOFError:  # it was killed: the machine may be short of memory
        return Renderer(site).check()
    finally:
        child.join()
        receiver.close()
    return found


@contextmanager
def sole_daemon(data: Path, patience: float = 0.0) -> Iterator[None]:
    """Hold the lock that one daemon at a time has on a data folder; Refused if another holds it.

    patience: seconds to wait for those that have it for a moment only.
    """
    with (data / "mailgate.lock").open("a+") as file:
        if not disk.locked(file.fileno(), patience):
            file.seek(0)
            raise Refused(f"{data}: another mailgate is running on it (process {file.read().strip()})") from None
        disk.owned_like(data / "mailgate.lock", data)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def running_daemon(data: Path) -> tuple[int, datetime] | None:
    """The process that holds the lock, and since when; None for none."""
    try:
        with (data / "mailgate.lock").open() as file:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return None
            since = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
            return int(file.read().strip() or 0), since
    except FileNotFoundError:
        return None


def passwords(rules: Rules, rules_path: Path) -> dict[str, tuple[str, str]]:
    """With what technicians sign in at the gateway, by their addresses. Raises RulesError where it cannot be read."""
    known = {key: config.secret(person, rules_path.parent) for key, person in rules.technicians.items()}
    return {
        address: (key, secret)
        for key, secret in known.items()
        if secret
        for address in rules.technicians[key].addresses
    }


def site_templates(rules_path: Path) -> Path | None:
    """A templates/ folder beside the rules overrides single packaged ones."""
    site = rules_path.parent / "templates"
    return site if site.is_dir() else None


def stamp(rules_path: Path) -> Hashable:
    """Changes when the rules or a template beside them do."""
    return config.stamp(rules_path), _templates(rules_path)


def _templates(rules_path: Path) -> Hashable:
    site = site_templates(rules_path)
    files = sorted(path for path in site.rglob("*.*") if path.is_file()) if site else []
    return tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in files)
