# ruff: noqa: E501 (a table of cases reads best with one on each line)
"""The rules as a value: what is asked of them, and what is refused with which words."""

from __future__ import annotations

import copy
import tomllib
from typing import Any

import pytest

from mailgate.core.model import Category, Priority, Role
from mailgate.core.settings.checks import build
from mailgate.core.settings.faults import spoken
from mailgate.core.settings.fields import Endpoint
from mailgate.core.settings.rules import MatchInput, Rules, match_rules
from mailgate.core.settings.units import Period

SMALL = """
[desk]
name = "Soporte Técnico"
address = "soporte@example.es"
aliases = ["Ayuda@example.es"]
admin = "admin@example.es"
director = "elena"

[trust]
technicians = "token"

[technicians.elena]
name = "Elena Ruiz"
addresses = ["elena@example.es"]

[technicians.marta]
name = "Marta Gil"
addresses = ["Marta@Example.es", "marta@casa.example"]

[clients.acme]
name = "Acme S.L."
addresses = ["*@tienda.example", "ana@acme.example"]

[clients.beta]
name = "Beta Ltd"
addresses = ["hello@beta.example", "jefa@tienda.example"]
language = "en"
"""


def data(more: str = "", **changes: Any) -> dict[str, Any]:
    """SMALL with more TOML below it and with keys changed, `desk__tag="X"`; None takes a key out."""
    found = tomllib.loads(SMALL + more)
    for path, value in changes.items():
        *tables, key = path.split("__")
        table = found
        for name in tables:
            table = table.setdefault(name, {})
        table[key] = value
        if value is None:
            del table[key]
    return found


def rules(more: str = "", **changes: Any) -> Rules:
    built = build(data(more, **changes))
    assert isinstance(built, Rules), built
    return built


def problems(more: str = "", **changes: Any) -> list[str]:
    """What is wrong, as an admin reads it, without file and line."""
    written = data(more, **changes)
    built = build(written)
    assert isinstance(built, list)
    return [f"{spoken(fault.path, written)}: {fault.what}" for fault in built]


# ---- who ---------------------------------------------------------------------------------------


def test_an_exact_address_goes_before_a_wildcard():
    known = rules()
    ana, jefa, anyone = (known.who(a) for a in ("ANA@acme.example", "jefa@tienda.example", "x@tienda.example"))
    assert ana and jefa and anyone
    assert (ana.client, jefa.client, anyone.client) == ("acme", "beta", "acme")
    assert (anyone.role, anyone.name, anyone.address) == (Role.CLIENT, "Acme S.L.", "x@tienda.example")
    assert (anyone.language, jefa.language) == ("es", "en")


def test_the_director_is_a_technician_of_their_own_role():
    known = rules()
    elena, marta = known.who("elena@example.es"), known.who("marta@casa.example")
    assert elena and marta
    assert (elena.role, elena.id, elena.client) == (Role.DIRECTOR, "elena", None)
    assert (marta.role, marta.id, marta.name) == (Role.TECHNICIAN, "marta", "Marta Gil")
    assert known.director == ("elena", known.technicians["elena"])


@pytest.mark.parametrize(
    "address",
    [
        "nobody@example.es", "x@sub.tienda.example", "ana", "", "ana@acme.example ", "<ana@acme.example>",
        "ána@acme.example", "soporte@example.es", "ayuda@example.es", "soporte+12.abc@example.es", "@tienda.example",
    ],
)  # fmt: skip
def test_strangers_odd_addresses_and_the_desk_itself_are_nobody(address):
    assert rules().who(address) is None


def test_the_desk_is_nobody_even_under_a_clients_wildcard():
    known = rules('[clients.own]\nname = "Own"\naddresses = ["*@example.es"]\ncontact = "x@example.es"')
    assert known.who("soporte@example.es") is None
    assert known.who("soporte+1.x@example.es") is None
    elena, other = known.who("elena@example.es"), known.who("other@example.es")
    assert elena and other
    assert (elena.role, other.client) == (Role.DIRECTOR, "own")


