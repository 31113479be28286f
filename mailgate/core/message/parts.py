"""The parts of a message as the stdlib parser finds them (`policy.compat32`, which cannot fail on a header).

Bounds stand before and inside the parser, so that no message costs more than its size. What is inside
message/* stays closed: it is an attachment, and nobody's text but its own author's.
"""

from __future__ import annotations

import re
from binascii import Error, a2b_base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.feedparser import BytesFeedParser
from email.message import Message
from functools import cached_property
from io import BytesIO
from itertools import count, islice
from typing import Any

from mailgate.core.message import charset

MAX_HEADER_BLOCK = 262_144
MAX_FIELD = 65_536
MAX_FIELDS = 2_000
MAX_LINES = 1_000_000
MAX_PARTS = 1_000
MAX_DEPTH = 20
MAX_BOUNDARY = 1_000

_FIELD_END = re.compile(rb"(?:\r\n|\r|\n)(?![ \t])")
_BLANK_LINE = re.compile(rb"\r\n\r\n|\n\r?\n|\r\r|^\r?\n")
# Whole lines of base64, as a file is sent; no such line can be a boundary, a field or a blank line.
# So many at most that what is made of them on the way does not count beside the file itself.
_FILE_LINES = re.compile(rb"^(?:[A-Za-z0-9+/]{40,76}={0,2}\r?\n){1,4096}+", re.MULTILINE)
_LONG = 4_096
_STAND_IN = re.compile("\0(\\d+)\0")


class OverLimitError(Exception):
    """The message is bigger in some respect than any honest one; the text says in which."""


