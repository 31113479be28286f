"""Questions to the DNS: bounded in time and number for each message, answers kept as long as they say."""

from __future__ import annotations

import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

import dns.exception
import dns.rdatatype
import dns.resolver

from mailgate.core.settings.fields import Endpoint

Records = tuple[str | bytes | tuple[int, str], ...]
"""TXT as bytes, its strings joined; A, AAAA and PTR as text; MX as preference and host."""

_QUESTION_SECONDS = 2.0
_MESSAGE_SECONDS = 5.0
# Enough for five signatures, a policy and the ten look-ups that SPF allows (RFC 7208 section 4.6.4).
_MOST_QUESTIONS = 30
_LONGEST_TXT = 4_096
_MOST_KEPT = 10_000
_SHORTEST_KEPT, _LONGEST_KEPT = 30.0, 3_600.0
_NOTHING_KEPT = 60.0
_FAILURE_KEPT = 5.0
# Names that no DNS has (RFC 6761, RFC 2606): the system's resolver is not bothered with them, a resolver of our own is.
_NEVER = ("example", "test", "invalid", "localhost")


class Unavailable(Exception):
    """The DNS gave no answer, which is not the answer that there is none."""


class TooMuch(Exception):
    """The message asks for more than one message may cost: its sender's doing, and no other time will help."""


class NotAtHand(Exception):
    """The answer would have to be waited for."""


@dataclass
class Budget:
    """What one message may cost. at_hand: only what is known already is answered."""

    at_hand: bool = False
    questions: int = _MOST_QUESTIONS
    until: float = field(default_factory=lambda: time.monotonic() + _MESSAGE_SECONDS)

    def spend(self) -> float:
        """One question: the seconds that it may take. Raises TooMuch, or Unavailable where no time is left."""
        if self.at_hand:
            raise NotAtHand
        self.questions -= 1
        if self.questions < 0:
            raise TooMuch(f"asks for more than {_MOST_QUESTIONS} answers of the DNS")
        left = self.until - time.monotonic()
        if left <= 0:
            raise Unavailable("the DNS is slow")
        return min(_QUESTION_SECONDS, left)


class Resolver:
    """A resolver with a memory. server: which one to ask, None for the system's. For any thread."""

    def __init__(self, server: Endpoint | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._server = server
        self._clock = clock
        self._kept: OrderedDict[tuple[str, str], tuple[float, Records | None]] = OrderedDict()
        self._lock = threading.Lock()
        self._asks: dns.resolver.Resolver | None = None

    def ask(self, name: str, kind: str, budget: Budget) -> Records:
        """The records of a name, () where there are none. Raises Unavailable, TooMuch, or NotAtHand."""
        key = (name.rstrip(".").lower(), kind)
        if self._server is None and key[0].rpartition(".")[2] in _NEVER:
            return ()
        with self._lock:
            until, records = self._kept.get(key, (0.0, None))
        if until < self._clock():
            records = self._find(key, budget)
        if records is None:
            raise Unavailable(f"{key[0]}: no answer")
        return records

    def _find(self, key: tuple[str, str], budget: Budget) -> Records | None:
        records, seconds = self._resolve(*key, budget.spend())
        with self._lock:
            self._kept[key] = (self._clock() + seconds, records)
            self._kept.move_to_end(key)
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return records

    def _resolve(self, name: str, kind: str, seconds: float) -> tuple[Records | None, float]:
        """What the server says and how long that holds; None where it says nothing."""
        try:
            answer = self._resolver().resolve(name, kind, lifetime=seconds, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.resolver.YXDOMAIN):
            return (), _NOTHING_KEPT
        except (dns.resolver.NoNameservers, dns.resolver.NoResolverConfiguration, dns.exception.Timeout, OSError):
            return None, _FAILURE_KEPT
        except (dns.exception.DNSException, UnicodeError, ValueError):
            # No name, or an answer that makes no sense, such as aliases in a ring: nobody can publish in this way.
            return (), _NOTHING_KEPT
        lasts = answer.expiration - time.time()
        return _records(answer, kind), min(max(lasts, _SHORTEST_KEPT), _LONGEST_KEPT)

    def _resolver(self) -> dns.resolver.Resolver:
        if self._asks is None:
            asks = dns.resolver.Resolver(configure=self._server is None)
            if self._server is not None:
                asks.nameservers = [socket.gethostbyname(self._server.host)]
                asks.port = self._server.port
            asks.timeout = _QUESTION_SECONDS
            self._asks = asks
        return self._asks


def _records(answer: dns.resolver.Answer, kind: str) -> Records:
    if kind == "TXT":
        texts = (b"".join(record.strings) for record in answer)
        return tuple(text for text in texts if len(text) <= _LONGEST_TXT)
    if kind == "MX":
        return tuple((record.preference, record.exchange.to_text(omit_final_dot=True)) for record in answer)
    if kind == "PTR":
        return tuple(record.target.to_text(omit_final_dot=True) for record in answer)
    return tuple(record.address for record in answer)
