"""What the HTML part shows of a plain text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from mailgate.core.mail import Part
from mailgate.core.writing.page import DEPTH, from_text, pictures
from tests.support import in_linear_time


def shape(text: str) -> str:
    """The tags of the body, without their attributes."""
    return re.sub(r"<(\w+)[^>]*>", r"<\1>", from_text(text).body).replace("\n", "")


def test_paragraphs_keep_their_line_breaks() -> None:
    assert shape("Hola:\n\nuna\notra") == "<p>Hola:</p><p>una<br>otra</p>"


def test_lists() -> None:
    assert shape("- una\n  sigue\n- otra") == "<ul><li>una<br>sigue</li><li>otra</li></ul>"
    assert 'start="3"' in from_text("3. tres\n4. cuatro").body


def test_quotes_stand_in_quotes() -> None:
    inner = "<blockquote><p>una</p><blockquote><p>dos</p></blockquote></blockquote>"
    assert shape("> una\n> > dos") == inner


@pytest.mark.parametrize(("depth", "quotes"), [(DEPTH, DEPTH), (DEPTH + 1, DEPTH), (500, DEPTH)])
def test_quotes_deeper_than_the_limit_are_text(depth: int, quotes: int) -> None:
    body = from_text(">" * depth + " hola").body
    assert body.count("<blockquote") == quotes
    assert "hola" in body


def test_fenced_code_is_left_as_it_is() -> None:
    assert shape("```css\n#time { }\n\n  > a\n```\nfin") == "<pre>#time { }  &gt; a</pre><p>fin</p>"


def test_indented_code_keeps_its_columns() -> None:
    assert shape("Así:\n\n    if x:\n        y") == "<p>Así:</p><pre>    if x:        y</pre>"


def test_only_web_addresses_become_links() -> None:
    body = from_text("(https://acme.example/a?b=1&c=2). javascript:alert(1) http://x").body
    assert re.findall('href="([^"]*)"', body) == ["https://acme.example/a?b=1&amp;c=2", "http://x"]


def test_footer_ends_at_the_blank_line_and_the_quote_follows() -> None:
    page = from_text("Ya está.\n\n-- \nSOP-12\nSaldo: 1 h\n\nAna escribió:\n> hola\n")
    assert page.footer == "SOP-12<br>\nSaldo: 1 h"
    assert "Ana escribió" in page.below
    assert "SOP-12" not in page.body


def test_text_without_a_footer_is_all_body() -> None:
    page = from_text("Ya está.\n--\nno")
    assert (page.footer, page.below) == ("", "")


def test_picture_is_shown_by_its_content_id() -> None:
    shown = Part('a"b.png', "image/png", b"", content_id="ii_1@mail", inline=True)
    assert 'src="cid:ii_1@mail" alt="a&quot;b.png"' in pictures([shown])
    assert pictures([Part("b.pdf", "application/pdf", b"", content_id="x", inline=True)]) == ""
    assert pictures([Part("c.png", "image/png", b"", content_id="x")]) == ""


@given(st.text(st.sampled_from("ab<>&\"'`~#-*1. \t\n>:/http")))
def test_all_text_is_there_and_none_of_it_is_markup(text: str) -> None:
    page = from_text(text)
    tree = lxml_html.fromstring(f"<div>{page.body}{page.footer}{page.below}</div>")
    assert {e.tag for e in tree.iter()} <= {"div", "p", "br", "ul", "ol", "li", "blockquote", "pre", "a"}
    assert tree.text_content().count("a") == text.count("a") - _dropped(text)


def _dropped(text: str) -> int:
    """What stands on the lines of fences is not shown."""
    fences = [line for line in re.split("\n", text) if line.lstrip("> \t").strip().startswith(("```", "~~~"))]
    return sum(line.count("a") for line in fences)


@pytest.mark.slow
@pytest.mark.parametrize("unit", [">", "> ", "http://", "- \n", "```\n", "-- \n"])
def test_hostile_text_takes_linear_time(unit: str) -> None:
    with in_linear_time():
        from_text(unit * (500_000 // len(unit)))
