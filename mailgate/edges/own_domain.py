"""What the desk's own domain publishes: whether our mail is believed, and the very record where it is not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from ipaddress import ip_address

from mailgate.core.proof import Result, Signature
from mailgate.core.settings import fields
from mailgate.core.settings.rules import Rules
from mailgate.edges import dkim, spf
from mailgate.edges.dns import Budget, Resolver, TooMuch, Unavailable
from mailgate.edges.verify import dmarc_asks, dmarc_owners, dmarc_tags, same_organisation

# Nobody's (RFC 5737): what lets this one send lets everybody.
_ANYBODY = "192.0.2.1"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a trial found. todo: "" where it is good."""

    what: str
    told: str
    todo: str = ""

    @property
    def good(self) -> bool:
        """Whether nothing is to be done."""
        return not self.todo


def try_dns(
    rules: Rules, resolver: Resolver, returned: bytes | None, signer: dkim.Signer | None, now: datetime
) -> Iterator[Finding]:
    """SPF, DKIM and DMARC of the desk's domain. returned: a mail of ours that came back. signer: where we sign."""
    domain = rules.desk.address.partition("@")[2]
    trials = (
        (f"SPF {domain}", partial(_spf, rules, domain)),
        (f"DKIM {domain}", partial(_dkim, domain, returned, signer, now)),
        (f"DMARC _dmarc.{domain}", partial(_dmarc, rules, domain)),
    )
    for what, trial in trials:
        try:
            yield trial(resolver)
        except (Unavailable, TooMuch) as error:
            yield Finding(what, str(error), "ask again when the DNS answers; see trust.dns")


# ---- SPF --------------------------------------------------------------------------------------------


def _spf(rules: Rules, domain: str, resolver: Resolver) -> Finding:
    """Of the one record, whether it says something, and lets the server under [outgoing] send."""
    what, host = f"SPF {domain}", _host(rules)
    records = [text for text in _texts(resolver, domain) if re.match(r"v=spf1(?: |$)", text, re.IGNORECASE)]
    if not records:
        mine = " ".join(("v=spf1", "mx", *_terms(host), "-all"))
        return Finding(what, "is not there", f"{_add(domain, mine)} (with every server that sends for {domain})")
    if len(records) > 1:
        return Finding(what, "is there more than once, which counts as none", f"leave one of: {'; '.join(records)}")
    (told,) = records
    judged = partial(spf.explained, sender=rules.desk.address, helo=domain, resolver=resolver)
    anybody, why = judged(_ANYBODY, budget=Budget())
    if anybody is Result.PERMERROR:
        return Finding(what, f"{told} cannot be understood: {why}", "correct it; until then it counts as none")
    if anybody is Result.PASS:
        return Finding(what, f"{told} lets everybody send as {domain}", "end it with -all")
    nobody = re.fullmatch(r"v=spf1\s+[-~?]all\s*", told, re.IGNORECASE)
    addresses = _addresses(resolver, host)
    if not addresses and not nobody:
        return Finding(what, told)
    if any(judged(address, budget=Budget())[0] is Result.PASS for address in addresses):
        return Finding(what, f"{told} lets {host} send")
    if re.search(r"\b(?:include:|redirect=|exists:)", told, re.IGNORECASE):
        return Finding(what, f"{told} lets others than {host} send: good where it passes mail on by them")
    first, *rest = told.split()
    more = _change(domain, " ".join((first, *(_terms(host) or ("mx",)), *rest)))
    return Finding(what, f"{told} lets {'nobody' if nobody else f'others than {host}'} send", more)


def _host(rules: Rules) -> str:
    """The server under [outgoing]; "" where it does not tell from which address mail leaves."""
    outgoing = rules.outgoing
    return "" if outgoing.via == "files" or fields.loopback(outgoing.host) else outgoing.host.strip("[]")


def _terms(host: str) -> tuple[str, ...]:
    """What lets a server send (RFC 7208 section 5)."""
    if not host:
        return ()
    try:
        address = ip_address(host)
    except ValueError:
        return (f"a:{host}",)
    return (f"ip{address.version}:{address}",)


def _addresses(resolver: Resolver, host: str) -> list[str]:
    """Those of a server, in numbers."""
    (term,) = _terms(host) or ("",)
    if term.startswith("ip"):
        return [host]
    return [str(one) for kind in ("A", "AAAA") if host for one in resolver.ask(host, kind, Budget())]


# ---- DKIM -------------------------------------------------------------------------------------------


