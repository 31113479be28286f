"""Tokens that a provider gives are kept, renewed in time and by one at a time, and never told to anybody."""

from __future__ import annotations

import errno
import logging
import multiprocessing
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mailgate import disk
from mailgate.core import oauth
from mailgate.core.oauth import Tokens
from mailgate.core.settings.servers import OAuth2
from mailgate.edges import oauth as edge
from mailgate.edges.oauth import Access
from mailgate.errors import LoginNeeded, NoToken
from mailgate.service import logins
from mailgate.service.logins import Account
from tests.provider import Provider, provider
from tests.support import NOW

USER = "soporte@desk.example"
MINUTE = timedelta(minutes=1)


@dataclass
class Clock:
    """Shows what a test sets."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Login:
    """An account at a provider, where somebody has signed in at NOW."""

    provider: Provider
    account: Account
    data: Path
    clock: Clock

    def access(self, secret: str = "") -> Access:
        return Access(self.account, self.data, secret, self.clock)

    def kept(self) -> Tokens:
        return logins.tokens(self.data, self.account)

    @property
    def file(self) -> Path:
        return self.account.file(self.data)


@pytest.fixture
def login(tmp_path: Path) -> Iterator[Login]:
    with provider() as server:
        account = Account(server.settings(), USER)
        answer = {"access_token": "access-0", "refresh_token": "refresh-0", "expires_in": 3600}
        logins.keep(tmp_path, account, oauth.granted("desk-1", answer, NOW))
        yield Login(server, account, tmp_path, Clock())


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that was down is asked again at once."""
    monkeypatch.setattr(edge, "_DOWN_SECONDS", 0)


def test_a_good_token_costs_no_question(login: Login) -> None:
    assert login.access().token() == "access-0"
    assert login.provider.asked == []


