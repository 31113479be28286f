from __future__ import annotations

import threading
import time

import pytest

from mailgate.core.mailbox import Uid
from mailgate.edges.imap import Poller
from mailgate.errors import StoreUnavailable
from tests.edges.mailbox import MAX_SIZE, SEEN, Desk, Memory, Settings, mail
from tests.servers import PASSWORD, Certificate, dovecot, eventually

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("impatient")]


class TestTrouble:
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
    def test_a_kill_between_take_and_flag_is_settled_after_a_restart_and_not_taken_twice(self, desk: Desk) -> None:
        def die(uid: Uid) -> None:
            if uid.uid == 3:
                raise SystemExit  # ends the thread at once, as a kill ends the process

        desk.server.put(*[mail(number) for number in range(5)])
        inbox = Memory(after_take=die)
        desk.poll(inbox)
        eventually(lambda: inbox.has(3, settled=0))
        assert set(desk.server.contents().values()) == {()}
        inbox.after_take = lambda _: None
        desk.poll(inbox)
        eventually(lambda: inbox.has(5))
        assert set(desk.server.contents().values()) == {(SEEN,)}

    def test_a_store_that_cannot_take_now_leaves_the_rest_untouched_until_it_can(self, desk: Desk) -> None:
        full = threading.Event()
        full.set()

        def fail(uid: Uid) -> None:
            if full.is_set() and uid.uid >= 2:
                raise StoreUnavailable("disk full")

        desk.server.put(mail(1), mail(2), mail(3))
        desk.poll(inbox := Memory(before_take=fail))
        eventually(lambda: inbox.has(1))
        assert desk.server.contents() == {1: (SEEN,), 2: (), 3: ()}
        full.clear()
        eventually(lambda: inbox.has(3))

    def test_an_unforeseen_failure_does_not_end_the_thread(self, desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
        troubles = [ZeroDivisionError("a bug"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad")]

        def fail(_: Uid) -> None:
            if troubles:
                raise troubles.pop()

        desk.server.put(mail(1))
        desk.poll(inbox := Memory(before_take=fail))
        eventually(lambda: inbox.has(1))
        assert "unforeseen failure" in caplog.text

    def test_a_server_that_restarts_is_found_again(self, desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
        desk.server.put(mail(1))
        desk.poll(inbox := Memory())
        eventually(lambda: inbox.has(1))
        desk.server.stop()
        eventually(lambda: "ConnectionRefusedError" in caplog.text)
        desk.server.start()
        desk.server.put(mail(2))
        eventually(lambda: inbox.has(2))
        eventually(lambda: inbox.noted[-1] == "")
        assert inbox.noted[0] == ""
        assert any("ConnectionRefusedError" in error for error in inbox.noted)

    def test_a_folder_that_was_made_anew_is_read_from_its_start(self, desk: Desk) -> None:
        with desk.server.session() as client:
            client.create_folder("Soporte")
        desk.server.put(mail(1), mail(2), folder="Soporte")
        inbox = Memory()
        poller = desk.poll(inbox, desk.settings(folder="Soporte", poll=1))
        eventually(lambda: inbox.has(2))
        with desk.server.session() as client:
            client.delete_folder("Soporte")
            time.sleep(1.1)  # UIDVALIDITY is the time in seconds
            client.create_folder("Soporte")
        desk.server.put(mail(3), folder="Soporte")
        poller.poke()
        eventually(lambda: inbox.has(3))
        first, _, anew = inbox.order
        assert (first.uid, anew.uid) == (1, 1)
        assert first.uidvalidity != anew.uidvalidity

    def test_waits_between_attempts_grow_to_five_minutes(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.undo()
        waits: list[float] = []
        poller = Poller(Settings(port=1), PASSWORD, Memory(), MAX_SIZE)

        def note(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 12:
                poller._stopping.set()

        monkeypatch.setattr(poller, "_pause", note)
        poller._run()
        assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300]

    def test_a_wrong_password_is_told_without_it(self, desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
        poller = Poller(desk.settings(), "not-this-one", inbox := Memory(), MAX_SIZE)
        desk.pollers.append(poller)
        poller.start()
        eventually(lambda: "LoginError" in caplog.text)
        eventually(lambda: bool(inbox.noted))
        assert "not-this-one" not in caplog.text + inbox.noted[0]
        assert "LoginError" in inbox.noted[0]

    def test_a_password_may_have_letters_that_ascii_has_not(self, own_certificate: Certificate) -> None:
        extra = "passdb {\n driver = static\n args = password=contraseña\n}"
        with dovecot(own_certificate, extra) as server:
            server.put(mail(1))
            poller = Poller(Settings(server.port), "contraseña", inbox := Memory(), MAX_SIZE)
            poller.start()
            eventually(lambda: inbox.has(1))
            poller.stop()


class TestTls:
    @pytest.mark.parametrize("tls", ["implicit", "starttls"])
    def test_a_trusted_certificate_is_taken(self, desk: Desk, trusted: Certificate, tls: str) -> None:
        desk.server.put(mail(1))
        port = desk.server.tls_port if tls == "implicit" else desk.server.port
        desk.poll(inbox := Memory(), desk.settings(tls=tls, port=port))
        eventually(lambda: inbox.has(1))
        time.sleep(0.3)
        desk.server.put(mail(2))
        eventually(lambda: inbox.has(2))

    @pytest.mark.parametrize("tls", ["implicit", "starttls"])
    def test_an_unknown_certificate_gets_no_password(
        self, desk: Desk, tls: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        desk.server.put(mail(1))
        port = desk.server.tls_port if tls == "implicit" else desk.server.port
        desk.poll(inbox := Memory(), desk.settings(tls=tls, port=port))
        eventually(lambda: "CERTIFICATE_VERIFY_FAILED" in caplog.text)
        assert inbox.has(0)
