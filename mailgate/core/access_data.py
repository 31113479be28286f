"""Access data in a text: passwords, keys and the like, which are shown only to who asks for them.

By the words that people put before them. What is masked by mistake costs a click; what is missed is shown as it
would have been anyway.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MASK = "••••••••"

_NAME = (
    r"(?:contrase[nñ]as?|claves?|password|passwd|passphrase|passcode|pass|pwd|pin|token|secreto?|c[oó]digo de acceso"
    r"|access code|api[ _-]?key|access[ _-]?key|secret[ _-]?key|auth[ _-]?key)"
)
# What may stand between the word and the sign: "contraseña del FTP:", "password for admin =".
_BETWEEN = r"[\"'*_]{0,3}(?:[ \t]{1,3}[^\s:=,.;]{1,30}){0,4}[ \t]{0,3}"
_WORD = rf"(?<![^\W_]){_NAME}(?![^\W_])"
_WRITTEN = rf"{_WORD}{_BETWEEN}[:=][ \t*_]{{0,5}}\n?[ \t*_]{{0,5}}(?P<written>\S{{2,200}})"
# In words a password is what no word of a sentence is: with a digit or a sign in it.
_IS = r"(?:[ \t]{1,3}[^\s:=,.;]{1,30}){0,4}[ \t]{1,3}(?:es|is|será)[ \t]{1,3}"
_SAID = rf"{_WORD}{_IS}(?P<said>(?=\S{{0,60}}[\d!$%&*+#@_])\S{{4,200}})"
_IN_CODE = rf"(?<![^\W_]){_NAME}[\"'][ \t]{{0,3}}(?:,|=>|:)[ \t]{{0,3}}[\"'](?P<code>[^\"'\n]{{1,200}})[\"']"
_IN_ADDRESS = r"[a-z]{2,10}://[^\s/:@]{1,100}:(?P<address>[^\s/@]{1,200})@"
_KEY = r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?P<key>[^-]{1,20000})-----END"
_FINDS = re.compile("|".join((_IN_CODE, _WRITTEN, _SAID, _IN_ADDRESS, _KEY)), re.IGNORECASE)
# Where such a thing can begin at all: most texts have none, and are looked at once.
_HINT = re.compile(rf"{_NAME}|://[^\s/]+@|PRIVATE KEY", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text; secret: it is access data."""

    text: str
    secret: bool = False


def pieces(text: str) -> tuple[Piece, ...]:
    """The text, parted where access data begin and end."""
    return tuple(_pieces(text)) if _HINT.search(text) else (Piece(text),)


def masked(text: str) -> str:
    """The text with a mask in place of access data."""
    return "".join(MASK if piece.secret else piece.text for piece in pieces(text))


def holds_any(text: str) -> bool:
    """Whether anything in it would be masked."""
    return any(piece.secret for piece in pieces(text))


def _pieces(text: str) -> Iterator[Piece]:
    end = 0
    for found in _FINDS.finditer(text):
        start, stop = found.span(found.lastgroup or 0)
        yield Piece(text[end:start])
        yield Piece(text[start:stop], secret=True)
        end = stop
    yield Piece(text[end:])
