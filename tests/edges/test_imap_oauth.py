"""A mailbox that is read with a token: a real Dovecot that asks the provider whether it is good."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from mailgate.core import oauth
from mailgate.edges import imap
from mailgate.edges.imap import Poller
from mailgate.edges.oauth import Access
from mailgate.service import logins
from mailgate.service.logins import Account
from mailgate.service.take import utc_now
from tests.edges.mailbox import MAX_SIZE, Memory, Settings, mail
from tests.provider import Provider, provider
from tests.servers import USER, Certificate, Dovecot, dovecot, eventually

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("impatient")]

EXTRA = """
auth_mechanisms = plain xoauth2
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {file}
}}
"""


def introspection(folder: Path, asked: Provider) -> Path:
    """What Dovecot has to know to ask the provider whether a token is good."""
    conf = folder / "oauth2.conf"
    conf.write_text(
        f"introspection_mode = post\nintrospection_url = {asked.url}/introspect\n"
        "username_attribute = username\nactive_attribute = active\nactive_value = true\n"
    )
    return conf


@dataclass
class Box:
    """A mailbox behind a provider, and what looks into it."""

    provider: Provider
    server: Dovecot
    data: Path
    inbox: Memory
    pollers: list[Poller]

    @property
    def account(self) -> Account:
        return Account(self.provider.settings(), USER)

    def sign_in(self) -> None:
        self.provider.given += 1
        self.provider.access[f"access-{self.provider.given}"] = time.time() + self.provider.life
        answer = {
            "access_token": f"access-{self.provider.given}",
            "refresh_token": self.provider.refresh,
            "expires_in": self.provider.life,
        }
        logins.keep(self.data, self.account, oauth.granted("desk-1", answer, utc_now()))

    def poll(self) -> Poller:
        settings = replace(Settings(self.server.port), poll=1)
        poller = Poller(settings, Access(self.account, self.data, ""), self.inbox, MAX_SIZE)
        self.pollers.append(poller)
        poller.start()
        return poller


@pytest.fixture
def box(tmp_path: Path, own_certificate: Certificate) -> Iterator[Box]:
    with (
        provider(user=USER) as asked,
        dovecot(own_certificate, EXTRA.format(file=introspection(tmp_path, asked))) as server,
    ):
        box = Box(asked, server, tmp_path, Memory(), [])
        try:
            yield box
        finally:
            for poller in box.pollers:
                poller.stop()


def test_mail_is_read_with_a_token(box: Box) -> None:
    box.sign_in()
    box.server.put(mail(1))
    box.poll()
    eventually(lambda: box.inbox.has(1))
    assert box.inbox.noted == [""]


def test_a_token_that_ends_is_renewed_while_the_mailbox_is_read(box: Box) -> None:
    box.provider.life = 4
    box.sign_in()
    box.poll()
    eventually(lambda: box.inbox.noted == [""])
    time.sleep(4)
    box.server.stop()
    box.server.start()
    box.server.put(mail(1))
    eventually(lambda: box.inbox.has(1))
    assert box.provider.renewals() >= 1


def test_until_somebody_signs_in_no_server_is_asked(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.server.put(mail(1))
    before = box.server.log.read_text().count("Login")
    box.poll()
    eventually(lambda: bool(box.inbox.noted))
    time.sleep(1.5)
    assert box.inbox.noted == [f"LoginNeeded: nobody has signed in yet; run: mailgate login google {USER}"]
    assert box.server.log.read_text().count("Login") == before
    assert box.provider.asked == []
    box.sign_in()
    eventually(lambda: box.inbox.has(1))
    assert box.inbox.noted[-1] == ""


def test_a_token_that_the_server_refuses_is_told_without_it(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    box.sign_in()
    box.provider.access.clear()
    box.poll()
    eventually(lambda: bool(box.inbox.noted))
    assert "LoginError" in box.inbox.noted[0]
    assert "access-" not in caplog.text + box.inbox.noted[0]


def test_a_token_that_was_revoked_early_is_renewed(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap, "_REFUSED_FAILURES", 0)
    monkeypatch.setattr("mailgate.edges.oauth._FRESH_SECONDS", 0)
    box.sign_in()
    box.provider.access.clear()
    box.server.put(mail(1))
    box.poll()
    eventually(lambda: box.inbox.has(1))
    assert box.provider.renewals() == 1