class Part(Message):
    """A part as the parser builds it, its own fields read in linear time.

    taken_out: the long runs of base64 that stand-ins in the content stand for.
    """

    depth = 0
    taken_out: Sequence[memoryview] = ()
    _payload: Any

    @cached_property
    def fields(self) -> dict[str, list[str]]:
        """Unfolded values by lower-case name, in order, within the bounds; encoded words as they are."""
        found: dict[str, list[str]] = {}
        for name, value in islice(self.raw_items(), MAX_FIELDS):
            found.setdefault(name.strip().lower(), []).append(charset.unfold(value[:MAX_FIELD]))
        return found

    def field(self, name: str) -> str:
        return self.fields.get(name, [""])[0]

    @cached_property
    def headers(self) -> dict[str, tuple[str, ...]]:
        """The fields as people read them."""
        return {name: tuple(map(charset.decode_header, values)) for name, values in self.fields.items()}

    @cached_property
    def content_type(self) -> tuple[str, dict[str, str]]:
        """Type and parameters; text/plain where the field makes no sense (RFC 2045 section 5.2)."""
        kind, parameters = charset.parameters(self.field("content-type"))
        if not kind:
            kind = self.get_default_type()
        return kind if kind.count("/") == 1 else "text/plain", parameters

    @cached_property
    def disposition(self) -> tuple[str, dict[str, str]]:
        return charset.parameters(self.field("content-disposition"))

    @property
    def file_name(self) -> str:
        return (self.disposition[1].get("filename") or self.content_type[1].get("name", "")).strip()

    @cached_property
    def body_type(self) -> str:
        """text/plain or text/html where the part is text to be read, "" where it is an attachment.

        A part with a file name is an attachment, unless it is all that the message has.
        """
        kind = self.content_type[0]
        if kind.startswith("multipart/"):  # without its boundary: all that there is is text
            kind = "text/plain"
        readable = kind in {"text/plain", "text/html"} and self.disposition[0] != "attachment"
        return kind if readable and (self.depth == 0 or not self.file_name) else ""

    def octets(self) -> bytes:
        """The decoded content (RFC 2045 section 6)."""
        if self.taken_out and isinstance(self._payload, str):
            is_base64 = self.get("content-transfer-encoding", "").lower() == "base64"
            file = _decoded(self._pieces(self._payload)) if is_base64 else None
            if file is not None:
                return file
            self._payload = b"".join(self._pieces(self._payload)).decode("ascii", "surrogateescape")
        content = self.get_payload(decode=True)
        return content if isinstance(content, bytes) else b""

    def write_whole(self, content: bytes | None) -> None:
        """Put content in the place of this part's, or its own without stand-ins for None: to be written out again."""
        if content is not None:
            self._payload = content.decode("ascii", "surrogateescape")
        elif self.taken_out and isinstance(self._payload, str):
            self._payload = b"".join(self._pieces(self._payload)).decode("ascii", "surrogateescape")

    def take_fields(self, fields: Sequence[tuple[str, str]]) -> None:
        """Put other header fields in the place of all: to be written out again."""
        self._headers = list(fields)
        for known in ("fields", "headers", "content_type", "disposition"):
            self.__dict__.pop(known, None)

    def _pieces(self, payload: str) -> Iterator[bytes]:
        """The content as it came, with the runs in their places."""
        for number, piece in enumerate(_STAND_IN.split(payload)):
            yield bytes(self.taken_out[int(piece)]) if number % 2 else piece.encode("ascii", "surrogateescape")

    # What the parser asks and says while it reads.

    def set_raw(self, name: str, value: str) -> None:
        if name.lower() == "content-transfer-encoding":  # a stray blank or comment would hide the content
            value = re.split(r"[\s;(]", value.strip(' "'), maxsplit=1)[0].strip('"')
        super().set_raw(name, value)

    def get_content_type(self) -> str:
        kind = self.content_type[0]
        return "application/octet-stream" if kind.startswith("message/") else kind

    def get_boundary(self, failobj: Any = None) -> Any:
        boundary = self.content_type[1].get("boundary", "")
        return boundary if 0 < len(boundary) <= MAX_BOUNDARY else failobj

    def attach(self, payload: Any) -> None:
        payload.depth = self.depth + 1
        if payload.depth > MAX_DEPTH:
            raise OverLimitError(f"parts nested more than {MAX_DEPTH} deep")
        super().attach(payload)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A part that holds content. index: position in a depth-first walk, from 0. octets: decoded."""

    index: int
    part: Part
    octets: bytes

    @property
    def canonical(self) -> bytes:
        """The octets without what relays change in lines: their ends and the blanks before and after them."""
        if self.part.field("content-transfer-encoding").lower() == "base64":
            return self.octets
        lines = self.octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        return b"\n".join([line.rstrip(b" \t") for line in lines]).rstrip(b"\n")


def read(raw: bytes) -> Part:
    """The message as a tree of parts. Raises OverLimitError."""
    _check_bounds(raw)
    made = count(1)
    shortened, taken_out = without_files(raw)

    def new_part() -> Part:
        if next(made) > MAX_PARTS:
            raise OverLimitError(f"more than {MAX_PARTS} parts")
        part = Part()
        part.taken_out = taken_out
        return part

    parser = BytesFeedParser(new_part)
    for start in range(0, len(shortened), MAX_FIELD):
        parser.feed(shortened[start : start + MAX_FIELD])
    return parser.close()


def without_files(raw: bytes) -> tuple[bytes, list[memoryview]]:
    """The message with a stand-in for each long run of base64, and the runs.

    The parser works line by line and keeps each as a string: for a file of 20 MB that is a second
    and a hundred megabytes, and there is nothing in it for the parser to find.
    """
    runs: list[memoryview] = []
    if len(raw) < _LONG or b"\0" in raw:
        return raw, runs
    whole = memoryview(raw)

    def taken_out(run: re.Match[bytes]) -> bytes:
        lines = run[0].rstrip(b"\r\n")
        if len(lines) < _LONG:
            return run[0]
        runs.append(whole[run.start() : run.start() + len(lines)])
        return b"\0%d\0" % (len(runs) - 1) + run[0][len(lines) :]

    return _FILE_LINES.sub(taken_out, raw), runs


def _decoded(pieces: Iterable[bytes]) -> bytes | None:
    """What base64 encodes, piece by piece, so that a file is in memory once; None where it has any fault."""
    file, ended = BytesIO(), False
    for piece in pieces:
        digits = piece.translate(None, b"\r\n")
        try:
            octets = a2b_base64(digits, strict_mode=True)
        except Error:
            return None
        if ended and octets:
            return None
        file.write(octets)
        ended = ended or b"=" in digits
    return file.getvalue()


def read_fields(raw: bytes) -> Part:
    """What of the header fields lies within the bounds, without those that describe a body."""
    block = header_block(raw)
    fields = _FIELD_END.split(block)
    if len(block) > MAX_HEADER_BLOCK:
        fields.pop()  # cut off in the middle
    kept = [field for field in fields[:MAX_FIELDS] if len(field) <= MAX_FIELD]
    described = (b"content-", b"mime-")
    return read(b"\n".join(field for field in kept if not field.lower().startswith(described)) + b"\n\n")


def leaves(root: Part) -> Iterator[Leaf]:
    """The parts that hold content, in the order of the message."""
    for index, part in enumerate(root.walk()):
        if isinstance(part, Part) and not part.is_multipart():
            yield Leaf(index, part, part.octets())


def _check_bounds(raw: bytes) -> None:
    if len(raw) <= MAX_FIELD and raw.count(b"\n") + raw.count(b"\r") < MAX_FIELDS:
        return  # nothing in it can be too big
    block = header_block(raw)
    if len(block) > MAX_HEADER_BLOCK:
        raise OverLimitError(f"header of more than {MAX_HEADER_BLOCK} bytes")
    fields = _FIELD_END.split(block)
    if len(fields) > MAX_FIELDS:
        raise OverLimitError(f"more than {MAX_FIELDS} header fields")
    if any(len(field) > MAX_FIELD for field in fields):
        raise OverLimitError(f"header field of more than {MAX_FIELD} bytes")
    if len(raw) > MAX_LINES and max(raw.count(b"\n"), raw.count(b"\r")) > MAX_LINES:
        raise OverLimitError(f"more than {MAX_LINES} lines")


def header_block(raw: bytes) -> bytes:
    """The bytes before the first blank line; a little more than the bound where there is none in reach."""
    head = raw[: MAX_HEADER_BLOCK + 4]
    end = _BLANK_LINE.search(head)
    return head[: end.start()] if end else head
