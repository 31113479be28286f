"""Addresses, Message-IDs and the reply addresses that lead a mail to its ticket.

An address counts only in canonical form: ASCII, lower case, dot-atom before and host name after the
@ (RFC 5322 section 3.4.1 without quotes, comments and routes). Two readers of a header must never see
two senders, so what is not plain is nobody's.
"""

from __future__ import annotations

import re
from base64 import b32encode
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from hmac import compare_digest, digest
from itertools import islice

from mailparser.addresses import parse_address_header

from mailgate.core.message import charset

MAX_MAILBOXES = 1000
MAX_HEADER = 65_536
MAX_IDS = 100
MAX_ID = 998
TOKEN_LENGTH = 20  # 100 bits in base32
# In place of a ticket's number: mails that belong to no ticket and may be answered all the same.
DESK_ITSELF = 0
_TOKEN_OCTETS = 15  # what is encoded of the MAC: whole groups of five octets, eight digits each

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_CANONICAL = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@(?P<domain>{_LABEL}(?:\.{_LABEL})*)", re.ASCII)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_SPECIAL = re.compile(r'[()<>\[\]:;@\\,"\x00-\x08\x0a-\x1f\x7f]')
_QUOTING = re.compile(r"\\(.)|\"")
_BRACKETED = re.compile(r"<([^<>]*)>")
_POINTER = re.compile(r"(?P<ticket>0|[1-9][0-9]{0,9})\.(?P<token>[a-z2-7]{20})")
_RETURN = re.compile(r"b(?P<mail>[1-9][0-9]{0,9})\.(?P<token>[a-z2-7]{20})")


def canonical(address: str) -> str | None:
    """The one form in which addresses are compared, None for what is odd (RFC 5321 section 4.5.3.1).

    Only ASCII letters are lowered, so no look-alike ever equals an address of the rules.
    """
    return _canonical(address) if address.isascii() and len(address) <= 254 else None


@lru_cache(maxsize=4096)  # the same people write, and each of their mails asks a dozen times
def _canonical(address: str) -> str | None:
    match = _CANONICAL.fullmatch(address.lower())
    return match[0] if match and len(match["local"]) <= 64 else None


def mailboxes(header_values: Sequence[str]) -> list[tuple[str, str]]:
    """Display name and canonical address of each plain mailbox in To, Cc and the like, in order.

    header_values: unfolded, encoded words left as they are. At most MAX_MAILBOXES; odd ones are left out.
    """
    parsed = (mailbox for value in header_values for mailbox in _parsed(value)[0])
    plain = ((charset.decode_header(name), address) for name, spec in parsed if (address := canonical(spec)))
    return list(islice(plain, MAX_MAILBOXES))


def sole_sender(from_headers: Sequence[str]) -> tuple[str, str | None]:
    """Display name and address of the only author, the address None unless there is no doubt.

    No doubt: one From field with one mailbox, an optional phrase and a plain address, without comment,
    group or route (RFC 5322 section 3.6.2), and mail-parser, which reads it independently, agrees.
    """
    if not from_headers:
        return "", None
    value = from_headers[0].strip(" \t")
    phrase, spec = _split(value)
    name = charset.decode_header(_unquoted(phrase))
    address = canonical(spec)
    if len(from_headers) != 1 or address is None or _SPECIAL.search(_QUOTED.sub("", phrase)):
        return name, None
    read, defects = _parsed(value)
    agreed = not defects and [canonical(spec) for _, spec in read] == [address]
    return name, address if agreed else None


def message_ids(values: Sequence[str]) -> tuple[str, ...]:
    """Message-IDs without angle brackets, each once, in order (RFC 5322 section 3.6.4).

    Missing brackets are tolerated. Of more than MAX_IDS the last are taken: the nearest ancestors.
    """
    found = dict.fromkeys(token for value in values for token in _id_tokens(value))
    return tuple(found)[-MAX_IDS:]


def reply_address(key: bytes, desk: str, ticket: int, recipient: str) -> str:
    """The address at which answers of this recipient reach this ticket, or DESK_ITSELF, e.g. `soporte+12.<token>@…`.

    Raises ValueError where an address is not plain or the part before @ would pass 64 characters.
    """
    person = canonical(recipient)
    local, _, domain = desk.partition("@")
    address = canonical(f"{local}+{ticket}.{_token(key, ticket, person)}@{domain}") if person else None
    if address is None:
        raise ValueError(f"no reply address at {desk} for {recipient}")
    return address


