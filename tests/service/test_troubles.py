"""The admin is told of trouble when it begins and when it is over: each once, whatever happens between."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mailgate.core.mail import Due, Envelope
from mailgate.core.mailbox import Uid
from mailgate.service.audit import audited
from mailgate.service.jobs import troubles
from mailgate.service.schedule import JOBS
from mailgate.store import events, journal, mailboxes, outbox, rules_taken
from tests.running import read
from tests.running import text_of as text_of_mail
from tests.stored import StoredDesk, stored_desk
from tests.support import NOW
from tests.support import desk as desk_of

BOX = "imap.example.es/soporte@example.es/INBOX"
IMAP = {"host": "imap.example.es", "user": "soporte@example.es", "password_env": "X"}
MINUTE = timedelta(minutes=1)


@pytest.fixture
def desk(tmp_path: Path):
    with stored_desk(tmp_path, desk_of(imap=[IMAP], monitor={"disk_free": "1kB"})) as opened:
        yield opened


def tick(desk: StoredDesk, now: datetime) -> list[str]:
    """Run the job; the templates of what it told."""
    before = len(desk.mails())
    with desk.store.write() as tx:
        done = troubles.run(tx, desk.office, now)
    told = [mail.template for mail in desk.mails()[before:]]
    assert len(told) == done
    return told


def text_of(raw: bytes) -> str:
    """On one line, however it is folded."""
    return " ".join(text_of_mail(read(raw)).split())


def sent(desk: StoredDesk, now: datetime) -> None:
    """All that is queued went out."""
    with desk.store.write() as tx:
        for mail in outbox.claim_due(tx, now, now, 100):
            assert isinstance(mail, Due)
            outbox.mark_sent(tx, mail.id, now)


def fail(desk: StoredDesk, now: datetime, error: str = "LoginError: no") -> None:
    with desk.store.write() as tx:
        mailboxes.note_failure(tx, BOX, error, now)


def reach(desk: StoredDesk) -> None:
    with desk.store.write() as tx:
        mailboxes.note_reached(tx, BOX)


def test_job_is_in_the_schedule() -> None:
    assert JOBS["troubles"] is troubles.run


def test_mails_that_cannot_be_put_away_are_told_and_their_end_too(desk: StoredDesk) -> None:
    with desk.store.write() as tx:
        journal.take(tx, b"", Envelope("imap"), NOW, Uid(BOX, 7, 1))
    tick(desk, NOW + 9 * MINUTE)
    assert f"untidied {BOX}" not in open_troubles(desk)
    tick(desk, NOW + 11 * MINUTE)
    assert f"untidied {BOX}" in open_troubles(desk)
    with desk.store.write() as tx:
        mailboxes.settle(tx, BOX, 7, [1])
    assert "all_clear" in tick(desk, NOW + 12 * MINUTE)
    assert f"untidied {BOX}" not in open_troubles(desk)


def open_troubles(desk: StoredDesk) -> set[str]:
    with desk.store.read() as tx:
        return {told.what for told in events.open_troubles(tx)}


def test_mailbox_that_cannot_be_read_is_told_once_and_its_return_once(desk: StoredDesk) -> None:
    fail(desk, NOW)
    assert tick(desk, NOW + 9 * MINUTE) == []
    fail(desk, NOW + 10 * MINUTE, "timeout")
    assert tick(desk, NOW + 11 * MINUTE) == ["trouble"]
    sent(desk, NOW + 12 * MINUTE)
    assert tick(desk, NOW + 12 * MINUTE) == tick(desk, NOW + 60 * MINUTE) == []
    reach(desk)
    assert tick(desk, NOW + 90 * MINUTE) == ["all_clear"]
    sent(desk, NOW + 90 * MINUTE)
    assert tick(desk, NOW + 91 * MINUTE) == []
    trouble, over = map(read, desk.raws())
    assert trouble["To"] == over["To"] == "admin@example.es"
    assert trouble["Auto-Submitted"] == "auto-generated"
    text = text_of(desk.raws()[0])
    assert BOX in text
    assert "timeout" in text
    assert "contraseña" in text
    assert str(over["Subject"]) == "Resuelto: no se puede leer el buzón soporte@example.es"


def test_mailbox_that_comes_and_goes_is_told_once_an_hour(desk: StoredDesk) -> None:
    told = []
    for minute in range(0, 120, 15):
        fail(desk, NOW + minute * MINUTE)
        told += tick(desk, NOW + (minute + 11) * MINUTE)
        reach(desk)
        told += tick(desk, NOW + (minute + 12) * MINUTE)
        sent(desk, NOW + (minute + 12) * MINUTE)
    assert told == ["trouble", "all_clear"] * 2


def test_outbox_that_is_stuck_is_told_with_what_the_server_said(desk: StoredDesk) -> None:
    desk.take()
    with desk.store.write() as tx:
        for mail in outbox.claim_due(tx, NOW, NOW, 100):
            outbox.mark_failed(tx, mail.id, "451 4.7.1 come back later", NOW + 60 * MINUTE)
    assert tick(desk, NOW + 14 * MINUTE) == []
    assert tick(desk, NOW + 16 * MINUTE) == ["trouble"]
    assert "451 4.7.1 come back later" in text_of(desk.raws()[-1])
    everything = desk.mails()
    with desk.store.write() as tx:
        for queued in everything:
            outbox.mark_sent(tx, queued.id, NOW)
    assert tick(desk, NOW + 20 * MINUTE) == ["all_clear"]


def test_backup_is_missed_where_none_was_ever_made_and_once_made(desk: StoredDesk) -> None:
    begun = NOW - timedelta(days=3)
    with desk.store.write() as tx:
        rules_taken.note(tx, "{}", begun)
        rules_taken.note(tx, '{"changed": 1}', NOW)
    assert tick(desk, begun + timedelta(hours=47)) == []
    assert tick(desk, begun + timedelta(hours=49)) == ["trouble"]
    assert "ninguna copia" in text_of(desk.raws()[-1])
    sent(desk, begun + timedelta(hours=49))
    with desk.store.write() as tx:
        events.record(tx, "backup", "", NOW.isoformat(), NOW)
    assert tick(desk, NOW) == ["all_clear"]
    sent(desk, NOW)


def test_backup_is_missed_some_time_after_the_last(desk: StoredDesk) -> None:
    with desk.store.write() as tx:
        events.record(tx, "backup", "", NOW.isoformat(), NOW)
    assert tick(desk, NOW + timedelta(hours=47)) == []
    assert tick(desk, NOW + timedelta(hours=49)) == ["trouble"]
    with desk.store.write() as tx:
        later = NOW + timedelta(hours=50)
        events.record(tx, "backup", "", later.isoformat(), later)
    sent(desk, NOW + timedelta(hours=50))
    assert tick(desk, NOW + timedelta(hours=51)) == ["all_clear"]


def refuse(desk: StoredDesk, now: datetime, *problems: str) -> None:
    with desk.store.write() as tx:
        troubles.rules_refused(tx, desk.office, problems, NOW, now)


def accept(desk: StoredDesk, now: datetime) -> list[str]:
    """Take rules up; the templates of what was told."""
    before = len(desk.mails())
    with desk.store.write() as tx:
        troubles.rules_accepted(tx, desk.office, now)
    return [mail.template for mail in desk.mails()[before:]]


def test_each_refusal_of_rules_is_told_and_once_that_some_were_accepted(desk: StoredDesk) -> None:
    assert accept(desk, NOW) == []
    refuse(desk, NOW + MINUTE, "desk.tag: 7")
    refuse(desk, NOW + 2 * MINUTE, "desk.tag: 8")
    assert [mail.template for mail in desk.mails()] == ["rules_refused"] * 2
    assert accept(desk, NOW + 3 * MINUTE) == ["all_clear"]
    assert "Las reglas se han aceptado de nuevo" in text_of(desk.raws()[-1])
    assert accept(desk, NOW + 4 * MINUTE) == []
    refuse(desk, NOW + 5 * MINUTE, "desk.tag: 9")
    assert accept(desk, NOW + 6 * MINUTE) == ["all_clear"]
    with desk.store.read() as tx:
        assert audited(tx).problems == []


def test_refused_rules_are_not_over_as_long_as_none_were_accepted(desk: StoredDesk) -> None:
    refuse(desk, NOW, "desk.tag: 7")
    sent(desk, NOW)
    assert tick(desk, NOW + MINUTE) == tick(desk, NOW + timedelta(hours=3)) == []
    assert accept(desk, NOW + timedelta(hours=4)) == ["all_clear"]


def test_halted_books_have_a_mail_of_their_own(desk: StoredDesk) -> None:
    with desk.store.write() as tx:
        events.record(tx, "halt", "", NOW.isoformat(), NOW)
    assert tick(desk, NOW + MINUTE) == []


def test_full_disk_is_told(tmp_path: Path) -> None:
    with stored_desk(tmp_path, desk_of(monitor={"disk_free": "900000GB"})) as desk:
        assert tick(desk, NOW) == ["trouble"]
        assert "Solo quedan " in text_of(desk.raws()[-1])


def test_mails_of_troubles_come_from_events_says_the_audit(desk: StoredDesk) -> None:
    fail(desk, NOW)
    tick(desk, NOW + 11 * MINUTE)
    with desk.store.write() as tx:
        assert audited(tx).problems == []
        tx.run("delete from event where kind = 'trouble'")
        assert [problem for problem in audited(tx).problems if "trouble" in problem]


def test_key_that_cannot_be_read_is_trouble_and_stops_no_other_look(desk: StoredDesk) -> None:
    tick(desk, NOW)
    (Path(desk.store.path).parent / "vault.key").chmod(0o644)
    assert tick(desk, NOW + MINUTE) == ["trouble"]
    assert "chmod 600" in desk.raws()[-1].decode()


def test_clock_that_was_ahead_keeps_no_trouble_quiet(desk: StoredDesk) -> None:
    ahead = NOW + timedelta(days=400)
    fail(desk, ahead)
    assert "trouble" in tick(desk, ahead + timedelta(minutes=11))
    reach(desk)
    tick(desk, NOW)
    fail(desk, NOW)
    assert "trouble" in tick(desk, NOW + timedelta(minutes=11))
