"""Mails signed in the test, by keys that are published in the test's own DNS."""

from __future__ import annotations

import re
from pathlib import Path

import dkim

from tests.nameserver import Names

_KEYS = Path(__file__).parent / "keys"
COVERED = ("from", "to", "subject", "date", "message-id", "mime-version", "content-type")


_SEALED = [b"from", b"to", b"subject", b"date", b"message-id"]


def publish(
    names: Names, domain: str, policy: str = "", *, selector: str = "s1", bits: int = 1024, spf: str = ""
) -> None:
    """A DKIM key of a domain; with it a DMARC policy such as "reject; adkim=s", and an SPF record."""
    key = (_KEYS / f"rsa{bits}.pub").read_text()
    names.texts[f"{selector}._domainkey.{domain}"] = [f"v=DKIM1; k=rsa; p={key}"]
    if policy:
        names.texts[f"_dmarc.{domain}"] = [f"v=DMARC1; p={policy}"]
    if spf:
        names.texts[domain] = [spf]


class _Signer(dkim.DKIM):  # type: ignore[misc]
    """dkimpy, with a tag of the test's own: it has no option for x= (RFC 6376 section 3.5)."""

    extra: tuple[tuple[bytes, bytes], ...] = ()

    def gen_header(self, fields: list[tuple[bytes, bytes]], *rest: object, **options: object) -> bytes:
        return bytes(super().gen_header([*fields[:4], *self.extra, *fields[4:]], *rest, **options))


def signed(
    raw: bytes,
    domain: str,
    *,
    selector: str = "s1",
    bits: int = 1024,
    length: bool = False,
    covers: tuple[str, ...] = COVERED,
    expires: int | None = None,
) -> bytes:
    """The message with a signature on top, and CRLF line ends."""
    message = re.sub(rb"\r?\n", b"\r\n", raw)
    signer = _Signer(message)
    signer.extra = ((b"x", str(expires).encode()),) if expires is not None else ()
    made = signer.sign(
        selector.encode(),
        domain.encode(),
        (_KEYS / f"rsa{bits}.pem").read_bytes(),
        canonicalize=(b"relaxed", b"relaxed"),
        include_headers=[name.encode() for name in covers if re.search(rf"(?im)^{name}:".encode(), message)],
        length=length,
    )
    return bytes(made) + message


def sealed(raw: bytes, domain: str, said: str, *, before: str = "none") -> bytes:
    """The message as a forwarder hands it on (RFC 8617), with CRLF line ends.

    said: what it found, e.g. "dmarc=pass header.from=acme.example". before: of the seals that it found, "none" for the
    first to seal.
    """
    server = f"mx.{domain}"
    report = f"Authentication-Results: {server}; arc={before}; {said}\r\n".encode()
    message = report + re.sub(rb"\r?\n", b"\r\n", raw)
    key = (_KEYS / "rsa1024.pem").read_bytes()
    made = dkim.arc_sign(message, b"s1", domain.encode(), key, server.encode(), include_headers=_SEALED)
    assert made, "dkimpy made no seal"
    return b"".join(made) + message
