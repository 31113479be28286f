"""The gateway: SMTP (RFC 5321) and LMTP (RFC 2033) on asyncio. No SQL, no rules of the desk, no templates."""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Session
from aiosmtpd.smtp import Envelope as Session_Envelope

from mailgate.core import address
from mailgate.core.mail import Envelope, Source
from mailgate.core.settings.fields import Endpoint
from mailgate.core.settings.servers import Smtp as Settings
from mailgate.edges import listening
from mailgate.edges.named_files import tls_context
from mailgate.edges.peers import Peers
from mailgate.edges.signin import SignIn
from mailgate.errors import MailgateError, MailTooBig, RulesError, StoreUnavailable, UnknownRecipient

log = logging.getLogger("mailgate.smtp")

# Old programs send lines longer than RFC 5321 allows; refusing them for good would lose mail.
_LONGEST_LINE = 1_000_000
# More is no support mail; RFC 5321 section 4.5.3.1.8 asks for at least 100.
_MOST_RECIPIENTS = 100
_CLOSING_SECONDS = 5.0

# The usual form of MAIL FROM and RCPT TO (RFC 5321 section 4.1.2), and what follows it.
_ATOM = r"[\w!#$%&'*+/=?^`{|}~-]+"
_LABEL = r"[A-Za-z0-9-]+"
_PLAIN_PATH = re.compile(rf"<({_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*)>[ \t]*(.*)", re.ASCII)

Take = Callable[[bytes, Envelope], Awaitable[int]]
Desks = Callable[[], frozenset[str]]


class _Hooked:
    """Lists only what aiosmtpd looks for, which goes through all that an object has for each connection."""

    _hooks: tuple[str, ...] = ()

    def __init_subclass__(cls) -> None:
        cls._hooks = tuple(name for name in dir(cls) if name.startswith(("smtp_", "auth_", "handle_")))

    def __dir__(self) -> tuple[str, ...]:
        return self._hooks


class Handler(_Hooked):
    """What aiosmtpd calls. Translates, hands over, and translates the outcome back."""

    def __init__(self, take: Take, desks: Desks, source: Source) -> None:
        self._take = take
        self._desks = desks
        self._source = source

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Session_Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Announce what works besides what aiosmtpd announces (RFC 2920, RFC 2034)."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", "250-ENHANCEDSTATUSCODES", responses[-1]]

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Session_Envelope, recipient: str, options: list[str]
    ) -> str:
        """Only the desk's own addresses; no relay, ever."""
        if not address.is_desk(recipient, self._desks()):
            log.info("refused recipient", extra={"peer": _peer(session)})
            return UnknownRecipient.smtp_reply
        if len(envelope.rcpt_tos) >= _MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(recipient)
        return "250 2.1.5 Recipient ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Session_Envelope) -> str:
        """Keep the message. 250 is said only after the commit that holds it.

        Shielded: a peer that hangs up now must not leave half a commit behind. A failure is answered
        here: raised, it would leave the transaction of the session open, and the next MAIL get a 503.
        """
        content = envelope.content
        raw = content if isinstance(content, bytes) else b""
        sender = "" if envelope.mail_from in (None, "<>") else str(envelope.mail_from)
        helo, user = session.host_name or "", session.auth_data
        user = user if isinstance(user, str) else ""
        kept = Envelope(self._source, sender, tuple(envelope.rcpt_tos), _peer(session), helo, user)
        try:
            number = await asyncio.shield(asyncio.ensure_future(self._take(raw, kept)))
        except Exception as error:  # noqa: BLE001 - whatever it was, the peer keeps the mail
            return await self.handle_exception(error)
        server.mail_taken()  # type: ignore[attr-defined]
        return f"250 2.0.0 Kept as {number}"

    async def handle_exception(self, error: Exception) -> str:
        """Our own failures are temporary: the peer keeps the mail. aiosmtpd alone would answer 500."""
        if isinstance(error, StoreUnavailable):
            log.warning("%s", error)
        else:
            log.error("could not take a message", exc_info=error)
        return error.smtp_reply if isinstance(error, MailgateError) else MailgateError.smtp_reply


class _WholeLines(asyncio.StreamReader):
    """Gives what is there of a mail in pieces of many lines, where aiosmtpd asks for one line after the other.

    Only smtp_DATA asks for CRLF. It looks for a dot at the beginning of what it gets, so a piece
    ends before the next line that begins with one, and such a line comes alone.
    """

    async def readuntil(self, separator: Any = b"\n") -> bytes:
        length = self._whole_lines() if separator == b"\r\n" else 0
        return await (self.readexactly(length) if length else super().readuntil(separator))

    def _whole_lines(self) -> int:
        """How many bytes of whole lines can be given now; 0 where the next line must be waited for, or come alone."""
        buffer: bytearray = self._buffer  # type: ignore[attr-defined]
        if buffer.startswith(b"."):
            return 0
        end = buffer.find(b"\r\n.", 0, _LONGEST_LINE)
        if end < 0:
            end = buffer.rfind(b"\r\n", 0, _LONGEST_LINE)
        return 0 if end < 0 else end + 2


