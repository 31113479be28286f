"""Our signatures, checked by a reading of RFC 6376 that shares nothing with the one that makes them: OpenSSL."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from mailgate.config import load
from mailgate.core.mail import Sent
from mailgate.edges.dkim import Signer
from mailgate.edges.outbound import transport_for
from mailgate.errors import RulesError
from tests.edges.test_outbound import DUE
from tests.faults.driver import rules_text

KEYS = Path(__file__).parents[1] / "keys"
DOMAIN, SELECTOR = "desk.example", "s1"
MAIL = (
    b"From: Soporte <soporte@desk.example>\r\nTo: ana@client.example\r\n"
    b"Subject: Una  l\xc3\xadnea\r\n  que sigue\r\nMessage-ID: <1@desk.example>\r\n\r\nHola.  \r\n\t.\r\n\r\n\r\n"
)

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl")


def relaxed(name: bytes, value: bytes) -> bytes:
    """Section 3.4.2."""
    unfolded = re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip()
    return name.lower().strip() + b":" + unfolded


def relaxed_body(body: bytes) -> bytes:
    """Section 3.4.4."""
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def holds(raw: bytes, folder: Path) -> bool:
    """Whether the topmost signature is right (section 3.7)."""
    head, _, body = raw.partition(b"\r\n\r\n")
    fields = [(name, value) for name, _, value in (line.partition(b":") for line in unfolded(head))]
    tags = dict(re.findall(rb"(\w+)=([^;]*)", fields[0][1]))
    if base64.b64decode(tags[b"bh"]) != hashlib.sha256(relaxed_body(body)).digest():
        return False
    left = fields[:]
    signed = []
    for wanted in tags[b"h"].split(b":"):
        found = [field for field in left if field[0].strip().lower() == wanted.strip().lower()]
        if found:  # from the bottom up; one that is not there counts as nothing
            left.remove(found[-1])
            signed.append(relaxed(*found[-1]) + b"\r\n")
    own = re.sub(rb"([;\s]b=)[^;]*", rb"\1", fields[0][1])
    text = b"".join(signed) + relaxed(fields[0][0], own)
    (folder / "signature").write_bytes(base64.b64decode(tags[b"b"]))
    (folder / "public.pem").write_text(
        f"-----BEGIN PUBLIC KEY-----\n{(KEYS / 'rsa1024.pub').read_text().strip()}\n-----END PUBLIC KEY-----\n"
    )
    command = ["openssl", "dgst", "-sha256", "-verify", "public.pem", "-signature", "signature"]
    return subprocess.run(command, input=text, cwd=folder, capture_output=True, check=False).returncode == 0


def unfolded(head: bytes) -> list[bytes]:
    return re.split(rb"\r\n(?![ \t])", head)


@pytest.fixture
def signer() -> Signer:
    return Signer(DOMAIN, SELECTOR, (KEYS / "rsa1024.pem").read_bytes())


def test_signature_holds_for_another_implementation(signer: Signer, tmp_path: Path) -> None:
    signed = signer.signed(MAIL)
    assert signed.endswith(MAIL)
    assert b"d=desk.example" in signed
    assert b"s=s1" in signed
    assert holds(signed, tmp_path)


@pytest.mark.parametrize(
    ("what", "instead"),
    [
        (b"Hola", b"Adios"),
        (b"ana@client", b"eve@client"),
        (b"From: Soporte", b"From: Otro <x@evil.example>\r\nFrom: Soporte"),
        (b"Message-ID:", b"Subject: otro\r\nMessage-ID:"),
        (b"<1@", b"<2@"),
    ],
)
def test_what_is_changed_on_the_way_breaks_it(signer: Signer, tmp_path: Path, what: bytes, instead: bytes) -> None:
    signed = signer.signed(MAIL)
    position = signed.rindex(what)
    assert not holds(signed[:position] + signed[position:].replace(what, instead, 1), tmp_path)


def test_line_that_is_folded_anew_on_the_way_does_no_harm(signer: Signer, tmp_path: Path) -> None:
    assert holds(signer.signed(MAIL).replace(b"\r\n  que", b"\r\n\tque"), tmp_path)


@pytest.mark.parametrize(
    "key", [b"", b"no key", b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----"]
)
def test_key_that_is_none_is_refused_at_once(key: bytes) -> None:
    with pytest.raises(ValueError, match="RSA"):
        Signer(DOMAIN, SELECTOR, key)


async def test_outgoing_mail_is_signed_as_the_rules_say(tmp_path: Path) -> None:
    dkim = f'via = "files"\ndkim = {{ domain = "{DOMAIN}", selector = "{SELECTOR}", key_file = "dkim.pem" }}'
    rules = tmp_path / "rules.toml"
    rules.write_text(rules_text(8025, dkim))
    with pytest.raises(RulesError, match=r"dkim\.pem"):
        transport_for(load(rules), rules, tmp_path)
    shutil.copy(KEYS / "rsa1024.pem", tmp_path / "dkim.pem")
    transport = transport_for(load(rules), rules, tmp_path)
    assert await transport.send(replace(DUE, raw=MAIL)) == Sent()
    (file,) = (tmp_path / "outbox").iterdir()
    assert holds(file.read_bytes(), tmp_path)
