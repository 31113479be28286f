"""Find out who can have sent a message: signatures, SPF, what the domain asks for, what our own servers say.

Blocks while the DNS is asked, so it has no place in the event loop or in a transaction. Whatever a message holds,
it costs a bounded number of questions and seconds (`dns.Budget`).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache, partial

from publicsuffixlist import PublicSuffixList

from mailgate.core.mail import Mail
from mailgate.core.message import authres
from mailgate.core.proof import UNCHECKED, Result, Signature, Verdicts
from mailgate.core.settings.fields import Endpoint
from mailgate.core.settings.servers import Trust
from mailgate.edges import dkim, spf
from mailgate.edges.dns import Budget, NotAtHand, Resolver, Unavailable


@dataclass(frozen=True, slots=True)
class Policy:
    """What a domain publishes for DMARC. asks: "none", "quarantine", "reject", "" where it publishes nothing.

    exact_dkim, exact_spf: only the very domain speaks for the author, not others of the organisation.
    """

    asks: str = ""
    exact_dkim: bool = False
    exact_spf: bool = False


class Verifier:
    """Gathers evidence; for any thread. trust: the settings in force, asked for each message."""

    def __init__(self, trust: Callable[[], Trust]) -> None:
        self._trust = trust
        self._resolvers: dict[Endpoint | None, Resolver] = {}

    def warm_up(self) -> None:
        """Read the list of public suffixes, before the first message waits for it."""
        _suffixes()

    def at_once(self, raw: bytes, mail: Mail, now: datetime) -> Verdicts | None:
        """The verdicts, where every answer that they take is at hand; else None."""
        try:
            return self._verdicts(raw, mail, now, Budget(at_hand=True))
        except NotAtHand:
            return None

    def verify(self, raw: bytes, mail: Mail, now: datetime) -> Verdicts:
        """The verdicts, with all the questions that they take."""
        return self._verdicts(raw, mail, now, Budget())

    def _verdicts(self, raw: bytes, mail: Mail, now: datetime, budget: Budget) -> Verdicts:
        if mail.sender is None:
            return UNCHECKED
        trust = self._trust()
        resolver = self._resolvers.get(trust.dns) or self._resolvers.setdefault(trust.dns, Resolver(trust.dns))
        return _Case(raw, mail, now, trust, resolver, budget).verdicts()


class _Case:
    """One message: what is found out about it."""

    def __init__(self, raw: bytes, mail: Mail, now: datetime, trust: Trust, resolver: Resolver, budget: Budget) -> None:
        self._raw = raw
        self._fields = dkim.header(raw)
        self._envelope = mail.envelope
        self._author = (mail.sender or "").rpartition("@")[2]
        self._kin = partial(same_organisation, self._author)
        self._now = now
        self._trust = trust
        self._resolver = resolver
        self._budget = budget

    def verdicts(self) -> Verdicts:
        """On the word of our own server if it says that all is well, else by our own look."""
        reports = self._reports()
        if authres.of_author(reports, "dmarc", self._author) == Result.PASS:
            good = dkim.reported(self._fields, self._kin, self._author, reports, self._now)
            return Verdicts(self._author, tuple(good), dmarc=Result.PASS, authserv=reports[0].authserv)
        return self._looked_up()

    def _reports(self) -> Sequence[authres.Report]:
        """What our own servers wrote on top. A peer that we do not know writes what it likes."""
        ours = self._envelope.source in ("imap", "lmtp") or _is_in(self._envelope.peer, self._trust)
        if not ours or not self._trust.trusted_authserv:
            return ()
        fields = ((name, value.decode("utf-8", "replace")) for name, value in self._fields)
        return authres.believed(fields, self._trust.trusted_authserv)

    def _looked_up(self) -> Verdicts:
        policy = self._policy()
        found = dkim.signatures(self._raw, self._fields, self._kin, self._author, self._texts, self._now)
        if policy is not None and policy.exact_dkim:
            found = [_only_exact(one) for one in found]
        client, exact = self._client()
        verdicts = Verdicts(self._author, tuple(found), client)
        if policy is None:
            return replace(verdicts, dmarc=Result.TEMPERROR)
        dmarc = _dmarc(policy, found, client if exact or not policy.exact_spf else Result.NONE)
        sealer = self._sealer() if verdicts.signed is None else ""
        if sealer and dmarc is Result.FAIL:
            dmarc = Result.PASS
        return replace(verdicts, dmarc=dmarc, policy=policy.asks, sealer=sealer)

    def _client(self) -> tuple[Result, bool]:
        """SPF of the peer where it may speak for the author, and whether as the very domain. Not of our own servers."""
        peer = self._envelope.peer
        sender, helo = self._envelope.sender or "", self._envelope.helo
        domain = (sender or helo).rpartition("@")[2].lower()
        seen = self._envelope.source == "smtp" and _address(peer) is not None and not _is_in(peer, self._trust)
        if not seen or not self._kin(domain):
            return Result.NONE, False
        return spf.check(peer, sender, helo, self._resolver, self._budget), domain == self._author

    def _policy(self) -> Policy | None:
        """Of the author's domain, else of its organisation (RFC 7489 section 6.6.3); None while it cannot be had."""
        for domain in dmarc_owners(self._author):
            try:
                tags = dmarc_tags(self._texts(f"_dmarc.{domain}"))
            except Unavailable:
                return None
            if tags:
                return Policy(dmarc_asks(tags, domain, self._author), tags.get("adkim") == "s", tags.get("aspf") == "s")
        return Policy()

    def _sealer(self) -> str:
        """Who passed the mail on and says that it was proven when it came to them, if we trust them in that."""
        if not self._trust.trusted_arc:
            return ""
        try:
            who, said = dkim.seal(self._raw, self._fields, self._texts, self._now)
        except Unavailable:
            return ""
        report = authres.parse(said.decode("utf-8", "replace").partition(";")[2])
        good = report is not None and authres.of_author([report], "dmarc", self._author) == Result.PASS
        return who if good and who in self._trust.trusted_arc else ""

    def _texts(self, name: str) -> Sequence[bytes]:
        found = self._resolver.ask(name, "TXT", self._budget)
        return [text for text in found if isinstance(text, bytes)]


