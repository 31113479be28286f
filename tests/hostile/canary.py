"""Strings that must come out as text wherever they were put in, and what shows that one did not."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

from lxml import html as lxml_html

EVALUATED = "134272019"
"""What the templates below would leave behind: seven times 19181717."""

TEMPLATE = "{{7*19181717}}{% raw %}{{''.__class__.__mro__}}${7*19181717}#{7*19181717}<%=7*19181717%>{{config}}{# x"
MARKUP = "\"'><script>alert(7)</script><img src=x onerror=alert(7)><a href=javascript:alert(7)>&lt;b&gt;"
HEADER = "x\r\nBcc: victim@evil.example\r\nX-Evil: 1\r\n\r\n<b>y"
TERMINAL = "\x1b]0;owned\x07\x1b[31m\x9b2J\x08\x7f\x00"
BACKWARDS = "\u202egpj.exe\u2066\u200b\u2028z"

LINES = {
    "template": TEMPLATE,
    "markup": MARKUP,
    "header": HEADER,
    "terminal": TERMINAL,
    "backwards": BACKWARDS,
    "all": TEMPLATE + MARKUP + TERMINAL.replace("\0", "") + "=?utf-8?q?x=0D=0ABcc=3A_v?=",
}

_COMMANDING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_NOT_IN_MAIL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xff]")
_OUR_FIELDS = {
    *("from", "to", "reply-to", "subject", "date", "message-id", "in-reply-to", "references", "auto-submitted"),
    *("x-auto-response-suppress", "x-mailgate-loop", "mime-version", "content-type", "content-transfer-encoding"),
}
_UNASKED = {"script", "iframe", "object", "embed", "form", "input", "base", "meta", "link", "svg"}


def read(raw: bytes) -> EmailMessage:
    """A mail that was written by us, looked over as bytes, fields and HTML."""
    assert not _NOT_IN_MAIL.search(raw)
    assert all(b"\n" not in line and b"\r" not in line and len(line) < 999 for line in raw.split(b"\r\n"))
    mail = message_from_bytes(raw, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    assert {name.lower() for name in mail.keys()} <= _OUR_FIELDS  # noqa: SIM118 - one for each field
    assert len(mail["To"].addresses) == 1
    for part in mail.walk():
        assert not part.defects
        _look_at_values(part)
        if part.get_content_maintype() == "text" and not part.get_filename():
            text = str(part.get_content())
            assert EVALUATED not in text
            assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", text)
            if part.get_content_subtype() == "html":
                look_at_html(text)
    return mail


def _look_at_values(part: EmailMessage) -> None:
    for name, value in part.items():
        assert EVALUATED not in value, name
        assert not _COMMANDING.search(str(value)), name


def look_at_html(text: str) -> None:
    """Whether nothing in it acts, and no value became markup."""
    page = lxml_html.fromstring(text)
    body = page.find("body") if page.tag == "html" else page
    for element in body.iter() if body is not None else ():
        assert element.tag not in _UNASKED, element.tag
        assert not any(name.startswith("on") for name in element.attrib), element.attrib
        assert not element.get("href", "").lower().startswith(("javascript", "data"))
        assert element.tag != "img" or element.get("src", "").startswith("cid:")


def look_at_terminal(shown: str) -> None:
    """Whether nothing in it commands a terminal or was evaluated."""
    assert not _COMMANDING.search(shown)
    assert EVALUATED not in shown
