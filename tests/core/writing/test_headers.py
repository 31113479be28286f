"""Header fields that we write: what a reader makes of them, and that nothing is ever smuggled in."""

import re
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailgate.core.writing.headers import clean, field

NAMES = ("From", "To", "Reply-To", "Subject", "Message-ID", "In-Reply-To", "References", "Auto-Submitted")


def read(written: str) -> EmailMessage:
    return message_from_bytes(written.encode("ascii") + b"\r\nbody\r\n", policy=policy.default)


def test_plain_subject_stands_as_it_is() -> None:
    assert field("Subject", "Re: Web caida") == "Subject: Re: Web caida\r\n"


def test_only_the_words_that_need_it_are_encoded() -> None:
    written = field("Subject", "Re: [SOP-12 Acme] Año nuevo sin web")
    assert written == "Subject: Re: [SOP-12 Acme] =?utf-8?q?A=C3=B1o?= nuevo sin web\r\n"


@pytest.mark.parametrize(
    "text", ["Año nuevo", "网站打不开了" * 20, "👩‍💻 no va 👍" * 9, "ñ" * 300, "a" * 2000, "á b ç"]
)
def test_subject_in_any_script_comes_back_whole(text: str) -> None:
    written = field("Subject", text)
    assert read(written)["Subject"] == text
    assert max(map(len, written.split("\r\n"))) <= 78


def test_encoded_words_never_cut_a_character() -> None:
    for word in re.findall(r"=\?utf-8\?[bq]\?[^?]*\?=", field("Subject", "ñandú 漢字👍" * 40)):
        assert len(word) <= 75
        assert "\ufffd" not in str(read(f"Subject: {word}\r\n")["Subject"])


def test_encoded_word_in_a_value_is_shown_and_not_decoded() -> None:
    smuggled = "Re: =?utf-8?q?hola=0D=0ABcc=3A_victim=40example.es?="
    assert read(field("Subject", smuggled))["Subject"] == smuggled


@pytest.mark.parametrize(
    "name",
    [
        "Marta Gil",
        'Gil, Marta "la jefa"',
        "Marta Gil\\",
        "Ana Muñoz",
        "Soporte (Acme)",
        "a@b.example",
        "=?x?",
    ],
)
def test_display_name_comes_back_whole(name: str) -> None:
    written = field("From", f"{name} <soporte@example.es>")
    (mailbox,) = read(written)["From"].addresses
    assert (mailbox.display_name, mailbox.addr_spec) == (name, "soporte@example.es")


def test_long_name_in_any_script_comes_back_whole() -> None:
    # policy.default of Python 3.11 puts blanks between encoded words of a name (cpython 92081).
    written = field("From", f"{'漢字' * 40} <soporte@example.es>")
    decoded = str(make_header(decode_header(written.removeprefix("From: "))))
    assert decoded.strip() == f"{'漢字' * 40} <soporte@example.es>"


def test_name_that_looks_like_an_address_stays_a_name() -> None:
    written = field("From", "director@bank.example> , <x@y.example <soporte@example.es>")
    assert [box.addr_spec for box in read(written)["From"].addresses] == ["soporte@example.es"]


def test_long_ids_are_never_encoded_nor_cut() -> None:
    ids = [f"<{str(number) * 200}@outlook.example>" for number in range(9)]
    written = field("References", " ".join(ids))
    assert written == "References: " + "\r\n ".join(ids) + "\r\n"


def test_id_that_no_line_can_hold_is_left_out() -> None:
    fits, too_long = f"<{'a' * 900}>", f"<{'a' * 901}>"
    assert field("References", f"{fits} {too_long} <b@c>") == f"References: {fits}\r\n <b@c>\r\n"


def test_id_with_odd_characters_is_left_out() -> None:
    assert field("In-Reply-To", "<a\r\nBcc: x@y> <ñ@b> <c@d>") == "In-Reply-To: <c@d>\r\n"


@pytest.mark.parametrize("name", ["", "Bcc:", "X Y", "X\r\nBcc", "ñ", "1"])
def test_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        field(name, "x")


@pytest.mark.parametrize("sign", ["\r\n", "\n", "\r", "\0", "\x1b", "\x7f", "\x85", "\x9b", "\u2028", "\u2029", "\v"])
def test_control_characters_and_line_separators_become_a_space(sign: str) -> None:
    assert clean(f"a{sign}b") == "a b"


@given(st.sampled_from(NAMES), st.text(max_size=300))
@example("Subject", "x\r\nBcc: victim@example.es\r\n\r\nbody")
@example("From", "x\r\nBcc: v@example.es\r\n <a@b>")
@example("Subject", "\ud800")
def test_nothing_is_ever_injected(name: str, value: str) -> None:
    written = field(name, value)
    assert written.isascii()
    assert written.endswith("\r\n")
    lines = written[:-2].split("\r\n")
    assert lines[0].startswith(f"{name}:")
    assert all(line.startswith(" ") and line.strip() for line in lines[1:])
    assert all(len(line) <= 998 and not re.search(r"[\x00-\x1f\x7f]", line) for line in lines)
    assert read(written).keys() == [name]


@given(st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=200))
def test_any_subject_comes_back(text: str) -> None:
    # A reader drops blanks at the ends, also those that are more than spaces.
    expected = " ".join(part for part in text.split(" ") if part)
    assert read(field("Subject", text))["Subject"].strip() == expected.strip()
