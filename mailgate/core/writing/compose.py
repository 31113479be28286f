"""Values -> the bytes of a mail (RFC 5322, MIME), the same bytes for the same values.

A mail that is written again after a crash is therefore the same mail. Nothing of an incoming message
is copied: every field goes through `headers.field`, every body through an encoding of its own.
"""

from __future__ import annotations

import re
from base64 import b64encode
from binascii import b2a_qp
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from io import BytesIO
from itertools import chain
from urllib.parse import quote

from mailgate.core.mail import Part
from mailgate.core.writing.headers import clean, field

NAME = 150  # characters of a file name; what is longer keeps its ending

_CHUNK = 57 * 1024  # bytes of a file that are encoded at once: whole lines, and little beside the file
_CONTROLS = bytes({*range(0x20), 0x7F} - set(b"\t\n\r"))
_MORE_CONTROLS = re.compile("[\x80-\x9f]")  # C1: a terminal takes U+009B for the start of a command
_TYPE = re.compile(r"(?!message/|multipart/)[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,39}")
_NOT_PLAIN = re.compile(r"[^ !#-\[\]-~]")
_NOT_IN_ID = re.compile(r"[^!-;=?-~]")

Entity = Iterable[bytes]
"""A MIME entity in pieces, each made when it is its turn: of a big file only the mail itself is a copy."""


def compose(headers: Sequence[tuple[str, str]], text: str, html: str | None, parts: Sequence[Part]) -> bytes:
    """The mail with these headers, a text, the same as HTML, and files; CRLF line ends.

    headers: raw values, see `headers.field`; MIME's own are added. Pictures that the HTML shows
    (`inline`, with a content_id) go beside it, all other parts are attachments.
    """
    boundaries = _Boundaries(next((value for name, value in headers if name.lower() == "message-id"), ""))
    pictures = [part for part in parts if html is not None and part.inline and part.content_id]
    body: Entity = _text("plain", text)
    if html is not None:
        shown = boundaries.join("related", [_text("html", html), *map(_file, pictures)])
        body = boundaries.join("alternative", [body, shown])
    body = boundaries.join("mixed", [body, *(_file(part) for part in parts if part not in pictures)])
    head = "".join(field(name, value) for name, value in headers)
    mail = BytesIO()
    mail.writelines(chain([head.encode("ascii"), b"MIME-Version: 1.0\r\n"], body))
    return mail.getvalue()


class _Boundaries:
    """Multipart bodies, with boundaries that follow from the Message-ID.

    "=_" stands in neither quoted-printable nor base64 (RFC 2045 section 6.7), so no body holds one.
    """

    def __init__(self, message_id: str) -> None:
        self.seed = sha256(message_id.encode("utf-8", "replace")).hexdigest()[:24]

    def join(self, subtype: str, entities: Sequence[Entity]) -> Entity:
        """The entities as one; a single one stays as it is."""
        if len(entities) == 1:
            return entities[0]
        boundary = f"=_{subtype}_{self.seed}"
        head = f'Content-Type: multipart/{subtype};\r\n boundary="{boundary}"\r\n\r\n'
        between = f"--{boundary}\r\n".encode()
        parts = chain.from_iterable(chain([between], entity) for entity in entities)
        return chain([head.encode()], parts, [f"--{boundary}--\r\n".encode()])


def _text(subtype: str, text: str) -> Entity:
    """A text body: quoted-printable, or base64 where that is shorter, as in Chinese."""
    written = _MORE_CONTROLS.sub("", text).encode("utf-8", "replace").translate(None, _CONTROLS)
    lines = written.replace(b"\r\n", b"\n").replace(b"\r", b"\n").rstrip(b"\n") + b"\n"
    octets = lines.replace(b"\n", b"\r\n")
    quoted = b2a_qp(octets, istext=True)
    readable = len(quoted) <= len(octets) * 7 // 5
    encoding, body = ("quoted-printable", [quoted]) if readable else ("base64", _base64(octets))
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return chain([head.encode()], body)


def _file(part: Part) -> Entity:
    """A file, byte for byte, with its name for old programs and, where it needs one, by RFC 2231."""
    name = _short(clean(part.name).replace("/", "_") or "file")
    plain = _NOT_PLAIN.sub("_", name)
    disposition = "inline" if part.inline else "attachment"
    head = [
        f'Content-Type: {_type(part.type)};{_charset(part)}\r\n name="{plain}"\r\n',
        "Content-Transfer-Encoding: base64\r\n",
        f"Content-Disposition: {disposition};\r\n {_file_name(name, plain)}\r\n",
    ]
    if part.content_id:
        head.append(f"Content-ID: <{_NOT_IN_ID.sub('', part.content_id)[:NAME]}>\r\n")
    return chain(["".join(head).encode("ascii"), b"\r\n"], _base64(part.content))


def _short(name: str) -> str:
    if len(name) <= NAME:
        return name
    stem, dot, ending = name.rpartition(".")
    kept = dot + ending if stem and len(ending) < 10 else ""
    return name[: NAME - len(kept)] + kept


def _type(declared: str) -> str:
    """The declared type, if it is one that base64 may carry (RFC 2046 sections 5.1 and 5.2.1)."""
    declared = declared.lower()
    return declared if _TYPE.fullmatch(declared) else "application/octet-stream"


def _charset(part: Part) -> str:
    """What a text is written in, as its sender said, else UTF-8 where it is that: without it accents are guessed at."""
    if not part.type.lower().startswith("text/"):
        return ""
    if _TOKEN.fullmatch(part.charset):
        return f" charset={part.charset};"
    try:
        part.content.decode()
    except UnicodeDecodeError:
        return ""
    return " charset=utf-8;"


def _file_name(name: str, plain: str) -> str:
    """The parameter `filename`: plain where it can be, else encoded and in numbered pieces."""
    if name == plain:
        return f'filename="{plain}"'
    pieces = list(_percent(name, 50))
    if len(pieces) == 1:
        return f"filename*=utf-8''{pieces[0]}"
    numbered = (f"filename*{number}*={piece}" for number, piece in enumerate(["utf-8''" + pieces[0], *pieces[1:]]))
    return ";\r\n ".join(numbered)


def _percent(name: str, room: int) -> Iterator[str]:
    piece = ""
    for char in name:
        encoded = quote(char, safe="")
        if len(piece) + len(encoded) > room:
            yield piece
            piece = ""
        piece += encoded
    yield piece


def _base64(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), _CHUNK):
        encoded = b64encode(content[start : start + _CHUNK])
        yield b"\r\n".join([encoded[at : at + 76] for at in range(0, len(encoded), 76)] + [b""])
