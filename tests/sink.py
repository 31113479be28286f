"""A small real SMTP server for tests, which answers as the test wants."""

from __future__ import annotations

import asyncio
import contextlib
import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.servers import PASSWORD, Certificate


@dataclass
class Sink:
    """A small SMTP server that answers as a test wants and keeps what it took.

    replies: stage ("EHLO", "MAIL", "RCPT", "DATA") to the answers of the next calls; "drop" closes the
    connection instead, "stall" never answers. Where none is left the answer is good.
    """

    port: int = 0
    replies: dict[str, list[str]] = field(default_factory=dict)
    taken: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    connections: list[SMTP] = field(default_factory=list)

    def drop_all(self) -> None:
        """Close every connection under the peers, as a server that restarts does."""
        for connection in self.connections:
            if connection.transport:
                connection.transport.abort()

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, lines: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [await self._answer("EHLO", server, "")] if self.replies.get("EHLO") else lines

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = await self._answer("MAIL", server, "250 2.1.0 OK")
        if answer.startswith("2"):
            envelope.mail_from = address
            envelope.mail_options = options
        return answer

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = await self._answer("RCPT", server, "250 2.1.5 OK")
        if answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.taken.append((envelope.mail_from or "", envelope.rcpt_tos, envelope.content))
        return await self._answer("DATA", server, "250 2.0.0 OK")

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False)

    async def _answer(self, stage: str, server: SMTP, good: str) -> str:
        answers = self.replies.get(stage)
        answer = answers.pop(0) if answers else good
        if answer == "drop":
            server.transport.abort()
        elif answer == "stall":
            await asyncio.Event().wait()
        return answer


@contextlib.asynccontextmanager
async def sink(
    cert: Certificate | None = None, implicit: bool = False, auth: bool = False, kind: type[Sink] = Sink
) -> AsyncIterator[Sink]:
    """A `Sink` on a free port of this event loop; with a certificate it offers STARTTLS."""
    handler = kind()
    loop = asyncio.get_running_loop()
    context = cert.context() if cert else None

    def connection() -> SMTP:
        with warnings.catch_warnings(action="ignore"):  # AUTH without TLS: just what a test wants
            protocol = SMTP(
                handler,
                hostname="sink.example",
                loop=loop,
                tls_context=None if implicit else context,
                authenticator=handler.authenticate if auth else None,
                auth_require_tls=False,
                auth_required=auth,
            )
        handler.connections.append(protocol)
        return protocol

    server = await loop.create_server(connection, "127.0.0.1", 0, ssl=context if implicit else None)
    handler.port = server.sockets[0].getsockname()[1]
    try:
        yield handler
    finally:
        server.close()
        handler.drop_all()
        await server.wait_closed()