def _dkim(
    domain: str, returned: bytes | None, signer: dkim.Signer | None, now: datetime, resolver: Resolver
) -> Finding:
    published = _own_key(domain, signer, resolver) if signer else None
    if published is not None and (published.todo or returned is None):
        return published
    if returned is None:
        todo = "once one does, its signature tells which record is wanted; or sign here: see outgoing.dkim"
        return Finding(f"DKIM {domain}", "cannot be told: no mail has come back", todo)

    def ask(name: str) -> list[bytes]:
        return _bytes(resolver.ask(name, "TXT", Budget()))

    kin = partial(_speaks_for, domain)
    found = dkim.signatures(returned, dkim.header(returned), kin, domain, ask, now)
    return _of_signatures(domain, found, signer)


def _of_signatures(domain: str, found: Sequence[Signature], signer: dkim.Signer | None) -> Finding:
    """What the signatures on a mail of ours that came back are worth."""
    if not found:
        told = "our mail came back without a signature"
        todo = f"have the server under [outgoing] sign for {domain}, or sign here: see outgoing.dkim"
        return Finding(f"DKIM {domain}", told, todo)
    best = next((one for one in found if one.result is Result.PASS), found[0])
    what = f"DKIM {best.selector}._domainkey.{best.domain}"
    if best.result is Result.PASS:
        return Finding(what, "our mail came back with a signature that holds")
    if best.result is Result.TEMPERROR:
        return Finding(what, best.why, "ask again when the DNS answers; see trust.dns")
    told = f"the signature of our mail does not hold: {best.why or 'it was changed on the way'}"
    if signer is not None:
        return Finding(what, told, "see what changes mails on the way: a footer, a filter, another signer")
    todo = f"add to the DNS what the server under [outgoing] says: {best.selector}._domainkey.{best.domain}. TXT"
    return Finding(what, told, todo)


def _own_key(domain: str, signer: dkim.Signer, resolver: Resolver) -> Finding:
    """Whether the record is that of our own key."""
    if not _speaks_for(domain, signer.domain):
        told = f"outgoing.dkim signs for {signer.domain}, which says nothing for {domain}"
        return Finding(f"DKIM {domain}", told, f'write there: domain = "{domain}"')
    name = f"{signer.selector}._domainkey.{signer.domain}"
    what, record = f"DKIM {name}", f"v=DKIM1; k=rsa; p={signer.public_key}"
    found = [match[1] for text in _texts(resolver, name) if (match := re.search(r"(?:^|;)\s*p=([^;]*)", text))]
    keys = [re.sub(r"\s", "", key) for key in found]
    if keys == [signer.public_key]:
        return Finding(what, "is that of our key")
    if not keys:
        return Finding(what, "is not there", _add(name, record))
    if len(keys) > 1:
        return Finding(what, "is there more than once", f"leave the one with p={signer.public_key}")
    told = "is that of another key than outgoing.dkim.key_file" if keys[0] else "says that the key was revoked"
    return Finding(what, told, _change(name, record))


def _speaks_for(domain: str, other: str) -> bool:
    return domain == other or same_organisation(domain, other)


# ---- DMARC ------------------------------------------------------------------------------------------


def _dmarc(rules: Rules, domain: str, resolver: Resolver) -> Finding:
    """Whether the record that speaks for the domain says something."""
    wanted = f"v=DMARC1; p=quarantine; rua=mailto:{rules.desk.admin}"
    for owner in dmarc_owners(domain):
        name = f"_dmarc.{owner}"
        records = [text for text in _texts(resolver, name) if text[:8].lower() == "v=dmarc1"]
        if len(records) > 1:
            told = "is there more than once, which counts as none"
            return Finding(f"DMARC {name}", told, f"leave one of: {'; '.join(records)}")
        if records and not (tags := dmarc_tags([records[0].encode()])):
            told = f"{records[0]} says nothing: p is none of none, quarantine, reject"
            return Finding(f"DMARC {name}", told, _change(name, wanted))
        if records:
            lenient = dmarc_asks(tags, owner, domain) == "none"
            note = "; it asks nobody to refuse what is forged as ours: p=quarantine would" if lenient else ""
            return Finding(f"DMARC {name}", records[0] + note)
    return Finding(f"DMARC _dmarc.{domain}", "is not there", _add(f"_dmarc.{domain}", wanted))


# ---- the DNS ----------------------------------------------------------------------------------------


def _texts(resolver: Resolver, name: str) -> list[str]:
    return [text.decode("utf-8", "replace") for text in _bytes(resolver.ask(name, "TXT", Budget()))]


def _bytes(records: Sequence[object]) -> list[bytes]:
    return [record for record in records if isinstance(record, bytes)]


def _add(name: str, text: str) -> str:
    return f'add to the DNS: {name}. TXT "{text}"'


def _change(name: str, text: str) -> str:
    return f'change it in the DNS to: {name}. TXT "{text}"'
