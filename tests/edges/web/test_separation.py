"""No client sees another's anything: every page of the table is asked for as everybody, with every number there is.

The walk is made from the table of pages, so that a new page cannot be forgotten: one whose path has a part that is
not known here fails the test.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from mailgate.edges.web.routes import ANYBODY, ROUTES, Page
from tests.edges.web.area import Area, client_area, send
from tests.support import desk, reply_address, written

pytestmark = pytest.mark.slow

ANA, BOB, MARTA, LUIS, ELENA = (
    "ana@acme.example",
    "hello@beta.example",
    "marta@example.es",
    "luis@example.es",
    "elena@example.es",
)
# What stands in everything of one client's and of nothing else: subject, text, file, note of an entry.
ACMES, BETAS = "zafiro", "topacio"
DESK = desk(
    technicians={
        "elena": {"name": "Elena Ruiz", "addresses": [ELENA]},
        "marta": {"name": "Marta Gil", "addresses": [MARTA]},
        "luis": {"name": "Luis Soto", "addresses": [LUIS]},
    },
    clients={
        "acme": {"name": f"Acme {ACMES}", "addresses": [ANA], "technician": "marta"},
        "beta": {"name": f"Beta {BETAS}", "addresses": [BOB], "technician": "luis", "language": "es"},
    },
)
# By part of a path, whatever might be somebody's: tickets 1 and 2, their messages, files, entries, sessions.
NUMBERS = {
    "ticket": range(4),
    "message": range(6),
    "part": range(3),
    "session": range(7),
    "secret": ("x",),
    "name": ("x",),
}
QUERIES = (
    "",
    "?client=acme",
    "?client=beta",
    "?technician=luis&client=acme",
    f"?q={ACMES}",
    f"?q={BETAS}",
    "?before=9",
    "?from=9",
)
SEEN = {
    None: set(),
    ANA: {ACMES},
    BOB: {BETAS},
    MARTA: {ACMES},
    LUIS: {BETAS},
    ELENA: {ACMES, BETAS},
}


def with_file(word: str, sender: str) -> bytes:
    return (
        f"From: {sender}\nTo: soporte@example.es\nSubject: Asunto {word}\nMessage-ID: <{word}@x.example>\n"
        "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
        "--b\nContent-Type: text/html; charset=utf-8\n\n"
        f"<p>Hola {word}.</p>\n--b\nContent-Type: text/plain; name={word}.txt\nContent-Disposition: attachment\n\n"
        f"fichero {word}\n--b--\n"
    ).encode()


@pytest.fixture(scope="module")
def area(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Area]:
    folder: Path = tmp_path_factory.mktemp("area")
    with client_area(folder, DESK) as area:
        for ticket, word, client, person, technician in (
            (1, ACMES, "acme", ANA, MARTA),
            (2, BETAS, "beta", BOB, LUIS),
        ):
            area.stored.book(240, client=client, note=f"compra {word}")
            area.stored.take(with_file(word, person))
            area.stored.take(
                written(
                    f"Respuesta {word}.\n\n#time 12m nota {word}",
                    sender=technician,
                    to=reply_address(ticket, technician),
                    subject=f"Re: [SOP-{ticket}]",
                    message_id=f"<{word}.t@example.es>",
                )
            )
        area.pass_by(hours=9)
        yield area


@pytest.fixture(scope="module")
def browsers(area: Area) -> dict[str | None, TestClient]:
    return {None: area.browser(), **{one: area.signed_in(one) for one in SEEN if one}}


def paths(page: Page) -> Iterator[str]:
    parts = [part[1:-1] for part in page.path.split("/") if part.startswith("{")]
    for values in product(*(NUMBERS[part] for part in parts)):
        path = page.path
        for part, value in zip(parts, values, strict=True):
            path = path.replace(f"{{{part}}}", str(value))
        yield path


@pytest.mark.parametrize("who", SEEN, ids=str)
@pytest.mark.parametrize("page", [page for page in ROUTES if page.method == "GET"], ids=lambda page: page.path)
def test_every_page_shows_everybody_their_own_alone(
    page: Page, who: str | None, browsers: dict[str | None, TestClient]
) -> None:
    for path, query in product(paths(page), QUERIES):
        answer = browsers[who].get(path + query)
        assert answer.status_code in (200, 303, 404, 410), (path, query)
        body = answer.text.replace(query.rpartition("=")[2], "") if "?q=" in query else answer.text
        told = {word for word in (ACMES, BETAS) if word in body or word in str(answer.headers)}
        assert told <= SEEN[who], (path, query, who)
        if who is None and page.roles is not ANYBODY:
            assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


@pytest.mark.parametrize("who", SEEN, ids=str)
@pytest.mark.parametrize("page", [page for page in ROUTES if page.method == "POST"], ids=lambda page: page.path)
def test_every_form_does_everybody_their_own_alone(
    page: Page, who: str | None, area: Area, browsers: dict[str | None, TestClient]
) -> None:
    if page.path == "/sign-out" or page.roles == ANYBODY:
        return  # of nobody's; see test_signing.py
    browser = browsers[who]
    before = _of_others(area, who)
    own = f"/sessions/{[one for one in SEEN if one].index(who) + 1}/end" if who else ""
    for path in paths(page):
        if path == own:
            continue
        if who is None:
            assert browser.post(path).headers["location"] == "/sign-in"
            continue
        form = {"text": "intruso", "entry": "2", "reason": "intruso", "subject": "intruso"}
        for entry in ("2", "4"):
            answer = send(browser, "/sessions", path, {**form, "entry": entry})
            told = {word for word in (ACMES, BETAS) if word in answer.text}
            assert answer.status_code in (200, 303, 404), path
            assert told <= SEEN[who], path
    assert _of_others(area, who) == before


def _of_others(area: Area, who: str | None) -> dict[str, object]:
    """All that stands in the store of those whom somebody does not see, but for what is not theirs to have."""
    hidden = [client for client, word in (("acme", ACMES), ("beta", BETAS)) if word not in SEEN[who]]
    with area.stored.store.read() as tx:
        return {
            client: (
                tx.rows("select * from ticket where client = :client", client=client),
                tx.rows(
                    "select m.* from message m join ticket t on t.id = m.ticket where t.client = :client", client=client
                ),
                tx.rows("select * from matter where client = :client", client=client),
                tx.rows(
                    "select l.* from look l join message m on m.id = l.message join ticket t on t.id = m.ticket"
                    " where t.client = :client",
                    client=client,
                ),
                tx.rows("select id, address from session where address <> :who", who=who or ""),
            )
            for client in hidden
        }


def test_the_walk_finds_what_is_somebodys_own(browsers: dict[str | None, TestClient]) -> None:
    for path in ("/", "/tickets", "/tickets/1", "/messages/1", "/messages/1/html", "/reports", "/reports/csv"):
        assert ACMES in browsers[ANA].get(path).text, path
    assert ACMES in browsers[ANA].get("/search?q=hola").text
    assert ACMES in browsers[ELENA].get("/tickets/1").text
    assert BETAS in browsers[ELENA].get("/board").text + browsers[ELENA].get("/tickets/2").text
    assert ACMES in browsers[MARTA].get("/tickets").text
    assert browsers[LUIS].get("/tickets/1").status_code == 404
    files = [f"/messages/{message}/files/{part}" for message in range(5) for part in range(4)]
    assert any(f"fichero {ACMES}" in browsers[ANA].get(path).text for path in files)


def test_every_answer_says_what_keeps_it_safe(browsers: dict[str | None, TestClient]) -> None:
    for page, who in product(ROUTES, SEEN):
        for path in (
            next(paths(page)),
            page.path.replace("{ticket}", "1").replace("{message}", "1").replace("{part}", "2"),
        ):
            headers = browsers[who].request(page.method, path).headers
            assert headers["x-content-type-options"] == "nosniff"
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe-inline" not in policy or policy.startswith("sandbox;")
            assert "script-src" not in policy or re.search(r"script-src 'nonce-[\w-]{22}';", policy)
            assert headers["referrer-policy"] == "same-origin"
            assert "set-cookie" not in headers or page.path == "/sign-out"
            assert headers["cache-control"] == "no-store" or "/static/" in page.path


def test_pages_hold_one_script_of_ours_by_its_nonce_and_no_style_of_their_own(
    browsers: dict[str | None, TestClient],
) -> None:
    nonces = set()
    for path in ("/", "/tickets/1", "/balance", "/reports", "/search?q=hola", "/sessions", "/new", "/messages/1"):
        answer = browsers[ANA].get(path)
        (script,) = re.findall("<script[^>]*>", answer.text)
        found = re.fullmatch(r'<script src="(/static/app\.[0-9a-f]{12}\.js)" nonce="([\w-]{22})" defer>', script)
        assert found is not None
        assert f"script-src 'nonce-{found[2]}';" in answer.headers["content-security-policy"]
        assert browsers[None].get(found[1]).headers["content-type"].startswith("text/javascript")
        nonces.add(found[2])
        assert " style=" not in answer.text.lower()
        assert " onclick" not in answer.text.lower()
    assert len(nonces) == 8
    assert "<script" not in browsers[None].get("/sign-in").text
