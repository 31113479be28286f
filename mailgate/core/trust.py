"""Whom to believe: what each role's proof is, as `[trust]` says.

A domain's own signature proves the domain, a reply token proves that somebody saw the mail it stood in. Tokens
leak through quotes and forwards, and a domain is not a person: where it counts, both are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from mailgate.core import address, own
from mailgate.core.desk import Desk
from mailgate.core.mail import Mail
from mailgate.core.message import mime
from mailgate.core.model import Person
from mailgate.core.proof import Signature

Lack = Literal["", "no_token", "no_signature", "dns", "stale", "used"]
"""What proof wants: codes of the template `unproven`."""

# What a technician's signature must cover, so that nothing that decides can be put onto it. Not Content-Type,
# which Gmail leaves out: who changes it keeps the Message-ID, and that counts once.
_COVERS = frozenset({"from", "to", "subject", "date", "message-id"})
_FRESH = timedelta(days=7)
# The last one repeats.
_PAUSES = tuple(timedelta(seconds=seconds) for seconds in (15, 30, 60, 120, 300, 600))
LONGEST_PAUSE = _PAUSES[-1]
_STAFF_WAITS = timedelta(hours=4)
_OTHERS_WAIT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """proof: what proves who wrote, in words; "" where nothing does, and then `lack` says what is missing."""

    proof: str = ""
    lack: Lack = ""


def needs_proof(mail: Mail, desk: Desk) -> bool:
    """Whether anything depends on what can be looked up about a message: if not, it costs no question to the DNS."""
    if mail.envelope.vouched or mail.sender is None or mail.unreadable:
        return False
    trust = desk.rules.trust
    person = desk.rules.who(mail.sender)
    if person is None:
        speaks = desk.rules.desk.strangers == "prospect" or _points_at_a_ticket(mail, desk)
        return speaks and trust.clients != "off"
    if not person.role.staff:
        return trust.clients != "off"
    if trust.technicians == "off" or mail.envelope.user == person.id:
        return False
    return trust.technicians == "strict" or not own.bears_token(mail, desk)


def next_try(person: Person | None, taken_at: datetime, tries: int, now: datetime) -> datetime | None:
    """When to ask the DNS again that gave no answer; None once the message has waited long enough.

    tries: how often it was asked, >= 1. A client's request does not wait as long as a technician's order.
    """
    longest = _STAFF_WAITS if person is not None and person.role.staff else _OTHERS_WAIT
    if now >= taken_at + longest:
        return None
    return now + _PAUSES[min(tries, len(_PAUSES)) - 1]


def of_staff(person: Person, mail: Mail, desk: Desk, now: datetime, *, own_token: bool, id_used: bool) -> Standing:
    """What a technician's mail is worth. id_used: its Message-ID came before, with another content."""
    mode = desk.rules.trust.technicians
    token = "their own reply token" if own_token else ""
    if mode == "off":
        return Standing("trust.technicians is off")
    if mail.envelope.user == person.id:
        return Standing(f"signed in as {person.id} (SMTP AUTH)")
    if mode == "token" and token:
        return Standing(token)
    signed, lack = _signed_by_staff(mail, now, id_used=id_used)
    if mode == "token":
        return Standing(signed, "" if signed else "no_token")
    if not token:
        return Standing(lack="no_token")
    return Standing(f"{signed}, and {token}") if signed else Standing(lack=lack)


def of_others(mail: Mail, *, own_token: bool) -> Standing:
    """What the mail of a client, or of somebody who may become one, is worth."""
    verdicts = mail.verdicts
    if own_token:
        return Standing("their own reply token")
    if verdicts.signed is not None:
        return Standing(_named(verdicts.signed))
    if verdicts.authserv:
        return Standing(f"dmarc=pass, as {verdicts.authserv} says")
    if verdicts.sealer:
        return Standing(f"ARC seal of {verdicts.sealer}")
    return Standing(lack="dns" if verdicts.undecided else "no_signature")


def _points_at_a_ticket(mail: Mail, desk: Desk) -> bool:
    """Whether somebody unknown may be a guest in a ticket."""
    pointed = any(address.reply_pointer(one, desk.rules.desks) for one in mail.recipients)
    return bool(pointed or mail.in_reply_to or mail.references or desk.tags.search(mail.subject))


def _signed_by_staff(mail: Mail, now: datetime, *, id_used: bool) -> tuple[str, Lack]:
    """The signature in words, or what is missing: one of the very domain, over all that decides, fresh and new."""
    signed = mail.verdicts.signed
    if signed is None and mail.verdicts.undecided:
        return "", "dns"
    if signed is None or not signed.exact or not signed.covers >= _COVERS or mime.is_made_up(mail.message_id):
        return "", "no_signature"
    if mail.date is None or abs(now - mail.date) > _FRESH:
        return "", "stale"
    return ("", "used") if id_used else (_named(signed), "")


def _named(signature: Signature) -> str:
    note = f", {signature.why}" if signature.why else ""
    return f"DKIM signature of {signature.domain} ({signature.selector}{note})"