def test_what_the_rules_no_longer_know_is_none_and_gets_the_desks_language():
    known = rules()
    assert (known.client("gone"), known.technician("gone")) == (None, None)
    assert (known.language_of("gone"), known.language_of(None), known.language_of("beta")) == (
        "es",
        "es",
        "en",
    )
    assert known.desks == {"soporte@example.es", "ayuda@example.es"}
    assert known.zone.key == "Europe/Madrid"


# ---- values ------------------------------------------------------------------------------------


def test_what_is_left_out_is_as_the_interface_shows():
    known = rules()
    assert known.desk.tag == "SOP"
    assert known.hours.fri and not known.hours.sat
    assert known.hours.holidays.region == "MD"
    assert (known.promise.first_answer, known.promise.quick_answer, known.promise.quick_minutes) == (
        240,
        60,
        10,
    )
    assert known.smtp.max_size == 25 * 1024**2
    assert known.outgoing.give_up.days == 5
    assert known.time.expires_after == Period(months=12)
    assert (known.time.warn_at, known.time.approve_above) == ((60, 30), None)
    assert known.clients["acme"].contact == "ana@acme.example"
    assert (known.imap, known.rules, known.packages) == ((), (), {})


@pytest.mark.parametrize(
    ("written", "endpoint"),
    [
        ("127.0.0.1:8026", Endpoint("tcp", "127.0.0.1", 8026)),
        ("[::1]:25", Endpoint("tcp", "::1", 25)),
        ("unix:/run/mailgate.sock", Endpoint("unix", path="/run/mailgate.sock")),
        ("systemd", Endpoint("systemd")),
        ("", None),
    ],
)
def test_a_place_to_listen_is_read(written, endpoint):
    assert rules(f"[smtp]\nlmtp = {written!r}").smtp.lmtp == endpoint


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_a_mailbox_on_this_machine_needs_no_tls(host):
    loaded = rules(f"[[imap]]\nhost = {host!r}\nport = 143\ntls = 'none'\nuser = 'u'\npassword_env = 'P'")
    assert loaded.imap[0].tls == "none"


def test_a_day_left_out_of_hours_is_closed():
    assert not rules("[hours]\ntue = '10:00-12:00'").hours.mon


def test_nothing_can_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        rules().desk.tag = "X"  # type: ignore[misc]


# ---- what is refused ---------------------------------------------------------------------------

BETA = 'name = "B"\naddresses = ["b@b.example"]\n'
RULE = '[[rules]]\nname = "site down"\n'
IMAP = '[[imap]]\nhost = "imap.example.es"\nuser = "u"\npassword_file = "p"\n'
OAUTH = "[[imap]]\nhost = 'h'\nuser = 'u'\noauth2 = { provider = 'google', client_id = 'd' }\n"

