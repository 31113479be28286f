"""Mails as they came, without the access data in them: for who did not ask to see these, and once they are to go."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from mailgate.core.access_data import files
from mailgate.core.access_data.covering import Covering, unnumbered
from mailgate.core.mail import Envelope, Mail
from mailgate.core.message import charset, hide
from mailgate.core.reading import fresh
from mailgate.core.reading.html import to_text
from mailgate.core.redaction import Secret
from mailgate.service import parsing

# Each is looked for in all of the mail; one with more is made of nothing else.
_MOST = 100


def covered(raw: bytes, known: Collection[str] = ()) -> tuple[bytes, bool]:
    """The mail with marks for its access data, and whether there were any; the very bytes where there were none.

    known: values that are access data wherever they stand. A mail out of which they cannot be taken for sure is given
    as its text.
    """
    mail = parsing.parse(raw, Envelope("inject"))
    covering = _covering(mail, raw, known)
    if not covering.values:
        return raw, False
    return _without(raw, covering) or _text_of(mail, covering), True


def without(raw: bytes, known: Collection[str] = ()) -> bytes | None:
    """The same; None for a mail out of which they cannot be taken for sure: it is to go whole."""
    return _without(raw, _covering(parsing.parse(raw, Envelope("inject")), raw, known))


def _without(raw: bytes, covering: Covering) -> bytes | None:
    """None where not each of them is found in the mail itself: it is written there in a way that is not known."""
    values = sorted(covering.values.values(), key=len, reverse=True)  # a shorter one may be a part of a longer one
    left: bytes | None = raw
    for number, value in enumerate(values):
        secret = Secret(value)
        if left is None or number == _MOST or secret.too_short:
            return None
        left, places = hide.without(left, secret)
        if not places and not any(value in longer for longer in values[:number]):
            return None
    return left


def _covering(mail: Mail, raw: bytes, known: Collection[str]) -> Covering:
    """What covers the mail, with all values in it."""
    covering = Covering(known)
    said = list(_said(mail, raw))
    for text in said:
        covering.learns(text)
    for text in said:
        covering.covered(text)
    for file in mail.attachments:
        covering.name(file.name)
    return covering


def _said(mail: Mail, raw: bytes) -> Iterator[str]:
    yield from (mail.subject, fresh.source(mail)[0], mail.text, to_text(mail.html))
    yield from files.texts(mail.attachments).values()
    if mail.unreadable:
        yield charset.decode(raw)


def _text_of(mail: Mail, covering: Covering) -> bytes:
    """The mail with its text alone."""
    fields = {name: mail.header(name) for name in ("From", "To", "Date", "Subject", "Message-ID")}
    lines = [f"{name}: {unnumbered(covering.covered(value))}" for name, value in fields.items() if value]
    lines += ["MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit", ""]
    text = unnumbered(covering.covered(fresh.source(mail)[0]))
    return "\r\n".join((*lines, *text.split("\n"))).encode("utf-8", "replace")
