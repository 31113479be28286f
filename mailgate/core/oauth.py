"""OAuth2 at mail providers: where each is asked, what it answers, and until when that holds. Values in, values out.

RFC 6749 (tokens), RFC 7636 (PKCE), RFC 8628 (device flow); XOAUTH2 is Google's, and Microsoft speaks it too.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from mailgate.core.settings.servers import OAuth2, Provider

# An answer that does not say how long its access token holds (RFC 6749 section 5.1 leaves it open).
_USUAL = timedelta(hours=1)
_LONGEST = timedelta(days=7)
# Renewed so long before it ends, so that an outage of the provider is not felt at once.
_AHEAD = timedelta(minutes=10)
# What takes longer than this on its way may find it ended.
_SPARE = timedelta(seconds=30)
# A refused login is not asked for again before; only a new one by a person will help, as a rule.
_REFUSED = timedelta(minutes=15)
_WORDS_LENGTH = 300
# RFC 6749 section 5.2 and RFC 8628 section 3.5: errors that pass by themselves.
_PASSING = ("temporarily_unavailable", "server_error", "slow_down", "authorization_pending")


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a provider is asked, and for what. device: "" where it is asked in a browser on this machine."""

    auth: str
    device: str
    token: str
    scope: str


_MICROSOFT = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/{what}"
_MICROSOFT_SCOPE = (
    "https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send offline_access"
)
# A refresh token that nobody uses for so long ends by itself.
_IDLE: Mapping[Provider, timedelta] = {"google": timedelta(days=180), "microsoft": timedelta(days=90)}