REFUSED = [
    ('desk: quote_client = "yes"', 'desk.quote_client: "yes" is text; use true or false'),
    ("desk: name = 5", "desk.name: 5 is a whole number; use text in quotes"),
    ("desk: aliases = 'x@example.es'", 'desk.aliases: "x@example.es" is text; use a list in square brackets'),
    ('desk: name = "Soporte\\r\\nBcc: x"', 'desk.name: "Soporte··Bcc: x" has a control character or a line break in it'),
    ('desk: name = " "', "desk.name: is empty; write something or leave the key out"),
    ("desk: tga = 'SOP'", 'desk.tga: unknown key; did you mean "tag"?'),
    ("desk: admin = 'admin'", 'desk.admin: "admin" is no plain address; write it as name@domain'),
    ("desk: address = '*@x.es'", 'desk.address: "*@x.es" is a wildcard, which only clients have'),
    ("desk: director = 'helena'", 'desk.director: "helena" is no technician in [technicians]; did you mean "elena"?'),
    ("desk: language = 'fr'", 'desk.language: "fr" is not possible here; use es or en'),
    ("desk: timezone = 'Europe/Madird'", 'desk.timezone: "Europe/Madird" is no time zone; did you mean "Europe/Madrid"?'),
    ("desk: timezone = '../x'", 'desk.timezone: "../x" is no time zone; write it as in "Europe/Madrid"'),
    ("desk: timezone = 'Europe'", 'desk.timezone: "Europe" is no time zone'),
    ("desk: tag = 'sop'", 'desk.tag: "sop" is no tag; write one to ten capitals and digits, as in "SOP"'),
    ("desk: tag = 'ABCDEFGHIJK'", 'desk.tag: "ABCDEFGHIJK" is no tag'),
    ("desk: url = 'ftp://x'", 'desk.url: "ftp://x" is no address of a web page'),
    ("[desks]\nx = 1", 'desks: unknown key; did you mean "desk"?'),
    ("[hours]\nmon = '20:00-10:00'", 'hours.mon: "20:00-10:00" ends before it starts; write "10:00-20:00"'),
    ("[hours]\nmon = ['09:00-14:00', '13:00-19:00']", 'hours.mon: "09:00-14:00" and "13:00-19:00" overlap'),
    ("[hours]\nmon = 10", "hours.mon: 10 is a whole number; write hours"),
    ("[hours]\nmon = [10]", "hours.mon: 10 is a whole number; write it in quotes"),
    ("[hours]\nmon = []", 'hours: the desk is never open; write hours such as mon = "10:00-20:00"'),
    ("[hours]\nmonday = '10:00-20:00'", 'hours.monday: unknown key; did you mean "mon"?'),
    ("[hours]\nlast_quick = '25:00'", 'hours.last_quick: "25:00" is no time of day'),
    ("[hours]\nmon = '9:00-10:00'\nholidays = { country = 'XX' }", 'hours.holidays: no holidays are known for country "XX"'),
    ("[hours]\nmon = '9:00-10:00'\nholidays = { country = 'ES', region = 'XX' }", 'known for region "XX" of ES; use AN, AR,'),
    ("[hours]\nmon = '9:00-10:00'\nholidays = { region = 'MD' }", 'hours.holidays: region "MD" has no country'),
    ("[hours]\nmon = '9:00-10:00'\nholidays.closed = ['2026-02-30']", 'hours.holidays.closed: "2026-02-30" is no date'),
    (
        "[hours]\nmon = '9:00-10:00'\nholidays = { closed = [2026-12-24], open = ['2026-12-24'] }",
        "hours.holidays: 2026-12-24 is both closed and open",
    ),
    ("[hours]\nmon = '9:00-10:00'\nseasons = [{ from = '08-01', to = '8-31' }]", 'hours.seasons 1: to: "8-31" is no day of the year'),
    (
        "[hours]\nmon = '9:00-10:00'\nseasons = [{ from = '12-01', to = '01-31' }, { from = '01-31', to = '03-01' }]",
        "hours: the seasons 12-01 to 01-31 and 01-31 to 03-01 overlap",
    ),
    ("[hours]\nmon = '9:00-10:00'\nseasons = [{ from = '01-01', to = '12-31' }]", "hours: the desk is never open"),
    ("[promise]\nfirst_answer = '0h'", 'promise.first_answer: "0h" is nothing at all; write at least 1h'),
    ("[promise]\nfirst_answer = '-4h'", 'promise.first_answer: "-4h" cannot be read; write a whole number and its unit'),
    ("[promise]\nfirst_answer = 4", "promise.first_answer: 4 is a whole number; write it in quotes"),
    ("[promise]\nquick_minutes = 0", "promise.quick_minutes: 0 is too small; use at least 1"),
    ("[promise]\nquick_minutes = nan", "promise.quick_minutes: nan is a decimal number; use a whole number"),
    ("[promise]\nquick_minutes = inf", "promise.quick_minutes: inf is a decimal number; use a whole number"),
    ("[smtp]\nlisten = '8025'", 'smtp.listen: "8025" is no place; use "127.0.0.1:8025", "unix:/path" or "systemd"'),
    ("[smtp]\nlisten = 'x:70000'", 'smtp.listen: "x:70000" is no place'),
    ("[smtp]\nmax_size = '25'", 'smtp.max_size: "25" cannot be read; write a whole number and its unit, as in "25MB"'),
    ("[smtp]\ntls_cert_file = 'x'", "smtp: STARTTLS needs two files; name both tls_cert_file and tls_key_file"),
    ("[smtp]\nlisten = '127.0.0.1:25'\nlmtp = 'localhost:25'", "smtp.lmtp: is where smtp.listen listens; give each a port of its own"),
    ("[smtp]\nlmtp = '127.0.0.1:8080'", "web.listen: is where smtp.lmtp listens"),
    ("[monitor]\nlisten = '0.0.0.0:8080'", "monitor.listen: is where web.listen listens"),
    ("[smtp]\nlisten = 'unix:/run/x'\nlmtp = 'unix:/run/x'", "smtp.lmtp: is where smtp.listen listens"),
    ("smtp = 1", "smtp: 1 is a whole number; use a table"),
    ("imap = 'x'", 'imap: "x" is text; use a list in square brackets'),
    (IMAP + "tls = 'none'", 'imap 1: tls = "none" sends the password to imap.example.es in the clear'),
    (IMAP + "tls = 'ssl'", 'imap 1: tls: "ssl" is not possible here; use implicit, starttls or none'),
    (IMAP + "after = 'move'", 'imap 1: after: "move" is not possible here; use "seen", "delete" or "move:Folder"'),
    (IMAP + "port = 70000", "imap 1: port: 70000 is too big; use at most 65535"),
    (IMAP + "password = 'hunter2'", 'imap 1: password: unknown key; did you mean "password_env"?'),
    ("[[imap]]\nhost = 'h'\nuser = 'u'", "imap 1: has no way to sign in; name password_file, password_env or oauth2"),
    (OAUTH + "password_env = 'X'", "imap 1: has two ways to sign in; name a password or oauth2"),
    (OAUTH.replace("user", "# user"), "imap 1: user: is missing"),
    (OAUTH.replace("google", "yahoo"), 'imap 1: oauth2.provider: "yahoo" is not possible here; use google or microsoft'),
    (
        OAUTH.replace("'d'", "'d', token_url = 'http://login.example.es/t'"),
        'imap 1: oauth2.token_url: "http://login.example.es/t" sends secrets in the clear; use https',
    ),
    (OAUTH.replace("'d'", "'d', auth_url = 'here'"), 'imap 1: oauth2.auth_url: "here" is no address; write it as in'),
    (OAUTH.replace("'d'", "'d', tenant = 'a/../b'"), 'imap 1: oauth2.tenant: "a/../b" is no tenant; write its name as in "example.onmicrosoft.com", or its number'),
    (
        "[outgoing]\noauth2 = { provider = 'google', client_id = 'd' }",
        "outgoing: oauth2 needs a user: the address whose mailbox it is",
    ),
    (
        OAUTH + OAUTH.replace("'d'", "'e'"),
        "imap 2: oauth2: differs from that of the same user; u signs in once for both, so write them alike",
    ),
    ("[outgoing]\nvia = 'sendmail'", 'outgoing.via: "sendmail" is not possible here; use files or smtp'),
    ("[outgoing]\nhost = 'h.es'\nuser = 'u'", 'outgoing: tls = "none" sends the password to h.es in the clear'),
    ("[outgoing]\ndkim = { domain = 'x', key_file = 'k' }", "outgoing.dkim.selector: is missing"),
    ("[outgoing.alarms]\nport = 465", "outgoing.alarms.host: is missing"),
    ("[outgoing.alarms]\nhost = 'h'\nvia = 'smtp'", "outgoing.alarms.via: unknown key"),
    (
        "[outgoing.alarms]\nhost = 'h.es'\nuser = 'u'\ntls = 'none'",
        'outgoing.alarms: tls = "none" sends the password to h.es',
    ),
    ("trust: relays = ['10.0.0.1/8']", 'trust.relays: "10.0.0.1/8" is no network; write it as in "192.0.2.0/24"'),
    (
        "[technicians.x]\nname = 'X'\naddresses = ['x@example.es']\npassword_file = 'x'",
        "technicians.x.password_file: lets them sign in, which takes TLS; name smtp.tls_cert_file and",
    ),
    ("trust: dns = 'unix:/run/dns'", 'trust.dns: "unix:/run/dns" is no server to ask; use "127.0.0.1:53"'),
    ("trust: technicians = 'none'", 'trust.technicians: "none" is not possible here; use strict, token or off'),
    ("[time]\nexpires_after = '0y'", 'time.expires_after: "0y" is nothing at all'),
    ("[time]\nwarn_at = ['60m', '0m']", 'time.warn_at: "0m" is nothing at all'),
    ("[time]\nestimate_margin = -1", "time.estimate_margin: -1 is too small; use at least 0"),
    ("[packages.4h]\nminutes = 240\nprice = '160 euros'", 'packages.4h.price: "160 euros" is no price'),
    ("[packages.4h]\nminutes = 0\nprice = '160.00 EUR'", "packages.4h.minutes: 0 is too small"),
    ("[technicians.x]\nname = 'X'\naddresses = []", "technicians.x.addresses: is empty; at least one is needed"),
    ("[technicians.x]\nname = 'X'\naddresses = ['*@x.es']", 'technicians.x.addresses: "*@x.es" is a wildcard'),
    ("[technicians.x]\nname = 'X'\naddresses = ['x@x.es']\ncategories = ['securty']", '"securty" is no category; use extensions'),
    (
        "[technicians.x]\nname = 'X'\naddresses = ['x@x.es']\naway = [{ from = '2026-12-24', to = '2026-12-21' }]",
        'technicians.x.away 1: ends before it starts; write from = "2026-12-21", to = "2026-12-24"',
    ),
    ("[clients.x]\nname = 'X'", "clients.x.addresses: is missing"),
    ("[clients.acme.es]\nname = 'X'", "clients.acme.es: unknown key"),
    ('[clients."á"]\nname = "X"\naddresses = ["x@x.es"]', 'clients.á: "á" is no name here'),
    ("[clients.x]\nname = 'X'\naddresses = ['*@gmail.com']", 'clients.x.addresses: "*@gmail.com" would let in everybody'),
    ("[clients.x]\nname = 'X'\naddresses = ['*@Yahoo.co.uk']", 'clients.x.addresses: "*@Yahoo.co.uk" would let in everybody'),
    ("[clients.x]\nname = 'X'\naddresses = ['a*@x.es']", 'clients.x.addresses: "a*@x.es" is no address; a wildcard is written *@domain'),
    ("[clients.x]\nname = 'X'\naddresses = ['*@es']", 'clients.x.addresses: "*@es" is no address'),
    ("[clients.x]\nname = 'X'\naddresses = ['*@*.x.es']", 'clients.x.addresses: "*@*.x.es" is no address'),
    ("[clients.x]\nname = 'X'\naddresses = ['*@x.es']", "clients.x: has only wildcards as addresses; name one person as contact"),
    ("[clients.x]\nname = 'X'\naddresses = ['a@x.es']\ncontact = 'b@x.es'", "clients.x: the contact b@x.es is not among the client's"),
    ("[clients.x]\n" + BETA + "technician = 'mart'", 'clients.x.technician: "mart" is no technician in [technicians]; did you mean "marta"?'),
    ("[clients.x]\n" + BETA + "language = 'de'", 'clients.x.language: "de" is not possible here; use es or en'),
    ("[clients.x]\nname = 'X'\naddresses = ['ANA@acme.example']", 'clients.x.addresses: ANA@acme.example is also client "acme"'),
    ("[clients.x]\nname = 'X'\naddresses = ['*@TIENDA.example']\ncontact='a@tienda.example'", 'is also client "acme"'),
    ("[clients.x]\nname = 'X'\naddresses = ['marta@casa.example']", 'marta@casa.example is also technician "marta"'),
    ("[clients.x]\nname = 'X'\naddresses = ['ayuda@example.es']", "ayuda@example.es is also the desk's"),
    ("[clients.x]\nname = 'X'\naddresses = ['a@x.es', 'a@x.es']", "clients.x.addresses: a@x.es is here twice"),
    (RULE + "set = { priority = 'urgnt' }", 'rules 1 "site down": set.priority: "urgnt" is no priority; use urgent, high, normal or low'),
    (RULE + "set = { category = 'bugs' }", 'rules 1 "site down": set.category: "bugs" is no category; use extensions, security,'),
    (RULE + "set = { assign = 'mrata' }", 'rules 1 "site down": set.assign: "mrata" is no technician in [technicians]; did you mean "marta"?'),
    (RULE + "set = { notify = ['mrata'] }", 'rules 1 "site down": set.notify: "mrata" is no technician'),
    (RULE + "set = {}", 'rules 1 "site down": set: sets nothing; use priority'),
    (RULE, 'rules 1 "site down": set: is missing'),
    (RULE + "set = { hold = true }\nmatch = { any = '?' }", 'match.any: "?" has no letter or digit in it'),
    (RULE + "set = { hold = true }\nmatch = { attachment = false }", "match.attachment: use true for any attachment"),
    (RULE + "set = { hold = true }\nmatch = { client = 'acma' }", 'match.client: "acma" is no client in [clients]; did you mean "acme"?'),
    (RULE + "set = { hold = true }\nmatch = { form = 'x@x.es' }", 'match.form: unknown key; did you mean "from"?'),
]  # fmt: skip


