from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from mailgate.core.mail import Envelope
from mailgate.core.mailbox import Left, Uid
from mailgate.edges import imap
from mailgate.edges.imap import Poller
from mailgate.errors import MailTooBig
from tests.edges.mailbox import DELETED, FLAGGED, MAX_SIZE, SEEN, Desk, Memory, Settings, desk_at, mail
from tests.servers import PASSWORD, Certificate, dovecot, eventually

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("impatient")]


class TestTaking:
    def test_a_mail_that_a_person_opened_first_is_still_taken(self, desk: Desk) -> None:
        desk.server.put(mail(1), flags=(SEEN,))
        desk.server.put(mail(2))
        desk.poll(inbox := Memory())
        eventually(lambda: inbox.has(2))
        assert list(inbox.mails.values()) == [mail(1), mail(2)]
        assert inbox.envelopes[0] == Envelope("imap", None, (), "127.0.0.1/INBOX")
        assert inbox.order[0].mailbox == f"127.0.0.1/{desk.server.user}/INBOX"

    def test_some_hundreds_are_taken_once_each_and_in_order(self, desk: Desk) -> None:
        desk.server.put(*[mail(number) for number in range(320)])
        desk.poll(inbox := Memory())
        eventually(lambda: inbox.has(320))
        assert list(inbox.mails.values()) == [mail(number) for number in range(320)]
        assert set(desk.server.contents().values()) == {(SEEN,)}

    def test_bytes_are_exact(self, desk: Desk) -> None:
        raw = b"Subject: =?utf-8?q?a?=\r\n\r\n" + bytes(range(1, 256)).replace(b"\r", b"").replace(b"\n", b"\r\n")
        desk.server.put(raw)
        desk.poll(inbox := Memory())
        eventually(lambda: inbox.has(1))
        assert list(inbox.mails.values()) == [raw]

    def test_big_and_small_come_in_their_order(self, desk: Desk) -> None:
        mails = [mail(1), mail(2, size=1_500_000), mail(3)]
        desk.server.put(*mails)
        desk.poll(inbox := Memory())
        eventually(lambda: inbox.has(3))
        assert list(inbox.mails.values()) == mails

    def test_a_mail_of_exactly_the_limit_is_taken_and_a_bigger_one_stays(
        self, desk: Desk, caplog: pytest.LogCaptureFixture
    ) -> None:
        limit = len(mail(1, size=1000))
        desk.server.put(mail(1, size=1000), mail(2, size=1001), mail(3))
        desk.poll(inbox := Memory(), max_size=limit)
        eventually(lambda: inbox.has(2))
        assert list(inbox.mails.values()) == [mail(1, size=1000), mail(3)]
        box = inbox.order[0].mailbox
        assert {uid.uid: left for uid, left in inbox.skipped.items()} == {
            2: Left("big", box, 1, limit + 1, "ana@acme.example", "Mail 2")
        }
        assert desk.server.contents() == {1: (SEEN,), 2: (), 3: (SEEN,)}
        assert "UID 2 stays in the mailbox" in caplog.text

    def test_a_mail_that_will_never_be_taken_does_not_stop_the_rest(self, desk: Desk) -> None:
        def refuse_the_first(uid: Uid) -> None:
            if uid.uid == 1:
                raise MailTooBig("the server lied about its size")

        desk.server.put(mail(1), mail(2))
        desk.poll(inbox := Memory(before_take=refuse_the_first))
        eventually(lambda: inbox.has(1))
        assert [left.kind for left in inbox.skipped.values()] == ["refused"]
        assert desk.server.contents() == {1: (), 2: (SEEN,)}

    def test_what_another_session_expunges_is_passed_over(self, desk: Desk) -> None:
        def expunge_the_second(uid: Uid) -> None:
            if uid.uid == 1:
                with desk.server.session() as other:
                    other.delete_messages([2])
                    other.expunge()

        desk.server.put(mail(1, size=999_999), mail(2), mail(3))  # the first is fetched alone
        desk.poll(inbox := Memory(after_take=expunge_the_second))
        eventually(lambda: inbox.has(2))
        assert list(inbox.mails.values()) == [mail(1, size=999_999), mail(3)]


