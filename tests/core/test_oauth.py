"""Tokens of a provider, from its answers to what signs in at a mail server."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from mailgate.core import oauth
from mailgate.core.settings.servers import OAuth2
from tests.support import NOW

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ANSWER = {"access_token": "a1", "refresh_token": "r1", "expires_in": 3600}
GOOGLE = OAuth2(provider="google", client_id="desk-1")
MICROSOFT = OAuth2(provider="microsoft", client_id="desk-1", tenant="contoso.example")
TOKENS = oauth.granted("desk-1", ANSWER, NOW)


def test_each_provider_is_asked_at_its_own_place_unless_the_rules_name_another() -> None:
    assert oauth.endpoints(GOOGLE).token == "https://oauth2.googleapis.com/token"
    assert oauth.endpoints(GOOGLE).device == ""
    found = oauth.endpoints(MICROSOFT)
    assert found.token == "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token"
    assert found.device == "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/devicecode"
    assert "offline_access" in found.scope
    own = OAuth2(provider="google", client_id="x", token_url="http://127.0.0.1:1/t", scope="mail")
    assert oauth.endpoints(own).token == "http://127.0.0.1:1/t"
    assert oauth.endpoints(own).scope == "mail"


def test_token_is_renewed_well_before_it_ends_and_good_almost_until_then() -> None:
    assert not TOKENS.is_due(NOW + HOUR / 2)
    assert TOKENS.is_due(NOW + HOUR - timedelta(minutes=9))
    assert TOKENS.is_good(NOW + HOUR - timedelta(minutes=1))
    assert not TOKENS.is_good(NOW + HOUR - timedelta(seconds=20))


def test_of_a_token_from_the_future_nothing_is_known() -> None:
    assert TOKENS.is_due(NOW - HOUR)


def test_a_short_life_leaves_time_to_use_it() -> None:
    brief = oauth.granted("desk-1", {**ANSWER, "expires_in": "20"}, NOW)
    assert not brief.is_due(NOW + timedelta(seconds=10))
    assert brief.is_due(NOW + timedelta(seconds=16))


@pytest.mark.parametrize("expires_in", [None, 0, -5, "soon", [], 10**30])
def test_nonsense_about_its_life_is_no_end(expires_in: object) -> None:
    until = oauth.granted("desk-1", {**ANSWER, "expires_in": expires_in}, NOW).access_until
    assert NOW + HOUR <= until <= NOW + 7 * DAY


@pytest.mark.parametrize("token", [None, "", 5, "a b", "a\x01b", "a\nb", "é"])
@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
def test_answer_without_a_token_that_can_be_one_is_none(name: str, token: object) -> None:
    with pytest.raises(ValueError, match=name):
        oauth.granted("desk-1", {**ANSWER, name: token}, NOW)


def test_microsofts_login_ends_ninety_days_after_the_last_renewal() -> None:
    assert TOKENS.ends_at("microsoft") == NOW + 90 * DAY
    later = oauth.renewed(TOKENS, {"access_token": "a2", "refresh_token": "r2"}, NOW + 5 * DAY)
    assert (later.access, later.refresh, later.login_at) == ("a2", "r2", NOW)
    assert later.ends_at("microsoft") == NOW + 95 * DAY


def test_end_that_a_provider_names_stays_where_it_is_while_the_refresh_token_does() -> None:
    testing = oauth.granted("desk-1", {**ANSWER, "refresh_token_expires_in": 604_799}, NOW)
    end = NOW + timedelta(seconds=604_799)
    assert testing.ends_at("google") == end
    later = oauth.renewed(testing, {"access_token": "a2"}, NOW + DAY)
    assert (later.refresh, later.ends_at("google")) == ("r1", end)
    assert oauth.renewed(testing, ANSWER | {"refresh_token": "r2"}, NOW + DAY).last_until is None


def test_refusal_is_kept_with_its_beginning_until_a_renewal_works() -> None:
    once = oauth.refused(TOKENS, "invalid_grant", NOW)
    twice = oauth.refused(once, "invalid_grant", NOW + HOUR)
    assert twice.refused_at == NOW
    assert twice.is_refused(NOW + HOUR)
    assert not twice.is_refused(NOW + HOUR + timedelta(minutes=16))
    again = oauth.renewed(twice, {"access_token": "a2"}, NOW + 2 * HOUR)
    assert (again.refused_at, again.refusal, again.is_refused(NOW + 2 * HOUR)) == (None, "", False)


def test_what_is_written_is_read() -> None:
    for tokens in (TOKENS, oauth.refused(TOKENS, "invalid_grant", NOW)):
        assert oauth.read(oauth.written(tokens)) == tokens


@pytest.mark.parametrize("text", ["", "[]", "{}", "5", '{"access": "x"}', "[" * 100_000, '{"refresh_at": "x"}'])
def test_anything_else_is_no_tokens(text: str) -> None:
    with pytest.raises(ValueError):
        oauth.read(text)


def test_tokens_are_not_shown() -> None:
    assert "r1" not in repr(TOKENS)
    assert "a1" not in repr(TOKENS)


def test_words_of_a_refusal_fit_a_line_and_have_no_secret() -> None:
    answer = {"error": "invalid_grant", "error_description": "no\r\nr1\x1b[2J " + "x" * 1000}
    words = oauth.error_words(answer, ["r1", ""])
    assert words.startswith("invalid_grant: no *** [2J xxx")
    assert len(words) <= 300
    assert oauth.error_words({"error": "invalid_client"}, ()) == "invalid_client"


def test_signs_in_as_the_providers_want_it() -> None:
    assert oauth.xoauth2("a@b.es", "tok") == b"user=a@b.es\x01auth=Bearer tok\x01\x01"


def test_link_asks_for_mail_and_for_a_refresh_token_and_binds_the_code_to_us() -> None:
    link = urlsplit(oauth.link(GOOGLE, "soporte@example.es", "http://127.0.0.1:5/", "state", "verifier"))
    asked = {key: values[0] for key, values in parse_qs(link.query).items()}
    assert link.netloc == "accounts.google.com"
    assert asked["scope"] == "https://mail.google.com/"
    assert (asked["access_type"], asked["prompt"], asked["login_hint"]) == ("offline", "consent", "soporte@example.es")
    # RFC 7636, appendix B
    assert (
        oauth.challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )
    assert asked["code_challenge"] == oauth.challenge("verifier")
    assert "verifier" not in link.query


def test_only_an_answer_to_our_own_question_is_one() -> None:
    assert oauth.returned(" http://127.0.0.1:5/?state=s&code=4/0A \n", "s")["code"] == "4/0A"
    assert oauth.returned("http://127.0.0.1:5/?state=s&error=access_denied", "s")["error"] == "access_denied"
    for address in ("http://127.0.0.1:5/?state=t&code=c", "http://127.0.0.1:5/?state=s", "", "http://[", "code"):
        assert oauth.returned(address, "s") == {}
