"""Mailboxes as they are met: wires that break anywhere, servers that fall silent, folders full of old mail."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from imapclient import SocketTimeout

from mailgate.edges import imap
from tests.edges.mailbox import SEEN, Desk, Memory, desk_at, mail
from tests.proxy import Wire, wire
from tests.servers import QUOTA, Certificate, Dovecot, dovecot, eventually

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("impatient")]


@pytest.fixture
def line(dovecot: Dovecot) -> Iterator[Wire]:
    with wire(dovecot.port) as made:
        yield made


@pytest.fixture
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is silent for a second is dead."""
    monkeypatch.setattr(imap, "_TIMEOUT", SocketTimeout(connect=1, read=1))


class TestWire:
    @pytest.mark.parametrize("after", ["seen", "delete", "move:Hechos"])
    def test_a_wire_that_is_cut_anywhere_loses_nothing_and_takes_nothing_twice(
        self, desk: Desk, line: Wire, after: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Memory refuses a UID that is taken twice; what was put away must have been taken."""
        monkeypatch.setattr(imap, "_LONGEST_PAUSE", 0.05)
        desk.server.put(*[mail(number, size=40 * number) for number in range(6)])
        line.cut_after(*range(0, 3400, 170))
        desk.poll(inbox := Memory(), desk.settings(port=line.port, after=after))
        eventually(lambda: inbox.has(6), 60)
        assert list(inbox.mails.values()) == [mail(number, size=40 * number) for number in range(6)]
        if after == "seen":
            assert set(desk.server.contents().values()) == {(SEEN,)}
        else:
            assert desk.server.contents() == {}
        if after == "move:Hechos":
            assert len(desk.server.contents("Hechos")) == 6

    @pytest.mark.usefixtures("short_timeouts")
    def test_a_server_that_falls_silent_anywhere_is_left_and_asked_again(self, desk: Desk, line: Wire) -> None:
        desk.server.put(*[mail(number) for number in range(3)])
        line.stall_after(0, 60, 300, 700, 1000, 1300)
        desk.poll(inbox := Memory(), desk.settings(port=line.port))
        eventually(lambda: inbox.has(3), 60)
        assert line.faults == []

    @pytest.mark.usefixtures("short_timeouts")
    def test_an_idle_that_died_unnoticed_is_found_with_the_next_poll(self, desk: Desk, line: Wire) -> None:
        desk.server.put(mail(1))
        desk.poll(inbox := Memory(), desk.settings(port=line.port, poll=1))
        eventually(lambda: inbox.has(1))
        line.silence()
        desk.server.put(mail(2))
        eventually(lambda: inbox.has(2), 60)

    def test_an_idle_is_renewed_before_ten_minutes_however_long_poll_is(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waits: list[float] = []
        poller = imap.Poller(desk.settings(poll=3600), "", Memory(), 1)
        monkeypatch.setattr(poller, "_pause", lambda seconds, *_: waits.append(seconds))

        class Idling:
            def has_capability(self, name: str) -> bool:
                return True

            def idle(self) -> None: ...
            def socket(self) -> None: ...
            def idle_done(self) -> None: ...

        poller._await_mail(Idling())  # type: ignore[arg-type]
        poller._stopping.set()
        poller._run()  # closes what it holds
        assert waits[0] < 600

    def test_a_sick_mailbox_does_not_slow_another(self, desk: Desk, line: Wire) -> None:
        line.stall_after(*[0] * 50)
        desk.poll(sick := Memory(), desk.settings(port=line.port))
        eventually(lambda: line.connections > 0)
        desk.poll(well := Memory())
        for number in range(1, 6):
            desk.server.put(mail(number))
            eventually(lambda number=number: well.has(number))
        assert sick.has(0)


class TestFirstSight:
    def test_old_mail_is_left_and_what_comes_from_now_on_is_taken_whatever_its_date(self, desk: Desk) -> None:
        old = datetime.now().astimezone() - timedelta(days=3)
        with desk.server.session() as client:
            for number in range(3):
                client.append("INBOX", mail(number), msg_time=old)
            client.append("INBOX", mail(3), msg_time=datetime.now().astimezone() - timedelta(hours=2))
            client.append("INBOX", mail(4), msg_time=old)
        poller = desk.poll(inbox := Memory(restoring=timedelta(0)))
        eventually(lambda: inbox.has(1))
        with desk.server.session() as client:
            client.append("INBOX", mail(5), msg_time=old)  # moved here by a person
        eventually(lambda: inbox.has(2))
        assert [uid.uid for uid in inbox.order] == [4, 6]
        assert inbox.left == 4
        poller.stop()
        desk.poll(inbox)
        desk.server.put(mail(6))
        eventually(lambda: inbox.has(3))
        assert [uid.uid for uid in inbox.order] == [4, 6, 7]

    def test_a_folder_that_goes_on_being_filled_with_old_mail_gives_only_what_is_new(self, desk: Desk) -> None:
        old = datetime.now().astimezone() - timedelta(days=3)
        desk.server.put(mail(1))
        desk.poll(inbox := Memory())
        eventually(lambda: inbox.has(1))
        for _ in range(3):
            with desk.server.session() as client:
                client.append("INBOX", mail(2), msg_time=old)
            desk.server.put(mail(3))
        eventually(lambda: inbox.has(4))
        eventually(lambda: inbox.left == 3)
        assert [uid.uid for uid in inbox.order] == [1, 3, 5, 7]

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
    def test_a_kill_in_the_middle_of_the_first_round_changes_nothing_of_what_is_ours(self, desk: Desk) -> None:
        def die(_: object) -> None:
            raise SystemExit  # ends the thread at once, as a kill ends the process

        old = datetime.now().astimezone() - timedelta(days=3)
        with desk.server.session() as client:
            for number in range(4):
                client.append("INBOX", mail(number), msg_time=old if number % 2 else None)
        inbox = Memory(after_take=die)
        desk.poll(inbox)
        eventually(lambda: inbox.has(1, settled=0))
        inbox.after_take = lambda _: None
        desk.poll(inbox)
        eventually(lambda: inbox.has(2))
        assert [uid.uid for uid in inbox.order] == [1, 3]

    def test_an_empty_folder_has_nothing_old(self, desk: Desk) -> None:
        desk.poll(inbox := Memory())
        eventually(lambda: len(inbox.sightings) == 1)
        desk.server.put(mail(1))
        eventually(lambda: inbox.has(1))
        assert inbox.left == 0

    @pytest.mark.slow
    def test_a_hundred_thousand_old_mails_are_passed_over_within_a_minute(self, own_certificate: Certificate) -> None:
        """In one file: so many files would take their time to make, and to remove."""
        with dovecot(own_certificate, "mail_location = mbox:~/mbox:INBOX=~/inbox") as server, desk_at(server) as desk:
            began = b"From ana Thu Oct 1 10:00:00 2026\n"
            inbox_file = server.log.parent / "home" / "inbox"
            inbox_file.write_bytes(b"".join(began + mail(n).replace(b"\r", b"") + b"\n" for n in range(100_000)))
            shutil.chown(inbox_file, "mail", "mail")
            server.put(mail(1))
            start = time.monotonic()
            desk.poll(inbox := Memory())
            eventually(lambda: inbox.has(1), 120)
            assert time.monotonic() - start < 60
            assert inbox.left == 100_000
            server.put(mail(2))
            eventually(lambda: inbox.has(2), 60)


class TestQuota:
    def test_a_full_mailbox_that_cannot_put_away_goes_on_being_read(
        self, own_certificate: Certificate, caplog: pytest.LogCaptureFixture
    ) -> None:
        with dovecot(own_certificate, QUOTA.format(messages=2)) as server, desk_at(server) as desk:
            server.put(mail(1), mail(2))
            desk.poll(inbox := Memory(), desk.settings(after="move:Hechos"))
            eventually(lambda: "move:Hechos" in caplog.text)
            assert inbox.has(2, settled=0)
            assert len(server.contents()) == 2
            with server.session() as other:  # a person makes room
                other.delete_messages([1])
                other.uid_expunge([1])
            server.put(mail(3))
            eventually(lambda: len(inbox.order) == 3)
            assert list(inbox.mails.values()) == [mail(1), mail(2), mail(3)]
