from __future__ import annotations

from encodings.aliases import aliases

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.core.message import charset
from tests.support import in_linear_time


@pytest.mark.parametrize(
    ("octets", "label", "text"),
    [
        ("España".encode(), "utf-8", "España"),
        ("España".encode("latin-1"), "iso-8859-1", "España"),
        ("España".encode("latin-1"), "utf-8", "España"),
        ("España".encode("latin-1"), "us-ascii", "España"),
        ("España".encode(), "us-ascii", "España"),
        ("España".encode("latin-1"), "", "España"),
        ("España".encode(), "x-made-up", "España"),
        ("España".encode("latin-1"), "x-made-up", "España"),
        (b"\x93hola\x94 \x80", "iso-8859-1", "“hola” €"),
        (b"\xa4", "iso-8859-15", "€"),
        ("Größe".encode("cp1252"), '"Windows-1252"', "Größe"),
        ("日本".encode("iso-2022-jp"), "ISO-2022-JP", "日本"),
        ("한국".encode("cp949"), "ks_c_5601-1987", "한국"),
        ("中文".encode("gb18030"), "gb2312", "中文"),
        ("а".encode("koi8-r"), "koi8-r", "а"),
        ("España y más".encode() + b"\xc3", "utf-8", "España y más\ufffd"),
        (b"\xef\xbb\xbfhola", "utf-8", "hola"),
        (b"a\0b\r\nc\rd", "utf-8", "ab\nc\nd"),
    ],
)
def test_label_is_a_hint(octets: bytes, label: str, text: str) -> None:
    assert charset.decode(octets, label) == text


@pytest.mark.parametrize(
    ("octets", "label"),
    [
        (b"+ACM-time 12m", "utf-7"),
        (b"\\x23time 12m", "unicode_escape"),
        (b"\\u0023time 12m", "raw_unicode_escape"),
        (b"#gvzr 12z", "rot13"),
        ("#time 12m".encode("utf-16"), "utf-16"),
        ("#time 12m".encode("cp037"), "cp037"),
        (b"~{#time 12m", "hz"),
    ],
)
def test_charsets_in_which_a_command_can_hide_are_not_decoded(octets: bytes, label: str) -> None:
    assert charset.decode(octets, label) == charset.decode(octets, "")


@given(st.binary(max_size=200), st.sampled_from(sorted({*aliases, *aliases.values()})) | st.text(max_size=80))
def test_any_octets_in_any_charset_give_clean_text(octets: bytes, label: str) -> None:
    text = charset.decode(octets, label)
    assert text.encode("utf-8") is not None
    assert "\0" not in text
    assert "\r" not in text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Hola", "Hola"),
        ("=?utf-8?q?se=C3=B1or?=", "señor"),
        ("=?UTF-8?B?c2XDsW9y?=", "señor"),
        ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        ("=?utf-8?q?a?=\r\n =?utf-8?q?b?=", "ab"),
        ("=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"),
        ("=?utf-8?q?a_b?= c", "a b c"),
        ("=?utf-8?q?=C3?= =?utf-8?q?=B1?=", "ñ"),
        ("=?utf-8?b?w7E?=", "ñ"),
        ("=?iso-8859-15?q?=A4?= =?utf-8?q?=E2=82=AC?=", "€€"),
        ("=?utf-8*es?q?=C3=B1?=", "ñ"),
        ("=?x-made-up?q?=C3=B1?=", "ñ"),
        ("=?utf-8?q?con espacio?=", "con espacio"),
        ("=?utf-8?x?hola?=", "=?utf-8?x?hola?="),
        ("=?utf-8?q?sin fin", "=?utf-8?q?sin fin"),
        ("=?utf-8?b?a?=", "=?utf-8?b?a?="),
        ("=?iso-8859-1?Q?Fr\xf6sche?=", "Frösche"),
        ("=?utf-7?q?+AOk-?=", "+AOk-"),
        ("=?utf-8?q?a=0D=0ABcc:_b?=", "a Bcc: b"),
        ("a\t\r\n  b\x85c\u2028d", "a b c d"),
        ("a\0b\u202ec\u200bd", "abcd"),
    ],
)
def test_header_is_decoded_as_people_read_it(value: str, text: str) -> None:
    assert charset.decode_header(value) == text


@pytest.mark.slow
@pytest.mark.parametrize(
    "value",
    [
        "=?utf-8?q?a?= " * 100_000,
        "=?utf-8?q?a" * 100_000,
        "=?" * 500_000,
        "=?u?q?" * 200_000,
        "A " * 500_000,
        "=?utf-8?b?" + "=" * 1_000_000 + "?=",
    ],
    ids=lambda value: value[:12],
)
def test_hostile_header_takes_linear_time(value: str) -> None:
    with in_linear_time():
        charset.decode_header(value)


def test_raw_octets_of_a_field_are_utf8_else_windows_1252() -> None:
    for octets in ("Avería".encode(), "Avería".encode("cp1252")):
        assert charset.unfold(octets.decode("ascii", "surrogateescape")) == "Avería"


@pytest.mark.parametrize(
    ("value", "parameters"),
    [
        ('; charset="utf-8"', {"charset": "utf-8"}),
        ("; Charset = UTF-8 ; x=y", {"charset": "UTF-8", "x": "y"}),
        ('; boundary="a;b  c"', {"boundary": "a;b  c"}),
        ('; name="a\\"b"', {"name": 'a"b'}),
        ('; name="C:\\TEMP\\x.png"', {"name": "C:\\TEMP\\x.png"}),
        ('; name="no end', {"name": "no end"}),
        ("; filename=my file.pdf", {"filename": "my file.pdf"}),
        ("; filename*=utf-8''a%C3%B1o.txt", {"filename": "año.txt"}),
        ("; filename*=utf-8'es'a%C3%B1o.txt; filename=ano.txt", {"filename": "año.txt"}),
        ("; filename*1*=%C3%B1; filename*0*=utf-8''a; filename*2=o.txt", {"filename": "año.txt"}),
        ('; filename*0="una "; filename*1="factura.pdf"', {"filename": "una factura.pdf"}),
        ('; filename="=?utf-8?q?a=C3=B1o=2Etxt?="', {"filename": "año.txt"}),
        ("; filename*=a%C3%B1o", {"filename": "año"}),
        ("; filename*99999=x", {"filename*99999": "x"}),
        ("; a=1; a=2", {"a": "1"}),
        (";;;", {}),
    ],
)
def test_parameters_are_decoded(value: str, parameters: dict[str, str]) -> None:
    assert charset.parameters("Text/Plain" + value) == ("text/plain", parameters)


@given(st.text(alphabet="ab;=*0'\"\\% \t?%é\x00", max_size=80))
def test_any_parameters_are_read_without_raising(value: str) -> None:
    charset.parameters(value)


@pytest.mark.slow
@pytest.mark.parametrize("unit", [";", ';a="', "\\", ";a*1=x", ';a="b', "; ", ";a*0*=%"])
def test_hostile_parameters_take_linear_time(unit: str) -> None:
    with in_linear_time():
        charset.parameters("a/b" + unit * (500_000 // len(unit)))