def endpoints(settings: OAuth2) -> Endpoints:
    """Those of the rules, else the provider's own. Google's device flow does not allow the scope for mail."""
    if settings.provider == "google":
        known = Endpoints(
            "https://accounts.google.com/o/oauth2/v2/auth",
            "",
            "https://oauth2.googleapis.com/token",
            "https://mail.google.com/",
        )
    else:
        auth, device, token = (
            _MICROSOFT.format(tenant=settings.tenant, what=what) for what in ("authorize", "devicecode", "token")
        )
        known = Endpoints(auth, device, token, _MICROSOFT_SCOPE)
    return Endpoints(
        settings.auth_url or known.auth,
        settings.device_url or known.device,
        settings.token_url or known.token,
        settings.scope or known.scope,
    )


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a provider gave for one login.

    client_id: of the program as which it was given. access: what mail servers take, until access_until; refresh: what
    the next one is got with. login_at: when a person signed in. last_until: when refresh ends whatever is done,
    None where nobody said so. refused_at, refusal: since when and why the provider renews it no more; tried_at: when
    it was asked last nevertheless.
    """

    client_id: str
    access: str = field(repr=False)
    refresh: str = field(repr=False)
    access_until: datetime
    login_at: datetime
    renewed_at: datetime
    last_until: datetime | None = None
    refused_at: datetime | None = None
    tried_at: datetime | None = None
    refusal: str = ""

    def is_due(self, now: datetime) -> bool:
        """Whether it is time to renew it. Of one from the future nothing is known: the clock was put back."""
        life = self.access_until - self.renewed_at
        return not self.renewed_at - _SPARE <= now < self.access_until - min(_AHEAD, life / 4)

    def is_good(self, now: datetime) -> bool:
        """Whether a mail server would take it still."""
        return now < self.access_until - min(_SPARE, (self.access_until - self.renewed_at) / 4)

    def is_refused(self, now: datetime) -> bool:
        """Whether asking the provider is of no use for now."""
        return self.tried_at is not None and abs(now - self.tried_at) < _REFUSED

    def ends_at(self, provider: Provider) -> datetime:
        """When nothing renews it any more, if nobody does before."""
        idle = self.renewed_at + _IDLE[provider]
        return min(idle, self.last_until) if self.last_until else idle


def granted(client_id: str, answer: Mapping[str, Any], now: datetime) -> Tokens:
    """The tokens of somebody who just signed in. Raises ValueError for an answer that has none."""
    refresh = _token(answer, "refresh_token")
    access, until = _access(answer, now)
    return Tokens(client_id, access, refresh, until, now, now, _last_until(answer, now))


def renewed(tokens: Tokens, answer: Mapping[str, Any], now: datetime) -> Tokens:
    """The tokens after the provider gave new ones. Raises ValueError for an answer that has none."""
    access, until = _access(answer, now)
    refresh = _token(answer, "refresh_token") if answer.get("refresh_token") else tokens.refresh
    # One that is new and of which nothing is said has no known end; the old one ends when it always did.
    known = tokens.last_until if refresh == tokens.refresh else None
    return replace(
        tokens,
        access=access,
        refresh=refresh,
        access_until=until,
        renewed_at=now,
        last_until=_last_until(answer, now) or known,
        refused_at=None,
        tried_at=None,
        refusal="",
    )


def refused(tokens: Tokens, refusal: str, now: datetime) -> Tokens:
    """The tokens after the provider would renew them no more; since when stays as it is while it lasts."""
    return replace(tokens, refused_at=tokens.refused_at or now, tried_at=now, refusal=refusal)


def _access(answer: Mapping[str, Any], now: datetime) -> tuple[str, datetime]:
    span = _span(answer, "expires_in") or _USUAL
    return _token(answer, "access_token"), now + min(span, _LONGEST)


def _token(answer: Mapping[str, Any], name: str) -> str:
    """RFC 6750 section 2.1: nothing in it may end a header or a field of XOAUTH2."""
    value = answer.get(name)
    if not isinstance(value, str) or not value or not (value.isascii() and value.isprintable()) or " " in value:
        raise ValueError(f"the answer has no {name}")
    return value


def _last_until(answer: Mapping[str, Any], now: datetime) -> datetime | None:
    """Google says it of programs that are in testing: seven days."""
    span = _span(answer, "refresh_token_expires_in")
    return now + span if span else None


def _span(answer: Mapping[str, Any], name: str) -> timedelta | None:
    """Seconds, which some write as text; None for nothing, or nonsense."""
    try:
        seconds = int(answer.get(name) or 0)
    except (TypeError, ValueError):
        return None
    return timedelta(seconds=min(seconds, 10**9)) if seconds > 0 else None


def written(tokens: Tokens) -> str:
    """As JSON."""
    values = {key: _plain(value) for key, value in asdict(tokens).items()}
    return json.dumps(values, indent=2) + "\n"


def read(text: str) -> Tokens:
    """Those that were written. Raises ValueError for anything else."""
    try:
        values: dict[str, Any] = {key: _value(key, value) for key, value in json.loads(text).items()}
        return Tokens(**values)
    except (TypeError, AttributeError, RecursionError) as error:
        raise ValueError("these are no tokens") from error


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _value(key: str, value: object) -> object:
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError
    return datetime.fromisoformat(value).astimezone(UTC) if key.endswith(("_at", "_until")) else value


def xoauth2(user: str, access: str) -> bytes:
    """What signs in at a mail server (developers.google.com/gmail/imap/xoauth2-protocol), before base64."""
    return f"user={user}\x01auth=Bearer {access}\x01\x01".encode()


def error_of(answer: Mapping[str, Any]) -> str:
    """The code of an error that a provider answered with; "" for none."""
    code = answer.get("error")
    return code if isinstance(code, str) else ""


def passes(code: str) -> bool:
    """Whether an error ends by itself."""
    return not code or code in _PASSING


def error_words(answer: Mapping[str, Any], secrets: Iterable[str]) -> str:
    """What a provider says of its refusal, on one line, fit for a log and a mail: no secret in it."""
    text = f"{error_of(answer)}: {answer.get('error_description') or ''}"
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    printable = "".join(letter if letter.isprintable() else " " for letter in text[:_WORDS_LENGTH])
    return " ".join(printable.split()).removesuffix(":")


# ---- signing in in a browser --------------------------------------------------------------------------


def challenge(verifier: str) -> str:
    """What shows later that who brings the code is who asked for it (RFC 7636 section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def link(settings: OAuth2, user: str, redirect: str, state: str, verifier: str) -> str:
    """The page on which a person signs in. redirect: where the browser is sent with the code."""
    where = endpoints(settings)
    asked = {
        "client_id": settings.client_id,
        "response_type": "code",
        "redirect_uri": redirect,
        "scope": where.scope,
        "state": state,
        "code_challenge": challenge(verifier),
        "code_challenge_method": "S256",
        "login_hint": user,
        # Google gives a refresh token only to who asks for it, and only while a person agrees.
        **({"access_type": "offline", "prompt": "consent"} if settings.provider == "google" else {}),
    }
    return f"{where.auth}{'&' if urlsplit(where.auth).query else '?'}{urlencode(asked)}"


def text_of(answer: Mapping[str, Any], name: str) -> str:
    """A value that an answer has to have, on one line. Raises ValueError for none."""
    value = answer.get(name)
    if not isinstance(value, str) or not value or not value.isprintable():
        raise ValueError(f"the answer has no {name}")
    return value


def device_page(begun: Mapping[str, Any]) -> str:
    """Where the code is to be entered; Google has a name of its own for it."""
    return text_of(begun, "verification_uri" if "verification_uri" in begun else "verification_url")


def pace(begun: Mapping[str, Any]) -> tuple[float, float]:
    """How many seconds to leave between two questions, and for how many seconds to ask (RFC 8628 section 3.2)."""
    interval = _span(begun, "interval") or timedelta(seconds=5)
    most = _span(begun, "expires_in") or timedelta(minutes=15)
    return min(interval.total_seconds(), 60), most.total_seconds()


def returned(address: str, state: str) -> dict[str, str]:
    """What the browser was sent back with, code or error; empty for an address that is no answer to our question."""
    try:
        values = {key: found[0] for key, found in parse_qs(urlsplit(address.strip()).query).items()}
    except ValueError:
        return {}
    return values if values.get("state") == state and ("code" in values or "error" in values) else {}
