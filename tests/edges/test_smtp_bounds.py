"""What the gateway does with peers that ask too much, over real sockets; and that honest mail goes on beside them."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mailgate.core.mail import Envelope
from mailgate.core.settings.fields import Endpoint
from mailgate.core.settings.servers import Smtp
from mailgate.edges.peers import Bounds, Peers, ours
from mailgate.edges.smtp import Gate, Handler
from tests.servers import eventually

MAIL = b"Subject: a\r\n\r\nx\r\n.\r\n"
ENVELOPE = (b"MAIL FROM:<ana@acme.example>", b"RCPT TO:<soporte@example.es>", b"DATA")


class Wire:
    """A connection to the gateway."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def reply(self) -> str:
        """The next reply, its last line; "" where the connection is closed."""
        with contextlib.suppress(ConnectionError):
            while (line := await asyncio.wait_for(self.reader.readline(), 10))[3:4] == b"-":
                pass
            return line.decode().strip()
        return ""

    async def say(self, line: bytes) -> str:
        with contextlib.suppress(ConnectionError):
            self.writer.write(line + b"\r\n")
            await self.writer.drain()
        return await self.reply()

    async def send_mail(self) -> str:
        for line in ENVELOPE:
            assert (await self.say(line))[:1] in ("2", "3")
        self.writer.write(MAIL)
        return await self.reply()

    async def last_reply(self) -> str:
        """What the gateway says before it closes the connection."""
        said = ""
        while line := await self.reply():
            said = line
        return said

    async def is_closed(self) -> bool:
        while line := await self.reply():
            assert line[:3] in ("421", "503", "500"), line
        return True


class Gateway:
    """A gateway whose peers are strangers, with small bounds."""

    def __init__(self, **bounds: Any) -> None:
        self.mails: list[bytes] = []
        self._wires: list[Wire] = []
        handler = Handler(self._take, lambda: frozenset({"soporte@example.es"}), "smtp")
        peers = Peers(Bounds(**bounds), ours=lambda peer: False)
        self.gate = Gate(Endpoint("tcp", "127.0.0.1", 0), lambda: Smtp(max_size="1MB"), handler, peers=peers)

    async def _take(self, raw: bytes, envelope: Envelope) -> int:
        self.mails.append(raw)
        return len(self.mails)

    async def connect(self, host: str = "127.0.0.1") -> tuple[Wire, str]:
        """A connection from an address, and what it is greeted with."""
        wire = Wire(*await asyncio.open_connection("127.0.0.1", self.gate.port, local_addr=(host, 0)))
        self._wires.append(wire)
        return wire, await wire.reply()

    async def stop(self) -> None:
        """Close every connection, from both sides."""
        for wire in self._wires:
            wire.writer.close()
            with contextlib.suppress(ConnectionError):
                await wire.writer.wait_closed()
        await self.gate.stop()

    async def honest(self) -> bool:
        """Whether somebody else can bring a mail now."""
        wire, greeting = await self.connect("127.0.0.9")
        assert greeting[:3] == "220", greeting
        await wire.say(b"EHLO honest.example")
        taken = await wire.send_mail()
        wire.writer.close()
        return taken[:3] == "250"


@asynccontextmanager
async def gateway(**bounds: Any) -> AsyncIterator[Gateway]:
    it = Gateway(**bounds)
    await it.gate.start()
    try:
        yield it
    finally:
        await it.stop()


async def hello(it: Gateway, host: str = "127.0.0.1") -> Wire:
    wire, _ = await it.connect(host)
    await wire.say(b"EHLO peer.example")
    return wire


async def test_one_peer_cannot_take_every_connection() -> None:
    async with gateway(peer_connections=3) as it:
        wires = [await hello(it) for _ in range(3)]
        _, refusal = await it.connect()
        assert refusal.startswith("421 4.7.0")
        assert await it.honest()
        wires[0].writer.close()
        await asyncio.to_thread(eventually, lambda: len(it.gate.open) < 3)
        assert (await it.connect())[1].startswith("220")