@pytest.mark.parametrize(("written", "said"), REFUSED, ids=[said[:60] for _, said in REFUSED])
def test_what_is_wrong_is_said_in_one_sentence(written, said):
    section, colon, line = written.partition(": ")
    if colon and section in ("desk", "trust"):
        changes = {f"{section}__{key}": value for key, value in tomllib.loads(line).items()}
        found = problems(**changes)
    elif written.startswith(("smtp", "imap")):
        found = problems(**tomllib.loads(written))
    else:
        found = problems(written)
    assert len(found) == 1, found
    assert said in found[0]


@pytest.mark.parametrize("key", ["name", "address", "admin", "director"])
def test_the_desk_must_say_who_it_is(key):
    assert problems(**{f"desk__{key}": None}) == [f"desk.{key}: is missing"]


def test_an_empty_file_lacks_a_desk_and_a_technician():
    built = build({})
    assert isinstance(built, list)
    assert [fault.path for fault in built] == [("desk",), ("technicians",)]


def test_a_file_without_the_key_asks_for_strict_proof():
    assert rules(trust=None).trust.technicians == "strict"
    assert rules(trust__technicians="off").trust.technicians == "off"


def test_a_wrong_type_hides_no_wrong_name_and_no_other_problem():
    found = problems(
        RULE + "set = { assign = 'nobody' }", desk__quote_client="yes", desk__director="nobody", clients=["x"]
    )
    assert {line.split(": ")[0] for line in found} == {
        "desk.quote_client",
        "clients",
        "desk.director",
        'rules 1 "site down"',
    }


