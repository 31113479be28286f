"""A provider of OAuth2 for tests: a real HTTP server that gives, renews and refuses tokens as a test wants."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from mailgate.core.settings.servers import OAuth2

Answer = tuple[int, Any]


@dataclass
class Provider:
    """What it knows. asked: the forms that were posted for tokens, oldest first.

    life: seconds that an access token holds. answers: what it says to the next posts for tokens instead of the
    truth. rotates: whether each renewal brings a new refresh token. slow: seconds before an answer. more: what
    answers with tokens have beside them.
    """

    url: str
    user: str = "soporte@desk.example"
    client_secret: str = ""
    life: int = 3600
    rotates: bool = False
    slow: float = 0
    agreed: bool = True
    more: dict[str, Any] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    refresh: str = "refresh-0"
    access: dict[str, float] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    given: int = 0
    visited: list[str] = field(default_factory=list)

    def settings(self, provider: str = "google", **more: str) -> OAuth2:
        """How the rules name it."""
        return OAuth2.model_validate({"provider": provider, "client_id": "desk-1", **self.urls, **more})

    @property
    def urls(self) -> dict[str, str]:
        return {"auth_url": f"{self.url}/auth", "token_url": f"{self.url}/token"}

    def renewals(self) -> int:
        return sum(form.get("grant_type") == "refresh_token" for form in self.asked)

    def token(self, form: dict[str, str]) -> Answer:
        self.asked.append(form)
        time.sleep(self.slow)
        if self.answers:
            return self.answers.pop(0)
        if form.get("client_secret", "") != self.client_secret or form.get("client_id") != "desk-1":
            return 401, {"error": "invalid_client"}
        match form.get("grant_type"):
            case "refresh_token":
                return self._renew(form["refresh_token"])
            case "authorization_code":
                return self._exchange(form)
            case "urn:ietf:params:oauth:grant-type:device_code" if form["device_code"] == "device-code-1":
                return self._give() if self.agreed else (400, {"error": "authorization_pending"})
        return 400, {"error": "unsupported_grant_type"}

    def device(self, form: dict[str, str]) -> Answer:
        self.asked.append(form)
        told = {"user_code": "ABCD-EFGH", "verification_uri": f"{self.url}/enter", "expires_in": 60, "interval": 1}
        return 200, {"device_code": "device-code-1", **told}

    def agree(self, asked: dict[str, str]) -> str:
        """Where the browser of a person who agrees is sent."""
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def introspect(self, form: dict[str, str]) -> Answer:
        if self.access.get(form.get("token", ""), 0) < time.time():
            return 200, {"active": False}
        return 200, {"active": True, "username": self.user, "email": self.user}

    def _renew(self, refresh: str) -> Answer:
        if refresh != self.refresh:
            return 400, {"error": "invalid_grant", "error_description": f"Token {refresh} has been revoked."}
        return self._give(fresh=self.rotates)

    def _exchange(self, form: dict[str, str]) -> Answer:
        asked = self.codes.pop(form["code"], None)
        verifier = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if (
            asked is None
            or asked["code_challenge"] != verifier.decode()
            or asked["redirect_uri"] != form["redirect_uri"]
        ):
            return 400, {"error": "invalid_grant"}
        return self._give()

    def _give(self, *, fresh: bool = True) -> Answer:
        self.given += 1
        access = f"access-{self.given}"
        self.access[access] = time.time() + self.life
        if fresh:
            self.refresh = f"refresh-{self.given}"
        answer = {"access_token": access, "token_type": "Bearer", "expires_in": self.life, **self.more}
        return 200, {**answer, "refresh_token": self.refresh} if fresh else answer


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {key: values[0] for key, values in parse_qs(body).items()}
            roads = {"/token": provider.token, "/device": provider.device, "/introspect": provider.introspect}
            status, answer = roads[self.path](form)
            raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            with contextlib.suppress(OSError):
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", "/auth?redirect_uri=http://127.0.0.1:1/&state=s")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

        def do_GET(self) -> None:
            provider.visited.append(self.path)
            asked = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
            self.send_response(302)
            self.send_header("Location", provider.agree(asked))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextlib.contextmanager
def provider(**values: Any) -> Iterator[Provider]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    made = Provider(f"http://127.0.0.1:{server.server_address[1]}", **values)
    server.RequestHandlerClass = _handler(made)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
