"""DKIM signatures and ARC seals (RFC 6376, RFC 8617): dkimpy checks them, and this adds what it leaves open.

For dkimpy a signature is good that leaves the end of the message open (`l=`), does not cover From, was made by
a public suffix, or stands below a second Subject that no one signed. Here it is not.
"""

from __future__ import annotations

import base64
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cache, partial

import dkim
from dkim.crypto import parse_pem_private_key
from dkim.util import InvalidTagValueList, parse_tag_value

from mailgate.core.message import authres
from mailgate.core.proof import Result, Signature
from mailgate.edges.dns import NotAtHand, TooMuch, Unavailable

Ask = Callable[[str], Sequence[bytes]]
"""TXT records of a name. Raises Unavailable, TooMuch, or NotAtHand."""
Kinship = Callable[[str], bool]
"""Whether a domain is of the author's organisation."""
Fields = Sequence[tuple[str, bytes]]
"""The header of a message, from the top: lower-case names, values as they came."""

_MOST_SIGNATURES = 5
_MOST_SEALS = 10
_LONGEST_HEADER = 262_144
_SMALLEST_KEY = 1024
_ALGORITHMS = (b"rsa-sha256", b"ed25519-sha256")
# At most once each (RFC 5322 section 3.6, RFC 2045); signers cover the lowest, programs may show the topmost.
_SINGLE = (
    *("from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id", "in-reply-to", "references"),
    *("content-type", "content-transfer-encoding", "mime-version"),
)
# What is signed of our own mails: what tells who wrote what to whom, and how programs are to take it.
_COVERED = (*_SINGLE, "auto-submitted", "list-id", "list-unsubscribe", "precedence")
# The name of RSA keys (RFC 3279 section 2.3.1).
_RSA = bytes.fromhex("300d06092a864886f70d0101010500")
_FIELD = re.compile(rb"^([!-9;-~]+)[ \t]*:((?:.*(?:\n[ \t].*)*))", re.MULTILINE)
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_silent = logging.getLogger("mailgate.dkim")
_silent.disabled = True  # what dkimpy would log of each mail that proves nothing stands on its trail


def header(raw: bytes) -> Fields:
    """The fields of a message."""
    end = _BLANK_LINE.search(raw, 0, _LONGEST_HEADER)
    top = raw[: end.start() if end else _LONGEST_HEADER].replace(b"\r\n", b"\n")
    return [(match[1].lower().decode("ascii"), match[2]) for match in _FIELD.finditer(top)]


def with_crlf(raw: bytes) -> bytes:
    """The form in which messages are signed."""
    whole = raw.count(b"\n") == raw.count(b"\r\n")
    return raw if whole else re.sub(rb"\r?\n", b"\r\n", raw)


def signatures(raw: bytes, fields: Fields, kin: Kinship, author: str, ask: Ask, now: datetime) -> list[Signature]:
    """What the signatures of the author's organisation are worth, at most five of them."""
    found: list[Signature] = []
    message = cache(lambda: dkim.DKIM(with_crlf(raw), logger=_silent, minkey=_SMALLEST_KEY))
    for index, tags in _of_kin(fields, kin):
        claimed = claim(tags, fields, author, now)
        if claimed.result is Result.NONE and any(one.result is Result.PASS and one.exact for one in found):
            break  # the best that there can be
        if claimed.result is Result.NONE:
            claimed = _checked(message, index, claimed, ask)
        found.append(claimed)
    return found


def reported(
    fields: Fields, kin: Kinship, author: str, reports: Sequence[authres.Report], now: datetime
) -> list[Signature]:
    """Signatures that a server of our own found good, and that are good by our rules, too."""
    good = list(authres.passed(reports, "dkim"))
    found = []
    for _, tags in _of_kin(fields, kin):
        claimed = claim(tags, fields, author, now)
        named = any(_names(properties, tags) for properties in good)
        if claimed.result is Result.NONE and named:
            why = f"as {reports[0].authserv} says"
            found.append(_with(claimed, Result.PASS, why))
    return found


def claim(tags: dict[bytes, bytes], fields: Fields, author: str, now: datetime) -> Signature:
    """A signature as far as it can be judged without its key; the result is none where that may still be good."""
    covers = frozenset(name.strip().lower().decode("ascii", "replace") for name in tags.get(b"h", b"").split(b":"))
    domain = tags.get(b"d", b"").decode("ascii", "replace").lower()
    selector = tags.get(b"s", b"").decode("ascii", "replace")
    fault = _fault(tags, fields, covers, now)
    result = Result.POLICY if fault else Result.NONE
    return Signature(domain, selector, result, covers, exact=domain == author, why=fault)


def seal(raw: bytes, fields: Fields, ask: Ask, now: datetime) -> tuple[str, bytes]:
    """Who sealed last, and what they say was found before; "" where there is no chain that holds.

    Their signature must cover as much as any other that proves something.
    """
    count = Counter(name for name, _ in fields)["arc-seal"]
    signatures = _read(fields, "arc-message-signature")
    newest = next((tags for _, tags in signatures if tags.get(b"i") == b"%d" % count), {})
    if not 0 < count <= _MOST_SEALS or claim(newest, fields, "", now).result is not Result.NONE:
        return "", b""
    try:
        chain = dkim.ARC(with_crlf(raw), logger=_silent, minkey=_SMALLEST_KEY)
        verdict, sets, _ = chain.verify(dnsfunc=partial(_key_record, ask))
    except (Unavailable, NotAtHand):
        raise
    except Exception:  # noqa: BLE001 - dkimpy meets hostile input with more than its own exceptions
        return "", b""
    if verdict != dkim.CV_Pass:
        return "", b""
    return sets[0]["as-domain"].decode("ascii", "replace").lower(), sets[0]["aar-value"]


