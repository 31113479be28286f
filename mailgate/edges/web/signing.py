"""Signing in by a mailed link, and the browsers in which somebody is signed in. There is no password.

The link is mailed on asking alone, to an address that the rules know. GET shows a button, since scanners of mail
open links; POST signs in, once.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from hashlib import sha256
from urllib.parse import urlsplit

from mailgate.core.address import canonical
from mailgate.core.mail import Notice
from mailgate.core.model import Person
from mailgate.edges.web.asking import Answer, Ask, Elsewhere, NotThere, Shown
from mailgate.service.letters import post
from mailgate.store import Connection, sessions

LINK_MINUTES = 15
SESSION_DAYS = 30
_LISTED = 50
_HOUR = timedelta(hours=1)


def digest(secret: str) -> str:
    """Under which a secret is kept: who reads the store cannot sign in with it."""
    return sha256(secret.encode()).hexdigest()


def form(ask: Ask) -> Answer:
    """Where an address is asked for."""
    return Elsewhere("/") if ask.person else Shown("sign_in")


def send_link(ask: Ask) -> Answer:
    """Mail a link; the page says the same whoever asks, and as soon."""
    if not ask.works.links_from.allows(ask.peer):
        return Shown("problem", {"what": "too_often"}, status=429)
    address = canonical(ask.form.get("address", "").strip())
    person = ask.desk.rules.who(address) if address else None
    if person is not None and ask.works.links_to.allows(person.address):
        _mail_link(ask, person)
    return Shown("link_sent", {"minutes": LINK_MINUTES, "address": ask.form.get("address", "").strip()[:254]})


def _mail_link(ask: Ask, person: Person) -> None:
    """Queue the mail without waiting for it: who measures the time learns nothing."""
    secret, office, now = secrets.token_urlsafe(32), ask.office, ask.now
    notice = Notice(
        "sign_in",
        to=person.address,
        language=person.language,
        values={
            "url": f"{ask.desk.rules.desk.url}/link/{secret}",
            "minutes": LINK_MINUTES,
            "staff": person.role.staff,
        },
        automatic="auto-generated",
    )

    def job(tx: Connection) -> None:
        until = now + timedelta(minutes=LINK_MINUTES)
        link = sessions.make_link(tx, digest(secret), person.address, now, until)
        post(tx, office, [notice], now, f"w{link}")

    ask.works.writer.submit(job).add_done_callback(lambda _: ask.works.ring())


def button(ask: Ask) -> Answer:
    """What the link opens: a button, and nothing has happened yet."""
    with ask.read() as tx:
        address = sessions.address_of_link(tx, digest(ask.path["secret"]), ask.now)
    if address is None or ask.desk.rules.who(address) is None:
        return Shown("link_gone", status=410)
    return Shown("link", {"address": address, "secret": ask.path["secret"]})


def sign_in(ask: Ask) -> Answer:
    """Use the link up and begin a session."""
    secret, now = secrets.token_urlsafe(32), ask.now

    def job(tx: Connection) -> str | None:
        address = sessions.use_link(tx, digest(ask.path["secret"]), now)
        if address is not None:
            until = now + timedelta(days=SESSION_DAYS)
            sessions.begin(tx, digest(secret), address, ask.program, now, until)
        return address

    address = ask.write(job)
    if address is None or ask.desk.rules.who(address) is None:
        return Shown("link_gone", status=410)
    return Elsewhere("/", cookie=secret)


def sign_out(ask: Ask) -> Answer:
    """End this session."""
    if ask.session is not None:
        mine = ask.session
        ask.write(lambda tx: sessions.end(tx, mine.address, mine.id))
    return Elsewhere("/sign-in", cookie="")


def listed(ask: Ask) -> Answer:
    """Where somebody is signed in."""
    with ask.read() as tx:
        found = sessions.listed(tx, ask.who.address, ask.now, _LISTED)
    return Shown("sessions", {"sessions": found, "mine": ask.session.id if ask.session else 0})


def end(ask: Ask) -> Answer:
    """Sign out in another browser."""
    number = ask.number("session")
    ask.write(lambda tx: sessions.end(tx, ask.who.address, number))
    return Elsewhere("/sessions")


def end_others(ask: Ask) -> Answer:
    """Sign out everywhere else; links under way are void."""
    if ask.session is None:
        raise NotThere
    mine = ask.session.id
    ask.write(lambda tx: sessions.end_all(tx, ask.who.address, mine, ask.now))
    return Elsewhere("/sessions")


def touch(ask: Ask) -> None:
    """Note once an hour that a session is in use, without waiting for it."""
    session, now = ask.session, ask.now
    if session is not None and now - session.seen_at >= _HOUR:
        ask.works.writer.submit(lambda tx: sessions.seen(tx, session.id, now))


def is_secure(url: str) -> bool:
    """Whether people reach the desk over TLS: then cookies go over nothing else."""
    return urlsplit(url).scheme == "https"
