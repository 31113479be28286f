"""Evidence of who sent a message, gathered before the decision. What it is worth is for `trust` to say.

A `From` is a claim. What can speak for it are signatures (RFC 6376), the peer's address (RFC 7208), what
the domain asks of those who receive its mail (RFC 9989, DMARC), and the word of a server of our own (RFC 8601).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Result(StrEnum):
    """The words of RFC 8601 section 2.7. policy: technically right, but not by our rules."""

    NONE = "none"
    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    SOFTFAIL = "softfail"
    NEUTRAL = "neutral"
    POLICY = "policy"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


@dataclass(frozen=True, slots=True)
class Signature:
    """A DKIM signature of the author's organisation; those of others say nothing about the author.

    domain, selector: who signed. covers: lower-case names of the fields that are signed.
    exact: whether the domain is the author's own, not only one of the same organisation.
    why: what is wrong with it, or on whose word it is right; "" where we checked it ourselves.
    """

    domain: str
    selector: str
    result: Result
    covers: frozenset[str] = frozenset()
    exact: bool = True
    why: str = ""

    @property
    def words(self) -> str:
        """For the trail and for people."""
        note = f": {self.why}" if self.why else ""
        return f"dkim={self.result} ({self.domain}, {self.selector}{note})"


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What was found out about one message.

    domain: of the author, "" where nothing was looked up, because nothing depends on it.
    signatures: in the order of the message. spf: of the SMTP client, where we saw it ourselves and it
    spoke for the author's organisation. dmarc: pass, fail, none where the domain
    publishes no policy, temperror while it cannot be told. policy: what the domain asks for: "none",
    "quarantine", "reject", "" where it publishes nothing. authserv: the server of ours on whose word
    dmarc is pass, else "". sealer: whom we trust and who sealed (RFC 8617) that dmarc was pass, else "".
    """

    domain: str = ""
    signatures: tuple[Signature, ...] = ()
    spf: Result = Result.NONE
    dmarc: Result = Result.NONE
    policy: str = ""
    authserv: str = ""
    sealer: str = ""

    @property
    def signed(self) -> Signature | None:
        """The signature that speaks best for the author: of the very domain, else of the organisation."""
        good = [signature for signature in self.signatures if signature.result is Result.PASS]
        return next((one for one in good if one.exact), good[0] if good else None)

    @property
    def forged(self) -> bool:
        """Whether the author's domain asks that this mail be not believed."""
        return self.dmarc is Result.FAIL and self.policy in ("quarantine", "reject")

    @property
    def undecided(self) -> bool:
        """Whether the DNS gave no answer on which it depends: to be asked again later."""
        waits = any(signature.result is Result.TEMPERROR for signature in self.signatures)
        return self.signed is None and not self.authserv and (waits or self.dmarc is Result.TEMPERROR)

    @property
    def words(self) -> str:
        """Everything that was found, on one line; "" where nothing was looked up."""
        if not self.domain:
            return ""
        found = [signature.words for signature in self.signatures] or ["dkim=none"]
        if self.spf is not Result.NONE:
            found.append(f"spf={self.spf}")
        found.append(f"dmarc={self.dmarc}" + (f" (p={self.policy})" if self.policy else ""))
        if self.sealer:
            found.append(f"arc=pass ({self.sealer})")
        return "; ".join(found) + (f", as {self.authserv} says" if self.authserv else "")


UNCHECKED = Verdicts()
"""Of a message on which nothing depends that could be looked up."""
