from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailgate.core import address
from tests.support import in_linear_time

DESK = "soporte@example.es"
DESKS = [DESK, "ayuda@example.es"]
KEY = b"k" * 32

plain_addresses = st.from_regex(
    r"[A-Za-z0-9_'+-]{1,20}(\.[A-Za-z0-9]{1,8})?@([a-z0-9]{1,12}\.){1,3}[a-z]{2,6}", fullmatch=True
)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("Ana@Acme.Example", "ana@acme.example"),
        ("o'neill+web@acme.example", "o'neill+web@acme.example"),
        ("root@localhost", "root@localhost"),
        ("a" * 64 + "@acme.example", "a" * 64 + "@acme.example"),
    ],
)
def test_plain_address_has_one_form(written: str, canonical: str) -> None:
    assert address.canonical(written) == canonical


@pytest.mark.parametrize(
    "odd",
    [
        "",
        "ana",
        "ana@",
        "@acme.example",
        "ana@@acme.example",
        "a" * 65 + "@acme.example",
        "ana@" + "a" * 64 + ".example",
        "ana@" + "a." * 130 + "example",
        " ana@acme.example",
        "ana@acme.example\n",
        "ana@acme.example\0",
        "<ana@acme.example>",
        '"ana"@acme.example',
        "ana(x)@acme.example",
        "ana@acme.example(x)",
        "ana..b@acme.example",
        ".ana@acme.example",
        "ana@-acme.example",
        "ana@acme_.example",
        "ana@acme.example.",
        "ana@[192.0.2.1]",
        "@relay.example:ana@acme.example",
        "ána@acme.example",
        "an\u0430@acme.example",  # a Cyrillic letter
        "ana@ac\u212ae.example",  # the Kelvin sign, whose lower case is an ASCII k
        "ana@ａcme.example",
    ],
)
def test_odd_address_is_nobodys(odd: str) -> None:
    assert address.canonical(odd) is None


@given(st.text())
def test_canonical_form_is_stable(text: str) -> None:
    form = address.canonical(text)
    assert form is None or (form.isascii() and address.canonical(form) == form)


@pytest.mark.parametrize(
    ("value", "name", "sender"),
    [
        ("ana@acme.example", "", "ana@acme.example"),
        ("<Ana@Acme.Example>", "", "ana@acme.example"),
        ("Ana Prieto <ana@acme.example>", "Ana Prieto", "ana@acme.example"),
        ('"Prieto, Ana (Acme)" <ana@acme.example>', "Prieto, Ana (Acme)", "ana@acme.example"),
        ("J. Q. Public <john@acme.example>", "J. Q. Public", "john@acme.example"),
        ("=?utf-8?q?Luc=C3=ADa?= <lucia@acme.example>", "Lucía", "lucia@acme.example"),
        ("Lucía Gómez <lucia@acme.example>", "Lucía Gómez", "lucia@acme.example"),
        ('"ana@acme.example" <mallory@evil.example>', "ana@acme.example", "mallory@evil.example"),
        ("=?utf-8?q?Ana=0D=0ABcc=3A_x?= <ana@acme.example>", "Ana Bcc: x", "ana@acme.example"),
        (r'"Ana \"la jefa\" Gil" <ana@acme.example>', 'Ana "la jefa" Gil', "ana@acme.example"),
    ],
)
def test_one_plain_mailbox_is_a_sender(value: str, name: str, sender: str) -> None:
    assert address.sole_sender([value]) == (name, sender)