class _Bounded(_Hooked):
    """A connection that counts what it is sent and asked, and is closed when that is too much, or comes too slowly.

    aiosmtpd buffers a line without CRLF without limit, whatever its data_size_limit says; its timer ends a mail that
    comes slowly and lets a peer that says NOOP stay for ever.
    """

    _gate: Gate
    _reader: Any
    _timeout_handle: asyncio.TimerHandle | None
    loop: asyncio.AbstractEventLoop
    transport: Any
    _received = 0
    _refused = False
    _begun = ""
    _peer = ""
    _commands = 0
    _errors = 0
    _heard = 0.0
    _since = 0.0
    line_length_limit = _LONGEST_LINE

    def connection_made(self, transport: Any) -> None:
        if self not in self._gate.open:  # else it is the same one, under TLS now
            self._peer = _address(transport.get_extra_info("peername"))
            if refusal := self._gate.peers.refusal(self._peer):
                self._refused = True
                transport.write(f"{refusal}\r\n".encode())
                transport.close()
                return
            self._gate.open.add(self)
            self._gate.peers.came(self._peer)
            self._since = self._now()
        super().connection_made(transport)  # type: ignore[misc]

    def _cb_client_connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reader.__class__ = _WholeLines  # aiosmtpd makes the reader itself
        super()._cb_client_connected(reader, writer)  # type: ignore[misc]

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """Address and parameters; aiosmtpd's own way makes two classes at each call, and a tree for each address."""
        plain = _PLAIN_PATH.fullmatch(arg)
        return (plain[1], plain[2]) if plain else super()._getaddr(arg)  # type: ignore[misc]

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._received += len(data)
        self._heard = self._now()
        if self._received > self._gate.most_received:
            self.transport.abort()
            return
        super().data_received(data)  # type: ignore[misc]

    def eof_received(self) -> bool | None:
        return None if self._refused else super().eof_received()  # type: ignore[misc]

    def connection_lost(self, error: Exception | None) -> None:
        if self in self._gate.open:
            self._gate.open.discard(self)
            self._gate.peers.went(self._peer)
        if not self._refused:
            super().connection_lost(error)  # type: ignore[misc]

    async def push(self, status: Any) -> None:
        """Say our own words where aiosmtpd's lack the enhanced code, and the lines of one reply at once."""
        if isinstance(status, str) and status[3:4] == "-":
            self._begun += f"{status}\r\n"
            return
        if isinstance(status, str) and status.startswith("552 "):
            status = MailTooBig.smtp_reply
        if isinstance(status, str) and status.startswith("5") and self._err():
            self._goodbye("421 4.7.0 Too many errors, goodbye")
            return
        begun, self._begun = self._begun, ""
        await super().push(begun + status if begun else status)  # type: ignore[misc]

    def _set_post_data_state(self) -> None:
        self._received = 0
        super()._set_post_data_state()  # type: ignore[misc]

    def mail_taken(self) -> None:
        """A peer that brings mail begins anew."""
        self._commands = self._errors = 0
        self._since = self._now()

    def _err(self) -> bool:
        """Count an error; whether it is one too many."""
        self._errors += 1
        self._gate.peers.erred(self._peer)
        return self._errors > self._gate.peers.bounds.errors

    def _reset_timeout(self, duration: float | None = None) -> None:
        """What aiosmtpd calls at the beginning and before each command: one timer, which looks when something came."""
        self._heard = self._now()
        self._commands += 1
        if self._commands > self._gate.peers.bounds.commands:
            self._goodbye("421 4.7.0 Too many commands, goodbye")
        elif self._timeout_handle is None:
            self._look_again(self._gate.peers.bounds.silent_seconds)

    def _look_again(self, seconds: float) -> None:
        self._timeout_handle = self.loop.call_later(seconds, self._timeout_cb)

    def _timeout_cb(self) -> None:
        bounds, now = self._gate.peers.bounds, self._now()
        left = min(self._heard + bounds.silent_seconds, self._since + bounds.mail_seconds) - now
        if _busy(self):
            self._look_again(bounds.silent_seconds)  # it is we who are slow
        elif left > 0:
            self._look_again(left)
        else:
            self._goodbye("421 4.4.2 Too slow, goodbye")

    def _goodbye(self, reply: str) -> None:
        """Send the peer away; what it has said already is not listened to."""
        log.info("sent away: %s", reply, extra={"peer": self._peer})
        self._reader._buffer.clear()
        self.transport.write(f"{reply}\r\n".encode())
        self.transport.close()

    def _now(self) -> float:
        return self.loop.time()


