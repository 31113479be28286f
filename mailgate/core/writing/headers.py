"""Header fields of the mails that we send: clean values in, folded ASCII lines out.

The standard library's writer is not used: it folds Message-IDs into encoded words, which breaks
threads, and some releases of it write what a value smuggles in (CVE-2024-6923).
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

LINE = 78  # RFC 5322 section 2.1.1; a single token may pass it, up to the 998 that no line may pass
ADDRESS = 320  # RFC 5321 section 4.5.3.1
ENCODED_WORD = 64  # RFC 2047 section 2 allows 75; so one still fits beside "Subject:"
ENCODED_ROOM = ENCODED_WORD - len("=?utf-8?q??=")

_IDS = frozenset({"message-id", "in-reply-to", "references"})
_MAILBOXES = frozenset({"from", "to", "cc", "reply-to", "sender"})
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
_UNSAFE = re.compile("[\x00-\x20\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")
_ID = re.compile(r"<[!-;=?-~]{1,900}>")  # with more, a line would pass 998
_NOT_IN_ADDRESS = re.compile(r"[^A-Za-z0-9!#$%&'*+/=?^_`{|}~.@-]")
_NOT_IN_ATOMS = re.compile(r"[^A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]")
_Q_LITERAL = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_Q = [chr(byte) if byte in _Q_LITERAL else f"={byte:02X}" for byte in range(256)]
_Q[0x20] = "_"


def field(name: str, value: str) -> str:
    """One header field, folded, with its CRLF.

    A value of From, To, Cc, Reply-To or Sender is one mailbox, `Name <address>` with a raw name; of
    Message-ID, In-Reply-To or References, ids in angle brackets, of which odd ones are left out.
    ValueError for a name that is none (RFC 5322 section 3.6.8): names come from our code alone.
    """
    if not _FIELD_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a header field")
    kind = name.lower()
    if kind in _IDS:
        return folded(name, _ID.findall(value))
    if kind in _MAILBOXES:
        return folded(name, _mailbox(clean(value)))
    return folded(name, _words(clean(value)))


def clean(value: str) -> str:
    """The value on one line: controls, line separators and turns of direction are gone, runs of blanks are one."""
    if value.isascii() and value.isprintable() and "  " not in value:
        return value.strip()
    return _UNSAFE.sub(" ", value).strip().encode("utf-8", "replace").decode()


def folded(name: str, tokens: Sequence[str]) -> str:
    """The field with its tokens set apart by single spaces, folded between them."""
    whole = " ".join([f"{name}:", *tokens])
    if len(whole) <= LINE:
        return whole + "\r\n"
    lines = [f"{name}:"]
    for number, token in enumerate(tokens):
        if number and len(lines[-1]) + 1 + len(token) > LINE:
            lines.append("")
        lines[-1] += f" {token}"
    return "\r\n".join(lines) + "\r\n"


@lru_cache(maxsize=1024)  # the desk writes, again and again, to the same people
def _mailbox(value: str) -> tuple[str, ...]:
    name, bracket, address = value.rpartition("<")
    address = _NOT_IN_ADDRESS.sub("", address)[:ADDRESS]
    name = name.strip()
    if not bracket or not name:
        return (f"<{address}>" if bracket else address,)
    return (*_phrase(name), f"<{address}>")


def _phrase(name: str) -> list[str]:
    """A display name (RFC 5322 section 3.2.5): atoms, a quoted string or encoded words."""
    if any(map(_must_encode, name.split(" "))):
        return list(_encoded_words(name))
    if _NOT_IN_ATOMS.search(name):
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'.split(" ")
    return name.split(" ")


def _words(value: str) -> list[str]:
    """Unstructured text: what can stand as it is on both sides of what must be encoded."""
    words = value.split(" ") if value else []
    marked = [number for number, word in enumerate(words) if _must_encode(word)]
    if not marked:
        return words
    first, end = marked[0], marked[-1] + 1
    return [*words[:first], *_encoded_words(" ".join(words[first:end])), *words[end:]]


def _must_encode(word: str) -> bool:
    """Whether a word must not go out as it is; a literal "=?" would be read as an encoded word."""
    return not word.isascii() or "=?" in word or len(word) > ENCODED_WORD


@lru_cache(maxsize=1024)  # names and subjects come again in each mail of a ticket
def _encoded_words(text: str) -> tuple[str, ...]:
    """RFC 2047 words, each of whole characters in UTF-8: Q where most stays readable, else B."""
    octets = text.encode()
    if sum(len(_Q[octet]) for octet in octets) <= 2 * len(octets):
        pieces = _pieces(text, lambda octet: len(_Q[octet]), ENCODED_ROOM)
        return tuple(f"=?utf-8?q?{''.join(_Q[octet] for octet in piece)}?=" for piece in pieces)
    pieces = _pieces(text, lambda octet: 1, ENCODED_ROOM // 4 * 3)
    return tuple(f"=?utf-8?b?{b64encode(piece).decode()}?=" for piece in pieces)


def _pieces(text: str, cost: Callable[[int], int], room: int) -> Iterator[bytes]:
    """The text as UTF-8 in pieces that cost no more than `room`, cut between characters."""
    piece, left = bytearray(), room
    for octets in map(str.encode, text):
        needed = sum(map(cost, octets))
        if needed > left:
            yield bytes(piece)
            piece, left = bytearray(), room
        piece += octets
        left -= needed
    yield bytes(piece)
