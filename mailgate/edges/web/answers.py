"""An answer as bytes: its page written, with the fields that keep it safe in a browser."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from starlette.responses import Response

from mailgate.core.model import Role
from mailgate.edges.web import assets, forms
from mailgate.edges.web.asking import Answer, Ask, Elsewhere, Sent, Shown
from mailgate.edges.web.signing import SESSION_DAYS, is_secure

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With "no-referrer" browsers say of a form, too, that it comes from nowhere; see `site._comes_from_us`.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}
_FOREVER = "public, max-age=31536000, immutable"
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._-]")
_SESSION_SECONDS = SESSION_DAYS * 24 * 3600


def response(ask: Ask, answer: Answer, *, head: bool) -> Response:
    """What goes out. head: without its body."""
    match answer:
        case Shown():
            nonce = secrets.token_urlsafe(16)
            fields = {**_HEADERS, "Content-Security-Policy": _policy(ask, nonce)}
            made = Response(
                b"" if head else page(ask, answer, nonce), answer.status, fields, "text/html; charset=utf-8"
            )
        case Elsewhere():
            made = Response(b"", 303, {**_HEADERS, "Location": quote(answer.path, safe="/?&=#%")})
            _set_cookie(made, ask, answer.cookie)
        case Sent():
            made = Response(b"" if head else answer.content, answer.status, _fields_of(answer), answer.type)
    if is_secure(ask.desk.rules.desk.url):
        made.headers["Strict-Transport-Security"] = "max-age=31536000"
    return made


def _policy(ask: Ask, nonce: str) -> str:
    """Who is signed in gets our one script, by its nonce alone: a file of a mail is "self", too."""
    return f"{_POLICY}; script-src 'nonce-{nonce}'; connect-src 'self'" if ask.person else _POLICY


def page(ask: Ask, shown: Shown, nonce: str) -> bytes:
    """The HTML of a page, with what each has in its frame."""
    frame = {
        "person": ask.person,
        "menu": _MENUS[ask.person.role] if ask.person else (),
        "csrf": ask.csrf,
        "style": assets.path(ask.office.renderer, "style.css"),
        "icon": assets.path(ask.office.renderer, "icon.svg"),
        "script": assets.path(ask.office.renderer, "app.js"),
        "nonce": nonce,
        "room": forms.most(ask),
        "tag": ask.desk.rules.desk.tag,
        "desk_address": ask.desk.rules.desk.address,
    }
    rules = ask.desk.rules
    values = {**frame, **shown.values, "desk_name": rules.desk.name}
    return ask.office.renderer.page(shown.template, ask.language, rules.zone, ask.now, values).encode()


_CLIENT = (("home", "/"), ("tickets", "/tickets"), ("new", "/new"), ("balance", "/balance"), ("reports", "/reports"))
_TECHNICIAN = (("tickets", "/tickets"), ("search", "/search"))
_MENUS: Mapping[Role, Sequence[tuple[str, str]]] = {
    Role.CLIENT: _CLIENT,
    Role.TECHNICIAN: _TECHNICIAN,
    Role.DIRECTOR: (("board", "/board"), *_TECHNICIAN, ("balance", "/balance"), ("reports", "/reports")),
}


def _fields_of(sent: Sent) -> dict[str, str]:
    fields = dict(_HEADERS)
    if sent.policy:
        fields["Content-Security-Policy"] = sent.policy
    if "frame-ancestors 'self'" in sent.policy:
        fields["X-Frame-Options"] = "SAMEORIGIN"
    if sent.name:
        plain = _NOT_PLAIN.sub("_", sent.name)
        told = quote(sent.name, safe="")
        fields["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{told}"  # RFC 6266
    if sent.keep:
        fields["Cache-Control"] = _FOREVER
    return fields


def _set_cookie(made: Response, ask: Ask, secret: str | None) -> None:
    if secret is None:
        return
    secure = is_secure(ask.desk.rules.desk.url)
    made.set_cookie(
        "__Host-mailgate" if secure else "mailgate",
        secret,
        max_age=_SESSION_SECONDS if secret else 0,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )
