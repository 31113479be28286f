"""Forwarders that break a client's signature and seal what they had found: believed where we trust them (RFC 8617)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from mailgate.core import trust
from mailgate.core.mail import Envelope
from mailgate.core.message import mime
from mailgate.core.proof import Result, Verdicts
from mailgate.core.settings.servers import Trust
from mailgate.edges.verify import Verifier
from tests.nameserver import SERVFAIL, Names, nameserver
from tests.signing import publish, sealed, signed
from tests.support import NOW, desk, written

ACME, LIST, OTHER = "acme.example", "list.example", "other.example"
GOOD = f"dmarc=pass header.from={ACME}"
FORWARDED = Envelope("smtp", "bounces@list.example", ("soporte@example.es",), "127.0.0.1", "mx.list.example")
DATE = "Date: Tue, 03 Nov 2026 10:00:00 +0000\n"


@pytest.fixture
def names() -> Iterator[Names]:
    with nameserver() as names:
        publish(names, ACME, "reject")
        publish(names, LIST)
        publish(names, OTHER)
        yield names


def broken() -> bytes:
    """Ana's signed mail, with the footer of the list below it."""
    return signed(written(headers=DATE), ACME) + b"--\r\nLa lista\r\n"


def checked(names: Names, raw: bytes, *trusted: str) -> Verdicts:
    settings = Trust.model_validate({"dns": f"127.0.0.1:{names.port}", "trusted_arc": trusted or [LIST]})
    return Verifier(lambda: settings).verify(raw, mime.parse(raw, FORWARDED), NOW)


def test_without_a_seal_the_broken_signature_is_disowned(names: Names) -> None:
    assert checked(names, broken()).forged


def test_what_a_trusted_forwarder_sealed_is_proven(names: Names) -> None:
    raw = sealed(broken(), LIST, GOOD)
    found = checked(names, raw)
    assert (found.dmarc, found.sealer, found.forged) == (Result.PASS, LIST, False)
    assert (
        found.words
        == "dkim=fail (acme.example, s1: body hash mismatch); dmarc=pass (p=reject); arc=pass (list.example)"
    )
    mail = mime.parse(raw, FORWARDED)
    assert trust.of_others(replace(mail, verdicts=found), own_token=False).proof == f"ARC seal of {LIST}"


def test_a_seal_is_no_proof_of_a_technician(names: Names) -> None:
    publish(names, "example.es", "reject")
    hers = signed(written(sender="marta@example.es", headers=DATE), "example.es")
    raw = sealed(hers + b"x\r\n", LIST, "dmarc=pass header.from=example.es")
    mail, at = mime.parse(raw, FORWARDED), desk()
    person = at.rules.who("marta@example.es")
    assert person is not None
    found = checked(names, raw)
    assert found.sealer == LIST
    standing = trust.of_staff(person, replace(mail, verdicts=found), at, NOW, own_token=False, id_used=False)
    assert (standing.proof, standing.lack) == ("", "no_token")


def twice(first: str, second: str) -> bytes:
    return sealed(sealed(broken(), first, GOOD), second, GOOD, before="pass")


def test_the_word_of_the_newest_sealer_counts(names: Names) -> None:
    assert checked(names, twice(OTHER, LIST)).sealer == LIST
    assert checked(names, twice(LIST, OTHER)).forged
    assert checked(names, twice(LIST, OTHER), LIST, OTHER).sealer == OTHER


BAD: dict[str, Callable[[], bytes]] = {
    "sealed by somebody else": lambda: sealed(broken(), OTHER, GOOD),
    "it was disowned before": lambda: sealed(broken(), LIST, f"dmarc=fail header.from={ACME}"),
    "of another author": lambda: sealed(broken(), LIST, "dmarc=pass header.from=evil.example"),
    "of no author": lambda: sealed(broken(), LIST, "dmarc=pass"),
    "DKIM alone": lambda: sealed(broken(), LIST, f"dkim=pass header.d={ACME}"),
    "two verdicts": lambda: sealed(broken(), LIST, f"{GOOD}; dmarc=fail header.from={ACME}"),
    "another text": lambda: sealed(broken(), LIST, GOOD).replace(b"carrito.", b"dinero!!"),
    "another subject": lambda: sealed(broken(), LIST, GOOD).replace(b"Subject: El", b"Subject: Mi"),
    "another verdict": lambda: sealed(broken(), LIST, "dmarc=fail header.from=acme.example").replace(
        b"=fail", b"=pass"
    ),
    "a second Subject on top": lambda: b"Subject: Urgente\r\n" + sealed(broken(), LIST, GOOD),
    "a second Content-Type on top": lambda: b"Content-Type: text/html\r\n" + sealed(broken(), LIST, GOOD),
    "no seal on the signature": lambda: without(b"ARC-Seal", sealed(broken(), LIST, GOOD)),
    "no signature below the seal": lambda: without(b"ARC-Message-Signature", sealed(broken(), LIST, GOOD)),
    "no verdict": lambda: without(b"ARC-Authentication-Results", sealed(broken(), LIST, GOOD)),
    "the chain was broken before": lambda: sealed(sealed(broken(), OTHER, GOOD), LIST, GOOD, before="fail"),
    "the first of two seals is missing": lambda: without(b"ARC-Seal: i=1", twice(OTHER, LIST)),
    "more seals than anybody needs": lambda: sealed(broken(), LIST, GOOD) * 30,
}


def without(field: bytes, raw: bytes) -> bytes:
    return re.sub(rb"(?m)^" + field + rb".*\r\n(?:[ \t].*\r\n)*", b"", raw, count=1)


@pytest.mark.parametrize("name", BAD)
def test_seal_that_proves_nothing(names: Names, name: str) -> None:
    found = checked(names, BAD[name]())
    assert (found.sealer, found.forged) == ("", True), found.words


def test_key_that_is_gone_or_cannot_be_asked_for_proves_nothing(names: Names) -> None:
    raw = sealed(broken(), LIST, GOOD)
    names.trouble["s1._domainkey.list.example"] = SERVFAIL
    assert checked(names, raw).sealer == ""
    names.trouble.clear()
    del names.texts["s1._domainkey.list.example"]
    assert checked(names, raw).forged