class _SmtpConnection(_Bounded, SMTP):
    """SMTP with bounds. A browser that is made to speak to us is not listened to: what it posts could be a mail."""

    async def smtp_GET(self, arg: str) -> None:
        """Not SMTP."""
        self._goodbye("421 4.7.0 This is no web server")

    smtp_POST = smtp_PUT = smtp_CONNECT = smtp_GET  # noqa: N815 - aiosmtpd finds them by these names


class _LmtpConnection(_Bounded, LMTP):
    """LMTP with bounds and with one reply for each recipient after the data (RFC 2033 section 4.2).

    aiosmtpd gives one for all; a real MTA then waits for the others and delivers again.
    """

    _replies = 0

    async def smtp_DATA(self, arg: str) -> None:
        """Remember how many replies the peer waits for."""
        self._replies = len(self.envelope.rcpt_tos) if self.envelope else 0
        try:
            await super().smtp_DATA(arg)
        finally:
            self._replies = 0

    async def push(self, status: Any) -> None:
        """Give the final reply once for each recipient; 354 comes before it and stands alone."""
        final = self._replies and not str(status).startswith("354")
        for _ in range(self._replies if final else 1):
            await super().push(status)
        if final:
            self._replies = 0


class Gate:
    """One listening address. settings: asked for each connection, so that a reload counts for the next.

    folder: of rules.toml, from which the paths of certificate and key count.
    """

    def __init__(
        self,
        listen: Endpoint,
        settings: Callable[[], Settings],
        handler: Handler,
        *,
        lmtp: bool = False,
        sign_in: SignIn | None = None,
        peers: Peers | None = None,
        folder: Path = Path(),
    ) -> None:
        self._listen = listen
        self._folder = folder
        self._tls: ssl.SSLContext | None = None
        self.open: set[_Bounded] = set()
        self._settings = settings
        self._handler = handler
        self._sign_in = sign_in
        self.peers = peers or Peers()
        self._kind: type[SMTP] = _LmtpConnection if lmtp else _SmtpConnection
        self._name = "lmtp" if lmtp else "smtp"
        self._servers: list[asyncio.Server] = []

    async def start(self) -> None:
        """Begin to listen. Raises OSError where the address cannot be had."""
        self._servers = await listening.listen(self._listen, self._name, self._connection)

    @property
    def port(self) -> int:
        """The TCP port, also where the system chose it (port 0)."""
        return int(self._servers[0].sockets[0].getsockname()[1])

    @property
    def place(self) -> str:
        """Where peers reach it, for people to read."""
        return listening.place(self._listen, self._servers)

    async def stop(self) -> None:
        """Listen no more; let the messages under way be answered, then close."""
        for server in self._servers:
            server.close()
        deadline = asyncio.get_running_loop().time() + _CLOSING_SECONDS
        while any(_busy(connection) for connection in self.open):
            if asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(0.02)
        for connection in list(self.open):
            connection.transport.close()

    @property
    def most_received(self) -> int:
        """Room for a message with the dots and folds of the wire; beyond it the peer is not honest."""
        return 2 * self._settings().max_size + 1_000_000

    def _connection(self) -> Any:
        settings = self._settings()
        try:
            self._tls = tls_context(settings, self._folder)
        except RulesError as error:  # half renewed: those of before still serve
            log.warning("%s", error)
        connection: Any = self._kind(
            self._handler,
            hostname="mailgate",  # else every connection looks its own name up, blocking
            ident="ESMTP mailgate",
            data_size_limit=settings.max_size,
            enable_SMTPUTF8=True,
            tls_context=self._tls,
            authenticator=self._sign_in if self._sign_in and self._sign_in.offered else None,
            loop=asyncio.get_running_loop(),
        )
        connection._gate = self
        return connection


def quiet_libraries() -> None:
    """aiosmtpd logs every command at INFO and mail text at DEBUG: neither may reach a log."""
    logging.getLogger("mail.log").setLevel(logging.ERROR)


def _busy(connection: Any) -> bool:
    """Whether a message of this connection is between DATA and its reply."""
    return bool(connection.envelope and connection.envelope.content)


def _peer(session: Session) -> str:
    return _address(session.peer)


def _address(peer: Any) -> str:
    return str(peer[0]) if isinstance(peer, tuple) else str(peer or "local")