async def test_all_peers_together_have_a_bound() -> None:
    async with gateway(connections=4) as it:
        kept = [await hello(it, f"127.0.0.{number}") for number in range(2, 6)]
        assert (await it.connect())[1].startswith("421 4.3.2")
        assert (await kept[0].send_mail())[:3] == "250"


async def test_relays_and_this_machine_may_connect_as_often_as_they_like() -> None:
    peers = Peers(Bounds(peer_connections=1, peer_errors=1), ours=lambda peer: ours(peer, ()))
    for _ in range(5):
        peers.came("127.0.0.1")
        peers.erred("127.0.0.1")
    assert peers.refusal("127.0.0.1") == peers.refusal("local") == ""
    peers.came("192.0.2.1")
    assert peers.refusal("192.0.2.1").startswith("421")


@pytest.mark.parametrize(
    "line",
    [
        b"RCPT TO:<nobody@example.es>",  # guessing addresses
        b"RCPT TO:<victim@elsewhere.example>",  # relaying
        b"MAIL FROM:<a@b.example> SIZE=9999999999",
        b"DATA now",
    ],
)
async def test_errors_have_an_end(line: bytes) -> None:
    async with gateway(errors=10) as it:
        wire = await hello(it)
        if line.startswith((b"RCPT", b"DATA")):
            await wire.say(ENVELOPE[0])
        said = [await wire.say(line) for _ in range(11)]
        assert {reply[:1] for reply in said[:10]} == {"5"}
        assert said[10] == "421 4.7.0 Too many errors, goodbye"
        assert await wire.is_closed()
        assert await it.honest()


async def test_what_was_pipelined_behind_the_last_error_is_not_heard() -> None:
    async with gateway(errors=2) as it:
        wire = await hello(it)
        bad = b"RCPT TO:<nobody@example.es>\r\n"
        wire.writer.write(ENVELOPE[0] + b"\r\n" + 3 * bad + b"\r\n".join(ENVELOPE[1:]) + b"\r\n" + MAIL)
        replies = [await wire.reply() for _ in range(4)]
        assert [reply[:3] for reply in replies] == ["250", "550", "550", "421"]
        assert await wire.is_closed()
        assert it.mails == []


async def test_errors_of_many_connections_keep_a_peer_out_for_a_while() -> None:
    async with gateway(peer_errors=6) as it:
        for _ in range(3):
            wire = await hello(it)
            await wire.say(ENVELOPE[0])
            for _ in range(2):
                await wire.say(b"RCPT TO:<nobody@example.es>")
            wire.writer.close()
        assert (await it.connect())[1].startswith("421 4.7.0")
        assert await it.honest()


def test_errors_are_forgotten() -> None:
    now = [0.0]
    peers = Peers(Bounds(peer_errors=1, peer_seconds=600), ours=lambda peer: False, clock=lambda: now[0])
    peers.erred("192.0.2.1")
    assert peers.refusal("192.0.2.1")
    now[0] = 601
    assert not peers.refusal("192.0.2.1")


async def test_commands_without_a_mail_have_an_end() -> None:
    async with gateway(commands=20) as it:
        wire = await hello(it)
        said = [await wire.say(b"NOOP") for _ in range(20)]
        assert any(reply.startswith("421 4.7.0") for reply in said)
        assert await wire.is_closed()


async def test_peer_that_brings_mail_may_go_on_for_ever() -> None:
    async with gateway(commands=20, errors=3, mail_seconds=5) as it:
        wire = await hello(it)
        for _ in range(30):
            assert (await wire.send_mail())[:3] == "250"
            await wire.say(ENVELOPE[0])
            assert (await wire.say(b"RCPT TO:<nobody@example.es>"))[:3] == "550"
            await wire.say(b"RSET")
        assert len(it.mails) == 30


async def test_silent_peer_is_sent_away() -> None:
    async with gateway(silent_seconds=0.3) as it:
        wire = await hello(it)
        assert (await wire.reply()).startswith("421 4.4.2")
        assert await wire.is_closed()
        assert await it.honest()


