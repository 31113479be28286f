"""Try the roads that the rules name, before a client does: sign in, send a mail to ourselves, see it come back.

Each trial gives what was found and, where it is not good, what to do; a server that fails is a finding.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from imapclient import IMAPClient

from mailgate.core.mail import Due, Failed
from mailgate.core.settings.rules import Rules
from mailgate.core.settings.servers import Alarms, Imap, Login
from mailgate.edges.imap import FAILURES, open_mailbox, sign_in
from mailgate.edges.oauth import Secret, hidden
from mailgate.edges.outbound import SmtpTransport, Transport
from mailgate.edges.own_domain import Finding
from mailgate.errors import LoginNeeded
from mailgate.pause import pause

_LOOK_SECONDS = 1.0
_NOWHERE = "see where the mail server delivers it: neither a mailbox under [[imap]] nor the gateway has it"
_LOG_IN = "sign in as said; a daemon that runs goes on by itself then"


@dataclass(frozen=True, slots=True)
class Probe:
    """A mail to ourselves. message_id: without angle brackets."""

    to: str
    message_id: str
    raw: bytes


def try_mailbox(settings: Imap, secret: Secret) -> Finding:
    """Sign in and open the folder."""
    what = f"imap {settings.name}"
    try:
        with _opened(settings, secret) as client:
            selected = client.select_folder(settings.folder, readonly=True)
            idle = "new mail is told at once" if client.has_capability("IDLE") else f"looked at every {settings.poll} s"
    except LoginNeeded as error:
        return Finding(what, str(error), _LOG_IN)
    except FAILURES as error:
        todo = f"see host, port, tls, user, {_way(settings)} and folder under [[imap]]"
        return Finding(what, _words(error, secret), todo)
    return Finding(what, f"signed in; {selected[b'EXISTS']} mails; {idle}")


def probes(rules: Rules, now: datetime) -> list[Probe]:
    """To the address itself, and to one with a + in it, as all reply addresses have."""
    local, _, domain = rules.desk.address.partition("@")
    return [_probe(rules, to, now) for to in (rules.desk.address, f"{local}+check@{domain}")]


def _probe(rules: Rules, to: str, now: datetime) -> Probe:
    message_id = f"check.{secrets.token_hex(8)}.mailgate@{rules.desk.address.partition('@')[2]}"
    head = [
        f"From: <{rules.desk.address}>",
        f"To: <{to}>",
        "Subject: mailgate check --online",
        f"Date: {format_datetime(now)}",
        f"Message-ID: <{message_id}>",
        "Auto-Submitted: auto-generated",
        f"X-Mailgate-Loop: {rules.desk.address}",  # so that the desk itself takes no notice of it
    ]
    body = "This mail was sent to see whether mail goes out and comes back. It may be deleted."
    return Probe(to, message_id, "\r\n".join([*head, "", body, ""]).encode())


async def try_sending(rules: Rules, transport: Transport, sent: Sequence[Probe], now: datetime) -> Finding:
    """Hand the probes to the server under [outgoing]."""
    settings = rules.outgoing
    what = f"smtp {settings.host}:{settings.port}"
    for number, probe in enumerate(sent):
        mail = Due(-1 - number, now, rules.desk.address, probe.to, probe.raw, 0, probe.message_id)
        if isinstance(fate := await transport.send(mail), Failed):
            todo = f"see host, port, tls, user and {_way(settings)} under [outgoing]"
            return Finding(what, f"{probe.to}: {fate.error}", todo)
    return Finding(what, "takes our mail")


async def try_alarms(rules: Rules, settings: Alarms, secret: Secret, now: datetime) -> Finding:
    """Sign in at the server under [outgoing.alarms] and ask whether it takes mail to the admin; nothing is sent."""
    what = f"smtp {settings.host}:{settings.port} for alarms"
    transport = SmtpTransport(settings, secret, connections=1)
    try:
        fate = await transport.would_take(Due(-1, now, rules.desk.address, rules.desk.admin, b"", 0))
    finally:
        await transport.close()
    if isinstance(fate, Failed):
        way = f"see host, port, tls, user and {_way(settings)} under [outgoing.alarms]"
        todo = f"{way}; until then alarms go by [outgoing]"
        return Finding(what, f"{rules.desk.admin}: {fate.error}", todo)
    return Finding(what, f"takes our mail to {rules.desk.admin}")


def fetch(mailboxes: Iterable[tuple[Imap, Secret]], probe: Probe) -> bytes | None:
    """Look for a probe once in every mailbox, and remove it there; None where it is in none."""
    for settings, secret in mailboxes:
        with contextlib.suppress(*FAILURES), _opened(settings, secret) as client:
            client.select_folder(settings.folder)
            for uid in client.search(["HEADER", "Message-ID", f"<{probe.message_id}>"]):
                raw: bytes = client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"]
                client.delete_messages([uid], silent=True)
                if client.has_capability("UIDPLUS"):
                    client.uid_expunge([uid])
                return raw
    return None


def wait_for(sent: Sequence[Probe], look: Callable[[Probe], bytes | None], seconds: float) -> dict[Probe, bytes]:
    """The probes that come back within a time."""
    back: dict[Probe, bytes] = {}
    end = time.monotonic() + seconds
    while len(back) < len(sent) and time.monotonic() < end:
        found = {probe: raw for probe in sent if probe not in back and (raw := look(probe)) is not None}
        back.update(found)
        if not found:
            pause(_LOOK_SECONDS)
    return back


def came_back(sent: Sequence[Probe], back: dict[Probe, bytes]) -> Iterator[Finding]:
    """What it means that they came back, or not."""
    plain, tagged = sent
    plus = (
        'have the mail server deliver "+" addresses to the same place (recipient_delimiter = + in Postfix); '
        "else an answer finds its ticket by its references alone, and no technician's command counts"
    )
    for probe, missing in ((plain, _NOWHERE), (tagged, plus if plain in back else _NOWHERE)):
        what = f"mail to {probe.to}"
        yield Finding(what, "came back") if probe in back else Finding(what, "did not come back", missing)


@contextlib.contextmanager
def _opened(settings: Imap, secret: Secret) -> Iterator[IMAPClient]:
    client = open_mailbox(settings, secret)
    try:
        sign_in(client, settings, secret)
        yield client
        client.logout()
    finally:
        with contextlib.suppress(OSError):
            client.shutdown()


def _way(settings: Login) -> str:
    return "oauth2" if settings.oauth2 else "password"


def _words(error: Exception, secret: Secret) -> str:
    return hidden(" ".join(f"{type(error).__name__}: {error}".split()), secret)
