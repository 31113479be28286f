"""The roads out: a folder of .eml files, or an SMTP server that takes our mail from here.

What the other side does is never an exception: `send` says `Sent` or `Failed`. A mail may be sent
again after a crash; it keeps its file name and its Message-ID.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import aiosmtplib

from mailgate import config, disk
from mailgate.core.mail import ALARMS, Delivery, Due, Failed, Sent, file_name
from mailgate.core.retry import SIGN_IN_FIRST
from mailgate.core.settings.rules import Rules
from mailgate.core.settings.servers import Alarms, Outgoing
from mailgate.edges import tls
from mailgate.edges.dkim import Signer
from mailgate.edges.oauth import Access, Secret, hidden, secret_of
from mailgate.errors import NoToken, RulesError, RulesProblem

log = logging.getLogger("mailgate.outbound")

_CONNECT_SECONDS = 15
_COMMAND_SECONDS = 60
_TOTAL_SECONDS = 600
_ERROR_LENGTH = 300
_GOODBYE_SECONDS = 5
# dot-atom @ domain or address literal, ASCII (RFC 5321 section 4.1.2). Checked here because
# aiosmtplib cuts an address at a line break instead of refusing it.
_ADDRESS = re.compile(r"[\w!#$%&'*+/=?^`{|}~.-]{1,64}@[\w.:\[\]-]{1,255}", re.ASCII)


class Transport(Protocol):
    """A road out. Calls may overlap; each mail has its own outcome as soon as it is known."""

    async def send(self, mail: Due) -> Delivery:
        """Hand one mail over. Raises nothing for what the other side or the disk does."""
        ...

    async def close(self) -> None:
        """Let go of kept connections, after the mails under way."""
        ...


class FileTransport:
    """One .eml file per mail; the names sort by time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, mail: Due) -> Delivery:
        try:
            await asyncio.to_thread(self._write, mail)
        except OSError as error:
            return Failed(_one_line(f"{self._folder}: {error.strerror or error}"), hop=True)
        return Sent()

    async def close(self) -> None:
        """Nothing is kept open."""

    def _write(self, mail: Due) -> None:
        """Make the file durable under a name that depends on the mail alone: a repeat replaces it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        target = self._folder / file_name(mail.created_at, mail.id)
        draft = target.with_suffix(".tmp")
        with draft.open("wb") as file:
            file.write(mail.raw)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        disk.sync(self._folder)


class SmtpTransport:
    """Hands mails to an SMTP server over a few kept connections, one mail at a time on each.

    One mail takes at most ten minutes, plus the time until a connection is free.
    """

    def __init__(self, settings: Outgoing | Alarms, secret: Secret | None = None, connections: int = 4) -> None:
        self._secret = secret
        self._asking = asyncio.Lock()
        self._count = connections
        # Last in, first out: the connection used last is the least likely to have gone stale.
        self._free: asyncio.LifoQueue[aiosmtplib.SMTP] = asyncio.LifoQueue()
        for _ in range(connections):
            self._free.put_nowait(_connection(settings, secret, self._token))

    async def send(self, mail: Due) -> Delivery:
        return await self._hand_over(mail)

    async def would_take(self, mail: Due) -> Delivery:
        """Sign in and announce a mail, and go no further: nothing is sent."""
        return await self._hand_over(mail, ask=True)

    async def close(self) -> None:
        """Say goodbye on every connection, once no mail is under way on any."""
        connections = [await self._free.get() for _ in range(self._count)]
        for connection in connections:
            if connection.is_connected:
                with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                    await connection.quit(timeout=_GOODBYE_SECONDS)
            connection.close()
            self._free.put_nowait(connection)

    async def _hand_over(self, mail: Due, *, ask: bool = False) -> Delivery:
        if problem := _envelope_problem(mail):
            return Failed(problem, permanent=True)
        connection = await self._free.get()
        try:
            return await self._send_over(connection, mail, ask=ask)
        finally:
            self._free.put_nowait(connection)

    async def _send_over(self, connection: aiosmtplib.SMTP, mail: Due, *, ask: bool) -> Delivery:
        announced = False
        try:
            async with asyncio.timeout(_TOTAL_SECONDS):
                await _open_envelope(connection, mail)
                if ask:
                    await connection.rset()
                    return Sent()
                announced = True
                # No second attempt from here on: a server that falls silent after the final dot
                # may have the mail. The reply may take ten minutes (RFC 5321 section 4.5.3.2.6).
                await connection.data(mail.raw, timeout=_TOTAL_SECONDS)
        except aiosmtplib.SMTPResponseException as error:
            if isinstance(error, aiosmtplib.SMTPAuthenticationError) and isinstance(self._secret, Access):
                self._secret.spurn(self._secret.given)
            await _reset(connection)
            return Failed(self._words(f"{error.code} {error.message}"), _is_permanent(error))
        except (aiosmtplib.SMTPException, OSError, ValueError, NoToken) as error:
            connection.close()
            return Failed(self._words(str(error) or f"no answer within {_TOTAL_SECONDS} s"), hop=not announced)
        except asyncio.CancelledError:
            connection.close()
            raise
        return Sent()

    def _words(self, text: str) -> str:
        """An error for the outbox; a server that echoes our password does not get it in there."""
        return _one_line(hidden(text, self._secret))

    async def _token(self) -> str:
        """For a connection that is being made. One thread at most waits for the provider, however many there are."""
        assert isinstance(self._secret, Access)
        async with self._asking:
            return await asyncio.to_thread(self._secret.token)


class AlarmTransport:
    """Alarms go by a second server, and by the first where that one fails; all other mail goes by the first."""

    def __init__(self, first: Transport, second: Transport) -> None:
        self._first, self._second = first, second

    async def send(self, mail: Due) -> Delivery:
        if mail.template not in ALARMS:
            return await self._first.send(mail)
        fate = await self._second.send(mail)
        return await self._by_the_first(mail, fate) if isinstance(fate, Failed) else fate

    async def close(self) -> None:
        await self._first.close()
        await self._second.close()

    async def _by_the_first(self, mail: Due, failed: Failed) -> Delivery:
        fate = await self._first.send(mail)
        if isinstance(fate, Sent):
            log.warning("the server under [outgoing.alarms] does not take our mail: %s", failed.error)
            return fate
        error = _one_line(f"{failed.error}; by [outgoing]: {fate.error}")
        return Failed(error, failed.permanent and fate.permanent, failed.hop or fate.hop)


class SigningTransport:
    """Signs each mail, then hands it on."""

    def __init__(self, transport: Transport, signer: Signer) -> None:
        self._transport = transport
        self._signer = signer

    async def send(self, mail: Due) -> Delivery:
        raw = await asyncio.to_thread(self._signer.signed, mail.raw)
        return await self._transport.send(replace(mail, raw=raw))

    async def close(self) -> None:
        await self._transport.close()


def transport_for(rules: Rules, rules_path: Path, data: Path) -> Transport:
    """The roads out that `[outgoing]` names. Raises RulesError for a secret or key that cannot be used."""
    outgoing = rules.outgoing
    transport: Transport = (
        FileTransport(data / "outbox")
        if outgoing.via == "files"
        else SmtpTransport(outgoing, secret_of(outgoing, rules_path.parent, data))
    )
    if outgoing.alarms:
        second = SmtpTransport(outgoing.alarms, secret_of(outgoing.alarms, rules_path.parent, data), connections=1)
        transport = AlarmTransport(transport, second)
    signer = signer_of(rules, rules_path)
    return SigningTransport(transport, signer) if signer else transport


def signer_of(rules: Rules, rules_path: Path) -> Signer | None:
    """Who signs our mails; None where nobody does here. Raises RulesError for a key that cannot be used."""
    own = rules.outgoing.dkim
    if own is None:
        return None
    key = config.secret(own, rules_path.parent, "key") or ""
    try:
        return Signer(own.domain, own.selector, key.encode())
    except ValueError as error:
        raise RulesError([RulesProblem(own.key_file, 0, "outgoing.dkim.key_file", str(error))]) from error


def _connection(
    settings: Outgoing | Alarms, secret: Secret | None, token: Callable[[], Awaitable[str]]
) -> aiosmtplib.SMTP:
    """A connection that is not open yet. TLS is verified, and never given up for plain text."""
    return aiosmtplib.SMTP(
        hostname=settings.host,
        port=settings.port,
        username=settings.user or None,
        password=secret if settings.user and isinstance(secret, str) else None,
        oauth_token_generator=token if isinstance(secret, Access) else None,
        timeout=_COMMAND_SECONDS,
        use_tls=settings.tls == "implicit",
        start_tls=settings.tls == "starttls",
        tls_context=tls.context() if settings.tls != "none" else None,
    )


async def _open_envelope(connection: aiosmtplib.SMTP, mail: Due) -> None:
    """MAIL and RCPT. A kept connection that turns out to be dead is replaced, once."""
    if connection.is_connected:
        try:
            return await _announce(connection, mail)
        except aiosmtplib.SMTPException:
            if connection.is_connected:
                raise  # alive: it is the mail that was refused. aiosmtplib closes after 421.
    await connection.connect(timeout=_CONNECT_SECONDS)
    return await _announce(connection, mail)


async def _announce(connection: aiosmtplib.SMTP, mail: Due) -> None:
    if connection.is_ehlo_or_helo_needed:
        await connection.ehlo()
    options = []
    if connection.supports_extension("size"):
        options.append(f"SIZE={len(mail.raw)}")
    if connection.supports_extension("8bitmime") and not mail.raw.isascii():
        options.append("BODY=8BITMIME")
    await connection.mail(mail.sender, options=options)
    await connection.rcpt(mail.to)


async def _reset(connection: aiosmtplib.SMTP) -> None:
    """Make a connection fit for the next mail after a refusal, or close it."""
    try:
        await connection.rset()
    except (aiosmtplib.SMTPException, OSError):
        connection.close()


def _is_permanent(error: aiosmtplib.SMTPResponseException) -> bool:
    """Whether this very mail was refused for good.

    What is refused before MAIL, or for want of a sign-in (RFC 4954 section 6), is our own
    configuration: the mail waits until somebody has mended it.
    """
    about_mail = isinstance(
        error, aiosmtplib.SMTPSenderRefused | aiosmtplib.SMTPRecipientRefused | aiosmtplib.SMTPDataError
    )
    return about_mail and 500 <= error.code <= 599 and error.code not in SIGN_IN_FIRST


def _envelope_problem(mail: Due) -> str:
    """What is wrong with the addresses, or "". The null sender is written ""."""
    for address in (mail.sender, mail.to) if mail.sender else (mail.to,):
        if not _ADDRESS.fullmatch(address):
            return _one_line(f"{address!r} is no address that mail can be sent to")
    return ""


def _one_line(text: str) -> str:
    """Fit for a log line: no control characters or line breaks, of bounded length."""
    printable = "".join(char if char.isprintable() else " " for char in text[: 2 * _ERROR_LENGTH])
    return " ".join(printable.split())[:_ERROR_LENGTH]
