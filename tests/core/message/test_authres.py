"""Authentication-Results: RFC 8601's own examples, and what tries to fool a reader of them."""

from __future__ import annotations

import pytest

from mailgate.core.message import authres
from tests.support import in_linear_time


def read(value: str) -> list[tuple[str, str, dict[str, str]]]:
    found = authres.parse(value)
    assert found is not None
    return [(one.method, one.result, dict(one.properties)) for one in found.results]


@pytest.mark.parametrize(
    ("value", "authserv", "results"),
    [
        ("example.org 1; none", "example.org", []),
        (
            "example.com; spf=pass smtp.mailfrom=example.net",
            "example.com",
            [("spf", "pass", {"smtp.mailfrom": "example.net"})],
        ),
        (
            "foo.example.net (foobar) 1 (baz); dkim (Because I like it) / 1 (One yay) = (wait for it) fail"
            " policy (A dot can go here) . (like that) expired (this surprised me) = (as I wasn't expecting it) 13",
            "foo.example.net",
            None,
        ),
        (
            "MX.Example.ES; dkim=pass header.b=abc+/= header.d=A.example",
            "mx.example.es",
            [("dkim", "pass", {"header.b": "abc+/", "header.d": "a.example"})],
        ),
        (
            'x; dkim=fail reason="a; dmarc=pass"; spf=none',
            "x",
            [("dkim", "fail", {"reason": "a; dmarc=pass"}), ("spf", "none", {})],
        ),
        ('x; dkim=fail reason="dmarc \\" = pass"', "x", [("dkim", "fail", {"reason": 'dmarc " = pass'})]),
        ("x; dkim=fail (a \\) b; dmarc=pass) header.d=y", "x", [("dkim", "fail", {"header.d": "y"})]),
        ("x; dkim/1=pass", "x", [("dkim", "pass", {})]),
        (
            "spf=pass smtp.mailfrom=a.example; dkim=none",
            "",
            [("spf", "pass", {"smtp.mailfrom": "a.example"}), ("dkim", "none", {})],
        ),
        ("x; dkim=pass header.d=a header.d=b", "x", [("dkim", "pass", {"header.d": "a"})]),
        ("", "", []),
        ("x;;;=;a==b;", "x", None),
    ],
)
def test_reads(value: str, authserv: str, results: list[tuple[str, str, dict[str, str]]] | None) -> None:
    found = authres.parse(value)
    assert found is not None
    assert found.authserv == authserv
    assert results is None or read(value) == results


@pytest.mark.parametrize(
    "value", ['x; dkim=pass reason="open', "x; (open", "x; dkim=pass) y", "x\\", "x; (a\\", "x" * 20_000]
)
def test_what_cannot_be_read_for_sure_is_not_read(value: str) -> None:
    found = authres.parse(value)
    assert found is None or not found.results


@pytest.mark.parametrize("value", ["(" * 16_000, '"' * 16_001, "=;" * 8_000, "x; a=" + "b c=" * 4_000])
def test_cost_is_bounded(value: str) -> None:
    with in_linear_time():
        authres.parse(value)