class TestWaiting:
    def test_idle_brings_a_new_mail_long_before_the_next_poll(self, desk: Desk) -> None:
        desk.server.put(mail(1))
        desk.poll(inbox := Memory())
        eventually(lambda: inbox.has(1))
        time.sleep(0.3)  # until it idles
        for number in (2, 3):
            desk.server.put(mail(number))
            eventually(lambda number=number: inbox.has(number))

    def test_a_mail_that_comes_while_others_are_taken_is_taken_at_once(self, desk: Desk) -> None:
        def put_another(uid: Uid) -> None:
            if uid.uid == 1:
                desk.server.put(mail(2))

        desk.server.put(mail(1))
        desk.poll(inbox := Memory(after_take=put_another))
        eventually(lambda: inbox.has(2))

    def test_a_mail_whose_notice_was_lost_waits_no_longer_than_poll(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def searches_then_mail(last: int, *found: int | None) -> Iterator[str]:
            yield f"{last + 1}:*"
            if not desk.server.contents():
                desk.server.put(mail(1))  # after SEARCH, before IDLE: the server hardly ever tells

        monkeypatch.setattr(imap, "searches", searches_then_mail)
        desk.poll(inbox := Memory(), desk.settings(poll=2))
        eventually(lambda: inbox.has(1), 60)

    def test_a_server_without_idle_is_polled(self, own_certificate: Certificate) -> None:
        with (
            dovecot(own_certificate, "imap_capability = IMAP4rev1 UIDPLUS MOVE") as server,
            desk_at(server) as desk,
        ):
            desk.poll(inbox := Memory(), desk.settings(poll=1))
            time.sleep(0.3)
            server.put(mail(1))
            eventually(lambda: inbox.has(1))

    def test_a_poke_looks_at_once(self, desk: Desk) -> None:
        inbox = Memory()
        rounds: list[str] = []
        inbox.unsettled = lambda *_: rounds.append("") or []  # type: ignore[method-assign,func-returns-value]
        poller = desk.poll(inbox)
        eventually(lambda: len(rounds) == 1)
        poller.poke()
        eventually(lambda: len(rounds) == 2)

    def test_stop_is_quick_while_idling(self, desk: Desk) -> None:
        desk.server.put(mail(1))
        poller = desk.poll(inbox := Memory())
        eventually(lambda: inbox.has(1))
        time.sleep(0.2)
        start = time.monotonic()
        poller.stop()
        assert time.monotonic() - start < 10

    def test_stop_is_quick_under_a_server_that_says_nothing(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as mute:
            poller = Poller(Settings(mute.getsockname()[1]), PASSWORD, Memory(), MAX_SIZE)
            poller.start()
            peer, _ = mute.accept()
            with peer:
                peer.sendall(b"* OK ready\r\n")
                tag = peer.recv(100).split()[0]
                peer.sendall(b"* CAPABILITY IMAP4rev1\r\n" + tag + b" OK\r\n")
                peer.recv(100)  # LOGIN, which gets no answer
                start = time.monotonic()
                poller.stop()
                assert time.monotonic() - start < 10
                assert not poller._thread.is_alive()


class TestAfter:
    def test_delete_removes_what_was_taken_and_nothing_that_others_marked(self, desk: Desk) -> None:
        desk.server.put(mail(1), mail(2))
        desk.poll(inbox := Memory(), desk.settings(after="delete"), max_size=10)
        eventually(lambda: len(inbox.skipped) == 2)
        desk.close()
        with desk.server.session() as other:
            other.delete_messages([1])
        desk.server.put(mail(3))
        desk.poll(inbox, desk.settings(after="delete"))
        eventually(lambda: inbox.has(1))
        assert desk.server.contents() == {1: (DELETED,), 2: ()}

    @pytest.mark.parametrize("folder", ["Hechos", "Hechos.ñandú", "Con espacio"])
    def test_move_makes_the_folder_and_puts_the_mail_there(self, desk: Desk, folder: str) -> None:
        desk.server.put(mail(1), mail(2), flags=(FLAGGED,))
        desk.poll(inbox := Memory(), desk.settings(after=f"move:{folder}"))
        eventually(lambda: inbox.has(2))
        assert desk.server.contents() == {}
        assert list(desk.server.contents(folder).values()) == [(FLAGGED,)] * 2

    @pytest.mark.parametrize(("capabilities", "left"), [("UIDPLUS", {}), ("", {1: (DELETED,), 2: (DELETED,)})])
    def test_move_on_a_simpler_server_copies_and_deletes(
        self, own_certificate: Certificate, capabilities: str, left: dict[int, tuple[bytes, ...]]
    ) -> None:
        extra = f"imap_capability = IMAP4rev1 {capabilities}"
        with dovecot(own_certificate, extra) as server, desk_at(server) as desk:
            server.put(mail(1), mail(2))
            desk.poll(inbox := Memory(), desk.settings(after="move:Hechos"))
            eventually(lambda: inbox.has(2))
            assert server.contents() == left
            assert len(server.contents("Hechos")) == 2

    def test_a_move_that_fails_leaves_the_mail_and_keeps_taking_and_succeeds_later(
        self, desk: Desk, caplog: pytest.LogCaptureFixture
    ) -> None:
        desk.server.put(mail(1))
        obstacle = desk.server.maildir / ".Hechos"
        obstacle.write_text("no folder can be made here")
        poller = desk.poll(inbox := Memory(), desk.settings(after="move:Hechos"))
        eventually(lambda: "move:Hechos" in caplog.text)
        desk.server.put(mail(2))
        eventually(lambda: inbox.has(2, settled=0))
        assert len(desk.server.contents()) == 2
        obstacle.unlink()
        poller.poke()
        eventually(lambda: inbox.has(2))
        assert (desk.server.contents(), len(desk.server.contents("Hechos"))) == ({}, 2)
