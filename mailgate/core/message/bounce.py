"""What a bounce says of the mail that came back (RFC 3464, RFC 3463, and servers that keep to neither).

What it says is a peer's word: it can only lead to a person being told, and to fewer mails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mailgate.core.mail import Mail

Grade = Literal["hard", "soft"]
"""hard: the address takes no mail at all. soft: it did not take this one, for its size, for a full mailbox, …"""

_REPORTS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_RETURNED = frozenset({"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"})
_REACH = 20_000
_MOST_IDS = 5
_MOST_ERROR = 300

_FIELD = re.compile(r"^([A-Za-z-]{1,40})[ \t]*:[ \t]*(.*(?:\r?\n[ \t].*)*)", re.MULTILINE)
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_NO_FAILURE = ("delayed", "delivered", "relayed", "expanded")
_TYPE = re.compile(r"^[A-Za-z-]{1,20};")
_REPLY = re.compile(r"(?<![\d.])([45])\d\d(?=[ -])")
# Of the codes of RFC 3463 those that speak of the address or its host, not of this mail.
_DEAD = re.compile(r"5\.(1\.\d{1,3}|2\.1|4\.4|4\.6)")
_NOBODY = re.compile(
    r"user unknown|unknown user|no such (user|address|mailbox|recipient|person)|user (does not|doesn't) exist"
    r"|(mailbox|account|address|recipient) (is )?(unknown|unavailable|disabled|inactive|not found|does(n't| not) exist)"
    r"|(address|recipient) rejected|invalid (recipient|mailbox)|host (or domain name )?not found|domain not found"
    r"|no existe|usuario desconocido|buzón (desactivado|inexistente)"
)
_FOR_NOW = re.compile(
    r"(mailbox|quota|disk|inbox)[ \w']{0,20}(full|exceeded)|over ?quota|too (large|big)|spam|blocked|policy|blacklist"
    r"|buzón lleno|excedido la cuota"
)
_DELAY = re.compile(r"warning: (message|could not send)|delayed|delay\b|retrasad")


@dataclass(frozen=True, slots=True)
class Bounce:
    """grade: None where the mail is only late, or did arrive. error: the peer's words on one line, "" for none."""

    grade: Grade | None
    error: str = ""


def read(mail: Mail) -> Bounce:
    """What a mail that counts as a bounce says; of several recipients the first that failed.

    Where it cannot be told, the mail counts as not arrived: a person looks at it.
    """
    reported = [recipient for report in _parts(mail, _REPORTS) for recipient in _recipients(report)]
    acted = [fields for fields in reported if fields.get("action")]
    for fields in acted:
        if not fields["action"].lower().startswith(_NO_FAILURE):
            # The server's own words are more exact than the code that the reporter made of them.
            error = fields.get("diagnostic-code") or fields.get("status", "")
            return Bounce(grade(f"{error} {fields.get('status', '')}"), _one_line(_TYPE.sub("", error)))
    if acted:
        return Bounce(None, _one_line(f"{acted[0]['action']} {acted[0].get('status', '')}"))
    return _plain(mail)


def grade(error: str) -> Grade:
    """Whether an address is dead, by the words of a server: its codes first, since they have one meaning."""
    words = error.lower()
    if status := _STATUS.search(words):
        dead = _DEAD.fullmatch(status[0]) or (status[0] == "5.0.0" and _NOBODY.search(words))
        return "hard" if dead else "soft"
    if found := _REPLY.search(words):
        return "hard" if found[1] == "5" and _NOBODY.search(words) else "soft"
    return "hard" if _NOBODY.search(words) and not _FOR_NOW.search(words) else "soft"


def returned_ids(mail: Mail, domain: str) -> tuple[str, ...]:
    """Message-IDs of our own mails that stand in a returned one; in its headers, or in the text of old servers.

    domain: of the desk. Ours hold a secret, so that who knows one was sent the mail, or had it returned.
    """
    ours = re.compile(rf"[a-z0-9.]{{2,60}}\.[0-9a-f]{{16}}\.mailgate@{re.escape(domain)}")
    found = dict.fromkeys(one for text in (*_parts(mail, _RETURNED), mail.text[:_REACH]) for one in ours.findall(text))
    return tuple(found)[:_MOST_IDS]


def _plain(mail: Mail) -> Bounce:
    """A bounce for people alone: the line with a code, else with words of a failure, says why."""
    text = mail.text[:_REACH]
    lines = [line.strip() for line in text.splitlines()]
    for sign in (_STATUS, _REPLY, _NOBODY, _FOR_NOW):
        for number, line in enumerate(lines):
            if sign.search(line.lower()):
                error = " ".join(lines[number : number + 2])
                return Bounce(grade(error), _one_line(error))
    if _DELAY.search(mail.subject.lower()):
        return Bounce(None, _one_line(mail.subject))
    return Bounce("soft", _one_line(next(filter(None, lines), mail.subject)))


def _parts(mail: Mail, types: frozenset[str]) -> Iterator[str]:
    """The beginning of each part of these types, as text."""
    for file in mail.attachments:
        if file.type in types and file.content is not None:
            yield file.content[:_REACH].decode("utf-8", "replace")


def _recipients(report: str) -> Iterator[dict[str, str]]:
    """The fields of each block of a report, lower-case names; the first is about the message (RFC 3464 section 2.1)."""
    for block in re.split(r"\r?\n[ \t]*\r?\n", report):
        yield {name.lower(): " ".join(value.split()) for name, value in _FIELD.findall(block)}


def _one_line(words: str) -> str:
    return " ".join(words.split())[:_MOST_ERROR]