@pytest.mark.parametrize(
    "values",
    [
        [],
        [""],
        ["ana@acme.example", "ana@acme.example"],
        ["ana@acme.example", "mallory@evil.example"],
        ["ana@acme.example <mallory@evil.example>"],
        ["ana@acme.example, mallory@evil.example"],
        ["Ana <ana@acme.example>, mallory@evil.example"],
        ["amigos: ana@acme.example, mallory@evil.example;"],
        ["amigos: ana@acme.example;"],
        ["<ana@acme.example><mallory@evil.example>"],
        ["ana@acme.example; mallory@evil.example"],
        ["ana@acme.example(<mallory@evil.example>)"],
        ["ana@acme.example (Ana)"],
        ["ana(x)@acme.example(.evil.example)"],
        ["Ana (Acme) <ana@acme.example>"],
        ["<@acme.example:mallory@evil.example>"],
        ["=?utf-8?q?ana=40acme.example?="],
        ["=?utf-8?q?Ana?= <=?utf-8?q?ana=40acme.example?=>"],
        ["ana@acme.example,"],
        [",ana@acme.example"],
        ["Ana <ana@acme.example> x"],
        ["Ana <ana @acme.example>"],
        ["ána@acme.example"],
        ["Ana\0 <ana@acme.example>"],
        ["(" * 900 + ")" * 900 + " ana@acme.example"],
        ['"ana" "x <ana@acme.example>'],
    ],
)
def test_any_doubt_about_the_author_means_no_sender(values: list[str]) -> None:
    assert address.sole_sender(values)[1] is None


def test_mailboxes_keep_names_and_leave_odd_ones_out() -> None:
    values = [
        '"Gil, Marta" <Marta@example.es>, =?utf-8?q?Luc=C3=ADa?= <lucia@b.example>, ñ@c.example',
        "d@d.example",
    ]
    assert address.mailboxes(values) == [
        ("Gil, Marta", "marta@example.es"),
        ("Lucía", "lucia@b.example"),
        ("", "d@d.example"),
    ]


@pytest.mark.parametrize("count", [address.MAX_MAILBOXES - 1, address.MAX_MAILBOXES, address.MAX_MAILBOXES + 1])
def test_mailboxes_are_bounded(count: int) -> None:
    values = [", ".join(f"a{number}@b.example" for number in range(count))]
    assert len(address.mailboxes(values)) == min(count, address.MAX_MAILBOXES)


@pytest.mark.slow
@pytest.mark.parametrize(
    "value",
    [
        "a@b.example," * 100_000,
        '"' * 1_000_000,
        "." * 1_000_000,
        "(" * 1_000_000,
        "<a@b>" * 200_000,
        "," * 1_000_000,
        "\\" * 1_000_000,
    ],
    ids=lambda value: value[:12],
)
def test_hostile_address_fields_take_linear_time(value: str) -> None:
    with in_linear_time():
        address.mailboxes([value])
        address.sole_sender([value])


@given(st.lists(st.text(alphabet='ab@.<>,:;()[]"\\ =?\r\n\0ñ', max_size=60), max_size=3))
def test_any_address_field_is_read_without_raising(values: list[str]) -> None:
    assert all(address.canonical(one) == one for _, one in address.mailboxes(values))
    _, sender = address.sole_sender(values)
    assert sender is None or (len(values) == 1 and sender in values[0].lower())


def test_message_ids_lose_their_brackets_and_repeats() -> None:
    values = ["<a@b> <c@d>\t<a@b>", "<e@f>"]
    assert address.message_ids(values) == ("a@b", "c@d", "e@f")


def test_message_ids_without_brackets_or_folded_in_the_middle_are_read() -> None:
    assert address.message_ids(["a@b, c@d and words"]) == ("a@b", "c@d")
    assert address.message_ids(["<very-long\t-id@b>"]) == ("very-long-id@b",)


def test_of_too_many_message_ids_the_nearest_count() -> None:
    many = " ".join(f"<{number}@b>" for number in range(address.MAX_IDS + 1))
    found = address.message_ids([many])
    assert len(found) == address.MAX_IDS
    assert found[-1] == f"{address.MAX_IDS}@b"


@pytest.mark.parametrize(("length", "taken"), [(address.MAX_ID, True), (address.MAX_ID + 1, False)])
def test_message_id_has_a_longest_length(length: int, taken: bool) -> None:
    assert bool(address.message_ids(["<" + "a" * (length - 2) + "@b>"])) is taken