def test_it_is_renewed_before_it_ends_and_kept_for_us_alone(login: Login) -> None:
    login.clock.now += 55 * MINUTE
    assert login.access().token() == "access-1"
    assert login.provider.asked == [
        {"grant_type": "refresh_token", "refresh_token": "refresh-0", "client_id": "desk-1"}
    ]
    assert (login.file.stat().st_mode & 0o777, login.file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert login.kept().renewed_at == login.clock.now
    assert login.access().token() == "access-1"
    assert login.provider.renewals() == 1
    assert not list(login.file.parent.glob(".secret*"))


def test_the_programs_own_secret_goes_along(login: Login) -> None:
    login.provider.client_secret = "own"
    login.clock.now += 55 * MINUTE
    assert login.access("own").token() == "access-1"


def test_a_new_refresh_token_takes_the_place_of_the_old(login: Login) -> None:
    login.provider.rotates = True
    for number in (1, 2, 3):
        login.clock.now += 55 * MINUTE
        assert login.access().token() == f"access-{number}"
    assert login.kept().refresh == "refresh-3"


def test_many_that_need_it_at_once_renew_it_once(login: Login) -> None:
    login.provider.rotates, login.provider.slow = True, 0.3
    login.clock.now += 2 * 60 * MINUTE
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(login.access().token())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["access-1"] * 8
    assert login.provider.renewals() == 1


def test_a_process_beside_us_counts_too(login: Login) -> None:
    login.provider.rotates, login.provider.slow = True, 0.5
    login.clock.now += 2 * 60 * MINUTE
    children = [multiprocessing.get_context("fork").Process(target=login.access().token) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 0, 0]
    assert login.provider.renewals() == 1


def test_who_waits_for_another_does_not_wait_for_ever(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "_PATIENCE_SECONDS", 0.2)
    login.clock.now += 55 * MINUTE
    with logins.alone(login.data, login.account, 1), pytest.raises(NoToken, match="takes too long"):
        login.access().token()


class TestRefused:
    def test_a_refusal_needs_a_person_and_is_kept(self, login: Login, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        login.provider.refresh = "another"
        login.clock.now += 55 * MINUTE
        with pytest.raises(
            LoginNeeded, match=r"has been revoked.; run: mailgate login google soporte@desk.example"
        ) as e:
            login.access().token()
        state = logins.state(login.data, login.account)
        assert state.error == "invalid_grant: Token *** has been revoked."
        assert state.refused_at == login.clock.now
        assert "refresh-0" not in caplog.text + str(e.value)

    def test_it_is_not_asked_for_again_for_a_while(self, login: Login) -> None:
        login.provider.refresh = "another"
        login.clock.now += 55 * MINUTE
        for _ in range(20):
            with pytest.raises(LoginNeeded):
                login.access().token()
        assert login.provider.renewals() == 1
        login.provider.refresh = "refresh-0"
        login.clock.now += 16 * MINUTE
        assert login.access().token() == "access-1"
        assert logins.state(login.data, login.account).error == ""

    def test_whoever_signs_in_ends_it_at_once(self, login: Login) -> None:
        login.provider.refresh = "another"
        login.clock.now += 55 * MINUTE
        access = login.access()
        with pytest.raises(LoginNeeded):
            access.token()
        answer = {"access_token": "access-new", "refresh_token": "another", "expires_in": 3600}
        logins.keep(login.data, login.account, oauth.granted("desk-1", answer, login.clock.now))
        assert access.token() == "access-new"

    def test_wrong_secret_of_the_program_is_a_refusal_as_well(self, login: Login) -> None:
        login.provider.client_secret = "own"
        login.clock.now += 55 * MINUTE
        with pytest.raises(LoginNeeded, match="invalid_client"):
            login.access("wrong").token()


DOWN = [
    (503, {}),
    (500, b"<html>"),
    (429, {"error": "rate_limited"}),
    (400, {"error": "temporarily_unavailable"}),
    (200, {}),
    (200, b"no json"),
    (200, []),
    (404, b""),
    (302, {}),
    (200, b"x" * 100_000),
]


@pytest.mark.usefixtures("patient")
class TestOutage:
    @pytest.mark.parametrize("answer", DOWN, ids=str)
    def test_is_no_refusal_and_the_old_token_goes_on(self, login: Login, answer: tuple[int, object]) -> None:
        login.provider.answers = [answer, answer]
        login.clock.now += 55 * MINUTE
        assert login.access().token() == "access-0"
        login.clock.now += 10 * MINUTE
        with pytest.raises(NoToken) as error:
            login.access().token()
        assert not isinstance(error.value, LoginNeeded)
        assert logins.state(login.data, login.account).error == ""
        assert login.access().token() == "access-1"

    def test_nobody_answers(self, login: Login) -> None:
        away = Account(login.account.oauth2.model_copy(update={"token_url": "http://127.0.0.1:1/"}), USER)
        login.clock.now += 2 * 60 * MINUTE
        with pytest.raises(NoToken, match="ConnectionRefusedError"):
            Access(away, login.data, "", login.clock).token()

    def test_silence_has_an_end(self, login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(edge, "_SILENCE_SECONDS", 0.2)
        login.provider.slow = 1
        login.clock.now += 2 * 60 * MINUTE
        with pytest.raises(NoToken, match="timed out"):
            login.access().token()

    def test_the_disk_is_full_and_the_new_token_counts_all_the_same(
        self, login: Login, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        login.provider.rotates = True
        login.clock.now += 55 * MINUTE
        with monkeypatch.context() as patch:
            patch.setattr(disk, "put", full)
            assert login.access().token() == "access-1"
        assert login.kept().refresh == "refresh-0"
        login.clock.now += 55 * MINUTE
        assert login.access().token() == "access-2"
        assert login.kept().refresh == "refresh-2"


def test_a_provider_that_sends_us_elsewhere_is_not_followed(login: Login) -> None:
    login.provider.answers = [(302, {})]
    login.clock.now += 2 * 60 * MINUTE
    with pytest.raises(NoToken, match="HTTP 302"):
        login.access().token()
    assert login.provider.visited == []


def test_an_outage_that_quotes_what_we_sent_is_told_without_it(login: Login) -> None:
    login.provider.answers = [(503, {"error": "server_error", "error_description": "got refresh-0"})]
    login.clock.now += 2 * 60 * MINUTE
    with pytest.raises(NoToken, match=r"HTTP 503: server_error: got \*\*\*$"):
        login.access().token()


def test_a_provider_that_is_down_is_left_alone_for_a_moment(login: Login) -> None:
    login.provider.answers = [(503, {})] * 5
    login.clock.now += 2 * 60 * MINUTE
    access = login.access()
    for _ in range(5):
        with pytest.raises(NoToken):
            access.token()
    assert len(login.provider.asked) == 1


class TestSpurned:
    def test_a_token_that_a_mail_server_refuses_is_renewed_out_of_turn(self, login: Login) -> None:
        login.clock.now += 10 * MINUTE
        access = login.access()
        access.spurn(access.token())
        assert access.token() == "access-1"

    def test_but_a_fresh_one_is_not(self, login: Login) -> None:
        access = login.access()
        access.spurn(access.token())
        assert access.token() == "access-0"
        assert login.provider.asked == []


class TestNobodyIsSignedIn:
    def needed(self, login: Login) -> str:
        with pytest.raises(LoginNeeded) as error:
            login.access().token()
        assert logins.state(login.data, login.account).error == error.value.why
        assert login.provider.asked == []
        return str(error.value)

    def test_at_first(self, login: Login) -> None:
        login.file.unlink()
        assert self.needed(login) == f"nobody has signed in yet; run: mailgate login google {USER}"

    def test_where_the_file_is_no_good(self, login: Login) -> None:
        login.file.write_text("{}")
        assert "holds no tokens" in self.needed(login)

    def test_where_others_may_read_it(self, login: Login) -> None:
        login.file.chmod(0o644)
        assert "others may read" in self.needed(login)

    def test_where_the_program_is_another_now(self, login: Login) -> None:
        login.account = replace(login.account, oauth2=login.account.oauth2.model_copy(update={"client_id": "desk-2"}))
        assert "client_id has changed" in self.needed(login)


def test_name_of_the_file_stays_in_its_folder(tmp_path: Path) -> None:
    file = Account(OAuth2(provider="google", client_id="desk-1"), "../../a/b@c.es").file(tmp_path)
    assert file.parent == tmp_path / "tokens"
