"""Between HTTP and the handlers: who asks, whether they may, and what every answer says of itself."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from mailgate.edges.web import forms, signing
from mailgate.edges.web.answers import response
from mailgate.edges.web.asking import Answer, Ask, Elsewhere, NotThere, Shown, Works
from mailgate.edges.web.forms import FormTooBig
from mailgate.edges.web.routes import ROUTES, Page
from mailgate.errors import StoreUnavailable
from mailgate.store import sessions

log = logging.getLogger("mailgate.web")

# Each has a connection to the store of its own, and pages take milliseconds.
_THREADS = 4
_PROGRAM_LENGTH = 200

Endpoint = Callable[[Request], Awaitable[Response]]


class Site:
    """Answers requests, each in one of a few threads. application: for an ASGI server."""

    def __init__(self, works: Works) -> None:
        self.works = works
        self._threads = ThreadPoolExecutor(_THREADS, "web")
        routes = [Route(page.path, self._endpoint(page), methods=[page.method]) for page in ROUTES]
        failures: dict[Any, Any] = {HTTPException: self._not_there}
        self.application = Starlette(routes=routes, exception_handlers=failures)

    def close(self) -> None:
        """Take no more requests."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _endpoint(self, page: Page) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            loop = asyncio.get_running_loop()
            ask = await loop.run_in_executor(self._threads, self._known, request)
            refusal = None if isinstance(ask, Shown) else _refused(page, ask, request)
            if isinstance(ask, Shown) or refusal:
                return await loop.run_in_executor(self._threads, self._response, request, ask, refusal)
            if page.method == "POST":
                try:
                    ask = await forms.read(request, ask)
                except FormTooBig:
                    return await loop.run_in_executor(self._threads, self._response, request, ask, TOO_BIG)
                except ClientDisconnect:
                    return Response(status_code=400)  # nobody is there to read it
            return await loop.run_in_executor(self._threads, self._answered, page, request, ask)

        return endpoint

    async def _not_there(self, request: Request, error: Exception) -> Response:
        """A path or a method that there is not."""
        loop = asyncio.get_running_loop()
        ask = await loop.run_in_executor(self._threads, self._known, request)
        return await loop.run_in_executor(self._threads, self._response, request, ask, NOT_THERE)

    def _known(self, request: Request) -> Ask | Shown:
        """The request with who asks, by the session of its cookie; nothing of its body is read."""
        office, now = self.works.office(), self.works.clock()
        ask = Ask(
            self.works,
            office,
            now,
            _spoken(request, office.desk.rules.desk.language),
            path={name: str(value) for name, value in request.path_params.items()},
            query=dict(request.query_params),
            peer=request.client.host if request.client else "",
            program=_program(request),
        )
        secret = request.cookies.get(cookie_name(ask))
        if not secret:
            return ask
        try:
            with ask.read() as tx:
                session = sessions.get(tx, signing.digest(secret), now)
        except StoreUnavailable as error:
            log.warning("%s", error)
            return UNAVAILABLE
        # Whom the rules no longer know is signed in no more.
        person = office.desk.rules.who(session.address) if session else None
        if session is None or person is None:
            return ask
        csrf = hmac.digest(office.desk.key, f"csrf|{signing.digest(secret)}".encode(), "sha256").hex()
        return replace(ask, person=person, session=session, csrf=csrf, language=person.language)

    def _answered(self, page: Page, request: Request, ask: Ask) -> Response:
        """What the handler of a page answers; a failure of ours is told without any of our insides."""
        if page.method == "POST" and not _bears_token(ask):
            return self._response(request, ask, STALE)
        signing.touch(ask)
        try:
            answer = page.handler(ask)
        except NotThere:
            answer = NOT_THERE
        except StoreUnavailable as error:
            log.warning("%s", error)
            answer = UNAVAILABLE
        except Exception:
            log.exception("%s %s failed", page.method, page.path)
            answer = FAILED
        return self._response(request, ask, answer)

    def _response(self, request: Request, ask: Ask | Shown, answer: Answer | None = None) -> Response:
        if isinstance(ask, Shown):
            office = self.works.office()
            language = _spoken(request, office.desk.rules.desk.language)
            nobody = Ask(self.works, office, self.works.clock(), language)
            return response(nobody, ask, head=request.method == "HEAD")
        return response(ask, answer or NOT_THERE, head=request.method == "HEAD")


NOT_THERE = Shown("problem", {"what": "not_there"}, status=404)
STALE = Shown("problem", {"what": "stale"}, status=403)
TOO_BIG = Shown("problem", {"what": "too_big"}, status=413)
UNAVAILABLE = Shown("problem", {"what": "unavailable"}, status=503)
FAILED = Shown("problem", {"what": "failed"}, status=500)


def cookie_name(ask: Ask) -> str:
    """Over TLS one that no other host and no plain page can set (RFC 6265bis section 4.1.3)."""
    return "__Host-mailgate" if signing.is_secure(ask.desk.rules.desk.url) else "mailgate"


def _refused(page: Page, ask: Ask, request: Request) -> Answer | None:
    """Why this person does not get this page; None where they do."""
    if page.method == "POST" and not _comes_from_us(request, ask):
        return STALE
    if page.roles and ask.person is None:
        return Elsewhere("/sign-in")
    if page.roles and ask.who.role not in page.roles:
        return NOT_THERE
    return None


def _comes_from_us(request: Request, ask: Ask) -> bool:
    """Whether a form is one of our pages', as far as the browser says; one that is signed in has a token besides."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    ours = {_origin(ask.desk.rules.desk.url), f"{request.url.scheme}://{request.headers.get('host', '')}"}
    return origin is None or origin in ours


def _bears_token(ask: Ask) -> bool:
    """Whether a form carries what forms of this session do; without a session none carries anything."""
    return ask.session is None or hmac.compare_digest(ask.form.get("csrf", "").encode(), ask.csrf.encode())


def _origin(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


def _spoken(request: Request, otherwise: str) -> str:
    """The language of who is not signed in: the first of ours that the browser asks for."""
    for part in request.headers.get("accept-language", "")[:200].split(","):
        if (language := part.strip()[:2].lower()) in ("es", "en"):
            return language
    return otherwise


def _program(request: Request) -> str:
    told = request.headers.get("user-agent", "")
    return "".join(letter for letter in told if letter.isprintable())[:_PROGRAM_LENGTH]
