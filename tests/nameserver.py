"""A DNS server on loopback with records of the test's own, and the ways in which such servers fail."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from dnslib import CNAME, MX, QTYPE, RCODE, RR, TXT, A
from dnslib.dns import DNSError, DNSRecord
from dnslib.server import BaseResolver, DNSLogger, DNSServer

NEVER = "never answers"
SERVFAIL = "answers that it cannot"


@dataclass
class Names(BaseResolver):
    """What it knows: `texts[name]` and so on, or a failure for a name in `trouble`. asked: how often, by name."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    addresses: dict[str, list[str]] = field(default_factory=dict)
    exchanges: dict[str, list[str]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    trouble: dict[str, str] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    port: int = 0
    ttl: int = 300

    def resolve(self, request: DNSRecord, handler: object) -> DNSRecord:
        name, kind = str(request.q.qname).rstrip(".").lower(), QTYPE[request.q.qtype]
        self.asked[name] += 1
        trouble = self.trouble.get(name, self.trouble.get("*", ""))
        if trouble == NEVER:
            raise _Silence
        reply = request.reply()
        if trouble == SERVFAIL:
            reply.header.rcode = RCODE.SERVFAIL
            return reply
        for _ in range(len(self.aliases) + 1):
            if name not in self.aliases:
                break
            reply.add_answer(RR(name, QTYPE.CNAME, rdata=CNAME(self.aliases[name]), ttl=self.ttl))
            name = self.aliases[name]
        for record in self._records(name, kind):
            reply.add_answer(RR(name, getattr(QTYPE, kind), rdata=record, ttl=self.ttl))
        if not reply.rr:
            reply.header.rcode = RCODE.NXDOMAIN
        return reply

    def _records(self, name: str, kind: str) -> Iterator[object]:
        if kind == "TXT":
            for text in self.texts.get(name, ()):
                yield TXT([text[at : at + 255].encode() for at in range(0, len(text), 255)])
        elif kind == "A":
            yield from (A(address) for address in self.addresses.get(name, ()))
        elif kind == "MX":
            yield from (MX(host, 10) for host in self.exchanges.get(name, ()))


class _Silence(DNSError):
    """The question is not answered."""


class _Quiet(DNSLogger):
    def log_error(self, handler: object, error: BaseException) -> None:
        """Silence is meant."""


@contextlib.contextmanager
def nameserver() -> Iterator[Names]:
    """A server for UDP and TCP on one port, until the block ends."""
    names = Names()
    udp, tcp = _on_one_port(names)
    names.port = udp.server.server_address[1]
    for server in (udp, tcp):
        threading.Thread(target=server.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield names
    finally:
        for server in (udp, tcp):
            server.server.shutdown()
            server.server.server_close()


def _on_one_port(names: Names) -> tuple[DNSServer, DNSServer]:
    """A port that is free for UDP may be somebody's for TCP: then another one is tried."""
    quiet = _Quiet("-request,-reply,-truncated,-error")
    while True:
        udp = DNSServer(names, port=0, address="127.0.0.1", logger=quiet)
        try:
            return udp, DNSServer(names, port=udp.server.server_address[1], address="127.0.0.1", tcp=True, logger=quiet)
        except OSError:
            udp.server.server_close()
