"""A message without a secret: in every part and field where a mail program would show it, however that is encoded."""

from __future__ import annotations

import quopri
import re
from base64 import encodebytes
from collections.abc import Iterator

from mailgate.core.message import charset
from mailgate.core.message.parts import OverLimitError, Part, read
from mailgate.core.message.strip import written_out
from mailgate.core.redaction import Secret
from mailgate.core.writing import headers

# Who and which message: without them it is another mail, or none. Nothing of it is a secret of a ticket.
_STAYS = re.compile(
    r"from|to|cc|bcc|sender|reply-to|return-path|delivered-to|message-id|in-reply-to|references|date|received"
    r"|mime-version|content-transfer-encoding|content-id|auto-submitted|dkim-signature|arc-.*|authentication-results"
)
_PARAMETERS = ("content-type", "content-disposition")
# As deep as one message is attached to another.
_DEEPEST = 5


def without(raw: bytes, secret: Secret, depth: int = 0) -> tuple[bytes | None, int]:
    """The message without the secret, and in how many places it stood; the very bytes where it did not.

    None for one out of which it cannot be taken for sure: it is to go whole. What was signed of it is signed no
    more. Into packed and compressed files nobody looks.
    """
    try:
        root = read(raw)
        parts = _parts(root)
        places = sum(_hide(part, secret, depth) for part in parts)
        if not places:
            return raw, 0
        made = written_out(root, b"\r\n" if b"\r\n" in raw else b"\n")
        after = _parts(read(made))
        again = sum(_hide(part, secret, depth) for part in after)
    except (OverLimitError, ValueError, LookupError):
        left, places = secret.hide_in_bytes(raw)
        return (None, places) if left != raw else (raw, 0)
    return (made if not again and len(after) == len(parts) else None), places


def _parts(root: Part) -> list[Part]:
    return [part for part in root.walk() if isinstance(part, Part)]


def _hide(part: Part, secret: Secret, depth: int) -> int:
    """Take it out of one part and make that ready to be written out; in how many places it stood there."""
    places = sum(_hide_in_fields(part, secret))
    for name in ("preamble", "epilogue"):  # what stands around the parts, for programs that know none
        text, found = secret.hide(getattr(part, name) or "")
        if found:
            setattr(part, name, text)
            places += found
    if part.is_multipart():
        return places
    octets = part.octets()
    hidden, found = _hidden_content(part, octets, secret, depth)
    part.write_whole(_encoded(part, hidden) if found else None)
    return places + found


def _hidden_content(part: Part, octets: bytes, secret: Secret, depth: int) -> tuple[bytes, int]:
    kind, parameters = part.content_type
    if kind == "message/rfc822" and depth < _DEEPEST:
        inner, found = without(octets, secret, depth + 1)
        return inner or b"", found
    if not kind.startswith(("text/", "multipart/", "message/")):
        return secret.hide_in_bytes(octets)
    label = parameters.get("charset", "")
    text = charset.decode(octets, label)
    text, found = (secret.hide_in_html if kind == "text/html" else secret.hide)(text)
    if not found:
        return secret.hide_in_bytes(octets)
    return text.encode(charset.codec(label) or "utf-8", "replace"), found


def _encoded(part: Part, octets: bytes) -> bytes:
    """As the part's own field says (RFC 2045 section 6)."""
    match part.field("content-transfer-encoding").lower():
        case "base64":
            return encodebytes(octets)
        case "quoted-printable":
            return quopri.encodestring(octets)
        case _:
            return octets


def _hide_in_fields(part: Part, secret: Secret) -> Iterator[int]:
    """Take it out of the fields; gives in how many places it stood in each."""
    kept: list[tuple[str, str]] = []
    for name, value in part.raw_items():
        lower = name.strip().lower()
        hidden, found = (value, 0) if _STAYS.fullmatch(lower) else _hidden_field(lower, value, secret)
        kept.append((name, hidden))
        yield found
    part.take_fields(kept)


def _hidden_field(name: str, value: str, secret: Secret) -> tuple[str, int]:
    unfolded = charset.unfold(value)
    if name not in _PARAMETERS:
        hidden, found = secret.hide(charset.decode_header(unfolded))
        return (headers.field("X", hidden)[2:].strip() if found else value), found
    kind, parameters = charset.parameters(unfolded)
    hidden_ones = {key: secret.hide(one) for key, one in parameters.items()}
    found = sum(times for _, times in hidden_ones.values())
    if not found:
        return value, 0
    quoted = [f'{key}="{_escaped(one)}"' for key, (one, _) in hidden_ones.items()]
    return "; ".join([kind, *quoted]), found


def _escaped(parameter: str) -> str:
    """A parameter's value as it may stand between quotation marks; other letters than ASCII ones are gone."""
    return re.sub(r'["\\\r\n]', "_", parameter.encode("ascii", "replace").decode())
