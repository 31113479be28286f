"""Bring mails to the desk: over SMTP, on so many connections, or into a mailbox."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.bench.corpus import DESK, Mail


@dataclass(frozen=True, slots=True)
class Taken:
    """mail: number in the corpus. journal: the desk's number. at: monotonic seconds when it said 250."""

    mail: int
    journal: int
    at: float


class Peer:
    """One SMTP connection, as lean as it can be, since it shares the machine with what it measures."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._expect(b"220")
        self._say(b"EHLO bench.local\r\n", b"250")

    def send(self, mail: Mail) -> Taken:
        """Hand one mail over. Raises ConnectionError for any answer but the good one."""
        self._say(b"MAIL FROM:<%s>\r\n" % mail.sender.encode(), b"250")
        self._say(b"RCPT TO:<%s>\r\n" % DESK.encode(), b"250")
        self._say(b"DATA\r\n", b"354")
        answer = self._say(_wire(mail.raw), b"250")
        return Taken(mail.number, int(answer.split()[-1]), time.monotonic())

    def close(self) -> None:
        self._socket.sendall(b"QUIT\r\n")
        self._socket.close()

    def _say(self, line: bytes, good: bytes) -> bytes:
        self._socket.sendall(line)
        return self._expect(good)

    def _expect(self, good: bytes) -> bytes:
        answer = b""
        while not (answer.endswith(b"\r\n") and answer.rstrip().rsplit(b"\r\n", 1)[-1][3:4] == b" "):
            received = self._socket.recv(4096)
            if not received:
                raise ConnectionError(f"hung up after {answer!r}")
            answer += received
        if not answer.startswith(good):
            raise ConnectionError(answer.decode("latin1"))
        return answer


def over_smtp(port: int, mails: Sequence[Mail], connections: int, kept: bool) -> list[Taken]:
    """Feed the mails from so many connections at once; kept: one connection for many mails, else one for each."""
    waiting = iter(mails)
    lock = threading.Lock()
    taken: list[Taken] = []
    failures: list[Exception] = []

    def next_mails() -> Iterator[Mail]:
        while True:
            with lock:
                mail = next(waiting, None)
            if mail is None:
                return
            yield mail

    def worker() -> None:
        peer = None
        try:
            for mail in next_mails():
                peer = peer or Peer(port)
                taken.append(peer.send(mail))
                if not kept:
                    peer.close()
                    peer = None
            if peer:
                peer.close()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=worker) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return taken


def _wire(raw: bytes) -> bytes:
    """The mail as it goes after DATA (RFC 5321 section 4.5.2)."""
    stuffed = raw.replace(b"\r\n.", b"\r\n..")
    return stuffed + (b"" if stuffed.endswith(b"\r\n") else b"\r\n") + b".\r\n"
