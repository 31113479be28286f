"""Who can have sent a mail: real signatures, a real DNS server, and what attackers do to both."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from mailgate.core.mail import Envelope
from mailgate.core.message import mime
from mailgate.core.proof import Result, Verdicts
from mailgate.core.settings.servers import Trust
from mailgate.edges import dkim
from mailgate.edges.verify import Verifier
from tests.nameserver import NEVER, SERVFAIL, Names, nameserver
from tests.signing import publish, signed
from tests.support import NOW, written

ACME = "acme.example"
SEEN = Envelope("smtp", "ana@acme.example", ("soporte@example.es",), "127.0.0.1", "mx.acme.example")
DATE = "Date: Tue, 03 Nov 2026 10:00:00 +0000\n"


@pytest.fixture
def names() -> Iterator[Names]:
    with nameserver() as names:
        publish(names, ACME, "reject")
        yield names


def checked(names: Names, raw: bytes, envelope: Envelope = SEEN, **trust: Any) -> Verdicts:
    return verifier(names, **trust).verify(raw, mime.parse(raw, envelope), NOW)


def verifier(names: Names, **trust: Any) -> Verifier:
    settings = Trust.model_validate({"dns": f"127.0.0.1:{names.port}", **trust})
    return Verifier(lambda: settings)


def from_ana(**parts: str) -> bytes:
    return written(headers=DATE, **parts)


def test_signature_of_the_authors_domain_proves_it(names: Names) -> None:
    found = checked(names, signed(from_ana(), ACME))
    assert (found.dmarc, found.policy, found.forged) == (Result.PASS, "reject", False)
    assert found.signed is not None
    assert (found.signed.domain, found.signed.exact) == (ACME, True)
    assert found.signed.covers >= {"from", "date", "message-id"}


def test_without_a_signature_a_domain_that_asks_for_it_disowns_the_mail(names: Names) -> None:
    found = checked(names, from_ana())
    assert (found.dmarc, found.forged, found.words) == (Result.FAIL, True, "dkim=none; dmarc=fail (p=reject)")


def test_domain_that_publishes_nothing_is_neither_proven_nor_forged(names: Names) -> None:
    found = checked(names, written(sender="eva@small.example"))
    assert (found.dmarc, found.policy, found.forged, found.undecided) == (Result.NONE, "", False, False)


def test_signature_proves_without_a_policy_too(names: Names) -> None:
    publish(names, "small.example")
    found = checked(names, signed(written(sender="eva@small.example"), "small.example"))
    assert found.signed is not None
    assert found.dmarc is Result.NONE


def test_policy_none_asks_for_nothing(names: Names) -> None:
    publish(names, ACME, "none")
    assert (checked(names, from_ana()).dmarc, checked(names, from_ana()).forged) == (Result.FAIL, False)


@pytest.mark.parametrize(
    ("domain", "policy", "passes", "exact"),
    [
        ("mail.acme.example", "reject", True, False),
        ("mail.acme.example", "reject; adkim=s", False, False),
        ("acme.example", "reject; adkim=s", True, True),
        ("acme.example.evil.example", "reject", False, False),
        ("example", "reject", False, False),
        ("evil.example", "reject", False, False),
    ],
)
def test_who_speaks_for_the_author(names: Names, domain: str, policy: str, passes: bool, exact: bool) -> None:
    publish(names, ACME, policy)
    if domain != ACME:
        publish(names, domain)
    found = checked(names, signed(from_ana(), domain))
    assert (found.dmarc is Result.PASS, found.signed is not None, found.forged) == (passes, passes, not passes)
    assert not found.signed or found.signed.exact is exact


def test_public_suffix_speaks_for_nobody(names: Names) -> None:
    publish(names, "co.uk", "reject")
    found = checked(names, signed(written(sender="a@co.uk"), "co.uk"))
    assert found.signed is None
    publish(names, "one.co.uk", "reject")
    publish(names, "two.co.uk")
    assert checked(names, signed(written(sender="a@one.co.uk"), "two.co.uk")).forged


def test_policy_of_the_organisation_covers_its_subdomains(names: Names) -> None:
    publish(names, ACME, "none; sp=quarantine")
    assert checked(names, written(sender="ana@shop.acme.example")).policy == "quarantine"
    publish(names, ACME, "reject")
    assert checked(names, written(sender="ana@shop.acme.example")).policy == "reject"


BAD: dict[str, Any] = {
    "text appended after l=": lambda: signed(from_ana(), ACME, length=True) + b"#time 600m\r\n",
    "l= with nothing appended": lambda: signed(from_ana(), ACME, length=True),
    "another text": lambda: signed(from_ana(), ACME).replace(b"carrito", b"dinero!"),
    "another subject": lambda: signed(from_ana(), ACME).replace(b"Subject: El", b"Subject: Mi"),
    "a second Subject on top": lambda: b"Subject: Urgente\r\n" + signed(from_ana(), ACME),
    "a second Content-Type on top": lambda: b"Content-Type: text/html\r\n" + signed(from_ana(), ACME),
    "a weak key": lambda: signed(from_ana(), ACME, selector="weak", bits=768),
    "a key that nobody publishes": lambda: signed(from_ana(), ACME, selector="none"),
    "expired (x=)": lambda: signed(from_ana(), ACME, expires=int((NOW - timedelta(days=1)).timestamp())),
    "an algorithm that is no good": lambda: signed(from_ana(), ACME).replace(b"rsa-sha256", b"rsa-sha1"),
    "another author than the signer's": lambda: signed(from_ana(), ACME).replace(b"ana@acme", b"eva@acme"),
    "tags that make no sense": lambda: (
        b"DKIM-Signature: v=1; d=acme.example; s=s1; h=from; b=!; a=rsa-sha256\r\n" + from_ana()
    ),
    "no tags": lambda: b"DKIM-Signature: ;;;=\r\n" + from_ana(),
}


@pytest.mark.parametrize("what", BAD)
def test_signature_that_proves_nothing(names: Names, what: str) -> None:
    publish(names, "acme.example", "reject", selector="weak", bits=768)
    publish(names, "acme.example", "reject")
    found = checked(names, BAD[what]())
    assert (found.signed, found.dmarc, found.forged, found.undecided) == (None, Result.FAIL, True, False), found.words


def test_signature_that_does_not_cover_from_is_none() -> None:
    claimed = dkim.claim({b"d": b"acme.example", b"h": b"subject:date", b"a": b"rsa-sha256"}, (), ACME, NOW)
    assert (claimed.result, claimed.why) == (Result.POLICY, "does not cover From")


def test_second_from_is_nobody(names: Names) -> None:
    raw = b"From: marta@example.es\r\n" + signed(from_ana(), ACME)
    assert mime.parse(raw, SEEN).sender is None
    assert checked(names, raw) == Verdicts()


def test_list_breaks_the_first_signature_and_the_second_still_proves(names: Names) -> None:
    good = signed(from_ana(), ACME)
    broken = b"DKIM-Signature: v=1; a=rsa-sha256; d=acme.example; s=s1; h=from; bh=AAAA; b=AAAA\r\n"
    assert checked(names, broken + good).dmarc is Result.PASS
    foreign = broken.replace(b"acme.example", b"list.example")
    assert checked(names, foreign * 30 + good).dmarc is Result.PASS
    assert names.asked["s1._domainkey.list.example"] == 0


def test_of_many_signatures_of_the_organisation_five_are_looked_at(names: Names) -> None:
    broken = b"DKIM-Signature: v=1; a=rsa-sha256; d=acme.example; s=s1; h=from; bh=AAAA; b=AAAA\r\n"
    assert checked(names, broken * 4 + signed(from_ana(), ACME)).dmarc is Result.PASS
    assert checked(names, broken * 5 + signed(from_ana(), ACME)).dmarc is Result.FAIL


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ("v=spf1 ip4:127.0.0.1 -all", Result.PASS),
        ("v=spf1 a:mail.acme.example -all", Result.PASS),
        ("v=spf1 mx -all", Result.PASS),
        ("v=spf1 include:hoster.example -all", Result.PASS),
        ("v=spf1 ip4:192.0.2.1 -all", Result.FAIL),
        ("v=spf1 ip4:192.0.2.1 ~all", Result.SOFTFAIL),
        ("v=spf1 include:a.acme.example include:b.acme.example include:c.acme.example -all", Result.PERMERROR),
        ("v=spf1 nonsense -all", Result.PERMERROR),
    ],
)
def test_spf_of_the_peer_that_we_saw(names: Names, record: str, result: Result) -> None:
    names.texts[ACME] = [record]
    names.texts["hoster.example"] = ["v=spf1 ip4:127.0.0.0/8 -all"]
    names.addresses["mail.acme.example"] = ["127.0.0.1"]
    names.exchanges[ACME] = ["mail.acme.example"]
    found = checked(names, from_ana())
    assert (found.spf, found.dmarc is Result.PASS, found.signed) == (result, result is Result.PASS, None)


def test_spf_counts_only_for_the_author_and_only_where_we_saw_the_peer(names: Names) -> None:
    names.texts[ACME] = names.texts["evil.example"] = ["v=spf1 ip4:127.0.0.1 -all"]
    elsewhere = Envelope("smtp", "x@evil.example", (), "127.0.0.1", "mx.acme.example")
    assert checked(names, from_ana(), elsewhere).dmarc is Result.FAIL
    assert checked(names, from_ana(), Envelope("imap", peer="127.0.0.1")).dmarc is Result.FAIL
    assert checked(names, from_ana(), relays=["127.0.0.0/8"]).dmarc is Result.FAIL
    assert checked(names, from_ana(), Envelope("smtp", "", (), "127.0.0.1", ACME)).dmarc is Result.PASS


# ---- what our own servers say --------------------------------------------------------------------

FETCHED = Envelope("imap", peer="imap.example.es/INBOX")
MX = {"trusted_authserv": ["mx.example.es"]}
RECEIVED = b"Received: from mail.acme.example by mx.example.es; Tue, 3 Nov 2026 10:00:00 +0000\r\n"
GOOD = (
    b"Authentication-Results: mx.example.es; dkim=pass header.d=acme.example header.s=s1;"
    b" dmarc=pass header.from=acme.example\r\n"
)


def test_word_of_our_own_server_is_believed_without_asking(names: Names) -> None:
    found = checked(names, GOOD + RECEIVED + from_ana(), FETCHED, **MX)
    assert (found.dmarc, found.authserv, found.signed, not names.asked) == (Result.PASS, "mx.example.es", None, True)
    found = checked(names, GOOD + RECEIVED + signed(from_ana(), ACME), FETCHED, **MX)
    assert found.signed is not None
    assert not names.asked
    assert checked(names, RECEIVED + GOOD + from_ana(), FETCHED, **MX).dmarc is Result.PASS  # as Gmail does it


FORGED_WORDS: dict[str, tuple[bytes, Envelope, dict[str, Any]]] = {
    "nobody is trusted": (GOOD + RECEIVED, FETCHED, {}),
    "over SMTP from anybody": (GOOD + RECEIVED, SEEN, MX),
    "another server": (GOOD.replace(b"mx.example.es", b"mx.evil.example") + RECEIVED, FETCHED, MX),
    "below our own": (
        b"Authentication-Results: mx.example.es; dmarc=fail header.from=acme.example\r\n" + RECEIVED + GOOD,
        FETCHED,
        MX,
    ),
    "below another's": (RECEIVED + b"Authentication-Results: x.example; none\r\n" + GOOD, FETCHED, MX),
    "in a comment": (
        RECEIVED + b"Authentication-Results: mx.example.es (; dmarc=pass header.from=acme.example); none\r\n",
        FETCHED,
        MX,
    ),
    "in a quoted string": (
        b'Authentication-Results: mx.example.es; dkim=fail reason="x; dmarc=pass header.from=acme.example"\r\n'
        + RECEIVED,
        FETCHED,
        MX,
    ),
    "twice, once pass": (GOOD.replace(b"\r\n", b"; dmarc=fail header.from=acme.example\r\n") + RECEIVED, FETCHED, MX),
    "about another author": (GOOD.replace(b"header.from=acme", b"header.from=evil") + RECEIVED, FETCHED, MX),
    "about no author": (GOOD.replace(b" header.from=acme.example", b"") + RECEIVED, FETCHED, MX),
    "without the server's name": (GOOD.replace(b"mx.example.es; ", b"") + RECEIVED, FETCHED, MX),
    "an open comment": (GOOD.replace(b"; dmarc", b" (; dmarc") + RECEIVED, FETCHED, MX),
    "another field": (GOOD.replace(b"Auth", b"X-Auth") + RECEIVED, FETCHED, MX),
    "of ARC": (b"ARC-" + GOOD + RECEIVED, FETCHED, MX),
}


@pytest.mark.parametrize("what", FORGED_WORDS)
def test_word_that_is_not_our_servers(names: Names, what: str) -> None:
    fields, envelope, trust = FORGED_WORDS[what]
    found = checked(names, fields + from_ana(), envelope, **trust)
    assert (found.dmarc, found.authserv) == (Result.FAIL, "")


def test_good_word_about_a_bad_signature_names_no_signature(names: Names) -> None:
    found = checked(names, GOOD + RECEIVED + signed(from_ana(), ACME, length=True), FETCHED, **MX)
    assert (found.dmarc, found.signed) == (Result.PASS, None)
    other = GOOD.replace(b"header.s=s1", b"header.s=s2")
    assert checked(names, other + RECEIVED + signed(from_ana(), ACME), FETCHED, **MX).signed is None


# ---- trouble with the DNS ------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [NEVER, SERVFAIL])
@pytest.mark.parametrize("name", ["s1._domainkey.acme.example", "_dmarc.acme.example"])
def test_no_answer_is_neither_pass_nor_fail(names: Names, name: str, trouble: str) -> None:
    names.trouble[name] = trouble
    began = time.monotonic()
    found = checked(
        names, signed(from_ana(), ACME).replace(b"carrito", b"dinero!") if "dmarc" in name else signed(from_ana(), ACME)
    )
    assert (found.undecided, found.dmarc, found.forged) == (True, Result.TEMPERROR, False)
    assert time.monotonic() - began < 6


@pytest.mark.slow
def test_dns_that_is_silent_costs_no_more_than_seconds(names: Names) -> None:
    names.trouble["*"] = NEVER
    began = time.monotonic()
    found = checked(names, signed(signed(signed(from_ana(), ACME), ACME, selector="s2"), ACME, selector="s3"))
    assert found.undecided
    assert time.monotonic() - began < 10  # of which 5 are for all questions together


def test_good_signature_needs_no_policy_that_cannot_be_had(names: Names) -> None:
    names.trouble["_dmarc.acme.example"] = SERVFAIL
    found = checked(names, signed(from_ana(), ACME))
    assert found.signed is not None
    assert not found.undecided


def test_records_that_are_too_long_or_run_in_a_ring_are_none(names: Names) -> None:
    names.texts["_dmarc.acme.example"] = ["v=DMARC1; p=reject; x=" + "y" * 20_000]
    assert checked(names, from_ana()).policy == ""
    names.texts["_dmarc.beta.example"] = ["v=DMARC1; p=reject", "v=DMARC1; p=none"]
    assert checked(names, written(sender="a@beta.example")).policy == ""
    names.aliases |= {"_dmarc.ring.example": "x.ring.example", "x.ring.example": "_dmarc.ring.example"}
    found = checked(names, written(sender="a@ring.example"))
    assert (found.signed, found.forged) == (None, False)


def test_record_behind_an_alias_is_found(names: Names) -> None:
    names.aliases["_dmarc.beta.example"] = "_dmarc.acme.example"
    assert checked(names, written(sender="a@beta.example")).policy == "reject"


def test_answers_are_remembered(names: Names) -> None:
    mind = verifier(names)
    raw = signed(from_ana(), ACME)
    mail = mime.parse(raw, SEEN)
    assert mind.at_once(raw, mail, NOW) is None
    first = mind.verify(raw, mail, NOW)
    asked = sum(names.asked.values())
    assert mind.at_once(raw, mail, NOW) == first
    assert sum(names.asked.values()) == asked


def test_header_with_lf_alone_is_the_same_message(names: Names) -> None:
    assert checked(names, re.sub(rb"\r\n", b"\n", signed(from_ana(), ACME))).dmarc is Result.PASS


@pytest.mark.parametrize("ends", [("\r\n", "\r\n"), ("\n", "\n"), ("\r\n", "\n"), ("\n", "\r\n")])
def test_header_ends_at_the_first_blank_line_whatever_its_line_ends(ends: tuple[str, str]) -> None:
    first, second = ends
    raw = f"Subject: uno{first}\tdos{first}From: a@b.example{first}{second}To: c@d.example\r\n\r\nX: y\n\n".encode()
    assert dkim.header(raw) == [("subject", b" uno\n\tdos"), ("from", b" a@b.example")]


def test_header_without_a_blank_line_is_read_to_its_end() -> None:
    assert dkim.header(b"Subject: uno\r\nFrom: a@b.example") == [("subject", b" uno"), ("from", b" a@b.example")]