@pytest.mark.parametrize("junk", [1, 1.5, True, "x", [], [[]], {}, {"x": {}}, [{"x": 1}], None])
def test_junk_in_any_place_is_a_problem_and_never_an_exception(junk):
    """Each key of a file that uses everything is replaced, one at a time."""
    whole = data(RULE + "set = { assign = 'marta' }\nmatch = { any = 'x', from = 'x@x.es' }\n" + IMAP)
    for table in [*whole, "hours", "packages", "time", "smtp", "web", "outgoing", "promise", "include"]:
        keys = list(whole[table]) if isinstance(whole.get(table), dict) else []
        for key in [None, *keys]:
            changed = copy.deepcopy(whole)
            if key is None:
                changed[table] = junk
            else:
                changed[table][key] = junk
            built = build(changed)
            if isinstance(built, list):
                assert all(fault.what and "pydantic" not in fault.what for fault in built)
                assert built
                assert all(isinstance(spoken(fault.path, changed), str) for fault in built)


# ---- [[rules]] ---------------------------------------------------------------------------------


def matched(more: str, **words: Any):
    return match_rules(rules(more), MatchInput(**words))


DOWN = RULE + 'match = { any = ["web caída", "error 500"] }\nset = { priority = "urgent", category = "bug" }\n'


