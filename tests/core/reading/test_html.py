"""HTML bodies to text: what a reader sees, and nothing that a reader does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.core.reading import html
from mailgate.core.reading.html import DEEPEST, LONGEST, MOST_ATTRIBUTES, MOST_ELEMENTS, OMITTED, to_text
from mailgate.core.reading.look import Look, hidden_classes
from tests.support import in_linear_time


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("", ""),
        ("   ", ""),
        ("Hola", "Hola"),
        ("Hola,<br>Ana", "Hola,\nAna"),
        ("<div>uno</div><div>dos</div>", "uno\ndos"),
        ("<div>uno</div><div><br></div><div>dos</div>", "uno\n\ndos"),
        ("<div>uno<br></div><div>dos</div>", "uno\ndos"),
        ("<p>uno</p><p>dos</p>", "uno\n\ndos"),
        ("<p class=MsoNormal>uno</p><p class=MsoNormal>&nbsp;</p><p class=MsoNormal>dos</p>", "uno\n\ndos"),
        ("<p style='margin: 0'>uno</p><p style='margin: 0'>dos</p>", "uno\ndos"),
        ("uno   dos\n\n\ttres", "uno dos tres"),
        ("<b>ne</b>gr<i>ita</i>", "negrita"),
        ("#time&nbsp;12m", "#time 12m"),
        ("caf&eacute; &lt;b&gt; &amp; &#8364;", "café <b> & €"),
        ("<h1>Título</h1>texto", "Título\n\ntexto"),
        ("uno<hr>dos", "uno\n--------------------\ndos"),
        ("<o:p></o:p>uno<o:p>&nbsp;</o:p>", "uno"),
        ("uno<!-- no --> dos<?php no ?> tres", "uno dos tres"),
        ("uno<script>no</script><style>no</style><template>no</template> dos", "uno dos"),
        ('<?xml version="1.0" encoding="iso-8859-1"?><meta charset="utf-16"><p>ñandú</p>', "ñandú"),
        ("a\0b \ud800 c", "ab ? c"),
        ("\u200b#time 5m", "#time 5m"),
    ],
)
def test_text_is_set_as_it_is_seen(body: str, text: str) -> None:
    assert to_text(body) == text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<ul><li>uno</li><li>dos</li></ul>", "- uno\n- dos"),
        ("antes<ol><li>uno<li>dos</ol>después", "antes\n\n1. uno\n2. dos\n\ndespués"),
        ("<ol><li>uno<ul><li>dos</ul></ol>", "1. uno\n\n- dos"),
        (
            "<table><tr><th>Web</th><td>no va</td></tr><tr><td>Panel</td><td>sí</td></tr></table>",
            "Web\tno va\nPanel\tsí",
        ),
        ("<table><tr><td><div>uno</div></td><td><div>dos</div></td></tr></table>", "uno\ndos"),
        ("<pre>a {\n  color: red\n}</pre>", "a {\n  color: red\n}"),
        ('<div style="white-space: pre-wrap">uno\n  dos</div>', "uno\n  dos"),
        ('<pre>uno<span style="white-space: normal">\n dos</span></pre>', "uno dos"),
    ],
)
def test_lists_tables_and_code_keep_their_shape(body: str, text: str) -> None:
    assert to_text(body) == text


@pytest.mark.parametrize(
    "body", ["<ul><li>#time 12m</ul>", "<ol><li><b>#time</b> 12m</ol>", "<table><tr><td>#time 12m</table>"]
)
def test_a_command_in_a_list_or_a_table_stays_at_the_beginning_of_its_line(body: str) -> None:
    assert to_text(body) == "#time 12m"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('<a href="https://a.example/x">la guía</a>', "la guía <https://a.example/x>"),
        ('<a href="https://a.example/x">https://a.example/x</a>', "https://a.example/x"),
        ('<a href="http://www.a.example/">a.example</a>', "a.example"),
        ('<a href="mailto:ana@acme.example?subject=x">ana@acme.example</a>', "ana@acme.example"),
        ('<a href="mailto:ana@acme.example">Ana</a>', "Ana <ana@acme.example>"),
        ('<a href="mailto:ana@acme.example">&lt;ana@acme.example&gt;</a>', "<ana@acme.example>"),
        ('<a href="javascript:alert(1)">pulsa</a>', "pulsa"),
        ('<a href="#abajo">abajo</a>', "abajo"),
        ('<a href="https://a.example/"></a>nada', "nada"),
        ('<a href="https://a.example/' + "x" * 2000 + '">larga</a>', "larga"),
    ],
)
def test_a_link_is_told_unless_its_words_tell_it(body: str, text: str) -> None:
    assert to_text(body) == text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('<img src="cid:1" alt="Pantallazo del error">', "[Pantallazo del error]"),
        ('<img src="cid:1">', ""),
        ('<img src="https://t.example" alt="x" width="1" height="1">', ""),
        ('<img alt="#time 12m">', "[#time 12m]"),
    ],
)
def test_pictures_are_their_words_in_brackets(body: str, text: str) -> None:
    assert to_text(body) == text


HIDDEN = [
    '<div style="display:none">#time 99m</div>',
    '<div style="DISPLAY : NONE !important">#time 99m</div>',
    '<div style="display:none"><div style="display:block">#time 99m</div></div>',
    '<div style="visibility:hidden">#time 99m</div>',
    '<div style="opacity:0">#time 99m</div>',
    '<div style="opacity:0.0">#time 99m</div>',
    '<div style="font-size:0">#time 99m</div>',
    '<div style="font-size:0px">#time 99m</div>',
    '<div style="font-size:1px">#time 99m</div>',
    '<div style="mso-hide:all">#time 99m</div>',
    '<div style="color:#fff">#time 99m</div>',
    '<div style="color:#FEFEFE">#time 99m</div>',
    '<div style="color:white">#time 99m</div>',
    '<div style="color:rgb(255, 255, 255)">#time 99m</div>',
    '<div style="color:transparent">#time 99m</div>',
    '<div style="color:rgba(0,0,0,0)">#time 99m</div>',
    '<div style="color:#000;background:#010101">#time 99m</div>',
    '<font color="#ffffff">#time 99m</font>',
    '<table bgcolor="black"><tr><td>#time 99m</td></tr></table>',
    "<div hidden>#time 99m</div>",
    '<div style="max-height:0;overflow:hidden">#time 99m</div>',
    '<div style="text-indent:-9999px">#time 99m</div>',
    '<div style="position:absolute;left:-5000px">#time 99m</div>',
    "<style>.h{display:none}</style><div class='x h'>#time 99m</div>",
    "<style>p{margin:0} .a,.b{} .h { color:red; font-size:0 }</style><div class=h>#time 99m</div>",
    "<title>#time 99m</title>",
    "<head><style>#time 99m</style></head>",
    "<!-- #time 99m -->",
    "<select><option>#time 99m</option></select>",
    "<input value='#time 99m'>",
    "<noframes>#time 99m</noframes>",
    "<dialog>#time 99m</dialog>",
]


@pytest.mark.parametrize("hidden", HIDDEN)
def test_what_cannot_be_seen_is_no_text(hidden: str) -> None:
    assert to_text(f"<html><body><p>Hecho.</p>{hidden}<p>Adiós.</p></body></html>") == "Hecho.\n\nAdiós."


@pytest.mark.parametrize(
    "seen",
    [
        '<div style="font-size:0"><span style="font-size:14px">#time 9m</span></div>',
        '<div style="visibility:hidden"><span style="visibility:visible">#time 9m</span></div>',
        '<div style="background:#000"><span style="color:#fff">#time 9m</span></div>',
        '<table bgcolor="#003366"><tr><td><font color="white">#time 9m</font></td></tr></table>',
        '<div style="background:url(x.png)"><span style="color:#fff">#time 9m</span></div>',
        '<div style="color:windowtext">#time 9m</div>',
        '<div style="font-size:0.9em;opacity:0.5;max-height:0">#time 9m</div>',
        "<style>@media print{.p{display:none}} .q{color:red}</style><div class='p q'>#time 9m</div>",
        '<div style=";;:;color">#time 9m</div>',
    ],
)
def test_what_can_be_seen_is_text(seen: str) -> None:
    assert to_text(seen) == "#time 9m"


def test_hidden_classes_are_those_of_plain_rules() -> None:
    assert hidden_classes(".a{display:none}\n.b , .c{opacity:0}div.d{visibility:hidden}.e{color:red}") == {
        "a",
        "c",
        "d",
    }
    assert Look().visible


# Quotes and signatures


def test_a_blockquote_becomes_marks_and_an_answer_below_it_has_none() -> None:
    body = "antes<blockquote type=cite>uno<br><br>dos<blockquote>tres</blockquote></blockquote>después"
    assert to_text(body) == "antes\n\n> uno\n>\n> dos\n>\n>> tres\n\ndespués"


@pytest.mark.parametrize("style", ["margin:0 0 0 40px; border:none; padding:0px", "margin: 0px; border: none"])
def test_the_indent_button_makes_no_quote(style: str) -> None:
    assert to_text(f'<blockquote style="{style}"><div>#time 5m</div></blockquote>') == "#time 5m"


@pytest.mark.parametrize(
    "body",
    [
        '<div class="ydp12yahoo_quoted">viejo</div>',
        '<div class="protonmail_quote">viejo</div>',
        '<span id="OLK_SRC_BODY_SECTION"><div>viejo</div></span>',
        '<div class="zmail_extra">viejo</div>',
        "<div style='border:none;border-left:solid blue 1.5pt;padding:0cm 0cm 0cm 4.0pt'>viejo</div>",
        '<blockquote class="tutanota_quote">viejo</blockquote>',
        '<blockquote class="gmail_quote" style="border:none">viejo</blockquote>',
    ],
)
def test_the_quoting_elements_of_programs_become_marks(body: str) -> None:
    assert to_text(f"<div>Hecho.</div>{body}<div>fin</div>") == "Hecho.\n\n> viejo\n\nfin"


@pytest.mark.parametrize("name", ["gmail_attr", "moz-cite-prefix"])
def test_what_introduces_a_quote_is_marked_with_it(name: str) -> None:
    body = f'Hecho.<div class="{name}">Ana skrifaði:</div><blockquote>viejo</blockquote>'
    assert to_text(body) == "Hecho.\n\n> Ana skrifaði:\n>\n> viejo"
    assert ">" not in to_text(f'<div class="{name}">---------- Forwarded message</div><div>texto</div>')


@pytest.mark.parametrize(
    "body",
    [
        '<hr id="zwchr" data-marker="__DIVIDER__"><div>De: Ana</div>',
        '<div id="x_divRplyFwdMsg">De: Ana</div>',
        "<div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'>De: Ana</div>",
    ],
)
def test_above_header_blocks_stands_the_rule_of_outlook(body: str) -> None:
    lines = to_text(f"<div>Hecho.</div>{body}").split("\n")
    assert (lines[0], lines[-1]) == ("Hecho.", "De: Ana")
    assert "_" * 32 in lines


@pytest.mark.parametrize(
    "body",
    [
        '<div class="gmail_signature"><br>Marta</div>',
        '-- <br><div class="gmail_signature" data-smartmail="gmail_signature">Marta</div>',
        '<div class="moz-signature">-- <br>Marta</div>',
        '<div id="Signature"><p class=MsoNormal>Marta</p></div>',
        '<div id="ms-outlook-mobile-signature">Marta</div>',
    ],
)
def test_a_signature_stands_below_its_mark(body: str) -> None:
    lines = [line.rstrip() for line in to_text(f"<div>Hecho.</div>{body}").split("\n") if line]
    assert lines == ["Hecho.", "--", "Marta"]


# Limits


def test_what_is_longer_than_the_limit_is_cut_and_says_so() -> None:
    fits = "x" * LONGEST
    assert to_text(fits) == fits
    assert to_text(fits + "y") == f"{fits}\n{OMITTED}"


def test_what_is_nested_deeper_than_the_limit_is_left_out_and_says_so() -> None:
    fits = DEEPEST - 10
    assert to_text("<div>" * fits + "hondo") == "hondo"
    assert OMITTED in to_text("<div>" * (DEEPEST + 10) + "hondo")
    assert OMITTED in to_text("<div>" * 200_000 + "hondo")


@pytest.mark.slow
def test_more_elements_than_the_limit_are_left_out_and_say_so() -> None:
    assert OMITTED not in to_text("<br>x" * (MOST_ELEMENTS - 10))
    assert OMITTED in to_text("<br>x" * (MOST_ELEMENTS + 10))


@pytest.mark.parametrize("apart", [" ", "/", "='x'", '=">"', '="\'" '])
def test_a_tag_with_more_attributes_than_the_limit_is_not_read(apart: str) -> None:
    def tag(count: int) -> str:
        return "<p " + "".join(f"a{at}{apart}" for at in range(count)) + ">hola</p>"

    assert to_text(tag(MOST_ATTRIBUTES)) == "hola"
    assert to_text(tag(MOST_ATTRIBUTES + 1)) == OMITTED


def test_quotes_are_marked_only_so_deep() -> None:
    text = to_text("<blockquote>x" * 1000)
    assert ">" * html.MOST_QUOTES + " x" in text
    assert ">" * (html.MOST_QUOTES + 1) not in text


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        "<div>" * 200000,
        "<p " + " ".join(f"a{at}=1" for at in range(50000)) + ">",
        "<!--" * 50000,
        "<a " * 150000,
        '<a x="' * 80000,
        "<a x='\"" * 60000,
        "<blockquote>x" * 100000,
        "<p>x" * 150000,
        "<" * 500000,
        "&" * 500000,
        '<a href="http://x.es/y">z' * 40000,
        "<td>x" * 100000,
        "<style>" + "@" * 200000 + "{" * 100000 + "</style>x",
        "<style>" + "/*" * 250000 + "</style>x",
        "<style>@x{" + "a{b}" * 100000 + "</style>x",
        "<![CDATA[" * 50000,
        '<p style="' + "rgb(" * 100000 + '">x',
        '<p class="' + "a " * 200000 + '">x',
        "<pre>" + "\n" * 500000,
    ],
    ids=lambda body: body[:12],
)
def test_hostile_html_is_read_in_linear_time(body: str) -> None:
    with in_linear_time():
        to_text(body)


TAGS = st.sampled_from(
    [
        "<p>",
        "</p>",
        "<div style='display:none'>",
        "</div>",
        "<blockquote>",
        "</blockquote>",
        "<br>",
        "<li>",
        "<ol>",
        "</ol>",
        "<table>",
        "<tr>",
        "<td>",
        "<pre>",
        "</pre>",
        "<a href='http://x.es'>",
        "</a>",
        "<img alt='x'>",
        "<!--",
        "-->",
        "<style>",
        "</style>",
        "<b style='color:#",
        "'>",
        "&nbsp;",
        "&#0;",
        "<hr id=zwchr>",
        "<div class=gmail_signature>",
        "<![if x]>",
        "<?x",
        "\x00",
        "�",
        "<a\n",
        '="',
    ]
)


@given(st.lists(st.one_of(TAGS, st.text(max_size=20)), max_size=30).map("".join))
def test_whatever_comes_is_text_without_tabs_at_the_edges(body: str) -> None:
    text = to_text(body)
    assert isinstance(text, str)
    assert "\x00" not in text
