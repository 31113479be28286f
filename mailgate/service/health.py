"""Look at the machinery: what the store, the disk and the rules say of it, and what is wrong."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, get_args

from mailgate.core.health import Backlog, Health, Mailbox, Trouble
from mailgate.core.mail import Source
from mailgate.core.settings.rules import Rules
from mailgate.errors import Refused, RulesError, of_the_machine
from mailgate.service import keys, logins
from mailgate.service.office import Office
from mailgate.store import Connection, events, journal, mailboxes, outbox, quarantine, retention, rules_taken, walks

_RECENT = timedelta(days=7)


def looked(tx: Connection, rules: Rules, now: datetime) -> Health:
    """How all stands now. Each question has its index: this is asked every minute."""
    unsent = outbox.waiting(tx)
    disk = shutil.disk_usage(Path(tx.file).parent)
    return Health(
        roads={road: journal.taken_last(tx, road) for road in get_args(Source)},
        mailboxes=tuple(_mailboxes(tx, rules)),
        unprocessed=journal.unprocessed(tx),
        undecided=journal.undecided(tx),
        unsent=Backlog(unsent.count, unsent.since),
        overtaken=unsent.overtaken,
        unsent_error=unsent.error,
        given_up=len(outbox.failed_since(tx, now - _RECENT)),
        quarantine=quarantine.backlog(tx),
        failures=quarantine.failures(tx),
        disk_free=disk.free,
        disk_size=disk.total,
        backup_at=events.latest(tx, "backup"),
        audited_at=events.latest(tx, "day"),
        halted_since=events.halted_since(tx),
        cleared_at=walks.done_last(tx, retention.WALKS),
        begun_at=rules_taken.first_at(tx),
        key_fault=_key_fault(tx),
        logins=tuple(logins.state(Path(tx.file).parent, account) for account in logins.accounts(rules)),
    )


def _key_fault(tx: Connection) -> str:
    """Why mails could not be sealed by a daemon that starts now, or "".

    Without file handles nobody can tell. That is no error either: it would undo what others write in the same commit.
    """
    try:
        return keys.at_hand(tx).fault
    except (Refused, OSError) as error:
        return "" if of_the_machine(error) else str(error)


def spoken(office: Office, health: Health, found: Sequence[Trouble], now: datetime) -> dict[str, Any]:
    """The same for programs: times in ISO 8601, and each trouble in words."""
    values = {key: _plain(value, office) for key, value in asdict(health).items()}
    return {"ok": not found, **values, "problems": [_in_words(office, trouble, now) for trouble in found]}


def _in_words(office: Office, trouble: Trouble, now: datetime) -> dict[str, Any]:
    what, todo = office.renderer.trouble(trouble, "en", office.desk.rules.zone, now)
    return {
        "name": trouble.name,
        "about": trouble.about,
        "since": _plain(trouble.since, office),
        "what": what,
        "do": todo,
    }


def refused(error: RulesError, since: datetime | None = None) -> Trouble:
    """Rules that are not taken up."""
    first, *more = error.problems
    return Trouble("rules", since, error=str(first), count=len(more))


def _plain(value: Any, office: Office) -> Any:
    match value:
        case datetime():
            return value.astimezone(office.desk.rules.zone).isoformat(timespec="seconds")
        case dict():
            return {key: _plain(one, office) for key, one in value.items()}
        case tuple():
            return [_plain(one, office) for one in value]
        case _:
            return value


def _mailboxes(tx: Connection, rules: Rules) -> Iterator[Mailbox]:
    for box in rules.imap:
        name = box.name
        failing_since, error = mailboxes.failing(tx, name)
        untidied, account = mailboxes.untidied(tx, name), logins.account_of(box)
        login = account.name if account else ""
        yield Mailbox(name, mailboxes.taken_last(tx, name), failing_since, error, untidied, login)
