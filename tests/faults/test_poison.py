"""A message that makes our code raise: quarantined with its bytes, told in the log, and the next one is processed.

The failure is a real one: a site's own template that passes `mailgate check` and divides by zero for
one subject.
"""

from __future__ import annotations

import json
import random
import smtplib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults import checks
from tests.faults.driver import ROOT, Desk, desk_in
from tests.faults.senders import Letter, Oracle, Postbag, attempt

pytestmark = pytest.mark.slow


def _poisonous_template(folder: Path) -> None:
    shipped = (ROOT / "templates" / "es" / "ack.txt").read_text(encoding="utf-8")
    site = folder / "templates" / "es"
    site.mkdir(parents=True)
    (site / "ack.txt").write_text(shipped + "{{ 1 // 0 if 'veneno' in subject }}", encoding="utf-8")


def _poison(bag: Postbag) -> Letter:
    letter = bag.request()
    raw = letter.raw.replace(b"Subject: Consulta", b"Subject: veneno")
    return Letter(letter.message_id, letter.client, letter.sender, raw, opens=True)


def _deliver(desk: Desk, *letters: Letter) -> None:
    with smtplib.SMTP("127.0.0.1", desk.port, timeout=30) as peer:
        peer.ehlo("sender.example")
        for letter in letters:
            assert attempt(peer, letter, Oracle()) == "ok"
    checks.wait_until_settled(desk)


def test_message_that_makes_our_code_raise_is_quarantined_and_the_next_is_processed(tmp_path: Path) -> None:
    _poisonous_template(tmp_path)
    bag = Postbag(random.Random(6))
    before, poison, after = bag.request(), _poison(bag), bag.request()
    with desk_in(tmp_path) as desk:
        desk.start()
        _deliver(desk, before, poison, after)
        assert set(checks.stored(desk)) == {before.message_id, after.message_id}
        assert checks.value(desk, "select count(*) from ticket") == 2
        held = json.loads(desk.verb("quarantine", "--json").stdout)
        assert [one["reason"] for one in held] == ["the program failed on this message"]
        shown = desk.verb("quarantine", "show", f"{held[0]['id']}")
        assert shown.stdout == poison.raw
        assert b"ZeroDivisionError" in shown.stderr
        logged = [line for line in desk.logged() if "traceback" in line]
        assert len(logged) == 1
        assert "ZeroDivisionError" in logged[0]["traceback"]
        assert desk.verb("audit").returncode == 0
        assert desk.running()


def test_poison_is_released_once_the_cause_is_mended(tmp_path: Path) -> None:
    _poisonous_template(tmp_path)
    bag = Postbag(random.Random(7))
    with desk_in(tmp_path) as desk:
        desk.start()
        _deliver(desk, _poison(bag))
        refused = desk.verb("quarantine", "release", "1")
        assert refused.returncode == 1
        assert refused.stderr.decode().count("\n") == 1, refused.stderr
        assert checks.value(desk, "select state from quarantine") == "waiting"
        (tmp_path / "templates" / "es" / "ack.txt").unlink()
        assert desk.verb("quarantine", "release", "1").returncode == 0
        assert checks.value(desk, "select count(*) from ticket") == 1
        assert desk.verb("quarantine", "release", "1").returncode == 1
        assert desk.verb("audit").returncode == 0


def test_injected_poison_is_quarantined_without_a_traceback_on_the_terminal(tmp_path: Path) -> None:
    _poisonous_template(tmp_path)
    poison = _poison(Postbag(random.Random(8)))
    with desk_in(tmp_path) as desk:
        done = desk.verb("inject", "--json", "-", stdin=poison.raw)
        assert done.returncode == 0
        assert json.loads(done.stdout)[0]["outcome"] == "quarantine"
        assert done.stderr == b""


def test_message_that_ends_the_process_each_time_is_set_aside(tmp_path: Path) -> None:
    """The count of tries is what a process leaves behind that is killed while it processes a message."""
    letter = Postbag(random.Random(9)).request()
    with desk_in(tmp_path) as desk:
        desk.start()
        _deliver(desk, letter)
        desk.stop()
        _make_it_look_like_a_killer(desk)
        desk.start()
        checks.wait_until_settled(desk)
        assert checks.rows(desk, "select journal, reason from quarantine where state = 'waiting'") == [
            (2, "processing ended the program 10 times")
        ]
        assert desk.verb("audit").returncode == 0


def _make_it_look_like_a_killer(desk: Desk) -> None:
    with closing(sqlite3.connect(desk.store)) as connection, connection:
        connection.execute(
            "insert into journal (taken_at, source, peer, mail_from, rcpt_to, blob, tries)"
            " select taken_at, source, peer, mail_from, rcpt_to, blob, 10 from journal where id = 1"
        )
