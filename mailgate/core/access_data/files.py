"""What text files of a mail say, as far as they are read for access data; their words are kept and shown nowhere."""

from __future__ import annotations

from collections.abc import Sequence

from mailgate.core.mail import Attachment, Envelope
from mailgate.core.message import charset, mime
from mailgate.core.message.burden import burdensome
from mailgate.core.reading.html import to_text

# Bytes of one, and of all of a mail; lists of access data that people keep are far shorter.
_LONGEST = 131_072
_MOST = 262_144
_ENDINGS = (
    *(".txt", ".text", ".csv", ".tsv", ".log", ".md", ".rtf", ".ini", ".cfg", ".conf", ".cnf", ".env", ".htpasswd"),
    *(".sql", ".json", ".xml", ".yml", ".yaml", ".toml", ".php", ".sh", ".bat", ".ps1", ".pem", ".key", ".ppk"),
)
_PAGES = (".html", ".htm", ".xhtml")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def texts(attachments: Sequence[Attachment]) -> dict[int, str]:
    """By their part what the text files say that were read just now: of a long one, or of many, the beginning."""
    found: dict[int, str] = {}
    left = _MOST
    for file in attachments:
        content = (file.content or b"")[: min(_LONGEST, left)]
        if content and (text := _text(file, content)):
            found[file.part] = text
            left -= len(content)
    return found


def _text(file: Attachment, content: bytes) -> str:
    name, kind = file.name.lower(), file.type
    if kind == "message/rfc822" or name.endswith(".eml"):
        return _of_mail(content)
    if kind in ("text/html", "application/xhtml+xml") or name.endswith(_PAGES):
        return to_text(_decoded(file, content))
    if kind.startswith("text/") or name.endswith(_ENDINGS):
        return _decoded(file, content)
    return ""


def _decoded(file: Attachment, content: bytes) -> str:
    """As the mail says it is written; programs of Windows say by the first two bytes alone that it is UTF-16."""
    if content.startswith(_UTF16):
        return charset.decode(content.decode("utf-16", "replace").encode("utf-8", "replace"))
    return charset.decode(content, file.charset)


def _of_mail(content: bytes) -> str:
    """What a mail says that is attached; one that may be dear to read is not read."""
    if burdensome(content):
        return ""
    inner = mime.parse(content, Envelope("inject"))
    return "\n\n".join(filter(None, (inner.subject, inner.text, to_text(inner.html))))
