"""The whole desk collects its mail from a real Dovecot: what comes out, and that nothing counts twice."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.edges.mailbox import SEEN
from tests.faults import driver
from tests.running import RunningDesk, running_desk, started, text_of
from tests.servers import PASSWORD, Dovecot, eventually
from tests.support import written

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.usefixtures("impatient")]

DONE = "journal where state = 'done'"
TAKEN_NOT_TIDIED = "mailbox_uid where settled = 0"


def mailbox(server: Dovecot, *, user: str = "", password: str = PASSWORD, folder: str = "INBOX", **more: str) -> str:
    """An `[[imap]]` of rules.toml; the password stands in the file that `secret` writes."""
    keys = {"host": "127.0.0.1", "tls": "none", "user": user or server.user, "folder": folder, "poll": "1s", **more}
    lines = [f'{key} = "{value}"' for key, value in keys.items()]
    return "\n".join(["", "[[imap]]", f"port = {server.port}", *lines, f'password_file = "secrets/{password}"', ""])


def secret(folder: Path, *passwords: str) -> None:
    """A file beside the rules for each password, with the line end that editors put there."""
    (folder / "secrets").mkdir()
    for password in passwords or (PASSWORD,):
        (folder / "secrets" / password).write_text(password + "\n")


@contextmanager
def collecting(folder: Path, *mailboxes: str) -> Iterator[RunningDesk]:
    secret(folder, PASSWORD, "wrong")
    with running_desk(folder, "".join(mailboxes)) as desk:
        yield desk


def crlf(raw: bytes) -> bytes:
    return raw.replace(b"\n", b"\r\n")


def request(number: int) -> bytes:
    return crlf(written(f"Mensaje {number}", message_id=f"<n{number}@acme.example>"))


@pytest.fixture
def desk(tmp_path: Path, dovecot: Dovecot) -> Iterator[RunningDesk]:
    with collecting(tmp_path, mailbox(dovecot)) as running:
        yield running


# ---- the story -----------------------------------------------------------------------------------


def test_mail_in_the_mailbox_becomes_a_ticket_and_is_acknowledged(desk: RunningDesk, dovecot: Dovecot):
    dovecot.put(crlf(written()))
    mails = {mail["To"]: mail for mail in desk.wait_for(2)}
    assert "SOP-1" in text_of(mails["ana@acme.example"])
    assert mails["ana@acme.example"]["In-Reply-To"] == "<m1@acme.example>"
    assert mails["marta@example.es"]["Subject"] == "[SOP-1 Acme S.L.] El carrito"
    eventually(lambda: dovecot.contents() == {1: (SEEN,)})


def test_technicians_answer_out_of_the_mailbox_books_minutes(desk: RunningDesk, dovecot: Dovecot):
    dovecot.put(crlf(written()))
    notice = next(mail for mail in desk.wait_for(2) if mail["To"] == "marta@example.es")
    answer = written(
        "Listo, Ana.\n\n#time 12m",
        sender="Marta Gil <marta@example.es>",
        to=str(notice["Reply-To"]),
        subject=f"Re: {notice['Subject']}",
        message_id="<a1@example.es>",
    )
    # The server that delivers drops the suffix: only To still bears the reply address.
    dovecot.put(crlf(b"Return-Path: <marta@example.es>\nDelivered-To: soporte@example.es\n" + answer))
    (told,) = desk.wait_for(1)
    assert told["To"] == "ana@acme.example"
    assert "Listo, Ana." in text_of(told)
    assert desk.count("entry where minutes = -12 and technician = 'marta' and ticket = 1") == 1


def test_two_mailboxes_feed_one_desk(tmp_path: Path, dovecot: Dovecot):
    first, second = dovecot.user, f"other.{dovecot.user}"
    with collecting(tmp_path, mailbox(dovecot), mailbox(dovecot, user=second)) as desk:
        dovecot.put(request(1))
        dovecot.user = second
        dovecot.put(request(2))
        assert len(desk.wait_for(4)) == 4
        assert desk.count("ticket") == 2
        assert desk.count(f"mailbox_uid where mailbox like '%/{first}/%'") == 1


def test_mailbox_with_a_wrong_password_does_not_stop_the_other(
    tmp_path: Path, dovecot: Dovecot, caplog: pytest.LogCaptureFixture
):
    locked = mailbox(dovecot, user=f"locked.{dovecot.user}", password="wrong")
    with collecting(tmp_path, locked, mailbox(dovecot)) as desk:
        eventually(lambda: "LoginError" in caplog.text)
        dovecot.put(request(1))
        assert len(desk.wait_for(2)) == 2


def test_mailbox_that_the_rules_get_while_the_desk_runs_is_collected(tmp_path: Path, dovecot: Dovecot):
    dovecot.put(request(1))
    with collecting(tmp_path) as desk:
        desk.rules_path.write_text(desk.rules_path.read_text() + mailbox(dovecot))
        assert len(desk.wait_for(2)) == 2


def test_rules_that_change_again_and_again_leave_one_poller_for_each_mailbox(tmp_path: Path, dovecot: Dovecot):
    with collecting(tmp_path) as desk:
        plain = desk.rules_path.read_text()
        for poll in range(2, 6):
            desk.rules_path.write_text(plain + mailbox(dovecot, poll=f"{poll}s"))
            time.sleep(1)
        dovecot.put(request(1))
        assert len(desk.wait_for(2)) == 2
        assert len(pollers()) == 1
    assert pollers() == []


def pollers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("imap ")]


# ---- nothing twice -------------------------------------------------------------------------------


def test_same_mail_by_imap_and_by_smtp_is_one_ticket(desk: RunningDesk, dovecot: Dovecot):
    trace = b"Received: from mail.acme.example by mx.example.es; Tue, 3 Nov 2026 10:00:00 +0100\n"
    desk.send(written(), "ana@acme.example")
    dovecot.put(crlf(trace + b"Delivered-To: soporte@example.es\n" + written()))
    eventually(lambda: desk.count(DONE) == 2)
    assert desk.count("ticket") == 1
    assert desk.count("outbox where template = 'ack'") == 1
    assert len(desk.wait_for(2)) == 2


def test_same_mail_in_two_mailboxes_is_one_ticket(tmp_path: Path, dovecot: Dovecot):
    second = f"copy.{dovecot.user}"
    with collecting(tmp_path, mailbox(dovecot), mailbox(dovecot, user=second)) as desk:
        dovecot.put(request(1))
        dovecot.user = second
        dovecot.put(request(1))
        eventually(lambda: desk.count(DONE) == 2)
        assert desk.count("ticket") == desk.count("outbox where template = 'ack'") == 1


def test_folder_with_a_new_uidvalidity_counts_nothing_twice(tmp_path: Path, dovecot: Dovecot):
    def fill(folder: str, *numbers: int) -> None:
        with dovecot.session() as client:
            client.create_folder(folder)
        dovecot.put(*map(request, numbers), folder=folder)

    fill("Soporte", 1, 2)
    with collecting(tmp_path, mailbox(dovecot, folder="Soporte")) as desk:
        eventually(lambda: desk.count(DONE) == 2)
        time.sleep(1.1)  # UIDVALIDITY is the time in seconds
        # Made aside: Dovecot itself fails now and then in a folder that is made anew under another's eyes.
        fill("Copia", 1, 2, 3)
        with dovecot.session() as client:
            client.delete_folder("Soporte")
            client.rename_folder("Copia", "Soporte")
        eventually(lambda: desk.count(DONE) == 5)
        assert desk.count("ticket") == desk.count("outbox where template = 'ack'") == 3
        assert len(set(dovecot.contents("Soporte").values())) == 1


def test_folder_that_is_restored_with_years_of_mail_floods_nobody(tmp_path: Path, dovecot: Dovecot):
    """Old mail that was never ours, mail that was taken, and new mail, all under new numbers."""
    old = datetime.now().astimezone() - timedelta(days=400)

    def fill(folder: str, *new: int) -> None:
        with dovecot.session() as client:
            client.create_folder(folder)
            for number in range(100, 140):
                client.append(folder, request(number), msg_time=old)
        dovecot.put(*map(request, new), folder=folder)

    fill("Soporte", 1, 2)
    with collecting(tmp_path, mailbox(dovecot, folder="Soporte")) as desk:
        eventually(lambda: desk.count(DONE) == 2)
        time.sleep(1.1)
        fill("Copia", 1, 2, 3, 4)
        with dovecot.session() as client:
            client.delete_folder("Soporte")
            client.rename_folder("Copia", "Soporte")
        eventually(lambda: desk.count(DONE) == 6)
        eventually(lambda: desk.count("ticket") == 4)
        assert desk.count("outbox where template = 'ack'") == 4
        eventually(lambda: desk.count("(select sum(count) as n from left_mail where kind = 'anew') where n = 40") == 1)


def test_restart_takes_nothing_twice(tmp_path: Path, dovecot: Dovecot):
    dovecot.put(request(1))
    with collecting(tmp_path, mailbox(dovecot)) as desk:
        desk.wait_for(2)
    dovecot.put(request(2))
    with started(desk):
        assert len(desk.wait_for(2)) == 2
        assert desk.count("journal") == 2


# ---- kills ---------------------------------------------------------------------------------------


@contextmanager
def own_process(folder: Path, *mailboxes: str) -> Iterator[driver.Desk]:
    """The daemon in a process of its own, which can be killed."""
    secret(folder)
    with driver.desk_in(folder) as desk:
        desk.rules.write_text(desk.rules.read_text() + "".join(mailboxes))
        yield desk


def count(desk: driver.Desk, rows: str) -> int:
    return RunningDesk(desk.folder, 0, 0, 0).count(rows)


def test_kill_between_taking_and_moving_moves_after_the_restart_and_takes_nothing_twice(
    tmp_path: Path, dovecot: Dovecot
):
    dovecot.put(request(1), request(2))
    obstacle = dovecot.maildir / ".Hechos"
    obstacle.write_text("no folder can be made here")
    with own_process(tmp_path, mailbox(dovecot, after="move:Hechos")) as desk:
        desk.start()
        eventually(lambda: count(desk, TAKEN_NOT_TIDIED) == 2)
        desk.kill()
        assert len(dovecot.contents()) == 2
        obstacle.unlink()
        desk.start()
        eventually(lambda: count(desk, TAKEN_NOT_TIDIED) == 0)
        eventually(lambda: count(desk, DONE) == 2)
        assert (dovecot.contents(), len(dovecot.contents("Hechos"))) == ({}, 2)
        assert count(desk, "journal") == count(desk, "ticket") == count(desk, "outbox where template = 'ack'") == 2


def test_kills_at_random_lose_nothing_and_take_nothing_twice(tmp_path: Path, dovecot: Dovecot):
    total = 150
    dovecot.put(*map(request, range(total)))
    with own_process(tmp_path, mailbox(dovecot, after="delete")) as desk:
        for taken in sorted(random.Random(5).sample(range(total), 5)):
            desk.start()
            eventually(lambda taken=taken: count(desk, "journal") >= taken)
            desk.kill()
        desk.start()
        eventually(lambda: count(desk, DONE) == total, 60)
        eventually(lambda: not dovecot.contents())
        for rows in ("journal", "mailbox_uid", "ticket", "outbox where template = 'ack'"):
            assert count(desk, rows) == total
        assert desk.verb("audit").returncode == 0