@pytest.mark.slow
@given(st.integers(address.DESK_ITSELF, 10**9), plain_addresses)
def test_reply_address_leads_back_to_its_ticket_and_person(ticket: int, person: str) -> None:
    reply = address.reply_address(KEY, DESK, ticket, person)
    assert len(reply.partition("@")[0]) <= 64
    assert address.canonical(reply) == reply
    for form in (reply, reply.upper(), reply.title()):
        pointer = address.reply_pointer(form, DESKS)
        assert pointer is not None
        assert pointer[0] == ticket
        assert address.token_fits(KEY, ticket, person.upper(), pointer[1])


@pytest.mark.slow
@given(st.integers(0, 10**9), st.integers(0, 10**9), plain_addresses, plain_addresses)
def test_token_of_another_ticket_or_person_does_not_fit(one: int, other: int, ana: str, luis: str) -> None:
    _, token = address.reply_pointer(address.reply_address(KEY, DESK, one, ana), DESKS) or (0, "")
    assert address.token_fits(KEY, other, ana, token) is (one == other)
    assert address.token_fits(KEY, one, luis, token) is (ana.lower() == luis.lower())
    assert not address.token_fits(b"another key", one, ana, token)


@pytest.mark.parametrize("token", ["", "a", "\u212a" * 20, "ñ" * 20, "\ud800"])
def test_token_that_is_none_does_not_fit(token: str) -> None:
    assert not address.token_fits(KEY, 1, "ana@acme.example", token)
    assert not address.token_fits(KEY, 1, "not an address", token)


@pytest.mark.parametrize(
    "other",
    [
        "soporte@example.es",
        "soporte+12@example.es",
        "soporte+12.short@example.es",
        "soporte+012.aaaaaaaaaaaaaaaaaaaa@example.es",
        "soporte+00.aaaaaaaaaaaaaaaaaaaa@example.es",
        "soporte+99999999999.aaaaaaaaaaaaaaaaaaaa@example.es",
        "soporte+12.aaaaaaaaaaaaaaaaaaa1@example.es",
        "soporte+12.aaaaaaaaaaaaaaaaaaaa@example.com",
        "otra+12.aaaaaaaaaaaaaaaaaaaa@example.es",
        "soporte+١٢.aaaaaaaaaaaaaaaaaaaa@example.es",
        "",
    ],
)
def test_other_addresses_point_at_no_ticket(other: str) -> None:
    assert address.reply_pointer(other, DESKS) is None


def test_reply_address_of_an_alias_points_too() -> None:
    reply = address.reply_address(KEY, DESK, 12, "ana@acme.example").replace("soporte", "ayuda")
    assert (address.reply_pointer(reply, DESKS) or (0,))[0] == 12


def test_reply_address_is_refused_where_the_desk_has_too_long_a_name() -> None:
    assert address.reply_address(KEY, "d" * 32 + "@example.es", 10**9, "ana@acme.example")
    with pytest.raises(ValueError, match="no reply address"):
        address.reply_address(KEY, "d" * 33 + "@example.es", 10**9, "ana@acme.example")
    with pytest.raises(ValueError, match="no reply address"):
        address.reply_address(KEY, DESK, 1, "not plain")


@pytest.mark.parametrize(
    ("one", "desks"),
    [
        ("SOPORTE@example.es", True),
        ("ayuda@example.es", True),
        ("soporte+anything@example.es", True),
        ("soporte+12.aaaaaaaaaaaaaaaaaaaa@Example.es", True),
        ("soportex@example.es", False),
        ("soporte@sub.example.es", False),
        ("soporte@example.es.evil.example", False),
        ("<soporte@example.es>", False),
        ("", False),
    ],
)
def test_desk_is_known_by_address_alias_and_suffix(one: str, desks: bool) -> None:
    assert address.is_desk(one, DESKS) is desks
