"""A wire between a client and a server that can be cut, or fall silent, after so many bytes."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator


class Wire:
    """Passes bytes on. Each new connection takes the next fault of `faults`; none is left, it is sound.

    A fault is how many bytes of the server's get through, and whether the wire is cut then or goes silent.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.faults: list[tuple[int, bool]] = []
        self.connections = 0
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_after(self, *octets: int) -> None:
        """Cut the next connections, each after so many bytes."""
        self.faults += [(count, True) for count in octets]

    def stall_after(self, *octets: int) -> None:
        """Let the next connections go silent, each after so many bytes; they stay open."""
        self.faults += [(count, False) for count in octets]

    def silence(self) -> None:
        """Let nothing more through on the connections that there are, as a router does that forgot them."""
        with self._lock:
            self._silent = set(self._sockets)

    def hang_up(self) -> None:
        """Cut the connections that there are."""
        with self._lock:
            for sock in self._sockets:
                _hang_up(sock)

    def close(self) -> None:
        self._listener.close()
        self.hang_up()

    _silent: frozenset[socket.socket] | set[socket.socket] = frozenset()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                fault = self.faults.pop(0) if self.faults else None
                try:
                    server = socket.create_connection(("127.0.0.1", self._to), 5)
                except OSError:
                    _hang_up(client)
                    continue
                with self._lock:
                    self._sockets += [client, server]
                threading.Thread(target=self._pump, args=(client, server, None), daemon=True).start()
                threading.Thread(target=self._pump, args=(server, client, fault), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, fault: tuple[int, bool] | None) -> None:
        """Pass on what one side says until it ends, or as far as the fault lets it through."""
        left, cut = fault or (0, False)
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if source in self._silent:
                    continue
                if fault is None:
                    target.sendall(data)
                    continue
                target.sendall(data[:left])
                left = max(left - len(data), 0)
                if not left:
                    if cut:
                        break
                    return
        _hang_up(source)
        _hang_up(target)


def _hang_up(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()


@contextlib.contextmanager
def wire(port: int) -> Iterator[Wire]:
    """A wire to a port of this machine."""
    made = Wire(port)
    try:
        yield made
    finally:
        made.close()


@contextlib.contextmanager
def deaf() -> Iterator[int]:
    """A port where whoever connects waits, as at a firewall that throws away what comes."""
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as listener,
        socket.create_connection(listener.getsockname()),  # there is no room for a second
    ):
        yield listener.getsockname()[1]
