"""`check --online` against a real Postfix and Dovecot, and a DNS of our own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.faults import checks
from tests.faults.driver import ROOT, desk_in, rules_text
from tests.servers import PASSWORD, USER, Certificate, Dovecot, dovecot, free_port, postfix_relay, postfix_smarthost

IMAP = """
[[imap]]
host = "127.0.0.1"
port = {port}
tls = "none"
user = "{user}"
password_env = "IMAP"
"""


@dataclass
class Roads:
    """A Postfix whose mail for the desk lies in the mailbox of a Dovecot."""

    folder: Path
    smtp: int
    imap: Dovecot

    def check(self, password: str = PASSWORD, smtp: int = 0, more: str = "") -> tuple[int, list[dict[str, Any]]]:
        outgoing = f'via = "smtp"\nhost = "127.0.0.1"\nport = {smtp or self.smtp}'
        text = rules_text(free_port(), outgoing) + IMAP.format(port=self.imap.port, user=USER) + more
        (self.folder / "rules.toml").write_text(text, encoding="utf-8")
        place = ["--rules", str(self.folder / "rules.toml"), "--data", str(self.folder / "data")]
        command = [sys.executable, "-m", "mailgate", *place, "check", "--online", "--json"]
        given = {**os.environ, "IMAP": password}
        ended = subprocess.run(command, capture_output=True, cwd=ROOT, env=given, timeout=120, check=False)
        assert ended.stderr == b""
        return ended.returncode, json.loads(ended.stdout)


@pytest.fixture
def roads(tmp_path: Path, own_certificate: Certificate) -> Iterator[Roads]:
    with postfix_smarthost(own_certificate, "desk.example") as smarthost:
        extra = f"mail_location = maildir:{smarthost.maildir}"
        with dovecot(own_certificate, extra) as mailbox:
            yield Roads(tmp_path, smarthost.port, mailbox)


@pytest.mark.servers
def test_mail_goes_out_and_comes_back_and_leaves_nothing(roads: Roads) -> None:
    code, found = roads.check()
    told = {one["what"]: one for one in found}
    assert told["mail to soporte@desk.example"]["told"] == "came back"
    assert told["mail to soporte+check@desk.example"]["told"] == "came back"
    assert all(one["good"] for one in found[:4]), found
    assert found[0]["what"].startswith("imap 127.0.0.1/")
    assert roads.imap.contents() == {}
    # No DNS has a domain of this kind: each record is asked for, word by word.
    assert code == 1
    assert told["SPF desk.example"]["do"].startswith('add to the DNS: desk.example. TXT "v=spf1 mx -all"')
    assert told["DKIM desk.example"]["told"] == "our mail came back without a signature"
    assert '_dmarc.desk.example. TXT "v=DMARC1; p=quarantine; rua=mailto:admin@desk.example"' in told[
        "DMARC _dmarc.desk.example"
    ]["do"]  # fmt: skip


@pytest.mark.servers
def test_what_cannot_be_reached_is_told_with_what_to_do(roads: Roads) -> None:
    code, found = roads.check(password="wrong-one", smtp=free_port())
    assert code == 1
    mailbox, smtp = found[:2]
    assert "LoginError" in mailbox["told"]
    assert "[[imap]]" in mailbox["do"]
    assert "wrong-one" not in json.dumps(found)
    assert not smtp["good"]
    assert "[outgoing]" in smtp["do"]


@pytest.mark.servers
def test_server_for_alarms_is_asked_whether_it_takes_them_and_gets_none(roads: Roads, tmp_path: Path) -> None:
    alarms = '[outgoing.alarms]\nhost = "127.0.0.1"\nport = {}\ntls = "none"\n'
    what = "smtp 127.0.0.1:{} for alarms"
    _, found = roads.check(smtp=free_port(), more=alarms.format(roads.smtp))
    told = {one["what"]: one for one in found}
    assert told[what.format(roads.smtp)]["told"] == "takes our mail to admin@desk.example"
    assert roads.imap.contents() == {}
    nobody = free_port()
    _, found = roads.check(smtp=free_port(), more=alarms.format(nobody))
    told = {one["what"]: one for one in found}
    assert "[outgoing.alarms]" in told[what.format(nobody)]["do"]


@pytest.mark.servers
def test_mail_that_the_mail_server_hands_over_is_seen_by_the_daemon(tmp_path: Path) -> None:
    lmtp = free_port()
    with (
        postfix_relay(lmtp) as relay,
        desk_in(tmp_path, outgoing=f'via = "smtp"\nhost = "127.0.0.1"\nport = {relay}') as desk,
    ):
        desk.rules.write_text(desk.rules.read_text().replace("[smtp]\n", f'[smtp]\nlmtp = "127.0.0.1:{lmtp}"\n'))
        refused = json.loads(desk.verb("check", "--online", "--json").stdout)
        assert refused[1]["told"] == "nobody is there to take it"
        desk.start()
        found = json.loads(desk.verb("check", "--online", "--json").stdout)
        assert [one["told"] for one in found[1:3]] == ["came back", "came back"]
        assert found[4]["told"] == "our mail came back without a signature"
        assert checks.value(desk, "select count(*) from ticket") == 0
        assert checks.value(desk, "select count(*) from outbox") == 0
