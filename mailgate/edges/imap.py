"""The mailbox road in: one thread per mailbox that fetches, hands over, and only then tidies up.

Which messages were taken is known from our own record of UIDs, never from \\Seen. IDLE (RFC 2177)
is a hint to look at once; we look every `poll` anyway, since a notice can be lost on the way.
"""

from __future__ import annotations

import contextlib
import imaplib
import logging
import selectors
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import LoginError

from mailgate.core.mail import Envelope
from mailgate.core.mailbox import Left, Sighting, Uid, portions, searches
from mailgate.core.message import mime
from mailgate.core.oauth import xoauth2
from mailgate.core.settings.servers import Imap
from mailgate.edges import tls
from mailgate.edges.folder import between, chunks, recent, tidy
from mailgate.edges.oauth import Access, Secret, hidden
from mailgate.errors import LoginNeeded, MailgateError, NoToken, SmtpRefusal

log = logging.getLogger(__name__)

_TIMEOUT = SocketTimeout(connect=15, read=60)
_LONGEST_IDLE = 9 * 60  # servers may log out who idles for longer than half an hour, routers much sooner
_LONGEST_PAUSE = 5 * 60
_SIGNED_OUT_FAILURES = 3  # until somebody has signed in we look every 16 seconds, at a file: no server is asked
_REFUSED_FAILURES = 5  # so that a wrong password is tried once a minute at first: servers lock out who hurries
_TOP = "BODY.PEEK[HEADER.FIELDS (FROM SUBJECT)]<0.4096>"
_STOP_SECONDS = 3
_ERROR_LENGTH = 300
# What imapclient, imaplib, the socket and TLS layers raise; ValueError comes from answers that make no sense.
FAILURES = (imaplib.IMAP4.error, OSError, ValueError, MailgateError)


class Inbox(Protocol):
    """Where messages go. Every method blocks, may be called from any thread, and raises
    `MailgateError` when the store cannot do it now."""

    def take(self, raw: bytes, envelope: Envelope, uid: Uid) -> int:
        """Keep a message; it is on disk, with the record that this UID was taken, on return."""
        ...

    def last_uid(self, mailbox: str, uidvalidity: int) -> int:
        """The highest UID that was taken or skipped, 0 if none."""
        ...

    def unsettled(self, mailbox: str, uidvalidity: int) -> list[int]:
        """UIDs that were taken while `after` is not yet done on the server."""
        ...

    def settle(self, mailbox: str, uidvalidity: int, uids: list[int]) -> None:
        """Record that `after` is done for these."""
        ...

    def skip(self, uid: Uid, left: Left) -> None:
        """Record a message that stays in the mailbox for good."""
        ...

    def sighting(self, mailbox: str, uidvalidity: int) -> Sighting | None:
        """What was settled when this folder was first seen; None where it was not yet."""
        ...

    def first_sight(self, mailbox: str, uidvalidity: int, span: timedelta) -> Sighting:
        """What is to be settled of a folder that is seen for the first time, before anything of it was looked
        at. span: how far to go back."""
        ...

    def sight(self, mailbox: str, sighting: Sighting) -> None:
        """Settle it, or that there is more to it."""
        ...

    def failed(self, mailbox: str, error: str) -> None:
        """Record that a mailbox cannot be read, and why."""
        ...

    def reached(self, mailbox: str) -> None:
        """Record that a mailbox can be read (again)."""
        ...


