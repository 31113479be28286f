"""The lines of a mail as the gateway reads them: in pieces of many, and still each dot where it belongs."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Iterator

import pytest

from mailgate.core.mail import Envelope
from mailgate.core.settings.fields import Endpoint
from mailgate.core.settings.servers import Smtp
from mailgate.edges.smtp import Gate, Handler

LONGEST = 1_000_000
MAX_SIZE = 3 * 1024**2
Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Taker:
    """Keeps what the gateway takes."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def take(self, raw: bytes, envelope: Envelope) -> int:
        self.mails.append(raw)
        return len(self.mails)


@pytest.fixture
def taker() -> Taker:
    return Taker()


@pytest.fixture
async def wire(taker: Taker) -> AsyncIterator[Wire]:
    """A connection to a gateway, ready for MAIL."""
    settings = Smtp(max_size="3MB")
    handler = Handler(taker.take, lambda: frozenset({"soporte@example.es"}), "smtp")
    gate = Gate(Endpoint("tcp", "127.0.0.1", 0), lambda: settings, handler)
    await gate.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", gate.port)
    await reader.readline()
    await asked(reader, writer, b"EHLO peer.example\r\n")
    yield reader, writer
    writer.close()
    await gate.stop()


async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: bytes) -> bytes:
    writer.write(line)
    while (answer := await reader.readline())[3:4] == b"-":
        pass
    return answer


async def sent(wire: Wire, pieces: Iterator[bytes]) -> bytes:
    """The answer to a mail that comes in these pieces, as they stand on the wire."""
    reader, writer = wire
    for line in (b"MAIL FROM:<ana@acme.example>\r\n", b"RCPT TO:<soporte@example.es>\r\n", b"DATA\r\n"):
        assert (await asked(reader, writer, line))[:1] in b"23"
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)
    return await reader.readline()


def stuffed(mail: bytes) -> bytes:
    """RFC 5321 section 4.5.2."""
    return (b"\r\n" + mail).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"


def cut(wire: bytes, chance: random.Random) -> Iterator[bytes]:
    at = 0
    while at < len(wire):
        size = chance.choice((1, 2, 3, 50, 4_000, 70_000))
        yield wire[at : at + size]
        at += size


LINES = (b"", b".", b"..", b".x", b"x", b"x.", b"\r", b"\n.", b"a\nb", b"x" * 80, b"x" * 3_000, b"\0")


async def test_any_lines_in_any_packets_arrive_byte_for_byte(wire: Wire, taker: Taker):
    for seed in range(150):
        chance = random.Random(seed)
        mail = b"".join(chance.choice(LINES) + b"\r\n" for _ in range(chance.randrange(1, 60)))
        assert (await sent(wire, cut(stuffed(mail), chance)))[:3] == b"250"
        assert taker.mails.pop() == mail, seed


async def test_what_follows_the_end_of_a_mail_is_a_command(wire: Wire, taker: Taker):
    reader, _ = wire
    assert (await sent(wire, iter([b"Subject: a\r\n\r\nx\r\n.\r\nNOOP\r\n"])))[:3] == b"250"
    assert (await reader.readline())[:3] == b"250"
    assert taker.mails == [b"Subject: a\r\n\r\nx\r\n"]


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r.\r\n", b"\r\n.\n", b"\r\n.\r"])
async def test_other_line_ends_do_not_end_a_mail(wire: Wire, taker: Taker, end: bytes):
    smuggled = b"a" + end + b"MAIL FROM:<evil@x.example>\r\nRCPT TO:<soporte@example.es>\r\nDATA\r\n"
    assert (await sent(wire, iter([smuggled + b"x\r\n.\r\n"])))[:3] == b"250"
    assert len(taker.mails) == 1


@pytest.mark.parametrize(("length", "answer"), [(LONGEST - 2, b"250"), (LONGEST + 1, b"500")])
async def test_lines_have_a_longest_length_wherever_they_stand(wire: Wire, taker: Taker, length: int, answer: bytes):
    line = b"x" * length + b"\r\n"
    for before, after in itertools.product((b"", b"a\r\nb\r\n", b"a\r\n" * 90_000), (b"", b"c\r\n")):
        assert (await sent(wire, iter([before + line + after + b".\r\n"])))[:3] == answer
        assert taker.mails == ([before + line + after] if answer == b"250" else [])
        taker.mails.clear()


@pytest.mark.parametrize(("size", "answer"), [(MAX_SIZE, b"250"), (MAX_SIZE + 1, b"552")])
async def test_size_is_counted_to_the_byte(wire: Wire, taker: Taker, size: int, answer: bytes):
    lines = (b"x" * 70 + b"\r\n") * (size // 72)
    mail = lines[: size - 10] + b"y" * (size - len(lines[: size - 10]) - 2) + b"\r\n"
    assert len(mail) == size
    assert (await sent(wire, iter([mail + b".\r\n"])))[:3] == answer
