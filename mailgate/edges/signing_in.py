"""A person signs in at a provider: in a browser (RFC 8252), or with a code on whatever device is at hand (RFC 8628).

Both end with the provider's answer, which has the tokens. Raises Refused where the person or the provider says no.
"""

from __future__ import annotations

import os
import secrets
import selectors
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from mailgate.core import oauth
from mailgate.edges.oauth import Denied, ask, client
from mailgate.errors import NoToken, Refused
from mailgate.pause import pause
from mailgate.service.logins import Account

Tell = Callable[[str], None]
"""Shows a line to the person."""

_MOST_SECONDS = 15 * 60
_LOOK_SECONDS = 0.2
_LONGEST_INTERVAL = 60
_DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
_PAGE = """<!doctype html><meta charset="utf-8"><title>mailgate</title><p>{}</p>"""
_DONE = "Done here: close this page and look at the terminal."
_STRANGE = "This is not the answer that mailgate waits for."


def sign_in(account: Account, client_secret: str, tell: Tell, typed: int | None) -> Mapping[str, Any]:
    """By the road that the provider has. typed: the file handle of what the person types, None for nothing."""
    if oauth.endpoints(account.oauth2).device:
        return _by_device(account, client_secret, tell)
    return _by_browser(account, client_secret, tell, typed)


def _by_browser(account: Account, client_secret: str, tell: Tell, typed: int | None) -> Mapping[str, Any]:
    """The browser may be on another machine: then its person types the address at which it ended up."""
    state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(64)
    with _door(state) as (port, back):
        redirect = f"http://127.0.0.1:{port}/"
        tell(f"Open this link in a browser, and sign in as {account.user}:")
        tell(f"\n{oauth.link(account.oauth2, account.user, redirect, state, verifier)}\n")
        tell("In a browser on another machine the last page cannot be shown: paste its address (127.0.0.1 …) here.")
        answer = _first(back, typed, state, tell)
    if "code" not in answer:
        raise Refused(f"the provider said: {oauth.error_words(answer, ())}")
    form = {
        "grant_type": "authorization_code",
        "code": answer["code"],
        "redirect_uri": redirect,
        "code_verifier": verifier,
        **client(account.oauth2, client_secret),
    }
    try:
        return ask(oauth.endpoints(account.oauth2).token, form)
    except Denied as error:
        raise Refused(f"the provider said: {oauth.error_words(error.answer, (client_secret,))}") from None


@contextmanager
def _door(state: str) -> Iterator[tuple[int, list[dict[str, str]]]]:
    """Listens on this machine for the browser that comes back; gives the port, and what came once it did."""
    back: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            if found := oauth.returned(self.path, state):
                back.append(found)
            page = _PAGE.format(_DONE if found else _STRANGE).encode()
            self.send_response(200 if found else 404)
            for name, value in (("Content-Type", "text/html"), ("Cache-Control", "no-store")):
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            """The path has the code in it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(_LOOK_SECONDS,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1], back
        finally:
            server.shutdown()


def _first(back: list[dict[str, str]], typed: int | None, state: str, tell: Tell) -> dict[str, str]:
    """What the browser came back with, by itself or by the hand of its person."""
    end = time.monotonic() + _MOST_SECONDS
    lines = _lines(typed)
    while time.monotonic() < end:
        if back:
            return back[0]
        if line := next(lines):
            if found := oauth.returned(line, state):
                return found
            tell("That is not the address of the last page; it begins with http://127.0.0.1 and has code= in it.")
    raise Refused("nobody signed in in time; try again")


def _lines(typed: int | None) -> Iterator[str]:
    """Each line once it is whole, and "" every moment; for ever. Not by readline, which would wait for its end."""
    rest = b""
    with selectors.PollSelector() as selector:
        if typed is not None:
            selector.register(typed, selectors.EVENT_READ)
        while True:
            if selector.select(_LOOK_SECONDS) and typed is not None:
                part = os.read(typed, 65_536)
                if not part:  # nobody is there to type any more
                    selector.unregister(typed)
                *whole, rest = (rest + (part or b"\n")).split(b"\n")
                yield from (line.decode("utf-8", "replace").strip() for line in whole)
            yield ""


def _by_device(account: Account, client_secret: str, tell: Tell) -> Mapping[str, Any]:
    where, us = oauth.endpoints(account.oauth2), client(account.oauth2, client_secret)
    try:
        begun = ask(where.device, {"client_id": account.oauth2.client_id, "scope": where.scope})
        page, code = oauth.device_page(begun), oauth.text_of(begun, "user_code")
        form = {"grant_type": _DEVICE, "device_code": oauth.text_of(begun, "device_code"), **us}
    except Denied as error:
        raise Refused(f"the provider said: {oauth.error_words(error.answer, (client_secret,))}") from None
    except ValueError as error:
        raise NoToken(f"{where.device}: {error}") from None
    tell(f"Open {page} in a browser, on whatever device, enter the code {code}, and sign in as {account.user}.")
    return _polled(where.token, form, begun, client_secret)


def _polled(url: str, form: Mapping[str, str], begun: Mapping[str, Any], client_secret: str) -> Mapping[str, Any]:
    """Ask until the person has entered the code, as seldom as the provider wants it (RFC 8628 section 3.5)."""
    interval, most = oauth.pace(begun)
    end = time.monotonic() + min(most, _MOST_SECONDS)
    while time.monotonic() < end:
        pause(interval)
        try:
            return ask(url, form)
        except NoToken:
            interval = min(2 * interval, _LONGEST_INTERVAL)
        except Denied as error:
            if not oauth.passes(str(error)):
                raise Refused(f"the provider said: {oauth.error_words(error.answer, (client_secret,))}") from None
            interval = min(interval + (5 if str(error) == "slow_down" else 0), _LONGEST_INTERVAL)
    raise Refused("nobody entered the code in time; try again")
