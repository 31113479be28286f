"""Signing in at the gateway (RFC 4954): a technician who does has proven who they are. Only under TLS."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from hmac import compare_digest
from typing import Any

from aiosmtpd.smtp import AuthResult, LoginPassword, Session

Passwords = Mapping[str, tuple[str, str]]
"""Id and password of a technician, by each of their addresses."""

# Whoever guesses from one address is not listened to for a while.
_MOST_FAILURES = 10
_FORGOTTEN_SECONDS = 600.0
_MOST_PEERS = 1_000


class SignIn:
    """What aiosmtpd asks; on its event loop, so everything is in memory. passwords: asked for at each try."""

    def __init__(self, passwords: Callable[[], Passwords], clock: Callable[[], float] = time.monotonic) -> None:
        self._passwords = passwords
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    @property
    def offered(self) -> bool:
        """Whether there is anybody who may."""
        return bool(self._passwords())

    def __call__(self, server: object, session: Session, envelope: object, mechanism: str, data: Any) -> AuthResult:
        """On success the id of the technician is the `auth_data` of the session."""
        peer = str(session.peer[0]) if isinstance(session.peer, tuple) else "local"
        failed, last = self._failures.get(peer, (0, 0.0))
        if failed >= _MOST_FAILURES and self._clock() - last < _FORGOTTEN_SECONDS:
            return AuthResult(success=False, handled=False, message="454 4.7.0 Too many failures, try again later")
        technician = self._who(data)
        if technician:
            self._failures.pop(peer, None)
            return AuthResult(success=True, auth_data=technician)
        self._failures[peer] = ((failed if self._clock() - last < _FORGOTTEN_SECONDS else 0) + 1, self._clock())
        if len(self._failures) > _MOST_PEERS:
            self._failures.popitem(last=False)
        return AuthResult(success=False, handled=False)

    def _who(self, data: Any) -> str:
        if not isinstance(data, LoginPassword):
            return ""
        login = data.login.decode("utf-8", "replace").strip().lower()
        # An unknown login takes as long as a wrong password, and no password is ever right for it.
        technician, password = self._passwords().get(login, ("", ""))
        right = compare_digest(data.password, password.encode())
        return technician if right and password else ""
