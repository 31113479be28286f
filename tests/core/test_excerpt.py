"""The part of a text in which words stand."""

from __future__ import annotations

import pytest

from mailgate.core.excerpt import excerpt

TEXT = (
    "Buenos días:\n\nDesde ayer por la tarde, en la oficina nueva de la calle Mayor, la PASARELA de pago\n"
    "da error 500 y nadie puede comprar. Lo demás va bien, que yo sepa, aunque la página tarda."
)


@pytest.mark.parametrize(
    ("text", "wanted", "shown"),
    [
        (TEXT, ["dias"], "Buenos «días»: Desde ayer por la tarde, en la oficina nueva de…"),
        (TEXT, ["error", "pasar"], "…Mayor, la «PASARELA» de pago da «error» 500 y nadie puede comprar…"),
        (TEXT, ["PÁGINA"], "…aunque la «página» tarda"),
        (TEXT, ["tarda"], "…la página «tarda»"),
        ("Una línea", ["li\u0301nea"], "Una «línea»"),
        ("a_b", ["b"], "a_«b»"),
        (TEXT, ["nada"], ""),
        (TEXT, [], ""),
        ("", ["x"], ""),
    ],
)
def test_part_with_most_of_the_words_is_shown_on_one_line(text: str, wanted: list[str], shown: str) -> None:
    assert excerpt(text, wanted) == shown


def test_huge_text_is_read_at_its_beginning() -> None:
    assert excerpt("x " * 10_000_000 + "zz", ["zz"]) == ""
