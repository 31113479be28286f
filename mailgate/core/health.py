"""How the machinery stands, and what of it is trouble: values in, values out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from mailgate.core.settings.servers import Monitor

# The words stand in templates/<language>/_troubles.txt.
TroubleName = Literal[
    "daemon",
    "mailbox",
    "login",
    "login_ends",
    "untidied",
    "unprocessed",
    "dns",
    "unsent",
    "failures",
    "disk",
    "backup",
    "no_backup",
    "audit",
    "books",
    "key",
    "rules",
]
# What no mail tells: nobody could send it, or it has a mail of its own.
UNTOLD: tuple[TroubleName, ...] = ("daemon", "books", "rules")

# One mail may wait for so long though others go out: a server that asks us to come again.
_ONE_MAIL = timedelta(hours=4)
# An answer of the DNS may be missing for one domain, or for a while.
_DNS = timedelta(hours=1)
# The books are proven every night.
_AUDIT = timedelta(days=2)
# A weekend and the Monday after it, since a person must sign in.
_LOGIN_ENDS = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits: how many, and since when; None for nothing."""

    count: int = 0
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox that the rules name. taken_at: of its last mail; failing_since: None while it can be reached.

    untidied: messages that were taken and not yet flagged, moved or deleted there. login: the name of the login by
    which it is read, "" where that is a password.
    """

    name: str
    taken_at: datetime | None = None
    failing_since: datetime | None = None
    error: str = ""
    untidied: Backlog = Backlog()
    login: str = ""


@dataclass(frozen=True, slots=True)
class LoginState:
    """A login that the rules name with oauth2. name: provider and user.

    renewed_at: when its token was, None where there is none; ends_at: when nothing renews it any more, if nobody does
    before; refused_at: when the provider said no last; error: why a person has to sign in, "" where nobody has to.
    """

    name: str
    renewed_at: datetime | None = None
    ends_at: datetime | None = None
    refused_at: datetime | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """Everything that is looked at.

    roads: when the last message came by each. undecided: what waits for the DNS to say who can have sent
    it. overtaken: whether a mail that was queued after the oldest unsent one was sent. unsent_error: of the
    oldest unsent mail. given_up: mails of the last week. failures: messages in quarantine that our own
    program failed on. disk_free, disk_size: bytes. audited_at: when the books were found good last.
    cleared_at: when all was removed last that a day's limits of [retention] had let go.
    begun_at: when the desk took rules up first. key_fault: why mails can be sealed no more once the daemon ends.
    """

    roads: dict[str, datetime | None]
    mailboxes: tuple[Mailbox, ...]
    unprocessed: Backlog
    undecided: Backlog
    unsent: Backlog
    overtaken: bool
    unsent_error: str
    given_up: int
    quarantine: Backlog
    failures: Backlog
    disk_free: int
    disk_size: int
    backup_at: datetime | None
    audited_at: datetime | None
    halted_since: datetime | None
    cleared_at: datetime | None
    begun_at: datetime | None = None
    key_fault: str = ""
    logins: tuple[LoginState, ...] = ()


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that a person must see to. about: which mailbox or login; size: bytes; since: None for now.

    until: when something ends.
    """

    name: TroubleName
    since: datetime | None = None
    about: str = ""
    error: str = ""
    count: int = 0
    size: int = 0
    until: datetime | None = None

    @property
    def id(self) -> str:
        """Names it while it lasts."""
        return f"{self.name} {self.about}".strip()


def troubles(health: Health, limits: Monitor, now: datetime) -> list[Trouble]:
    """What is wrong at a time, by the limits of the rules."""
    return [*_of_logins(health.logins, now), *_of_mail(health, limits, now), *_of_store(health, limits, now)]


def _of_logins(logins: tuple[LoginState, ...], now: datetime) -> Iterator[Trouble]:
    for login in logins:
        if login.error:
            yield Trouble("login", login.refused_at, login.name, login.error)
        if login.ends_at and login.ends_at - now < _LOGIN_ENDS:
            yield Trouble("login_ends", about=login.name, until=login.ends_at)


def _of_mail(health: Health, limits: Monitor, now: datetime) -> Iterator[Trouble]:
    signed_out = {login.name for login in health.logins if login.error}
    for box in health.mailboxes:
        if box.login in signed_out:
            continue  # that is the trouble
        if _older(box.failing_since, limits.mailbox_after, now):
            yield Trouble("mailbox", box.failing_since, box.name, box.error)
        elif not box.failing_since and _older(box.untidied.since, limits.mailbox_after, now):
            yield Trouble("untidied", box.untidied.since, box.name, count=box.untidied.count)
    waiting, unsent = health.unprocessed, health.unsent
    if _older(waiting.since, limits.unprocessed_after, now):
        yield Trouble("unprocessed", waiting.since, count=waiting.count)
    if _older(health.undecided.since, _DNS, now):
        yield Trouble("dns", health.undecided.since, count=health.undecided.count)
    if _older(unsent.since, _ONE_MAIL if health.overtaken else limits.unsent_after, now):
        yield Trouble("unsent", unsent.since, error=health.unsent_error, count=unsent.count)
    if health.failures.count:
        yield Trouble("failures", health.failures.since, count=health.failures.count)


def _of_store(health: Health, limits: Monitor, now: datetime) -> Iterator[Trouble]:
    if health.key_fault:
        yield Trouble("key", error=health.key_fault)
    if health.disk_free < limits.disk_free:
        yield Trouble("disk", size=health.disk_free)
    if limits.backup_after and _older(health.backup_at or health.begun_at, limits.backup_after, now):
        yield Trouble("backup", health.backup_at) if health.backup_at else Trouble("no_backup", health.begun_at)
    if health.halted_since:
        yield Trouble("books", health.halted_since)
    elif _older(health.audited_at, _AUDIT, now):
        yield Trouble("audit", health.audited_at)


def _older(since: datetime | None, than: timedelta, now: datetime) -> bool:
    """What there never was is no older than anything."""
    return since is not None and now - since > than
