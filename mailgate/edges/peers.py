"""How much a peer may ask of the gateway. Beyond that it is sent away for now (421), and honest mail goes on beside it.

Only what is taken counts for a peer: a connection that brings mail may go on for ever, one that does not has an end.
"""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address


@dataclass(frozen=True, slots=True)
class Bounds:
    """connections: at once, of all peers; peer_connections: of one. commands, errors: since a connection's last mail.

    peer_errors: of all connections of a peer, in `peer_seconds`. silent_seconds: between two packets (RFC 5321 section
    4.5.3.2 asks for 5 minutes). mail_seconds: from the beginning, or the last mail, to the next, which may be big and
    the line poor.
    """

    connections: int = 200
    peer_connections: int = 50
    commands: int = 1_000
    errors: int = 50
    peer_errors: int = 300
    peer_seconds: float = 600
    silent_seconds: float = 300
    mail_seconds: float = 3_600


# Peers that are remembered for their errors; whoever comes from more addresses is not stopped by counting.
_MOST_PEERS = 10_000


def here(peer: str) -> bool:
    """Whether a peer is on this machine: there our own mail server speaks for the whole world."""
    try:
        return ip_address(peer).is_loopback
    except ValueError:
        return True  # a Unix socket


def ours(peer: str, relays: Iterable[IPv4Network | IPv6Network]) -> bool:
    """Whether a peer is here, or one of our own mail servers ([trust])."""
    return here(peer) or any(ip_address(peer) in network for network in relays)


class Peers:
    """Who is connected, and who made errors of late. ours: whether a peer is a mail server of our own."""

    def __init__(
        self,
        bounds: Bounds | None = None,
        ours: Callable[[str], bool] = here,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.bounds = bounds or Bounds()
        self._ours = ours
        self._clock = clock
        self._open: Counter[str] = Counter()
        self._errors: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def refusal(self, peer: str) -> str:
        """The reply to a peer that may not connect now, "" to one that may."""
        if self._open.total() >= self.bounds.connections:
            return "421 4.3.2 Too many connections, try again later"
        if self._ours(peer):
            return ""
        if self._open[peer] >= self.bounds.peer_connections:
            return "421 4.7.0 Too many connections from you, try again later"
        if self._recent(peer) >= self.bounds.peer_errors:
            return "421 4.7.0 Too many errors from you, try again later"
        return ""

    def came(self, peer: str) -> None:
        """A connection begins."""
        self._open[peer] += 1

    def went(self, peer: str) -> None:
        """A connection is over."""
        self._open[peer] -= 1
        if self._open[peer] <= 0:
            del self._open[peer]

    def erred(self, peer: str) -> None:
        """A command of a peer was refused for good."""
        count = self._recent(peer)
        begun = self._errors[peer][1] if count else self._clock()
        self._errors[peer] = (count + 1, begun)
        self._errors.move_to_end(peer)
        if len(self._errors) > _MOST_PEERS:
            self._errors.popitem(last=False)

    def _recent(self, peer: str) -> int:
        count, begun = self._errors.get(peer, (0, 0.0))
        return count if self._clock() - begun < self.bounds.peer_seconds else 0