def _only_exact(one: Signature) -> Signature:
    return one if one.exact else replace(one, result=Result.POLICY, why="not of the author's very domain (adkim=s)")


def same_organisation(author: str, domain: str) -> bool:
    """Whether two domains are of one organisation (RFC 7489 section 3.1.1)."""
    organisation = organisational(author)
    return organisation is not None and organisation == organisational(domain)


@lru_cache(maxsize=4096)
def organisational(domain: str) -> str | None:
    """The domain that somebody registered, None for a public suffix such as "co.uk"."""
    return _suffixes().privatesuffix(domain) if domain else None


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def dmarc_owners(author: str) -> Sequence[str]:
    """Whose record speaks for a domain: its own, else that of its organisation (RFC 7489 section 6.6.3)."""
    return tuple(dict.fromkeys((author, organisational(author) or author)))


def dmarc_asks(tags: Mapping[str, str], owner: str, author: str) -> str:
    """What a record asks for mail of a domain: that of its organisation may ask something else for those below."""
    return tags.get("sp", tags["p"]) if owner != author else tags["p"]


def dmarc_tags(texts: Sequence[bytes]) -> dict[str, str]:
    """The tags of the one DMARC record; empty where there is none, more than one, or one without a policy."""
    records = [text.decode("ascii", "replace") for text in texts if text[:8].lower() == b"v=dmarc1"]
    if len(records) != 1:
        return {}
    pairs = (part.partition("=") for part in records[0].split(";"))
    tags = {name.strip().lower(): said.strip().lower() for name, sign, said in pairs if sign}
    valid = ("none", "quarantine", "reject")
    if tags.get("sp", "none") not in valid:
        del tags["sp"]
    if tags.get("p") not in valid:
        return {**tags, "p": "none"} if "rua" in tags else {}
    return tags


def _dmarc(policy: Policy, signatures: Sequence[Signature], client: Result) -> Result:
    """Whether anything speaks for the author that the domain lets speak."""
    found = {*(signature.result for signature in signatures), client}
    if not policy.asks:
        return Result.NONE
    if Result.PASS in found:
        return Result.PASS
    return Result.TEMPERROR if Result.TEMPERROR in found else Result.FAIL


@lru_cache(maxsize=1024)  # mail comes from the same few servers
def _address(peer: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address of a peer; None for what has none, such as a pipe."""
    try:
        return ipaddress.ip_address(peer)
    except ValueError:
        return None


def _is_in(peer: str, trust: Trust) -> bool:
    """Whether the peer is a mail server of our own."""
    address = _address(peer)
    return address is not None and any(address in network for network in trust.relays)
