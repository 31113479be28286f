"""What is done beside a running daemon, and to it, without any crash: nothing is lost or done twice either."""

from __future__ import annotations

import json
import random
import smtplib
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults import checks, kill
from tests.faults.driver import Desk, desk_in, rules_text
from tests.faults.senders import Oracle, Postbag, attempt, load

pytestmark = pytest.mark.slow


def test_orderly_stop_while_mails_are_under_way_sends_none_twice(tmp_path: Path) -> None:
    bag, oracle = Postbag(random.Random(11)), Oracle()
    with kill.sink(pause=1.0) as hop, desk_in(tmp_path, outgoing=hop.settings) as desk:
        desk.start()
        with smtplib.SMTP("127.0.0.1", desk.port, timeout=30) as peer:
            peer.ehlo("sender.example")
            for _ in range(2):
                assert attempt(peer, bag.request(), oracle) == "ok"
        _wait_for(lambda: bool(hop.got))
        desk.stop()
        assert desk.logged()[-1]["text"] == "stopped"
        desk.start()
        checks.wait_until_settled(desk)
        assert checks.problems(desk, bag.made, oracle) == []
        assert set(hop.got.values()) == {1}
        assert len(hop.got) == checks.value(desk, "select count(*) from outbox")


def test_orderly_stops_under_load_answer_what_they_took(tmp_path: Path) -> None:
    bag, oracle = Postbag(random.Random(12)), Oracle()
    with desk_in(tmp_path) as desk:
        desk.start()
        with load(desk, bag, oracle):
            for _ in range(4):
                time.sleep(0.4)
                desk.stop()
                desk.start()
        checks.wait_until_settled(desk)
        assert checks.problems(desk, bag.made, oracle) == []
        assert list(checks.files_problems(desk)) == []
        assert not [line for line in desk.logged() if "traceback" in line]


def test_inject_beside_a_busy_daemon_tells_what_really_happened(tmp_path: Path) -> None:
    bag, ours, oracle = Postbag(random.Random(13)), Postbag(random.Random(15)), Oracle()
    with desk_in(tmp_path) as desk:
        desk.start()
        with load(desk, bag, oracle, senders=2):
            for _ in range(6):
                letter = ours.request()
                oracle.told[letter.message_id].append("ok")
                done = desk.verb("inject", "--json", "-", stdin=letter.raw)
                told = json.loads(done.stdout)[0]
                assert (done.returncode, told["outcome"]) == (0, "open"), told
                assert told["ticket"].startswith("SOP-")
        checks.wait_until_settled(desk)
        assert checks.problems(desk, [*bag.made, *ours.made], oracle) == []


def test_changed_rules_that_lack_their_password_are_refused_whole(tmp_path: Path) -> None:
    bag, oracle = Postbag(random.Random(14)), Oracle()
    with desk_in(tmp_path) as desk:
        desk.start()
        missing = 'via = "smtp"\nhost = "127.0.0.1"\nuser = "u"\npassword_file = "secrets/smtp"'
        changed = rules_text(desk.port, missing).replace('name = "Soporte"', 'name = "Otro nombre"')
        desk.rules.write_text(changed, encoding="utf-8")
        _wait_for(lambda: any("stay in force" in line["text"] for line in desk.logged()))
        with smtplib.SMTP("127.0.0.1", desk.port, timeout=30) as peer:
            peer.ehlo("sender.example")
            assert attempt(peer, bag.request(), oracle) == "ok"
        checks.wait_until_settled(desk)
        _assert_told_the_admin(desk)
        assert not [line for line in desk.logged() if "traceback" in line]


def _assert_told_the_admin(desk: Desk) -> None:
    """By files, as before the change, and under the old name."""
    assert checks.rows(desk, "select template, recipient, state from outbox order by id")[0] == (
        "rules_refused",
        "admin@desk.example",
        "sent",
    )
    for file in (desk.data / "outbox").glob("*.eml"):
        assert b"Otro nombre" not in file.read_bytes()


def _wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
