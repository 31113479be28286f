"""`rules.toml` as a file: what is told about it, what it includes, what makes it change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mailgate import config
from mailgate.core.settings.fields import Endpoint
from mailgate.errors import RulesError, RulesProblem

SHIPPED = Path(__file__).resolve().parents[1] / "rules.toml"

SMALL = """\
include = ["clients.d/*.toml"]

[desk]
name = "Soporte Técnico"
address = "soporte@example.es"
admin = "admin@example.es"
director = "elena"

[trust]
technicians = "token"

[technicians.elena]
name = "Elena Ruiz"
addresses = ["elena@example.es"]

[[rules]]
name = "all"
set = { priority = "low" }
"""

ACME = """\
[clients.acme]
name = "Acme S.L."
addresses = ["ana@acme.example"]
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.toml"
    path.write_text(SMALL)
    (tmp_path / "clients.d").mkdir()
    (tmp_path / "clients.d" / "acme.toml").write_text(ACME)
    return path


def problems(path: Path) -> list[str]:
    with pytest.raises(RulesError) as refused:
        config.load(path)
    return [str(problem) for problem in refused.value.problems]


def test_the_shipped_rules_are_good():
    rules = config.load(SHIPPED)
    ana, shop = rules.who("ana@acme.example"), rules.who("anybody@tienda.example")
    assert ana and shop
    assert (ana.client, shop.client) == ("acme", "acme")
    assert rules.language_of("beta") == "en"
    assert rules.director[1].name == "Elena Ruiz"
    assert rules.web.listen == Endpoint("tcp", "127.0.0.1", 8080)


def test_the_example_of_the_interface_is_read(rules):
    page = SHIPPED.parents[1] / "shared" / "spec" / "interface.md"
    if not page.exists():
        pytest.skip("the page of the interface is not beside this checkout")
    example = page.read_text().split("```toml\n")[1].split("```")[0]
    rules.write_text(example)
    assert [one for one in problems(rules) if "acme" not in one] == []
    (rules.parent / "clients.d" / "acme.toml").unlink()
    assert config.load(rules).imap[0].poll == 60
    assert config.load(rules).trust.technicians == "strict"


def test_included_files_are_part_of_the_rules(rules):
    (rules.parent / "clients.d" / "beta.toml").write_text(ACME.replace("acme", "beta") + SMALL[SMALL.index("[[") :])
    loaded = config.load(rules)
    assert list(loaded.clients) == ["acme", "beta"]
    assert len(loaded.rules) == 2


def test_every_problem_names_file_line_key_and_what_would_be_right(rules):
    rules.write_text(SMALL.replace("low", "urgnt").replace('"elena"', '"helena"'))
    (rules.parent / "clients.d" / "acme.toml").write_text(ACME + '\nnmae = "x"\n')
    assert problems(rules) == [
        'rules.toml:7: desk.director: "helena" is no technician in [technicians]; did you mean "elena"?',
        'rules.toml:18: rules 1 "all": set.priority: "urgnt" is no priority; use urgent, high, normal or low',
        'clients.d/acme.toml:5: clients.acme.nmae: unknown key; did you mean "name"?',
    ]


def test_an_address_of_two_names_both_and_the_other_line(rules):
    (rules.parent / "clients.d" / "beta.toml").write_text(ACME.replace("clients.acme", "clients.beta"))
    (found,) = problems(rules)
    place, _, said = found.partition(": clients.beta.addresses: ")
    assert place == "clients.d/beta.toml:3"
    assert said == 'ana@acme.example is also client "acme" (clients.d/acme.toml:3)'


def test_a_key_set_twice_names_both_places(rules):
    (rules.parent / "clients.d" / "more.toml").write_text('\n[desk]\ntag = "X"\nname = "Other"\n')
    assert problems(rules) == ["clients.d/more.toml:4: desk.name: is already set (rules.toml:4); take one of them out"]


def test_only_the_main_file_includes(rules):
    (rules.parent / "clients.d" / "more.toml").write_text('include = ["x.toml"]\n')
    assert problems(rules) == ["clients.d/more.toml:1: include: is already set (rules.toml:1); take one of them out"]