@pytest.mark.parametrize(
    "words",
    [
        {"text": "Hola:\nla WEB  CAIDA desde ayer"},
        {"subject": "Error: 500"},
        {"text": "la web\ncaída."},
        {"text": "web cai\u0301da"},
    ],
)
def test_words_are_found_whatever_case_accents_and_breaks(words):
    found = matched(DOWN, **words)
    assert (found.priority, found.category, found.names) == (Priority.URGENT, Category.BUG, ("site down",))


@pytest.mark.parametrize(
    "words", [{"text": "error 5001"}, {"subject": "web", "text": "caída"}, {"text": "telaraña web"}, {}]
)
def test_parts_of_words_and_words_apart_are_no_match(words):
    assert matched(DOWN, **words).names == ()


def test_of_each_kind_the_first_match_wins():
    more = DOWN + (
        '[[rules]]\nname = "second"\nmatch = { any = "web" }\nset = { priority = "low", assign = "marta" }\n'
        '[[rules]]\nname = "third"\nset = { priority = "normal", category = "design" }\n'
    )
    found = matched(more, text="web caída")
    assert (found.priority, found.category, found.assign) == (Priority.URGENT, Category.BUG, "marta")
    assert found.names == ("site down", "second")
    assert matched(more, text="hola").names == ("third",)


