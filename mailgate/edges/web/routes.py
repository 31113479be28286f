"""The table of all pages: which path, which handler, and for whom. Nothing is served that does not stand here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mailgate.core.model import Role
from mailgate.edges.web import accounts, assets, board, health, originals, searching, signing, tickets, writing
from mailgate.edges.web.asking import Handler

ANYBODY: frozenset[Role] = frozenset()
"""Who is not signed in, too."""
EVERYBODY = frozenset((Role.CLIENT, Role.TECHNICIAN, Role.DIRECTOR))
CLIENTS = frozenset((Role.CLIENT,))
DIRECTOR = frozenset((Role.DIRECTOR,))
OF_ACCOUNTS = frozenset((Role.CLIENT, Role.DIRECTOR))


@dataclass(frozen=True, slots=True)
class Page:
    """One page. path: as Starlette writes it. roles: who may have it; what of it they see is for the handler."""

    method: Literal["GET", "POST"]
    path: str
    handler: Handler
    roles: frozenset[Role]


ROUTES: tuple[Page, ...] = (
    Page("GET", "/health", health.health, ANYBODY),
    Page("GET", "/static/{name}", assets.file, ANYBODY),
    Page("GET", "/sign-in", signing.form, ANYBODY),
    Page("POST", "/sign-in", signing.send_link, ANYBODY),
    Page("GET", "/link/{secret}", signing.button, ANYBODY),
    Page("POST", "/link/{secret}", signing.sign_in, ANYBODY),
    Page("POST", "/sign-out", signing.sign_out, EVERYBODY),
    Page("GET", "/sessions", signing.listed, EVERYBODY),
    Page("POST", "/sessions/end-others", signing.end_others, EVERYBODY),
    Page("POST", "/sessions/{session}/end", signing.end, EVERYBODY),
    Page("GET", "/", tickets.first, EVERYBODY),
    Page("GET", "/tickets", tickets.listed, EVERYBODY),
    Page("GET", "/tickets/{ticket}", tickets.shown, EVERYBODY),
    Page("POST", "/tickets/{ticket}/answer", writing.answer, EVERYBODY),
    Page("POST", "/tickets/{ticket}/dispute", writing.dispute, CLIENTS),
    Page("GET", "/new", writing.new_form, CLIENTS),
    Page("POST", "/new", writing.new, CLIENTS),
    Page("POST", "/refund", writing.refund, CLIENTS),
    Page("GET", "/received", writing.received, EVERYBODY),
    Page("GET", "/board", board.board, DIRECTOR),
    Page("GET", "/search", searching.found, EVERYBODY),
    Page("GET", "/balance", accounts.balance, OF_ACCOUNTS),
    Page("GET", "/reports", accounts.report, OF_ACCOUNTS),
    Page("GET", "/reports/csv", accounts.as_csv, OF_ACCOUNTS),
    Page("GET", "/reports/pdf", accounts.as_pdf, OF_ACCOUNTS),
    Page("GET", "/messages/{message}", originals.shown, EVERYBODY),
    Page("POST", "/messages/{message}/look", originals.look, EVERYBODY),
    Page("POST", "/messages/{message}/reveal", tickets.reveal, EVERYBODY),
    Page("GET", "/messages/{message}/html", originals.html, EVERYBODY),
    Page("GET", "/messages/{message}/raw", originals.raw, EVERYBODY),
    Page("GET", "/messages/{message}/files/{part}", originals.file, EVERYBODY),
)
