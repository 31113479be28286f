"""Access tokens for mail servers: had from a provider, renewed before they end, kept for whoever needs them next.

urllib does: three forms are posted, and the providers' own libraries are big.
Everything here blocks: call it from a thread.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from mailgate import config
from mailgate.core import oauth
from mailgate.core.oauth import Tokens
from mailgate.core.settings import fields
from mailgate.core.settings.servers import Login, OAuth2
from mailgate.errors import LoginNeeded, MailgateError, NoToken, of_the_machine
from mailgate.service import logins
from mailgate.service.logins import Account
from mailgate.service.take import Clock, utc_now

log = logging.getLogger("mailgate.oauth")

_SILENCE_SECONDS = 8
_TOTAL_SECONDS = 20
_LONGEST_ANSWER = 65_536
# Of what is posted.
_SECRET = ("refresh_token", "client_secret", "code", "code_verifier", "device_code")
# How long a provider that is down is left alone, whoever asks.
_DOWN_SECONDS = 30
_PATIENCE_SECONDS = 2 * _TOTAL_SECONDS
# A token that a mail server refuses is renewed out of turn, unless it is fresh: then it is not the token's fault.
_FRESH_SECONDS = 300

# Of this process, by their files: what could not be kept there, and is newer.
_unsaved: dict[Path, Tokens] = {}


class Denied(MailgateError):
    """A provider said no, with a code of RFC 6749. answer: all that it said."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        super().__init__(oauth.error_of(answer))
        self.answer = answer


def ask(url: str, form: Mapping[str, str]) -> Mapping[str, Any]:
    """Post a form, and give the answer. Raises Denied, and NoToken where there is none to be had now."""
    # Here, for few desks sign in this way.
    import http.client
    import urllib.error
    import urllib.request

    class Stay(urllib.request.HTTPRedirectHandler):
        """What we send is for nobody else."""

        def redirect_request(self, *_: Any) -> None:
            return None

    host = urlsplit(url).hostname or ""
    # A stand-in on this machine is not reached by the way to the world.
    proxies = urllib.request.ProxyHandler({}) if fields.loopback(host) else urllib.request.ProxyHandler()
    opener = urllib.request.build_opener(Stay, proxies)
    try:
        try:
            answer = opener.open(url, urlencode(form).encode(), _SILENCE_SECONDS)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return _read(host, answer.status, _body(host, answer), [form[key] for key in _SECRET if key in form])
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise NoToken(f"{host}: {type(reason).__name__}: {reason}") from None


def _body(host: str, answer: Any) -> bytes:
    """An answer whole, within bounds of size and time."""
    body, end = b"", time.monotonic() + _TOTAL_SECONDS
    while part := answer.read1(_LONGEST_ANSWER):
        body += part
        if len(body) > _LONGEST_ANSWER or time.monotonic() > end:
            raise NoToken(f"{host}: its answer takes too long")
    return body


def _read(host: str, status: int, body: bytes, hushed: list[str]) -> Mapping[str, Any]:
    """What it says. hushed: what of our question is to stand in no error, should it be quoted."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise NoToken(f"{host}: HTTP {status}, and no answer of a provider")
    if status == 200:
        return answer
    if 400 <= status < 500 and status != 429 and oauth.error_of(answer):
        raise Denied(answer)
    raise NoToken(f"{host}: HTTP {status}: {oauth.error_words(answer, hushed)}")


class Access:
    """The access token of one account. May be asked from any thread, and by other processes beside it."""

    def __init__(self, account: Account, data: Path, client_secret: str, clock: Clock = utc_now) -> None:
        self._account = account
        self._data = data
        self._client_secret = client_secret
        self._clock = clock
        self._spurned = ""
        self._down: tuple[float, str] | None = None
        self.given = ""
        """The last one, which is to stand in no log."""

    def token(self) -> str:
        """One that is good for a while. Raises NoToken while there is none, or LoginNeeded; OSError for the disk."""
        found = self._kept()
        if self._is_due(found):
            with logins.alone(self._data, self._account, _PATIENCE_SECONDS):
                found = self._kept()  # whoever was before us may have renewed it
                if self._is_due(found):
                    found = self._renewed(found)
        self.given = found.access
        return found.access

    def spurn(self, token: str) -> None:
        """A mail server does not take it."""
        self._spurned = token

    def _kept(self) -> Tokens:
        """Those on the disk, unless it could not take the last ones."""
        kept = logins.tokens(self._data, self._account)
        unsaved = _unsaved.get(self._account.file(self._data), kept)
        return unsaved if unsaved.renewed_at >= kept.renewed_at else kept

    def _is_due(self, found: Tokens) -> bool:
        age = abs((self._clock() - found.renewed_at).total_seconds())
        return found.is_due(self._clock()) or (found.access == self._spurned and age > _FRESH_SECONDS)

    def _renewed(self, found: Tokens) -> Tokens:
        if found.is_refused(self._clock()):
            raise LoginNeeded(found.refusal, self._account.name)
        try:
            fresh = self._asked(found)
        except Denied as error:
            refusal = oauth.error_words(error.answer, (found.refresh, found.access, self._client_secret))
            self._keep(oauth.refused(found, refusal, self._clock()))
            log.error("%s: the provider renews the token no more: %s", self._account.name, refusal)
            raise LoginNeeded(refusal, self._account.name) from None
        except NoToken as error:
            if found.access == self._spurned or not found.is_good(self._clock()):
                raise
            log.warning("%s: %s; the token of before holds until %s", self._account.name, error, found.access_until)
            return found
        self._keep(fresh)
        log.info("%s: token renewed, good until %s", self._account.name, fresh.access_until)
        return fresh

    def _asked(self, found: Tokens) -> Tokens:
        """New tokens. Raises Denied where only a person can help, NoToken where time will."""
        if self._down and time.monotonic() < self._down[0]:
            raise NoToken(self._down[1])
        settings = self._account.oauth2
        form = {"grant_type": "refresh_token", "refresh_token": found.refresh, **client(settings, self._client_secret)}
        try:
            return oauth.renewed(found, ask(oauth.endpoints(settings).token, form), self._clock())
        except (NoToken, Denied, ValueError) as error:
            if isinstance(error, Denied) and not oauth.passes(str(error)):
                raise
            self._down = time.monotonic() + _DOWN_SECONDS, f"no token for {self._account.name}: {error}"
            raise NoToken(self._down[1]) from None

    def _keep(self, fresh: Tokens) -> None:
        """On the disk before it is used, for what it replaces may be worthless now; where that is full, in memory."""
        try:
            logins.keep(self._data, self._account, fresh)
            _unsaved.pop(self._account.file(self._data), None)
        except OSError as error:
            if not of_the_machine(error):
                raise
            log.warning("%s: the new token cannot be kept: %s", self._account.name, error)
            _unsaved[self._account.file(self._data)] = fresh


Secret = str | Access
"""What signs in: a password, or the way to a token."""


def secret_of(login: Login, folder: Path, data: Path) -> Secret:
    """What the rules name for a login. folder: of rules.toml. Raises RulesError for what cannot be read."""
    account = logins.account_of(login)
    if account is None:
        return config.secret(login, folder) or ""
    return access_to(account, folder, data)


def access_to(account: Account, folder: Path, data: Path) -> Access:
    """The way to the token of an account."""
    return Access(account, data, client_secret_of(account.oauth2, folder))


def client_secret_of(settings: OAuth2, folder: Path) -> str:
    """The program's own, "" for none."""
    return config.secret(settings, folder, "client_secret") or ""


def client(settings: OAuth2, secret: str) -> dict[str, str]:
    """Who we are, for a provider (RFC 6749 section 2.3.1)."""
    return {"client_id": settings.client_id, **({"client_secret": secret} if secret else {})}


def hidden(text: str, secret: Secret | None) -> str:
    """A text without what signs in: a server may echo it."""
    word = secret.given if isinstance(secret, Access) else secret
    return text.replace(word, "***") if word else text
