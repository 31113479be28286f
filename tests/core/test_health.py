"""What is trouble, and from when on."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from mailgate.core.health import Backlog, Health, LoginState, Mailbox, troubles
from mailgate.core.settings.servers import Monitor
from tests.support import NOW

WELL = Health(
    roads={"smtp": NOW, "lmtp": None, "imap": None, "inject": None},
    mailboxes=(),
    unprocessed=Backlog(),
    undecided=Backlog(),
    unsent=Backlog(),
    overtaken=False,
    unsent_error="",
    given_up=3,
    quarantine=Backlog(2, NOW - timedelta(days=30)),
    failures=Backlog(),
    disk_free=10**9,
    disk_size=10**10,
    backup_at=None,
    audited_at=None,
    halted_since=None,
    cleared_at=None,
)


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def found(health: Health, **limits: object) -> list[str]:
    return [trouble.name for trouble in troubles(health, Monitor.model_validate(limits), NOW)]


def test_desk_that_just_began_is_well() -> None:
    assert found(WELL) == []


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        ({"unprocessed": Backlog(1, ago(minutes=4))}, {"unprocessed": Backlog(1, ago(minutes=6))}, "unprocessed"),
        ({"undecided": Backlog(1, ago(minutes=59))}, {"undecided": Backlog(1, ago(minutes=61))}, "dns"),
        ({"unsent": Backlog(1, ago(minutes=14))}, {"unsent": Backlog(1, ago(minutes=16))}, "unsent"),
        ({"backup_at": ago(hours=47)}, {"backup_at": ago(hours=49)}, "backup"),
        ({"begun_at": ago(hours=47)}, {"begun_at": ago(hours=49)}, "no_backup"),
        ({"audited_at": ago(hours=47)}, {"audited_at": ago(hours=49)}, "audit"),
        ({"disk_free": 525 * 1024**2}, {"disk_free": 499 * 1024**2}, "disk"),
        ({}, {"failures": Backlog(1, NOW)}, "failures"),
        ({}, {"halted_since": NOW}, "books"),
    ],
)
def test_each_becomes_trouble_at_its_limit(before: dict, after: dict, name: str) -> None:  # type: ignore[type-arg]
    assert found(replace(WELL, **before)) == []
    assert found(replace(WELL, **after)) == [name]


@pytest.mark.parametrize("backup_at", [None, ago(days=900)])
def test_backups_are_nobodys_business_where_the_rules_say_so(backup_at: datetime | None) -> None:
    health = replace(WELL, begun_at=ago(days=1000), backup_at=backup_at)
    assert found(health) != found(health, backup_after="off") == []


def test_other_words_than_off_are_told_what_would_be_right() -> None:
    with pytest.raises(ValueError, match=r'"never" cannot be read.* or "off"'):
        found(WELL, backup_after="never")


def test_backup_that_was_made_is_what_counts_not_when_the_desk_began() -> None:
    assert found(replace(WELL, begun_at=ago(days=1000), backup_at=ago(hours=3))) == []


def test_mailbox_that_cannot_be_read_is_trouble_after_a_while_and_is_named() -> None:
    def failing(since: datetime) -> Health:
        boxes = (Mailbox("imap.x/a/INBOX"), Mailbox("imap.x/b/INBOX", None, since, "refused"))
        return replace(WELL, mailboxes=boxes)

    assert found(failing(ago(minutes=9))) == []
    (trouble,) = troubles(failing(ago(minutes=11)), Monitor(), NOW)
    assert (trouble.id, trouble.error) == ("mailbox imap.x/b/INBOX", "refused")


def test_mailbox_whose_login_is_gone_is_one_trouble_not_two() -> None:
    box = Mailbox("imap.x/a/INBOX", None, ago(hours=1), "LoginNeeded: revoked", login="google a@b.es")
    login = LoginState("google a@b.es", ago(days=1), ago(days=-80), ago(hours=1), "revoked")
    (trouble,) = troubles(replace(WELL, mailboxes=(box,), logins=(login,)), Monitor(), NOW)
    assert (trouble.id, trouble.error, trouble.since) == ("login google a@b.es", "revoked", ago(hours=1))
    # A server that is down while the login holds is the mailbox's trouble.
    assert found(replace(WELL, mailboxes=(box,), logins=(replace(login, error=""),))) == ["mailbox"]


@pytest.mark.parametrize(("left", "names"), [(73, []), (71, ["login_ends"]), (-1, ["login_ends"])])
def test_end_of_a_login_is_told_three_days_before(left: float, names: list[str]) -> None:
    login = LoginState("google a@b.es", ago(hours=1), NOW + timedelta(hours=left))
    assert found(replace(WELL, logins=(login,))) == names


def test_login_that_ended_is_not_called_signed_in_anew() -> None:
    over = LoginState("google a@b.es", ago(days=7), ago(hours=1), ago(hours=1), "invalid_grant")
    assert found(replace(WELL, logins=(over,))) == ["login", "login_ends"]


def test_one_mail_that_waits_while_others_go_out_is_no_trouble_for_hours() -> None:
    """A server that asks to come again later: the road out works."""
    one = replace(WELL, unsent=Backlog(1, ago(hours=3)), overtaken=True)
    assert found(one) == []
    assert found(replace(one, unsent=Backlog(1, ago(hours=5)))) == ["unsent"]


def test_limits_are_the_rules() -> None:
    late = replace(WELL, unsent=Backlog(1, ago(minutes=16)), disk_free=10)
    assert found(late, unsent_after="1h", disk_free="1kB") == ["disk"]
    assert found(late, unsent_after="1h", disk_free="500MB") == ["disk"]
    assert found(replace(late, disk_free=2000), unsent_after="1h", disk_free="1kB") == []


def test_books_that_are_halted_are_not_called_late_besides() -> None:
    assert found(replace(WELL, halted_since=ago(days=5), audited_at=ago(days=5))) == ["books"]
