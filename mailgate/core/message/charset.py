"""From octets to text: charsets, encoded words (RFC 2047), parameters (RFC 2045, 2231).

Mail lies about its charset, so a label is a hint: what it cannot mean is read as UTF-8, else as
windows-1252, and nothing raises. Charsets in which "#time" can be written so that mail programs show
something else (utf-7 and its like) are not decoded at all. Every function is linear in its input.
"""

from __future__ import annotations

import binascii
import codecs
import re
from functools import lru_cache
from itertools import groupby
from urllib.parse import unquote_to_bytes

_ALLOWED = re.compile(
    r"utf-8|ascii|iso8859-\d+|cp125\d|cp(437|737|775|85\d|86\d|874|932|949|950)|koi8-[rtu]|mac-\w+"
    r"|big5(hkscs)?|gb18030|euc_\w+|shift_\w+|iso2022_\w+|johab"
)
_ALIASES = {"x-gbk": "gb18030", "gb_2312-80": "gb18030", "x-sjis": "cp932", "unknown-8bit": "utf-8"}
# What programs that claim the first really write is the second, which holds all of the first.
_WIDER = {
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "big5hkscs",
    "iso2022_jp": "iso2022_jp_ext",
}
# Marks that turn the reading direction or hide between letters, to make one name look like another.
_INVISIBLE = re.compile(r"[\0\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_SPACE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_PARAMETER = re.compile(r';\s*+([^\s=;]++)\s*+=\s*+("(?:[^"\\]|\\.)*"|[^;]*)')
_PIECE = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*)?")


@lru_cache(maxsize=256)
def codec(label: str) -> str | None:
    """Python's name of a charset that we decode, None for any other."""
    name = label.partition("*")[0].strip(" \"'").lower()  # RFC 2231 section 5: charset*language
    name = _ALIASES.get(name, name)
    try:
        name = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    name = _WIDER.get(name, name)
    return name if _ALLOWED.fullmatch(name) else None


def decode(data: bytes, label: str = "") -> str:
    """Text with "\\n" line ends, free of NUL and lone surrogates; what cannot be read becomes U+FFFD."""
    name = codec(label) if len(label) <= 60 else None
    known = name if name not in {"utf-8", "ascii"} else None
    text = data.decode(known, "replace") if known else _unlabelled(data)
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").removeprefix("\ufeff")


def _unlabelled(data: bytes) -> str:
    """UTF-8, else windows-1252; a single broken character does not make UTF-8 text anything else."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("utf-8", "replace")
    damaged = text.count("\ufffd")
    readable = len(text) - len(text.encode("ascii", "ignore")) - damaged
    return text if readable > damaged else data.decode("cp1252", "replace")


def unfold(value: str) -> str:
    """A header field's value on one line, raw 8-bit octets (surrogate escapes) read as text."""
    if not value.isascii():
        value = _unlabelled(value.encode("utf-8", "surrogateescape"))
    return value.replace("\r", "").replace("\n", "").replace("\0", "")


def decode_header(value: str) -> str:
    """A header value as people read it: encoded words decoded, white space and controls collapsed.

    Linear where the stdlib's `decode_header` is quadratic. Words that cannot be decoded stay as they are.
    """
    if "=?" in value:
        value = _decode_words(value)
    if value.isprintable():  # then only plain spaces can be white space
        return " ".join(value.split())
    return _SPACE.sub(" ", _INVISIBLE.sub("", value)).strip()


@lru_cache(maxsize=256)  # the same people write, and of a thread each mail has the subject
def _decode_words(value: str) -> str:
    """Adjacent words of one charset are joined before decoding: some programs cut inside a character."""
    pieces: list[tuple[str, str | bytes]] = []
    end = 0
    for match in _WORD.finditer(value):
        data = _word_octets(*match.groups())
        if data is None:
            continue
        between = value[end : match.start()]
        if between.strip() or not pieces or end == 0:
            pieces.append(("", between))
        pieces.append((match[1].lower(), data))
        end = match.end()
    pieces.append(("", value[end:]))
    runs = groupby(pieces, key=lambda piece: piece[0])
    return "".join(_run(label, [data for _, data in run]) for label, run in runs)


def _run(label: str, run: list[str | bytes]) -> str:
    text = "".join(data for data in run if isinstance(data, str))
    return text or decode(b"".join(data for data in run if isinstance(data, bytes)), label)


def _word_octets(label: str, encoding: str, text: str) -> bytes | None:
    """The octets of one word; what stands in it unencoded is put back into its own charset."""
    data = text.encode((codec(label) if not text.isascii() else None) or "utf-8", "replace")
    if encoding in "qQ":
        return binascii.a2b_qp(data, header=True)
    try:
        return binascii.a2b_base64(data + b"==")
    except binascii.Error:
        return None


def parameters(value: str) -> tuple[str, dict[str, str]]:
    """The lower-case value before the first semicolon, and the decoded parameters by lower-case name.

    Continued and encoded parameters (RFC 2231) win over plain ones; encoded words, which do not belong
    into parameters but are common there, are decoded too.
    """
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[bool, str]]] = {}
    for name, raw in _PARAMETER.findall(value):
        match = _PIECE.fullmatch(name.lower())
        text = _unquote(raw)
        if match and (match[2] or match[3]):
            pieces.setdefault(match[1], {}).setdefault(int(match[2] or 0), (bool(match[3]), text))
        else:
            plain.setdefault(name.lower(), _decode_words(text) if "=?" in text else text)
    extended = {name: _joined(found) for name, found in pieces.items()}
    return value.partition(";")[0].strip().lower(), plain | extended


def _unquote(raw: str) -> str:
    raw = raw.strip()
    if len(raw) > 1 and raw[0] == raw[-1] == '"':
        return re.sub(r'\\(["\\])', r"\1", raw[1:-1])  # any other backslash is one of a Windows path
    return raw.strip('"')


def _joined(pieces: dict[int, tuple[bool, str]]) -> str:
    """The pieces of a parameter in order; the first says the charset of those that are encoded."""
    ordered = [pieces[index] for index in sorted(pieces)]
    encoded, first = ordered[0]
    label = ""
    if encoded and first.count("'") >= 2:
        label, _, first = first.split("'", 2)
        ordered[0] = (True, first)
    octets = [unquote_to_bytes(text) if escaped else text.encode("utf-8", "replace") for escaped, text in ordered]
    return decode(b"".join(octets), label)
