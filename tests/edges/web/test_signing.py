"""Signing in by a mailed link: who gets one, what it is good for, and for how long."""

from __future__ import annotations

from pathlib import Path

from tests.edges.web.area import Area, client_area, send
from tests.support import desk

ANA = "ana@acme.example"


def asked(area: Area, address: str, peer: str = "192.0.2.7") -> str:
    """The page that asking for a link gives, without what was typed."""
    answer = area.browser(peer).post("/sign-in", data={"address": address})
    assert answer.status_code == 200
    area.settle()
    return answer.text.replace(address, "…")


def test_an_authorised_address_gets_a_link_and_the_link_signs_in_once(area: Area) -> None:
    asked(area, "Ana@ACME.example")
    ((to, path),) = area.links()
    browser = area.browser()
    assert to == ANA
    assert [browser.get(path).status_code for _ in range(3)] == [200, 200, 200]  # a scanner of mail uses nothing up
    assert browser.get("/sessions").headers["location"] == "/sign-in"
    answer = browser.post(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert ANA in browser.get("/sessions").text
    assert area.browser().post(path).status_code == 410
    assert area.browser().get(path).status_code == 410


def test_an_unknown_address_gets_the_same_page_and_no_mail(area: Area) -> None:
    known = asked(area, ANA)
    for stranger in ("eva@nueva.example", "no address at all", "x" * 200 + "@acme.example"):
        assert asked(area, stranger) == known
    asked(area, "soporte@example.es")
    asked(area, "")
    assert [to for to, _ in area.links()] == [ANA]


def test_whoever_a_wildcard_lets_write_may_sign_in(area: Area) -> None:
    asked(area, "luis@tienda.example")
    assert [to for to, _ in area.links()] == ["luis@tienda.example"]


def test_a_link_lives_fifteen_minutes_and_a_newer_one_makes_it_void(area: Area) -> None:
    asked(area, ANA)
    area.pass_by(minutes=14)
    asked(area, ANA)
    first, second = (path for _, path in area.links())
    assert area.browser().post(first).status_code == 410
    area.pass_by(minutes=15, seconds=1)
    assert area.browser().post(second).status_code == 410


def test_a_session_lives_thirty_days_and_ends_with_the_address_in_the_rules(tmp_path: Path) -> None:
    with client_area(tmp_path) as area:
        browser = area.signed_in(ANA)
        area.pass_by(days=30, seconds=-1)
        assert browser.get("/sessions").status_code == 200
        area.stored.office = type(area.stored.office)(
            desk(clients={"acme": {"name": "Acme", "addresses": ["otra@acme.example"]}}), area.stored.office.renderer
        )
        assert browser.get("/sessions").headers["location"] == "/sign-in"
        area.pass_by(seconds=2)
        assert browser.get("/sessions").headers["location"] == "/sign-in"


def test_the_cookie_is_for_the_browser_alone(tmp_path: Path) -> None:
    secure = desk(desk={"url": "https://soporte.example.es"})
    for of, name, marks in ((None, "mailgate", ()), (secure, "__Host-mailgate", ("Secure",))):
        (tmp_path / name).mkdir()
        with client_area(tmp_path / name, of) as area:
            asked(area, ANA)
            cookie = area.browser().post(area.links()[0][1]).headers["set-cookie"]
            assert cookie.startswith(f"{name}=")
            assert all(mark in cookie for mark in ("HttpOnly", "SameSite=lax", "Path=/", *marks))
            assert "Domain" not in cookie


def test_nothing_of_a_secret_is_in_the_store(area: Area) -> None:
    browser = area.signed_in(ANA)
    link = area.links()[0][1].removeprefix("/link/")
    secret = browser.cookies["mailgate"]
    with area.stored.store.read() as tx:
        kept = str(tx.rows("select * from session")) + str(tx.rows("select * from sign_in_link"))
    assert link not in kept
    assert secret not in kept


def test_signing_out_ends_the_session_for_good(area: Area) -> None:
    browser = area.signed_in(ANA)
    secret = browser.cookies["mailgate"]
    assert send(browser, "/sessions", "/sign-out").headers["location"] == "/sign-in"
    again = area.browser()
    again.cookies.set("mailgate", secret)
    assert again.get("/sessions").headers["location"] == "/sign-in"


def test_somebody_sees_their_browsers_and_signs_out_in_one_or_all_others(area: Area) -> None:
    first, second, third = (area.signed_in(ANA) for _ in range(3))
    other = area.signed_in("hello@beta.example")
    assert first.get("/sessions").text.count('<li class="split">') == 3
    assert send(first, "/sessions", "/sessions/2/end").status_code == 303
    assert second.get("/sessions").headers["location"] == "/sign-in"
    send(first, "/sessions", "/sessions/4/end")  # somebody else's
    assert other.get("/sessions").status_code == 200
    send(first, "/sessions", "/sessions/end-others")
    assert third.get("/sessions").headers["location"] == "/sign-in"
    assert (first.get("/sessions").status_code, other.get("/sessions").status_code) == (200, 200)


def test_links_are_mailed_to_an_address_three_times_in_a_quarter_of_an_hour(area: Area) -> None:
    pages = {asked(area, ANA, peer=f"192.0.2.{number}") for number in range(6)}
    assert len(pages) == 1  # and nobody learns that it is an address
    assert len(area.links()) == 3


def test_a_peer_that_asks_too_often_is_told_so(area: Area) -> None:
    browser = area.browser()
    codes = [browser.post("/sign-in", data={"address": f"{n}@acme.example"}).status_code for n in range(25)]
    assert codes == [200] * 20 + [429] * 5
    assert area.browser("192.0.2.8").post("/sign-in", data={"address": ANA}).status_code == 200


def test_forms_of_other_sites_do_nothing(area: Area) -> None:
    browser = area.signed_in(ANA)
    token = send(browser, "/sessions", "/sessions/9/end")
    assert token.status_code == 303
    assert browser.post("/sign-out").status_code == 403
    assert browser.post("/sign-out", data={"csrf": "0" * 64}).status_code == 403
    for header in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert send(browser, "/sessions", "/sign-out", headers=header).status_code == 403
        assert area.browser().post("/sign-in", data={"address": ANA}, headers=header).status_code == 403
    assert browser.get("/sessions").status_code == 200
    fine = {"Origin": "http://127.0.0.1:8080", "Sec-Fetch-Site": "same-origin"}
    assert send(browser, "/sessions", "/sign-out", headers=fine).status_code == 303


def test_pages_speak_the_language_of_the_person_or_of_the_browser(area: Area) -> None:
    browser = area.browser()
    assert '<html lang="es">' in browser.get("/sign-in").text
    assert '<html lang="en">' in browser.get("/sign-in", headers={"Accept-Language": "de, en-GB;q=0.8"}).text
    assert '<html lang="en">' in area.signed_in("hello@beta.example").get("/sessions").text


def test_a_session_tells_when_it_was_seen_last(area: Area) -> None:
    browser = area.signed_in(ANA)
    area.pass_by(hours=26)
    browser.get("/sessions")
    area.settle()
    assert "visto el 4 nov 2026, 13:00" in browser.get("/sessions").text