class Poller:
    """Keeps a mailbox empty of what is new. Its thread lives until `stop`, whatever the server does."""

    def __init__(self, settings: Imap, secret: Secret, inbox: Inbox, max_size: int) -> None:
        self._settings = settings
        self._secret = secret
        self._inbox = inbox
        self._max_size = max_size
        self._name = settings.name
        self._place = f"{settings.host}/{settings.folder}"
        self._failures = 0
        self._sighting: Sighting | None = None
        self._swept = False  # whether all was taken that was there at first sight
        self._noted: str | None = None  # the error that is on record; None before anything is
        self._client: IMAPClient | None = None
        self._stopping = threading.Event()
        self._bell, self._ringer = socket.socketpair()
        self._bell.setblocking(False)
        self._ringer.setblocking(False)
        self._thread = threading.Thread(target=self._run, name=f"imap {self._place}", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End within seconds. What is being taken is finished, what is being fetched is not."""
        self._stopping.set()
        self.poke()
        self._thread.join(_STOP_SECONDS)
        if client := self._client:  # stuck in a command: hang up under it
            with contextlib.suppress(OSError):
                socket.socket.shutdown(client.socket(), socket.SHUT_RDWR)
            self._thread.join(_STOP_SECONDS)

    def poke(self) -> None:
        """Look now instead of at the next poll."""
        with contextlib.suppress(OSError):  # full: it rings already; closed: nobody is there to hear
            self._ringer.send(b"!")

    def _run(self) -> None:
        with self._bell, self._ringer:
            while not self._stopping.is_set():
                self._serve()
                self._failures += 1
                self._pause(min(2 ** min(self._failures, 10), _LONGEST_PAUSE))

    def _serve(self) -> None:
        """One connection, from its beginning to whatever ends it."""
        try:
            with self._connected() as client:
                while not self._stopping.is_set():
                    found = self._take_new(client)
                    self._failures = 0
                    self._note(None)
                    if not found:  # else more may have come meanwhile, and its notice is gone
                        self._await_mail(client)
        except FAILURES as error:
            if not self._stopping.is_set():
                self._tell(error)
                self._note(error)
        except Exception as error:
            log.exception("%s: unforeseen failure", self._place)
            self._note(error)

    def _tell(self, error: Exception) -> None:
        """What failed goes to the log, and is tried again the later the less hope there is."""
        words = self._words(error)
        if isinstance(error, LoginNeeded):
            self._failures = _SIGNED_OUT_FAILURES
            if words == self._noted:
                return
        elif isinstance(error, LoginError) and not _hung_up(error):
            self._failures = max(self._failures, _REFUSED_FAILURES)
        log.warning("%s: %s", self._place, words)

    def _words(self, error: Exception) -> str:
        return hidden(" ".join(f"{type(error).__name__}: {error}".split()), self._secret)[:_ERROR_LENGTH]

    def _note(self, error: Exception | None) -> None:
        """Record how the mailbox stands, where that has changed; a store that fails is no fault of the mailbox."""
        if isinstance(error, MailgateError) and not isinstance(error, NoToken):
            return
        words = self._words(error) if error else ""
        if words == self._noted:
            return
        with contextlib.suppress(MailgateError):
            if words:
                self._inbox.failed(self._name, words)
            else:
                self._inbox.reached(self._name)
            self._noted = words

    @contextlib.contextmanager
    def _connected(self) -> Iterator[IMAPClient]:
        """A signed-in client."""
        client = self._client = open_mailbox(self._settings, self._secret)
        try:
            sign_in(client, self._settings, self._secret)
            yield client
            client.logout()
        finally:
            self._client = None
            with contextlib.suppress(OSError):
                client.shutdown()

    def _await_mail(self, client: IMAPClient) -> None:
        if not client.has_capability("IDLE"):
            self._pause(self._settings.poll)
            return
        client.idle()
        self._pause(min(self._settings.poll, _LONGEST_IDLE), client.socket())
        client.idle_done()

    def _pause(self, seconds: float, *sockets: socket.socket) -> None:
        """Wait until the time is up, somebody pokes, or a socket has something to say."""
        if self._stopping.is_set():
            return
        with selectors.PollSelector() as selector:  # takes no file handle: there may be none left
            for sock in (self._bell, *sockets):
                selector.register(sock, selectors.EVENT_READ)
            selector.select(seconds)
        with contextlib.suppress(BlockingIOError):
            self._bell.recv(4096)

    def _take_new(self, client: IMAPClient) -> int:
        """One round: tidy up what an earlier round took, then take all that is new, oldest first.

        SELECT anew each time: it tells whether the folder is still the same (UIDVALIDITY).
        Gives the number of messages taken.
        """
        count = 0
        selected = client.select_folder(self._settings.folder)
        validity = selected[b"UIDVALIDITY"]
        self._settle(client, validity, self._inbox.unsettled(self._name, validity))
        for uids in self._new_uids(client, selected):
            fetched = client.fetch(uids, ["RFC822.SIZE"])
            sizes = {uid: data.get(b"RFC822.SIZE", 0) for uid, data in fetched.items()}
            for portion in portions(sizes, self._max_size):
                if self._stopping.is_set():
                    return count
                taken = self._take_portion(client, validity, portion, sizes)
                self._settle(client, validity, taken)
                count += len(taken)
        return count

    def _new_uids(self, client: IMAPClient, selected: dict[bytes, int]) -> Iterator[list[int]]:
        """UIDs that were never taken, ascending. The lists are of ints: imapclient 4 fails on "1:5"."""
        validity = selected[b"UIDVALIDITY"]
        last = self._inbox.last_uid(self._name, validity)
        sighting = self._sighted(client, selected)
        if last < sighting.up_to and not self._swept:
            yield from chunks(recent(client, last, selected[b"EXISTS"], sighting))
        self._swept = True
        last = max(last, sighting.up_to)
        for uid_set in searches(last, selected[b"EXISTS"], selected.get(b"UIDNEXT")):
            found = sorted(uid for uid in client.search(["UID", uid_set]) if uid > last)
            yield from chunks(found)

    def _sighted(self, client: IMAPClient, selected: dict[bytes, int]) -> Sighting:
        """What of this folder is ours to take: settled before anything of it is taken, and kept."""
        validity = selected[b"UIDVALIDITY"]
        if self._sighting is None or self._sighting.uidvalidity != validity:
            self._sighting, self._swept = self._inbox.sighting(self._name, validity), False
        known = self._sighting or self._inbox.first_sight(self._name, validity, self._settings.since)
        up_to = _highest(client, selected)
        if self._sighting is None or (up_to > known.up_to and datetime.now(UTC) < known.until):
            self._sighting = self._settled(client, known, up_to, selected[b"EXISTS"])
        return self._sighting

    def _settled(self, client: IMAPClient, known: Sighting, up_to: int, exists: int) -> Sighting:
        """Extend it as far as the folder reaches now, if it is new or there is old mail among what came since."""
        wider = replace(known, up_to=up_to)
        ours = recent(client, known.up_to, exists, wider)
        there = len(between(client, known.up_to, exists, up_to)) if known.up_to else exists
        left = max(there - len(ours), 0)
        if self._sighting and not left:
            return known
        wider = replace(wider, left=left)
        self._inbox.sight(self._name, wider)
        self._swept = False
        log.info("%s: %d mails from before %s are left", self._place, left, wider.since)
        return replace(wider, left=0)

    def _take_portion(self, client: IMAPClient, validity: int, uids: list[int], sizes: dict[int, int]) -> list[int]:
        """Fetch a portion and hand it over one by one; gives the UIDs that are safe with us now."""
        if (size := sizes[uids[0]]) > self._max_size:
            self._skip(client, Uid(self._name, validity, uids[0]), "big", size)
            return []
        taken = []
        bodies = client.fetch(uids, ["BODY.PEEK[]"])  # PEEK: BODY[] would set \Seen before we have it
        for uid in uids:
            raw = bodies.get(uid, {}).get(b"BODY[]")
            if raw is None:
                log.info("%s: UID %d was expunged by somebody else", self._place, uid)
            elif self._take_one(client, raw, Uid(self._name, validity, uid)):
                taken.append(uid)
                if len(raw) != sizes[uid]:
                    log.info("%s: UID %d has %d bytes, not %d", self._place, uid, len(raw), sizes[uid])
        return taken

    def _take_one(self, client: IMAPClient, raw: bytes, uid: Uid) -> bool:
        """Whether the message was taken; one that never will be is skipped, so that the rest goes on."""
        try:
            self._inbox.take(raw, Envelope("imap", peer=self._place), uid)
        except SmtpRefusal:
            self._skip(client, uid, "refused", len(raw))
            return False
        return True

    def _skip(self, client: IMAPClient, uid: Uid, kind: Literal["big", "refused"], size: int) -> None:
        """Leave a message where it is; who wrote it and what about is told."""
        found = client.fetch([uid.uid], [_TOP]).get(uid.uid, {})
        top = next((value for key, value in found.items() if key.startswith(b"BODY[")), b"") or b""
        mail = mime.parse(top, Envelope("imap", peer=self._place))
        sender = mail.sender or mail.header("from")
        self._inbox.skip(uid, Left(kind, self._name, 1, size, sender, mail.subject))
        log.error("%s: UID %d stays in the mailbox (%s): %d bytes", self._place, uid.uid, kind, size)

    def _settle(self, client: IMAPClient, validity: int, uids: list[int]) -> None:
        """Do `after` on the server and record it. A refusal is tried again in the next round: it
        must not keep new mail from being taken."""
        for chunk in chunks(uids):
            try:
                tidy(client, self._settings.after, chunk)
            except imaplib.IMAP4.abort:
                raise
            except imaplib.IMAP4.error as error:
                log.warning("%s: after = %r: %s", self._place, self._settings.after, error)
                return
            self._inbox.settle(self._name, validity, chunk)


def open_mailbox(settings: Imap, secret: Secret) -> IMAPClient:
    """A connection to a mailbox's server; raises FAILURES. TLS is verified, and never given up for plain text."""
    if isinstance(secret, Access):
        secret.token()  # a server is not called in vain, nor kept waiting for it
    implicit = settings.tls == "implicit"
    context = tls.context() if implicit else None
    client = IMAPClient(settings.host, settings.port, ssl=implicit, ssl_context=context, timeout=_TIMEOUT)
    client.normalise_times = False  # else times lose their zone
    return client


def sign_in(client: IMAPClient, settings: Imap, secret: Secret) -> None:
    """Show who we are, once the connection is as safe as the rules say."""
    if settings.tls == "starttls":
        client.starttls(tls.context())
    if isinstance(secret, Access):
        _sign_in_with_token(client, settings.user, secret)
        return
    login = client.login if secret.isascii() else client.plain_login
    login(settings.user, secret)


def _sign_in_with_token(client: IMAPClient, user: str, access: Access) -> None:
    """A server that refuses it says why in a second challenge, to which nothing is to be answered."""
    token = access.token()
    try:
        client.sasl_login("XOAUTH2", lambda challenge: b"" if challenge else xoauth2(user, token))
    except LoginError as error:
        if not _hung_up(error):
            access.spurn(token)
        raise


def _hung_up(error: LoginError) -> bool:
    """Whether the connection ended rather than the server said no."""
    return isinstance(error.__context__, imaplib.IMAP4.abort)


def _highest(client: IMAPClient, selected: dict[bytes, int]) -> int:
    """The highest UID that a folder can have had so far; most servers tell it."""
    uid_next = selected.get(b"UIDNEXT")
    return uid_next - 1 if uid_next else max(client.search(["UID", "*"]), default=0)
