"""Mail that goes out by a server where we sign in with a token."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import MISSING, SMTP, AuthResult

from mailgate.core import oauth
from mailgate.core.mail import Delivery, Failed, Sent
from mailgate.core.settings.servers import Outgoing
from mailgate.edges.oauth import Access
from mailgate.edges.outbound import SmtpTransport
from mailgate.service import logins
from mailgate.service.logins import Account
from mailgate.service.take import utc_now
from tests.edges.test_outbound import DUE
from tests.provider import Provider, provider
from tests.sink import Sink, sink

USER = "soporte@desk.example"


class TokenSink(Sink):
    """Takes tokens; how it refuses is what Google does: a challenge with the reason, then 535."""

    good = "access-1"

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:
        given = base64.b64decode(args[1])
        self.logins.append((b"XOAUTH2", given))
        if given == oauth.xoauth2(USER, self.good):
            return AuthResult(success=True)
        reply: Any = await server.challenge_auth(b'{"status":"400"}', encode_to_b64=True)
        assert reply is not MISSING
        assert reply == b""
        return AuthResult(success=False, handled=False)


@dataclass
class Login:
    """An account that tokens are kept of, and the provider that renews them."""

    provider: Provider
    data: Path

    @property
    def account(self) -> Account:
        return Account(self.provider.settings(), USER)

    def sign_in(self, access: str = "access-1", expires_in: int = 3600) -> None:
        answer = {"access_token": access, "refresh_token": "refresh-0", "expires_in": expires_in}
        logins.keep(self.data, self.account, oauth.granted("desk-1", answer, utc_now()))

    def road(self, port: int, connections: int = 1) -> SmtpTransport:
        settings = Outgoing(via="smtp", port=port, user=USER, oauth2=self.account.oauth2)
        return SmtpTransport(settings, Access(self.account, self.data, ""), connections)

    async def send(self, port: int) -> Delivery:
        road = self.road(port)
        try:
            return await road.send(DUE)
        finally:
            await road.close()


@pytest.fixture
def login(tmp_path: Path) -> Iterator[Login]:
    with provider(user=USER) as asked:
        yield Login(asked, tmp_path)


async def test_mail_goes_out_with_a_token(login: Login) -> None:
    login.sign_in()
    async with sink(auth=True, kind=TokenSink) as server:
        assert await login.send(server.port) == Sent()
        assert server.logins == [(b"XOAUTH2", b"user=soporte@desk.example\x01auth=Bearer access-1\x01\x01")]
        assert len(server.taken) == 1


async def test_a_token_that_ended_is_renewed_once_for_all_connections(login: Login) -> None:
    login.sign_in("access-0", expires_in=1)
    login.provider.slow = 0.2
    await asyncio.sleep(1)
    async with sink(auth=True, kind=TokenSink) as server:
        road = login.road(server.port, connections=4)
        assert await asyncio.gather(*(road.send(DUE) for _ in range(4))) == [Sent()] * 4
        await road.close()
    assert login.provider.renewals() == 1


async def test_a_refused_token_makes_the_mail_wait_and_is_renewed(
    login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailgate.edges.oauth._FRESH_SECONDS", 0)
    login.sign_in("access-old")
    async with sink(auth=True, kind=TokenSink) as server:
        road = login.road(server.port)
        fate = await road.send(DUE)
        assert isinstance(fate, Failed)
        assert (fate.error[:3], fate.permanent) == ("535", False)
        assert await road.send(DUE) == Sent()
        await road.close()


async def test_until_somebody_signs_in_mail_waits(login: Login) -> None:
    async with sink(auth=True, kind=TokenSink) as server:
        fate = await login.send(server.port)
        assert fate == Failed(f"nobody has signed in yet; run: mailgate login google {USER}", hop=True)
        assert server.logins == []
        login.sign_in()
        assert await login.send(server.port) == Sent()


async def test_server_that_echoes_the_token_does_not_get_it_into_the_outbox(login: Login) -> None:
    login.sign_in()
    async with sink(auth=True, kind=TokenSink) as server:
        server.replies["MAIL"] = ["451 4.7.1 access-1 is a strange token"]
        fate = await login.send(server.port)
    assert fate == Failed("451 4.7.1 *** is a strange token")
