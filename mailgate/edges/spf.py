"""SPF (RFC 7208): whether a domain lets the peer that we saw send its mail. pyspf judges, our resolver asks."""

from __future__ import annotations

from typing import Any

import spf

from mailgate.core.proof import Result
from mailgate.edges.dns import Budget, Resolver, TooMuch, Unavailable

_MOST_WITHOUT_ANSWER = 2  # RFC 7208 section 4.6.4


class _Query(spf.query):  # type: ignore[misc]
    """pyspf with our resolver, which follows aliases and remembers by itself."""

    resolver: Resolver
    budget: Budget

    def dns(self, name: Any, qtype: str, cnames: object = None, ignore_void: bool = False) -> list[Any]:
        try:
            found = self.resolver.ask(str(name), qtype, self.budget)
        except Unavailable as error:
            raise spf.TempError(str(error)) from error
        except TooMuch as error:
            raise spf.PermError(str(error)) from error
        if not found and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > _MOST_WITHOUT_ANSWER:
                raise spf.PermError("too many look-ups without an answer")
        return [(record,) for record in found] if qtype == "TXT" else list(found)


def check(peer: str, sender: str, helo: str, resolver: Resolver, budget: Budget) -> Result:
    """The verdict on the domain of the envelope sender, or of HELO for the null path. Raises NotAtHand."""
    return explained(peer, sender, helo, resolver, budget)[0]


def explained(peer: str, sender: str, helo: str, resolver: Resolver, budget: Budget) -> tuple[Result, str]:
    """The verdict, and why in pyspf's words. Raises NotAtHand."""
    query = _Query(i=peer, s=sender, h=helo, receiver="mailgate")
    query.resolver, query.budget = resolver, budget
    try:
        result, _, why = query.check()
    except (ValueError, UnicodeError, IndexError):  # pyspf on names that are none
        return Result.PERMERROR, "it holds names that are none"
    return Result(result), str(why).removeprefix("SPF Permanent Error: ")
