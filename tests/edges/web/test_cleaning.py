"""HTML that is built to cost time or memory is not shown; what people send is."""

from __future__ import annotations

import pytest

from mailgate.edges.web.cleaning import LONGEST, MOST_OF_PICTURES, MOST_TAGS, clean, may_be_shown
from tests.support import in_linear_time

PICTURE = "data:image/png;base64," + "A" * 500_000


@pytest.mark.parametrize(
    "html",
    [
        "",
        "x" * (LONGEST + 1),
        "<div>" * (MOST_TAGS + 1),
        "".join(f"<b id={number}><p>" for number in range(5_000)),
        "".join(f"<FONT color={number}>" for number in range(3_000)) + "<p>x" * 3_000,
        "".join(f"<a href='https://x.example/{'y' * 900}{number}'><p>" for number in range(400)),
    ],
)
def test_html_that_costs_too_much_is_not_shown(html: str) -> None:
    assert not may_be_shown(html)


@pytest.mark.parametrize(
    "html",
    [
        "<p>Hola, <b>Ana</b>",
        "<table>" + "<tr><td><font color=red><b>1</b></font></td><td><br></td></tr>" * 1_700,
        "".join(f"<p><a href='https://shop.example/{number}'>{number}</a></p>" for number in range(500)),
        "<p style='color:red'>" + "x" * 1_000_000,
    ],
)
def test_html_of_honest_mails_is_shown(html: str) -> None:
    assert may_be_shown(html)


@pytest.mark.parametrize(
    "html",
    ["<div>" * MOST_TAGS, "".join(f"<b id={number:04}><p>" for number in range(1_400)), "<ul><li>" * (MOST_TAGS // 2)],
)
def test_dearest_that_is_shown_is_bearable(html: str) -> None:
    assert may_be_shown(html)
    with in_linear_time():
        assert len(clean(html, {})) < 20_000_000


def test_picture_that_is_named_often_is_shown_a_few_times() -> None:
    made = clean("<img src='cid:p'>" * 10_000, {"p": PICTURE})
    assert 10 < made.count(PICTURE) <= MOST_OF_PICTURES // len(PICTURE)
