"""What stays in a mailbox is told to the admin, once; a folder that is numbered anew floods nobody."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mailgate.core.mail import Envelope
from mailgate.core.mailbox import Left, Sighting, Uid
from mailgate.service.jobs import left
from mailgate.service.schedule import JOBS
from mailgate.store import Connection, journal, mailboxes
from tests.stored import StoredDesk, stored_desk
from tests.support import NOW

BOX = "imap.example.es/soporte@example.es/INBOX"
DAY = timedelta(days=1)


@pytest.fixture
def desk(tmp_path: Path):
    with stored_desk(tmp_path) as opened:
        yield opened


def tick(desk: StoredDesk, now: datetime = NOW) -> int:
    with desk.store.write() as tx:
        return left.run(tx, desk.office, now)


def skip(desk: StoredDesk, uid: int, **of: object) -> None:
    with desk.store.write() as tx:
        mailboxes.skip(tx, Uid(BOX, 1, uid), Left("big", BOX, 1, 104_857_600, **of), NOW)  # type: ignore[arg-type]


def test_job_is_in_the_schedule() -> None:
    assert JOBS["left"] is left.run


def test_a_mail_that_is_too_big_is_told_once_with_who_wrote_it(desk: StoredDesk) -> None:
    skip(desk, 5, sender="ana@acme.example", subject="Fotos")
    skip(desk, 5, sender="ana@acme.example", subject="Fotos")
    assert tick(desk) == 1
    assert tick(desk) == 0
    (mail,) = desk.mails()
    assert (mail.template, mail.to) == ("mail_left", "admin@example.es")
    (raw,) = desk.raws()
    assert b"ana@acme.example" in raw
    assert b"Fotos" in raw


def test_several_come_in_one_mail(desk: StoredDesk) -> None:
    for uid in range(1, 4):
        skip(desk, uid)
    assert tick(desk) == 3
    assert len(desk.mails()) == 1


def test_what_goes_on_is_told_once_in_an_hour_as_a_sum(desk: StoredDesk) -> None:
    for uids in (40, 50, 60):
        with desk.store.write() as tx:
            mailboxes.sight(tx, BOX, Sighting(7, uids, NOW, NOW + DAY, left=10), NOW)
        tick(desk)
    assert tick(desk, NOW + timedelta(minutes=61)) == 2
    assert b"20 correos anteriores" in desk.raws()[1]
    assert len(desk.mails()) == 2


def test_a_folder_seen_for_the_first_time_goes_back_as_far_as_since_says(desk: StoredDesk) -> None:
    with desk.store.read() as tx:
        assert mailboxes.first_sight(tx, BOX, 7, DAY, NOW) == Sighting(7, 0, NOW - DAY, NOW + DAY)


def test_a_folder_that_is_numbered_anew_goes_back_to_its_last_mail_and_never_before_first_sight(
    desk: StoredDesk,
) -> None:
    with desk.store.write() as tx:
        mailboxes.sight(tx, BOX, Sighting(7, 10, NOW - DAY, NOW + DAY, left=10), NOW)
        journal.take(tx, b"x", Envelope("imap"), NOW, Uid(BOX, 7, 11))
        assert first_sight(tx) == (NOW - DAY, True)
        journal.take(tx, b"y", Envelope("imap"), NOW + 6 * DAY, Uid(BOX, 7, 12))
        assert first_sight(tx) == (NOW + 5 * DAY, True)


def first_sight(tx: Connection) -> tuple[datetime, bool]:
    found = mailboxes.first_sight(tx, BOX, 8, DAY, NOW + 9 * DAY)
    return found.since, found.anew


def test_what_was_to_be_put_away_under_the_old_numbers_is_forgotten(desk: StoredDesk) -> None:
    with desk.store.write() as tx:
        mailboxes.sight(tx, BOX, Sighting(7, 0, NOW - DAY, NOW), NOW)
        journal.take(tx, b"x", Envelope("imap"), NOW, Uid(BOX, 7, 1))
        assert mailboxes.untidied(tx, BOX).count == 1
        mailboxes.sight(tx, BOX, Sighting(8, 5, NOW, NOW, left=5, anew=True), NOW)
        assert mailboxes.untidied(tx, BOX).count == 0
        assert mailboxes.sighting(tx, BOX, 8) == Sighting(8, 5, NOW, NOW, anew=True)
    assert tick(desk) == 1
    assert b"UIDVALIDITY" in desk.raws()[0]