@pytest.mark.parametrize("drip", [b"NOOP\r\n", b"N", b"DATA"])
async def test_peer_that_drips_is_sent_away_in_the_end(drip: bytes) -> None:
    """Each packet comes in time: commands, a line without end, a mail without end."""
    async with gateway(silent_seconds=1, mail_seconds=1) as it:
        wire = await hello(it)
        if drip == b"DATA":
            for line in ENVELOPE:
                await wire.say(line)
        replies = asyncio.ensure_future(wire.last_reply())
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                if replies.done():
                    break
                wire.writer.write(b"x\r\n" if drip == b"DATA" else drip)
                await wire.writer.drain()
                await asyncio.sleep(0.05)
        assert (await replies).startswith("421 4.4.2")
        assert it.mails == []


async def test_slow_but_honest_mail_arrives() -> None:
    """It takes longer than a silence may last, and is never silent for so long."""
    async with gateway(silent_seconds=0.5) as it:
        wire = await hello(it)
        for line in ENVELOPE:
            await wire.say(line)
        for _ in range(15):
            wire.writer.write(b"x" * 70 + b"\r\n")
            await wire.writer.drain()
            await asyncio.sleep(0.1)
        wire.writer.write(b".\r\n")
        assert (await wire.reply())[:3] == "250"


@pytest.mark.parametrize("verb", [b"GET / HTTP/1.1", b"POST / HTTP/1.1", b"CONNECT example.es:25 HTTP/1.1"])
async def test_browser_that_is_made_to_speak_smtp_is_not_heard(verb: bytes) -> None:
    async with gateway() as it:
        wire, _ = await it.connect()
        form = b"EHLO x\r\n" + b"\r\n".join(ENVELOPE) + b"\r\n" + MAIL
        assert (await wire.say(verb + b"\r\n" + form)).startswith("421")
        assert await wire.is_closed()
        assert it.mails == []


async def test_too_many_recipients_are_refused_for_now_and_the_mail_is_taken_for_the_others() -> None:
    async with gateway() as it:
        wire = await hello(it)
        await wire.say(ENVELOPE[0])
        said = [await wire.say(ENVELOPE[1]) for _ in range(101)]
        assert {reply[:3] for reply in said[:100]} == {"250"}
        assert said[100].startswith("452 4.5.3")
        await wire.say(b"DATA")
        assert (await wire.say(MAIL[:-2]))[:3] == "250"


async def test_certificate_that_is_half_renewed_leaves_the_one_before_in_use(
    own_certificate: Any, tmp_path: Path
) -> None:
    for file in (own_certificate.cert, own_certificate.key):
        shutil.copy(file, tmp_path)
    settings = Smtp(tls_cert_file="cert.pem", tls_key_file="key.pem")
    it = Gateway()
    it.gate._settings, it.gate._folder = (lambda: settings), tmp_path
    await it.gate.start()
    for _ in range(2):
        wire = await hello(it)
        assert (await wire.say(b"STARTTLS"))[:3] == "220"
        (tmp_path / "key.pem").write_bytes(b"half")
    await it.stop()


async def test_commands_before_tls_do_not_count_inside_it(own_certificate: Any) -> None:
    """What is pipelined behind STARTTLS in the clear is thrown away (RFC 3207 section 4.2)."""
    settings = Smtp(tls_cert_file=str(own_certificate.cert), tls_key_file=str(own_certificate.key))
    it = Gateway()
    it.gate._settings = lambda: settings
    await it.gate.start()
    wire = await hello(it)
    context = ssl.create_default_context(cafile=str(own_certificate.cert))
    wire.writer.write(b"STARTTLS\r\nMAIL FROM:<injected@x.example>\r\n")
    assert (await wire.reply())[:3] == "220"
    await wire.writer.start_tls(context, server_hostname="localhost")
    assert (await wire.say(b"RCPT TO:<soporte@example.es>"))[:3] == "503"
    await wire.say(b"EHLO peer.example")
    assert (await wire.send_mail())[:3] == "250"
    await it.stop()