def test_a_named_file_that_is_missing_is_told_and_a_pattern_may_match_nothing(rules):
    rules.write_text(SMALL.replace("clients.d/*.toml", "none.d/*.toml"))
    assert config.load(rules).clients == {}
    rules.write_text(SMALL.replace("clients.d/*.toml", "clients.toml"))
    (found,) = problems(rules)
    assert found.startswith('rules.toml:1: include: there is no file "clients.toml" beside rules.toml')


@pytest.mark.parametrize("pattern", ["", "/etc", "..", "a\\u0000b", "**"])
def test_an_odd_include_is_a_problem(rules, pattern):
    rules.write_text(SMALL.replace("clients.d/*.toml", pattern))
    assert problems(rules)
    assert config.stamp(rules) == config.stamp(rules)


def test_a_file_that_includes_itself_is_read_once(rules):
    rules.write_text(SMALL.replace("clients.d/*.toml", "*.toml"))
    assert config.load(rules).desk.tag == "SOP"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[desk]\nname = Soporte\n", "rules.toml:2: is not TOML at column 8: Invalid value"),
        (
            b"[desk]\nname = 'a'\nname = 'b'\n",
            "rules.toml:3: is not TOML at column 11: Cannot overwrite a value",
        ),
        (b"[a.b]\n[a.b]\n", "rules.toml:2: is not TOML at column 5: Cannot declare [a.b] twice"),
        (b"[a]\n[a]\n", "rules.toml:2: is not TOML at column 3: Cannot declare [a] twice"),
        (b"[desk]\nname = [1,\n", "rules.toml:3: is not TOML: Invalid value; the file ends too early"),
        (
            b"\xef\xbb\xbf[desk]\n",
            "rules.toml:1: begins with a byte order mark; save it as UTF-8 without BOM",
        ),
        (
            b"[desk]\n\nname = 'T\xe9cnico'\n",
            "rules.toml:3: is not UTF-8 here (Latin-1?); save the file as UTF-8",
        ),
        (b"a = " + b"[" * 5000, "rules.toml: has too many brackets within brackets"),
        (b"a" + b".a" * 5000 + b" = 1", "rules.toml: has too many tables within tables"),
        (b"a = " + b"9" * 5000, "rules.toml: has a number that is too long"),
        (b"a = 2026-13-45\n", "rules.toml:1: is not TOML at column 9"),
        (b"a = '\x00'\n", "rules.toml:1: is not TOML at column 6"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_with_its_line(rules, content, said):
    rules.write_bytes(content)
    (found,) = problems(rules)
    assert found.startswith(said)
    assert "\n" not in found


def test_a_missing_file_and_a_folder_are_told(tmp_path):
    assert problems(tmp_path / "rules.toml") == ["rules.toml: there is no such file; name the right one with --rules"]
    (tmp_path / "folder.toml").mkdir()
    assert problems(tmp_path / "folder.toml") == ["folder.toml: cannot be read: Is a directory"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_told(rules):
    rules.chmod(0)
    assert problems(rules) == ["rules.toml: cannot be read: Permission denied"]


def test_every_broken_included_file_is_told_at_once(rules):
    (rules.parent / "clients.d" / "a.toml").write_text("x = \n")
    (rules.parent / "clients.d" / "b.toml").write_text("\ny = \n")
    assert [found.split(": ")[0] for found in problems(rules)] == ["clients.d/a.toml:1", "clients.d/b.toml:2"]


@pytest.mark.slow
def test_a_file_cut_off_anywhere_is_refused_or_read_and_nothing_else(rules):
    whole = SHIPPED.read_bytes()
    for length in range(0, len(whole), 37):
        rules.write_bytes(whole[:length])
        try:
            config.load(rules)
        except RulesError as error:
            assert all(isinstance(problem, RulesProblem) and problem.what for problem in error.problems)


def test_windows_line_ends_are_no_problem_and_count_as_lines(rules):
    rules.write_bytes(SMALL.replace("low", "lo").replace("\n", "\r\n").encode())
    assert problems(rules)[0].startswith("rules.toml:18: ")


# ---- reload ------------------------------------------------------------------------------------


def test_the_stamp_stays_while_nothing_changes(rules):
    assert config.stamp(rules) == config.stamp(rules)


@pytest.mark.parametrize("name", ["rules.toml", "clients.d/acme.toml", "clients.d/new.toml"])
def test_the_stamp_changes_with_each_file(rules, name):
    before = config.stamp(rules)
    path = rules.parent / name
    path.write_text((path.read_text() if path.exists() else "") + "# more\n")
    assert config.stamp(rules) != before


def test_the_stamp_changes_when_a_file_is_put_in_place_or_taken_away(rules):
    before = config.stamp(rules)
    copy = rules.parent / "copy"
    copy.write_bytes(rules.read_bytes())
    os.utime(copy, ns=(rules.stat().st_mtime_ns, rules.stat().st_mtime_ns))
    copy.rename(rules)
    assert config.stamp(rules) != before
    before = config.stamp(rules)
    (rules.parent / "clients.d" / "acme.toml").unlink()
    assert config.stamp(rules) != before
    rules.unlink()
    assert config.stamp(rules) != before


def test_the_stamp_follows_an_include_that_is_wrong_for_now(rules):
    rules.write_text(SMALL.replace("clients.d/*", "clients.d/acme").replace("low", "urgnt"))
    before = config.stamp(rules)
    (rules.parent / "clients.d" / "acme.toml").write_text(ACME + "# more\n")
    assert config.stamp(rules) != before


# ---- secrets -----------------------------------------------------------------------------------


def outgoing(rules: Path, more: str):
    rules.write_text(SMALL + f"[outgoing]\n{more}\n")
    return config.load(rules).outgoing


def test_a_secret_comes_from_its_file_beside_the_rules(rules):
    (rules.parent / "secrets").mkdir()
    (rules.parent / "secrets" / "smtp").write_text(" pass wörd \n")
    assert config.secret(outgoing(rules, 'password_file = "secrets/smtp"'), rules.parent) == " pass wörd "


def test_a_secret_comes_from_the_environment(rules, monkeypatch):
    settings = outgoing(rules, 'password_env = "SMTP_PASSWORD"')
    monkeypatch.setenv("SMTP_PASSWORD", "x")
    assert config.secret(settings, rules.parent) == "x"
    monkeypatch.delenv("SMTP_PASSWORD")
    with pytest.raises(RulesError, match=r"^\$SMTP_PASSWORD: password_env names it"):
        config.secret(settings, rules.parent)


def test_a_systemd_credential_goes_before_the_file(rules, tmp_path, monkeypatch):
    settings = outgoing(rules, 'password_file = "secrets/smtp"')
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "smtp").write_text("from systemd")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "credentials"))
    assert config.secret(settings, rules.parent) == "from systemd"


def test_no_secret_is_none_and_a_missing_file_is_told(rules):
    assert config.secret(outgoing(rules, ""), rules.parent) is None
    with pytest.raises(RulesError, match=r"^secrets/smtp: password_file names it, but it cannot be read"):
        config.secret(outgoing(rules, 'password_file = "secrets/smtp"'), rules.parent)


# ---- size --------------------------------------------------------------------------------------


def big(wrong: bool) -> str:
    """A thousand clients on 4,000 lines."""
    return SMALL + "".join(
        f'[clients.c{n}]\nname = "Client {n}"\naddresses = ["a@c{n}.example", "*@d{n}.example"]\n'
        + (f'technician = "nobody{n}"\n' if wrong else 'technician = "elena"\n')
        for n in range(1000)
    )


def test_a_thousand_clients_are_read(rules):
    rules.write_text(big(wrong=False))
    assert len(config.load(rules).clients) == 1001


def test_each_of_a_thousand_problems_is_located(rules):
    rules.write_text(big(wrong=True))
    found = problems(rules)
    assert len(found) == 1000
    assert found[-1].startswith(f"rules.toml:{18 + 4000}: clients.c999.technician: ")
