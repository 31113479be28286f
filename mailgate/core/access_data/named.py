"""Access data that a word announces: "contraseña: …", "the password is …", "'DB_PASSWORD', '…'"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailgate.core.access_data.strength import is_strong, is_trivial, is_word, trimmed

Span = tuple[int, int]

NAME = (
    r"(?:api|access|secret|auth|cookie|logged_in|nonce)[ _-]?(?:key|salt)|client[ _-]secret"
    r"|contrase[nñ]\u0303?as?|claves?(?! (?:foráneas?|primarias?))|passwords?|passwd|passphrase|passcode|pass|pwd"
    r"|psw|pw|pin|token|secreto?|c[oó]digo de acceso|access code|credencial(?:es)?|credentials"
)
# Texts, in lower case, without one of which no such name is there.
HINTS = (
    *("contrase", "clave", "pass", "pwd", "psw", "pw", "pin", "token", "secret", "de acceso", "access code", "key"),
    *("credenc", "credent", "salt"),
)

# "DB_PASSWORD", "_COOKIE_KEY_": an underscore parts words, too. A key word of a text is none.
_NAMES = re.compile(rf"(?<![^\W_])(?<!palabra )(?<!palabras )(?<!puntos )(?:{NAME})(?![^\W_])", re.IGNORECASE)

# Each is tried right behind a name. What is between it and the sign: "del FTP (nueva)", "for admin".
_WRITTEN = re.compile(
    r"(?P<between>[\"'*_)]{0,3}(?:[ \t]{1,3}+[^\s:=,.;]{1,30}+){0,5}[ \t*_]{0,5})"
    r"(?P<sign>:|=>|=|->|→|\u2013|\u2014|[ \t]-[ \t]|\t|\||[ ]{2,8})"
    r"[ \t*_|]{0,8}(?P<below>(?:\n[ \t>|*]{0,12}){0,2})(?P<value>\S{2,200})(?P<after>[ \t]{0,3}\S{0,30})"
)
_BELOW = re.compile(r"[ \t*_|]{0,5}\n[ \t>*|]{0,12}(?P<value>\S{4,100})[ \t|]{0,5}$", re.MULTILINE)
_SAID = re.compile(
    r"(?:[ \t]{1,3}+[^\s:=,.;]{1,30}+){0,5}?\s{1,3}+(?:es|is|será|will be|sería|ahora es|is now|a|to|como|as)\s{1,3}"
    r"(?:la siguiente[ ,:]{0,3})?(?P<value>\S{4,200})",
    re.IGNORECASE,
)
_BESIDE = re.compile(r"[ \t]{1,3}(?P<value>[^\s:=]{4,100})(?!\S)")
_IN_QUOTES = re.compile(
    r"(?:[ \t]{1,3}+[^\s:=,.;\"'«“`]{1,30}+){0,4}?[ \t:=]{1,4}[\"'«“`](?P<value>[^\s\"'»”`]{4,100})[\"'»”`]"
)
# At most so many marks stand before the first word of a line.
_MARKS = 20
_SURE = (_SAID, _BESIDE, _IN_QUOTES)
_IN_CODE = re.compile(
    r"_?[\"'][ \t]{0,3}(?:,|=>|:|\]?[ \t]{0,2}=)[ \t]{0,3}(?P<quote>[\"'])(?P<value>[^\"'\n]{1,200})(?P=quote)"
)
_IN_TAG = re.compile(r">(?P<value>[^<>\n]{2,200})</")
_GROUPS = re.compile(r"(?:[a-z0-9]{4} ){3,7}[a-z0-9]{4}(?!\w)", re.IGNORECASE)


def spans(text: str, folded: str) -> Iterator[Span]:
    """Where they stand, in no order; folded: the text in lower case."""
    if not any(hint in folded for hint in HINTS):
        return
    for name in _NAMES.finditer(text):
        yield from _behind(text, *name.span())


def _behind(text: str, start: int, end: int) -> Iterator[Span]:
    """What a name announces. A name behind a slash is the second of two, which `lines` reads together."""
    quoted = _IN_CODE.match(text, end) or _IN_TAG.match(text, end)
    if quoted and quoted["value"].strip("•* "):
        yield quoted.span("value")
        return
    if text[start - 1 : start] == "/" and text[start - 2 : start - 1].isalpha():
        return
    if (written := _WRITTEN.match(text, end)) and (span := _written(text, written)):
        yield span
    below = _BELOW.match(text, end) if _opens_line(text, start) else None
    for found in (below, *(finds.match(text, end) for finds in _SURE)):
        value = trimmed(text, *found.span("value")) if found else (0, 0)
        if is_strong(text[slice(*value)]):
            yield value


def _opens_line(text: str, start: int) -> bool:
    before = text[max(0, start - _MARKS) : start]
    return not before.rpartition("\n")[2].strip(" \t>*|•-") and ("\n" in before or start <= _MARKS)


def _written(text: str, found: re.Match[str]) -> Span | None:
    """After a colon or the like, on the same line or alone on the next; None where the sentence goes on."""
    start, stop = trimmed(text, *found.span("value"))
    if groups := _GROUPS.match(text, start):
        return groups.span()
    value, after = text[start:stop], found["after"].strip()
    if is_word(value) or (is_trivial(value) and not value.isdigit()) or value[0] in "#＃" or value.endswith("://"):
        return None
    if found["below"] and (after or found["value"].endswith(":")):
        return None
    if found["sign"].isspace() or found["sign"].strip() in ("-", "\u2013", "\u2014"):
        return (start, stop) if is_strong(value) or found["sign"] == "\t" else None
    goes_on = value.isalpha() and value.islower() and after[:1].isalpha() and found["value"].endswith(value)
    return None if goes_on and found["between"].strip(" \t*_\"'") else (start, stop)