class Signer:
    """Signs what goes out (RFC 6376). Raises ValueError for a key that none can be made with.

    key: an RSA private key in PEM.
    """

    def __init__(self, domain: str, selector: str, key: bytes) -> None:
        self.domain = domain.lower()
        self.selector = selector
        self._domain = domain.encode("ascii")
        self._selector = selector.encode("ascii")
        self._key = key
        try:
            self.signed(b"From: trial\r\n\r\n")
        except (dkim.DKIMException, ValueError, TypeError, IndexError) as error:
            raise ValueError(f"is no RSA key in PEM that mails can be signed with: {_short(error)}") from error

    @property
    def public_key(self) -> str:
        """What stands as p= in the record: the key that signatures are checked with (RFC 6376 section 3.6.1)."""
        key = parse_pem_private_key(self._key)
        numbers = b"".join(_der(0x02, _unsigned(key[name])) for name in ("modulus", "publicExponent"))
        whole = _der(0x30, _RSA + _der(0x03, b"\0" + _der(0x30, numbers)))
        return base64.b64encode(whole).decode("ascii")

    def signed(self, raw: bytes) -> bytes:
        """The same message under a signature.

        From and Subject are signed once more than they are there, so that a second one breaks the signature.
        """
        present = {name for name, _ in header(raw)}
        covered = [name.encode() for name in (*_COVERED, "from", "subject") if name in present]
        message = dkim.DKIM(raw, logger=_silent)
        made = message.sign(
            self._selector,
            self._domain,
            self._key,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=covered,
        )
        return bytes(made) + raw


def _der(tag: int, data: bytes) -> bytes:
    """One value in DER (X.690 section 8.1)."""
    if len(data) < 0x80:
        return bytes((tag, len(data))) + data
    length = len(data).to_bytes((len(data).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + data


def _unsigned(number: int) -> bytes:
    """A number that does not look negative."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _of_kin(fields: Fields, kin: Kinship) -> Iterator[tuple[int, dict[bytes, bytes]]]:
    """Index among all signatures, and tags, of those that could speak for the author."""
    left = _MOST_SIGNATURES
    for index, tags in _read(fields, "dkim-signature"):
        if left and kin(tags.get(b"d", b"").decode("ascii", "replace").lower()):
            left -= 1
            yield index, tags


def _read(fields: Fields, kind: str) -> Iterator[tuple[int, dict[bytes, bytes]]]:
    """Index among all signatures of a kind, and tags, of those that can be read (RFC 6376 section 3.2)."""
    for index, value in enumerate(value for name, value in fields if name == kind):
        with suppress(InvalidTagValueList, ValueError):
            yield index, parse_tag_value(value)


def _fault(tags: dict[bytes, bytes], fields: Fields, covers: frozenset[str], now: datetime) -> str:
    names = Counter(name for name, _ in fields)
    twice = [name for name in _SINGLE if names[name] > 1]
    if twice:
        return f"several {twice[0]} fields"
    if b"l" in tags:
        return "leaves the end of the text open (l=)"
    if "from" not in covers:
        return "does not cover From"
    if tags.get(b"a", b"").lower() not in _ALGORITHMS:
        return "an algorithm that is no good"
    expires = tags.get(b"x", b"")
    if expires and not (expires.isdigit() and len(expires) < 15 and int(expires) > now.timestamp()):
        return "expired (x=)"
    return ""


def _checked(message: Callable[[], dkim.DKIM], index: int, claimed: Signature, ask: Ask) -> Signature:
    """message: the whole of it, which is dear to read and of use only with a key."""
    try:
        if not _key_record(ask, f"{claimed.selector}._domainkey.{claimed.domain}".encode()):
            return _with(claimed, Result.PERMERROR, "nobody publishes its key")
        verifier = message()
        good = verifier.verify(index, dnsfunc=partial(_key_record, ask))
    except Unavailable as error:
        return _with(claimed, Result.TEMPERROR, str(error))
    except NotAtHand:
        raise
    except TooMuch as error:
        return _with(claimed, Result.PERMERROR, str(error))
    except dkim.DKIMException as error:
        return _with(claimed, Result.FAIL, _short(error))
    except Exception as error:  # noqa: BLE001 - dkimpy meets hostile input with more than its own exceptions
        return _with(claimed, Result.PERMERROR, _short(error))
    # The same one that was judged above, however the two read the header.
    same = verifier.domain.decode("ascii", "replace").lower() == claimed.domain
    return _with(claimed, Result.PASS if good and same else Result.FAIL, "")


def _key_record(ask: Ask, name: bytes, timeout: float = 0) -> bytes:
    """The key record; of several TXT records the one that is a key."""
    texts = ask(name.decode("ascii", "replace"))
    return next((text for text in texts if b"p=" in text), b"")


def _names(properties: Mapping[str, str], tags: dict[bytes, bytes]) -> bool:
    """Whether a result is about this signature (RFC 8601 section 2.7.1)."""
    signature = re.sub(rb"\s", b"", tags.get(b"b", b"")).decode("ascii", "replace").lower()
    domain, selector = (tags.get(name, b"").decode("latin-1").lower() for name in (b"d", b"s"))
    return (
        properties.get("header.d") == domain
        and properties.get("header.s", selector) == selector
        and signature.startswith(properties.get("header.b", "").strip())
    )


def _with(claimed: Signature, result: Result, why: str) -> Signature:
    return Signature(claimed.domain, claimed.selector, result, claimed.covers, claimed.exact, why)


def _short(error: Exception) -> str:
    """Without the parts of a message that dkimpy puts into its errors."""
    return re.split(r"[(:]", str(error) or type(error).__name__)[0].strip()[:80]
