"""A whole desk that signs in with tokens: what the admin is told, and that mail goes on once somebody has signed in."""

from __future__ import annotations

import json
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mailgate import app
from mailgate.core import oauth
from mailgate.edges import imap
from mailgate.service import logins
from mailgate.service.logins import Account
from mailgate.service.take import utc_now
from tests.edges.test_imap_desk import crlf
from tests.edges.test_imap_oauth import EXTRA, introspection
from tests.provider import Provider, provider
from tests.running import RunningDesk, read, running_desk
from tests.servers import USER, Certificate, Dovecot, dovecot, eventually, free_port
from tests.support import written

pytestmark = [pytest.mark.servers, pytest.mark.slow]

RULES = """
[monitor]
listen = "127.0.0.1:{monitor}"
disk_free = "1kB"

[[imap]]
host = "127.0.0.1"
port = {imap}
tls = "none"
user = "{user}"
poll = "1s"
oauth2 = {{ provider = "google", client_id = "desk-1", token_url = "{url}/token" }}
"""


@dataclass
class Story:
    """A desk whose mailbox takes tokens."""

    desk: RunningDesk
    provider: Provider
    server: Dovecot
    monitor: int

    @property
    def account(self) -> Account:
        return Account(self.provider.settings(), USER)

    def sign_in(self, life: int = 3600) -> None:
        self.provider.refresh = "refresh-of-a-person"
        self.provider.access["access-of-a-person"] = time.time() + life
        answer = {"access_token": "access-of-a-person", "refresh_token": self.provider.refresh, "expires_in": life}
        logins.keep(self.desk.data, self.account, oauth.granted("desk-1", answer, utc_now()))

    def health(self) -> tuple[int, list[str]]:
        """The code, and the names of what is wrong."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.monitor}/health", timeout=10) as answer:
                return answer.status, []
        except urllib.error.HTTPError as error:
            with error:
                return error.code, [one["name"] for one in json.loads(error.read())["problems"]]

    def told(self) -> list[str]:
        """The subjects of what the admin was told so far."""
        mails = sorted((self.desk.data / "outbox").glob("*.eml"))
        parsed = [read(path.read_bytes()) for path in mails]
        return [str(mail["Subject"]) for mail in parsed if mail["To"] == "admin@example.es"]


@pytest.fixture
def story(tmp_path: Path, own_certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    monkeypatch.setattr(app, "_JOBS_SECONDS", 0.5)
    monkeypatch.setattr(imap, "_LONGEST_PAUSE", 0.5)
    with (
        provider(user=USER) as asked,
        dovecot(own_certificate, EXTRA.format(file=introspection(tmp_path, asked))) as server,
    ):
        monitor = free_port()
        rules = RULES.format(monitor=monitor, imap=server.port, user=USER, url=asked.url)
        with running_desk(tmp_path, rules) as desk:
            yield Story(desk, asked, server, monitor)


def test_from_nobody_signed_in_to_a_refusal_and_back(story: Story, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    story.server.put(crlf(written()))
    eventually(lambda: len(story.told()) == 1)
    assert story.told() == [f"Problema: google {USER}: sin sesión iniciada"]
    assert story.health() == (503, ["login"])
    assert story.provider.asked == []
    story.provider.life = 8
    story.sign_in(life=8)
    eventually(lambda: story.desk.count("journal where state = 'done'") == 1)
    eventually(lambda: len(story.told()) == 2)
    assert story.health() == (200, [])
    # Nobody needs a new token while the connection stays open: the daemon renews it all the same.
    eventually(lambda: story.provider.renewals() >= 1)
    story.provider.refresh = "withdrawn"
    eventually(lambda: story.health() == (503, ["login"]))
    refused = story.provider.renewals()
    time.sleep(3)
    assert story.provider.renewals() == refused
    (file,) = (path for path in story.desk.data.rglob("*") if path.is_file() and b"refresh-of" in path.read_bytes())
    assert file == story.account.file(story.desk.data)
    assert "refresh-of" not in caplog.text
    assert "access-" not in caplog.text
    story.provider.life = 3600
    story.sign_in()
    eventually(lambda: story.health() == (200, []))