def reply_pointer(address: str, desks: Collection[str]) -> tuple[int, str] | None:
    """Ticket, or DESK_ITSELF, and token in a reply address of the desk; the token is still to be proved."""
    for suffix in _suffixes(address, desks):
        if match := _POINTER.fullmatch(suffix):
            return int(match["ticket"]), match["token"]
    return None


def token_fits(key: bytes, ticket: int, recipient: str, token: str) -> bool:
    """Whether the token was made for this recipient and ticket; takes the same time for any token."""
    person = canonical(recipient)
    return person is not None and compare_digest(
        _token(key, ticket, person).encode(), token.encode("utf-8", "replace").lower()
    )


def return_address(key: bytes, desk: str, mail: int, message_id: str) -> str:
    """The envelope sender that names a mail of the outbox, so that its bounces do (VERP): `soporte+b17.<token>@…`."""
    local, _, domain = desk.partition("@")
    return f"{local}+b{mail}.{_return_token(key, mail, message_id)}@{domain}"


def return_pointer(address: str, desks: Collection[str]) -> tuple[int, str] | None:
    """Mail of the outbox and token in an envelope sender of ours; the token is still to be proved."""
    for suffix in _suffixes(address, desks):
        if match := _RETURN.fullmatch(suffix):
            return int(match["mail"]), match["token"]
    return None


def return_fits(key: bytes, mail: int, message_id: str, token: str) -> bool:
    """Whether the token was made for this mail; takes the same time for any token."""
    return compare_digest(_return_token(key, mail, message_id), token)


def is_desk(address: str, desks: Collection[str]) -> bool:
    """Whether the address is one of the desk's (address, aliases), with or without a `+suffix`."""
    return next(_suffixes(address, desks), None) is not None


@lru_cache(maxsize=4096)  # a few people answer again and again in a ticket
def _token(key: bytes, ticket: int, person: str) -> str:
    octets = digest(key, f"v1|{ticket}|{person}".encode(), sha256)
    return b32encode(octets[:_TOKEN_OCTETS])[:TOKEN_LENGTH].decode().lower()


def _return_token(key: bytes, mail: int, message_id: str) -> str:
    octets = digest(key, f"v1|return|{mail}|{message_id}".encode(), sha256)
    return b32encode(octets[:_TOKEN_OCTETS])[:TOKEN_LENGTH].decode().lower()


def _suffixes(address: str, desks: Collection[str]) -> Iterator[str]:
    """What follows the plus (RFC 5233), "" where there is none, for each desk that the address is of."""
    local, _, domain = (canonical(address) or "").partition("@")
    for desk in desks:
        desk_local, _, desk_domain = desk.lower().partition("@")
        if domain and domain == desk_domain:
            if local == desk_local:
                yield ""
            elif local.startswith(desk_local + "+"):
                yield local[len(desk_local) + 1 :]


def _split(value: str) -> tuple[str, str]:
    """Phrase and addr-spec of a single mailbox without comments."""
    if value.endswith(">"):
        phrase, _, spec = value[:-1].rpartition("<")
        return phrase.strip(), spec
    return "", value


def _unquoted(phrase: str) -> str:
    """A phrase as it is shown, without the marks of quoted strings."""
    return _QUOTING.sub(r"\1", phrase)


@lru_cache(maxsize=1024)  # the same people write, to the same desk
def _parsed(value: str) -> tuple[tuple[tuple[str, str], ...], bool]:
    """Mailboxes as mail-parser finds them, and whether it found a defect; it compares each with our plain reading."""
    read, defects = parse_address_header(value[:MAX_HEADER], _plain_reading)
    return tuple(read), bool(defects)


def _plain_reading(values: list[str]) -> list[tuple[str, str]]:
    phrase, spec = _split(values[0].strip())
    return [(_unquoted(phrase), spec)]


def _id_tokens(value: str) -> Iterator[str]:
    bracketed = _BRACKETED.findall(value)
    for token in bracketed or (word for word in value.split() if "@" in word):
        bare = "".join(token.split()).strip("<>,;")  # a long id may have been folded
        if bare and len(bare) <= MAX_ID:
            yield bare
