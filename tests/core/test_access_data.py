"""What is covered as access data, and what is not."""

from __future__ import annotations

import pytest

from mailgate.core.access_data import MASK, holds_any, masked, pieces
from tests.support import in_linear_time

_BEGIN = "-----BEGIN PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Contraseña: hunter2!", f"Contraseña: {MASK}"),
        ("contraseña del FTP: hunter2!\nHost: ftp.acme.example", f"contraseña del FTP: {MASK}\nHost: ftp.acme.example"),
        ("Clave:\n  s3creta", f"Clave:\n  {MASK}"),
        ("user: ana\npass = x9", f"user: ana\npass = {MASK}"),
        ("la contraseña es Perro2024.", f"la contraseña es {MASK}"),
        ("the password for admin is t0psecret", f"the password for admin is {MASK}"),
        ("define('DB_PASSWORD', 'a b c');", f"define('DB_PASSWORD', '{MASK}');"),
        ('{"token": "abc123"}', f'{{"token": "{MASK}"}}'),
        ("ftp://ana:x9!y@ftp.acme.example/web", f"ftp://ana:{MASK}@ftp.acme.example/web"),
        ("API key: 12ab-34cd", f"API key: {MASK}"),
        (f"{_BEGIN}\nMIIabc\n-----END PRIVATE KEY-----", f"{_BEGIN}{MASK}-----END PRIVATE KEY-----"),
    ],
)
def test_access_data_are_covered(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert "".join(piece.text for piece in pieces(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "No funciona el carrito.",
        "La contraseña es incorrecta, dice.",
        "He olvidado la contraseña y no puedo entrar.",
        "El pincel: azul. La pasarela: Redsys.",
        "https://acme.example/contacto, ana@acme.example",
        "La clave está en la caché.",
    ],
)
def test_other_text_stays(text: str) -> None:
    assert masked(text) == text
    assert not holds_any(text)


def test_no_text_is_dear() -> None:
    with in_linear_time():
        for text in (
            "clave " * 200_000,
            "pass word " * 100_000,
            "a://b:" * 100_000,
            "-----BEGIN PRIVATE KEY-----" * 9_000,
        ):
            masked(text)
