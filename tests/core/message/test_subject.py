"""Subjects without the marks that mail programs put before them."""

from __future__ import annotations

import pytest

from mailgate.core.message import subject


@pytest.mark.parametrize(
    ("written", "bare"),
    [
        ("El carrito", "El carrito"),
        ("Re: El carrito", "El carrito"),
        ("RE: re: AW: El carrito", "El carrito"),
        ("Re[2]: El carrito", "El carrito"),
        ("Fwd: El carrito", "Fwd: El carrito"),
        ("RV: Su certificado", "RV: Su certificado"),
        ("Re:", ""),
        ("Receta: pan", "Receta: pan"),
        ("x" * 300, "x" * 250),
    ],
)
def test_reply_marks_go_and_the_clients_words_stay(written: str, bare: str):
    assert subject.bare(written) == bare
