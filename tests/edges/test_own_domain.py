"""What `check --online` says of the domain's records: a real DNS server, and mails that were really signed."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailgate.core.settings.fields import endpoint
from mailgate.edges.dkim import Signer
from mailgate.edges.dns import Resolver
from mailgate.edges.own_domain import Finding, try_dns
from tests.nameserver import SERVFAIL, Names, nameserver
from tests.signing import publish, signed
from tests.support import NOW, rules, written

KEY = (Path(__file__).parents[1] / "keys/rsa1024.pem").read_bytes()
PUBLIC = (Path(__file__).parents[1] / "keys/rsa1024.pub").read_text()
OTHERS = (Path(__file__).parents[1] / "keys/rsa768.pub").read_text()
MAIL = written(sender="soporte@example.es")


@pytest.fixture
def names() -> Iterator[Names]:
    with nameserver() as served:
        yield served


def found(
    names: Names, returned: bytes | None = None, signer: Signer | None = None, host: str = "", **changes: Any
) -> tuple[Finding, Finding, Finding]:
    """SPF, DKIM and DMARC. host: the server that sends; none where mails go to files."""
    outgoing = {"via": "smtp", "host": host} if host else {}
    resolver = Resolver(endpoint(f"127.0.0.1:{names.port}"))
    spf, dkim, dmarc = try_dns(rules(outgoing=outgoing, **changes), resolver, returned, signer, NOW)
    return spf, dkim, dmarc


# ---- SPF --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "record"),
    [
        ("smtp.example.es", "v=spf1 mx a:smtp.example.es -all"),
        ("203.0.113.5", "v=spf1 mx ip4:203.0.113.5 -all"),
        ("2001:db8::5", "v=spf1 mx ip6:2001:db8::5 -all"),
        ("127.0.0.1", "v=spf1 mx -all"),
    ],
)
def test_record_that_is_not_there_is_printed_as_it_can_be_added(names: Names, host: str, record: str) -> None:
    spf = found(names, host=host)[0]
    assert spf.told == "is not there"
    assert f'example.es. TXT "{record}"' in spf.todo
    names.texts["example.es"] = [record]
    names.addresses["smtp.example.es"] = ["203.0.113.5"]
    assert found(names, host=host)[0].good


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ("v=spf1 -all", "lets nobody send"),
        ("v=spf1 ip4:198.51.100.1 -all", "lets others than smtp.example.es send"),
    ],
)
def test_record_that_does_not_let_our_server_send_is_printed_with_it(names: Names, record: str, told: str) -> None:
    names.addresses["smtp.example.es"] = ["203.0.113.5"]
    names.texts["example.es"] = [record]
    spf = found(names, host="smtp.example.es")[0]
    assert told in spf.told
    better = re.search(r'"(.*)"', spf.todo)
    assert better is not None
    names.texts["example.es"] = [better[1]]
    assert found(names, host="smtp.example.es")[0].told.endswith("lets smtp.example.es send")


def test_record_that_lets_nobody_send_is_told_where_mail_leaves_by_an_unknown_address(names: Names) -> None:
    names.texts["example.es"] = ["v=spf1 -all"]
    spf = found(names, host="127.0.0.1")[0]
    assert "lets nobody send" in spf.told
    assert '"v=spf1 mx -all"' in spf.todo


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ("v=spf1 mx bogus -all", "Unknown mechanism found: bogus"),
        ("v=spf1 include:nowhere.example.es -all", "No valid SPF record for included domain"),
        ("v=spf1 mx a:127.0.0.1 -all", "Use the ip4 mechanism"),
        ("v=spf1 mx +all", "lets everybody send"),
    ],
)
def test_record_that_counts_as_none_or_for_all_is_not_good(names: Names, record: str, told: str) -> None:
    names.texts["example.es"] = [record]
    spf = found(names, host="smtp.example.es")[0]
    assert not spf.good
    assert told in spf.told


def test_provider_that_sends_by_servers_of_other_names_is_good(names: Names) -> None:
    names.addresses["smtp.provider.es"] = ["203.0.113.5"]
    names.texts["provider.es"] = ["v=spf1 ip4:198.51.100.0/24 -all"]
    names.texts["example.es"] = ["v=spf1 include:provider.es -all"]
    spf = found(names, host="smtp.provider.es")[0]
    assert spf.good
    assert "others than smtp.provider.es" in spf.told


def test_two_records_count_as_none(names: Names) -> None:
    names.texts["example.es"] = ["v=spf1 mx -all", "v=spf1 a -all"]
    assert "leave one of" in found(names)[0].todo


# ---- DKIM -------------------------------------------------------------------------------------------


def test_record_of_our_own_key_is_printed_whole_and_is_what_openssl_makes_of_it(names: Names, tmp_path: Path) -> None:
    dkim = found(names, signer=Signer("example.es", "desk", KEY))[1]
    assert dkim.what == "DKIM desk._domainkey.example.es"
    assert dkim.todo == f'add to the DNS: desk._domainkey.example.es. TXT "v=DKIM1; k=rsa; p={PUBLIC}"'
    large = tmp_path / "key.pem"
    subprocess.run(["openssl", "genrsa", "-out", large, "2048"], check=True, capture_output=True)
    told = subprocess.run(["openssl", "rsa", "-in", large, "-pubout"], check=True, capture_output=True, text=True)
    assert Signer("example.es", "desk", large.read_bytes()).public_key == "".join(told.stdout.split("\n")[1:-2])


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (f"v=DKIM1; k=rsa; p={OTHERS}", "is that of another key"),
        ("v=DKIM1; p=", "was revoked"),
        ("something else", "is not there"),
    ],
)
def test_record_of_another_key_is_not_good(names: Names, record: str, told: str) -> None:
    names.texts["desk._domainkey.example.es"] = [record]
    dkim = found(names, signer=Signer("example.es", "desk", KEY))[1]
    assert told in dkim.told
    assert f"p={PUBLIC}" in dkim.todo


def test_signature_of_a_mail_that_came_back_is_checked(names: Names) -> None:
    publish(names, "example.es")
    returned = signed(MAIL, "example.es")
    good = found(names, returned)[1]
    assert (good.what, good.told) == (
        "DKIM s1._domainkey.example.es",
        "our mail came back with a signature that holds",
    )
    changed = found(names, returned.replace(b"carrito", b"cesto", 9))[1]
    assert not changed.good
    assert "does not hold" in changed.told
    nobody = found(names, signed(MAIL, "example.es", selector="s2"))[1]
    assert nobody.told.endswith("nobody publishes its key")
    assert "s2._domainkey.example.es" in nobody.todo


def test_our_own_signature_that_breaks_on_the_way_is_told_although_the_record_is_right(names: Names) -> None:
    signer = Signer("example.es", "s1", KEY)
    publish(names, "example.es")
    returned = signer.signed(MAIL.replace(b"\n", b"\r\n"))
    assert found(names, returned, signer)[1].good
    broken = found(names, returned + b"a footer\r\n", signer)[1]
    assert "does not hold" in broken.told
    assert "changes mails on the way" in broken.todo


def test_signature_of_somebody_else_is_none_of_ours(names: Names) -> None:
    publish(names, "other.es")
    assert found(names, signed(MAIL, "other.es"))[1].told == "our mail came back without a signature"
    assert "says nothing for example.es" in found(names, signer=Signer("other.es", "s1", KEY))[1].told
    assert found(names)[1].told == "cannot be told: no mail has come back"


# ---- DMARC ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("record", ["v=DMARC1", "v=DMARC1; p=rejekt"])
def test_policy_that_asks_for_nothing_that_there_is_is_told(names: Names, record: str) -> None:
    names.texts["_dmarc.example.es"] = [record]
    dmarc = found(names)[2]
    assert "says nothing" in dmarc.told
    assert '_dmarc.example.es. TXT "v=DMARC1; p=quarantine; rua=mailto:admin@example.es"' in dmarc.todo


def test_policy_of_the_organisation_counts_for_a_desk_below_it(names: Names) -> None:
    below = {"address": "soporte@mesa.example.es"}
    assert found(names, desk=below)[2].told == "is not there"
    names.texts["_dmarc.example.es"] = ["v=DMARC1; p=reject"]
    dmarc = found(names, desk=below)[2]
    assert (dmarc.what, dmarc.good) == ("DMARC _dmarc.example.es", True)


def test_policy_that_asks_for_nothing_yet_is_good_and_told(names: Names) -> None:
    names.texts["_dmarc.example.es"] = ["v=DMARC1; p=none; rua=mailto:x@example.es"]
    dmarc = found(names)[2]
    assert dmarc.good
    assert "p=quarantine would" in dmarc.told


def test_dns_that_does_not_answer_says_nothing_of_the_records(names: Names) -> None:
    names.trouble["*"] = SERVFAIL
    spf, _, dmarc = found(names)
    assert all("no answer" in one.told and "trust.dns" in one.todo for one in (spf, dmarc))