def test_a_rule_sees_the_category_that_one_before_it_set():
    more = DOWN + '[[rules]]\nname = "bugs"\nmatch = { category = "bug" }\nset = { notify = ["elena"] }\n'
    assert matched(more, text="error 500").notify == ("elena",)
    assert matched(more, category="bug").notify == ("elena",)
    assert matched(more, category="design").notify == ()


@pytest.mark.parametrize(
    ("match", "words", "applies"),
    [
        ('all = ["uno", "dos"]', {"text": "dos y uno"}, True),
        ('all = ["uno", "dos"]', {"text": "uno"}, False),
        ('subject = "factura"', {"subject": "Re: Factura 12"}, True),
        ('subject = "factura"', {"text": "factura"}, False),
        ('from = "ana@acme.example"', {"sender": "ana@acme.example"}, True),
        ('from = ["x@x.es", "*@acme.example"]', {"sender": "luis@acme.example"}, True),
        ('from = "*@gmail.com"', {"sender": "x@gmail.com"}, True),
        ('from = "*@acme.example"', {"sender": "x@sub.acme.example"}, False),
        ('client = "acme"', {"client": "acme"}, True),
        ('client = ["acme"]', {"client": "beta"}, False),
        ("attachment = true", {"attachments": ("a.pdf",)}, True),
        ("attachment = true", {}, False),
        ('attachment = ".zip"', {"attachments": ("a.pdf", "COPIA.ZIP")}, True),
        ('attachment = ".zip"', {"attachments": ("a.pdf",)}, False),
        ("outside_hours = true", {"outside_hours": True}, True),
        ("outside_hours = true", {}, False),
        ("outside_hours = false", {}, True),
        ('any = "web", client = "acme"', {"text": "web", "client": "beta"}, False),
        ("", {}, True),
    ],
)
def test_every_key_of_a_match_must_agree(match, words, applies):
    found = matched(RULE + f"match = {{ {match} }}\nset = {{ hold = true }}\n", **words)
    assert found.hold is applies
    assert found.names == (("site down",) if applies else ())
