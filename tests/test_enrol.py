"""A client is written into the admin's own file: what the file has besides stays, or nothing changes."""

from __future__ import annotations

import os
import resource
import stat
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailgate import config
from mailgate.enrol import Enrolled, enrol
from mailgate.errors import MailgateError, Refused, RulesError

SHIPPED = Path(__file__).resolve().parents[1] / "rules.toml"
HEAD = """\
# Rules of the desk
[desk]
name = "Soporte Técnico"
address = "soporte@example.es"   # where clients write to
admin = "admin@example.es"
director = "elena"

[trust]
technicians = "token"

[technicians.elena]
name = "Elena Ruiz"
addresses = ["elena@example.es"]

"""
ACME = """\
[clients.acme]
name = "Acme S.L."
addresses = ["ana@acme.example"]   # the boss
"""
NEW = """\
[clients.gamma]
name = "gamma"
addresses = ["eva@gamma.example"]
"""
TAIL = """\
# ---- what comes in ----

[[rules]]
name = "all"                     # each and every one
set = { priority = "low" }
"""
INCLUDE = 'include = ["clients.d/*.toml"]\n\n'
NOBODY = 65534


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return written(tmp_path / "rules.toml", HEAD + ACME)


def written(file: Path, text: str) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(text.encode())
    return file


def read(file: Path) -> str:
    return file.read_bytes().decode()


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def add(rules: Path, client: str = "gamma", *addresses: str, file: Path | None = None, **about: str) -> Enrolled:
    return enrol(rules, client, addresses or ("eva@gamma.example",), about, file)


# ---- a new client --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (ACME, ""),
        (ACME, f"\n{TAIL}"),
        (ACME, f"\n\n\n{TAIL}"),
        (ACME + "# language = 'en'\n", f"\n{TAIL}"),
        (ACME + "\n# [clients.old]\n# name = 'Old'\n", ""),
        (ACME + '\n[clients.beta]\nname = "B"\naddresses = [\n  "b@beta.example",\n  # nobody else\n]\n', f"\n{TAIL}"),
        (ACME + '\n[clients.beta]\naddresses = ["b@beta.example"]\nname = """\\\n  # B\\\n"""\n', f"\n{TAIL}"),
        ('[clients]\nacme = { name = "A", addresses = ["ana@acme.example"] }  # inline\n', f"\n{TAIL}"),
        ('[packages.4h]\nminutes = 240\nprice = "1 EUR"\n\n' + ACME, f"\n[web]\nlisten = ''\n\n{TAIL}"),
    ],
)
def test_new_client_stands_after_the_last_one_and_nothing_else_moves(tmp_path: Path, before: str, after: str) -> None:
    rules = written(tmp_path / "rules.toml", HEAD + before + after)
    assert add(rules) == Enrolled("gamma", "rules.toml", new=True, added=("eva@gamma.example",))
    assert read(rules) == f"{HEAD}{before}\n{NEW}{after}"
    assert set(config.load(rules).clients) >= {"acme", "gamma"}


def test_comment_right_above_the_next_table_stays_with_it(tmp_path: Path) -> None:
    web = "# the client area\n[web]\nlisten = ''\n"
    rules = written(tmp_path / "rules.toml", f"{HEAD}{ACME}{web}")
    add(rules)
    assert read(rules) == f"{HEAD}{ACME}\n{NEW}\n{web}"


def test_clients_in_two_places_of_a_file_the_new_one_follows_the_last(tmp_path: Path) -> None:
    beta = '[clients.beta]\nname = "B"\naddresses = ["b@beta.example"]\n'
    web = "[web]\nlisten = ''\n"
    rules = written(tmp_path / "rules.toml", f"{HEAD}{ACME}\n{web}\n{beta}\n{TAIL}")
    add(rules)
    assert read(rules) == f"{HEAD}{ACME}\n{web}\n{beta}\n{NEW}\n{TAIL}"


def test_first_client_of_all_goes_to_the_end(tmp_path: Path) -> None:
    rules = written(tmp_path / "rules.toml", HEAD + TAIL)
    add(rules)
    assert read(rules) == f"{HEAD}{TAIL}\n{NEW}"


def test_file_without_a_last_line_end(tmp_path: Path) -> None:
    rules = written(tmp_path / "rules.toml", (HEAD + ACME).rstrip("\n"))
    add(rules)
    assert read(rules) == f"{HEAD}{ACME}\n{NEW}"


def test_tables_of_one_name_that_stand_apart_stay_apart(tmp_path: Path) -> None:
    first, second = TAIL, '[[rules]]\nname = "last"\nset = { priority = "high" }\n'
    rules = written(tmp_path / "rules.toml", f"{first}\n{HEAD}{ACME}\n{second}")
    add(rules)
    add(rules, "acme", "luis@acme.example")
    acme = ACME.replace('.example"]', '.example", "luis@acme.example"]')
    assert read(rules) == f"{first}\n{HEAD}{acme}\n{NEW}\n{second}"


def test_what_is_known_of_a_new_client_is_written_in_the_usual_order(rules: Path) -> None:
    about = {"language": "en", "technician": "elena", "contact": "eva@gamma.example", "name": 'Gamma "G" & Söhne'}
    add(rules, "gamma", "*@gamma.example", **about)
    assert read(rules).endswith(
        "[clients.gamma]\n"
        'name = "Gamma \\"G\\" & Söhne"\n'
        'addresses = ["*@gamma.example"]\n'
        'contact = "eva@gamma.example"\n'
        'technician = "elena"\n'
        'language = "en"\n'
    )


def test_id_with_a_dot_is_one_name(rules: Path) -> None:
    add(rules, "gamma.es")
    assert "gamma.es" in config.load(rules).clients


# ---- one more address ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('["ana@acme.example"]  # the boss', '["ana@acme.example", "luis@acme.example"]  # the boss'),
        ('[ "ana@acme.example" ]', '[ "ana@acme.example", "luis@acme.example" ]'),
        (
            '[\n    "ana@acme.example",   # the boss\n    # "old@acme.example",\n]',
            '[\n    "ana@acme.example",   # the boss\n    # "old@acme.example",\n    "luis@acme.example"\n]',
        ),
        (
            '[\n  "ana@acme.example",\n  "eva@acme.example"   # no comma\n]',
            '[\n  "ana@acme.example",\n  "eva@acme.example",   # no comma\n  "luis@acme.example"\n]',
        ),
        ("['ana@acme.example',\n\t'eva@acme.example']", None),
    ],
)
def test_address_joins_a_list_as_it_is_laid_out(tmp_path: Path, before: str, after: str | None) -> None:
    text = HEAD + f'[clients.acme]   # since 2019\naddresses = {before}\nname = "Acme"\n\n{TAIL}'
    rules = written(tmp_path / "rules.toml", text)
    assert not add(rules, "acme", "luis@acme.example").new
    if after is not None:
        assert read(rules) == text.replace(before, after)
    assert config.load(rules).clients["acme"].addresses[-1] == "luis@acme.example"


@pytest.mark.parametrize(
    "table",
    [
        '[clients]\nacme = { name = "A", addresses = ["ana@acme.example"] }  # A\n',
        '[clients]\nacme.name = "A"\nacme.addresses = ["ana@acme.example"]  # A\n',
        '["clients"."acme"]\nname = "A"\naddresses = ["ana@acme.example"]  # A\n',
    ],
)
def test_address_joins_a_client_however_the_table_is_written(tmp_path: Path, table: str) -> None:
    rules = written(tmp_path / "rules.toml", HEAD + table + TAIL)
    add(rules, "acme", "luis@acme.example")
    assert read(rules) == HEAD + table.replace('.example"]', '.example", "luis@acme.example"]') + TAIL


@pytest.mark.parametrize(
    "top",
    [
        'clients = { acme = { name = "A", addresses = ["ana@acme.example"] } }  # A\n',
        'clients.acme = { name = "A", addresses = ["ana@acme.example"] }  # A\ninclude = []\n',
        '"clients".acme.name = "A"\nclients.acme."addresses" = ["ana@acme.example"]  # A\n',
    ],
)
def test_address_joins_a_client_above_all_tables(tmp_path: Path, top: str) -> None:
    rules = written(tmp_path / "rules.toml", top + HEAD)
    add(rules, "acme", "luis@acme.example")
    assert read(rules) == top.replace('.example"]', '.example", "luis@acme.example"]') + HEAD


def test_address_that_is_there_is_not_written_again(rules: Path) -> None:
    before = rules.stat()
    assert add(rules, "acme", "ANA@acme.example", name="Acme S.L.").added == ()
    after = rules.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_only_what_is_missing_is_added_once(rules: Path) -> None:
    done = add(rules, "acme", "ana@acme.example", "luis@acme.example", "Luis@acme.example")
    assert done.added == ("luis@acme.example",)


@pytest.mark.parametrize(
    ("address", "whose"),
    [("Elena@example.es", "technician elena"), ("ana@acme.example", "client acme"), ("soporte@example.es", "the desk")],
)
def test_address_of_somebody_else_is_refused_with_whose_it_is(rules: Path, address: str, whose: str) -> None:
    before = read(rules)
    with pytest.raises(Refused, match=f"{address}: belongs to {whose}"):
        add(rules, "gamma", "eva@gamma.example", address)
    assert read(rules) == before


def test_client_who_is_there_is_not_changed_otherwise(rules: Path) -> None:
    with pytest.raises(Refused, match=r"acme: is a client already; change its name in .*rules.toml"):
        add(rules, "acme", "luis@acme.example", name="Other")


# ---- which file ----------------------------------------------------------------------------------


def test_new_client_gets_a_file_of_its_own_where_there_is_a_folder_for_them(tmp_path: Path) -> None:
    rules = written(tmp_path / "rules.toml", INCLUDE + HEAD + ACME)
    rules.chmod(0o640)
    assert add(rules).file == "clients.d/gamma.toml"
    assert read(tmp_path / "clients.d" / "gamma.toml") == NEW
    assert stat.S_IMODE((tmp_path / "clients.d" / "gamma.toml").stat().st_mode) == 0o640
    assert read(rules) == INCLUDE + HEAD + ACME
    assert "gamma" in config.load(rules).clients


def test_file_of_its_own_that_is_there_already_is_added_to(tmp_path: Path) -> None:
    rules = written(tmp_path / "rules.toml", INCLUDE + HEAD)
    theirs = written(tmp_path / "clients.d" / "gamma.toml", "# soon\n")
    assert add(rules).file == "clients.d/gamma.toml"
    assert read(theirs) == f"# soon\n\n{NEW}"


def test_client_in_rules_toml_stays_there_although_there_is_a_folder(tmp_path: Path) -> None:
    rules = written(tmp_path / "rules.toml", INCLUDE + HEAD + ACME)
    assert add(rules, "acme", "luis@acme.example").file == "rules.toml"


def test_client_in_an_included_file_is_found_there(tmp_path: Path) -> None:
    rules = written(tmp_path / "rules.toml", INCLUDE + HEAD)
    theirs = written(tmp_path / "clients.d" / "all.toml", "# all\n" + ACME)
    assert add(rules, "acme", "luis@acme.example").file == "clients.d/all.toml"
    assert read(theirs) == "# all\n" + ACME.replace('e"]', 'e", "luis@acme.example"]')


@pytest.mark.parametrize("file", ["clients.d/all.toml", "clients.d/brand-new.toml", "rules.toml"])
def test_new_client_goes_to_the_file_that_is_named(tmp_path: Path, file: str) -> None:
    rules = written(tmp_path / "rules.toml", INCLUDE + HEAD)
    written(tmp_path / "clients.d" / "all.toml", ACME)
    assert add(rules, file=tmp_path / file).file == file
    assert read(tmp_path / file).endswith(NEW)
    assert "gamma" in config.load(rules).clients


def test_file_that_the_rules_do_not_include_is_refused(tmp_path: Path) -> None:
    rules = written(tmp_path / "rules.toml", INCLUDE + HEAD)
    with pytest.raises(Refused, match=r"other\.toml: is no file of the rules; name it in the include of rules\.toml"):
        add(rules, file=tmp_path / "other.toml")
    assert names_in(tmp_path) == ["rules.toml"]


def test_client_of_another_file_is_not_written_twice(tmp_path: Path) -> None:
    rules = written(tmp_path / "rules.toml", INCLUDE + HEAD + ACME)
    with pytest.raises(Refused, match="acme: is a client already, in "):
        add(rules, "acme", "luis@acme.example", file=tmp_path / "clients.d" / "acme.toml")


# ---- what would be wrong is not written ----------------------------------------------------------


@pytest.mark.parametrize(
    ("client", "address", "about", "words"),
    [
        ("gamma", "eva", {}, 'clients.gamma.addresses: "eva" is no plain address'),
        ("acme", "Eva <eva@acme.example>", {}, "clients.acme.addresses"),
        ("gamma", "*@gmail.com", {"contact": "eva@gmail.com"}, "would let in everybody"),
        ("gamma", "*@gamma.example", {}, "name one person as contact"),
        ("gamma", "eva@gamma.example", {"technician": "martha"}, '"martha" is no technician'),
        ("gamma", "eva@gamma.example", {"contact": "ana@acme.example"}, "is not among the client's addresses"),
        ("gámma", "eva@gamma.example", {}, '"gámma" is no name here'),
        ("../x", "eva@gamma.example", {}, '"../x" is no name here'),
    ],
)
@pytest.mark.parametrize("head", [HEAD, INCLUDE + HEAD])
def test_what_the_rules_would_refuse_is_told_and_not_written(
    tmp_path: Path, head: str, client: str, address: str, about: dict[str, str], words: str
) -> None:
    rules = written(tmp_path / "rules.toml", head + ACME)
    with pytest.raises(RulesError) as refused:
        add(rules, client, address, **about)
    assert words in str(refused.value)
    assert read(rules) == head + ACME
    assert names_in(tmp_path) == ["rules.toml"]


def test_fault_is_named_where_it_would_stand(rules: Path) -> None:
    with pytest.raises(RulesError) as refused:
        add(rules, "gamma", "eva")
    (problem,) = refused.value.problems
    assert (problem.file, problem.line) == ("rules.toml", (HEAD + ACME).count("\n") + 4)


@pytest.mark.parametrize(
    "layout",
    [
        'clients.acme.name = "A"\nclients.acme.addresses = ["ana@acme.example"]\ninclude = []\n',
        'clients = { acme = { name = "A", addresses = ["ana@acme.example"] } }\n',
    ],
)
def test_layout_that_no_table_can_be_added_to_is_refused(tmp_path: Path, layout: str) -> None:
    rules = written(tmp_path / "rules.toml", layout + HEAD)
    with pytest.raises(Refused, match="write gamma there by hand"):
        add(rules)
    assert read(rules) == layout + HEAD


def test_layout_that_no_address_can_be_added_to_is_refused(tmp_path: Path) -> None:
    odd = '[clients]\nacme = { addresses = [\n  "ana@acme.example",\n], name = "A" }\n'
    rules = written(tmp_path / "rules.toml", HEAD + odd)
    with pytest.raises(Refused, match="write acme there by hand"):
        add(rules, "acme", "luis@acme.example")
    assert read(rules) == HEAD + odd


# ---- how it is written ---------------------------------------------------------------------------


@pytest.mark.parametrize("client", ["gamma", "acme"])
def test_line_ends_of_windows_stay(tmp_path: Path, client: str) -> None:
    rules = written(tmp_path / "rules.toml", f"{HEAD}{ACME}\n{TAIL}".replace("\n", "\r\n"))
    add(rules, client)
    raw = rules.read_bytes()
    assert raw.count(b"\r\n") == raw.count(b"\n")
    assert raw.count(b"\r") == raw.count(b"\n")


def test_mixed_line_ends_are_left_alone(tmp_path: Path) -> None:
    rules = written(tmp_path / "rules.toml", HEAD.replace("\n", "\r\n") + ACME)
    add(rules)
    assert read(rules) == HEAD.replace("\n", "\r\n") + ACME + "\n" + NEW


def test_mode_stays_and_nothing_is_left_behind(rules: Path) -> None:
    rules.chmod(0o604)
    add(rules)
    assert stat.S_IMODE(rules.stat().st_mode) == 0o604
    assert names_in(rules.parent) == ["rules.toml"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_owner_stays(rules: Path) -> None:
    os.chown(rules, NOBODY, NOBODY)
    add(rules)
    assert (rules.stat().st_uid, rules.stat().st_gid) == (NOBODY, NOBODY)


def test_link_stays_a_link_and_what_it_names_is_written(tmp_path: Path) -> None:
    real = written(tmp_path / "etc" / "desk.toml", HEAD + ACME)
    rules = tmp_path / "rules.toml"
    rules.symlink_to(real)
    add(rules)
    assert rules.is_symlink()
    assert read(real) == f"{HEAD}{ACME}\n{NEW}"
    assert names_in(real.parent) == ["desk.toml"]


def test_daemon_sees_a_change(rules: Path) -> None:
    before = config.stamp(rules)
    add(rules)
    assert config.stamp(rules) != before


def test_calls_at_the_same_moment_all_count(rules: Path) -> None:
    names = [f"client{number}" for number in range(8)]
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(lambda name: add(rules, name, f"x@{name}.example"), names))
    assert set(config.load(rules).clients) == {"acme", *names}


@contextmanager
def files_of_at_most(octets: int) -> Iterator[None]:
    """A full disk, for this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_full_disk_leaves_the_file_whole(rules: Path) -> None:
    with files_of_at_most(100), pytest.raises(MailgateError, match=r"rules\.toml: cannot be written: ") as failed:
        add(rules)
    assert failed.value.exit_code == 75
    assert read(rules) == HEAD + ACME
    assert names_in(rules.parent) == ["rules.toml"]


@contextmanager
def folder_without_writing() -> Iterator[Path]:
    """A folder that this process may read and not write; root becomes nobody meanwhile."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        written(folder / "rules.toml", HEAD + ACME)
        folder.chmod(0o555)
        was = os.geteuid()
        if was == 0:
            os.seteuid(NOBODY)
        try:
            yield folder
        finally:
            os.seteuid(was)
            folder.chmod(0o755)


def test_folder_that_cannot_be_written_is_told(rules: Path) -> None:
    add(rules)  # whatever is loaded late is loaded now, while it can be read
    with folder_without_writing() as folder:
        with pytest.raises(MailgateError, match=r"rules\.toml: cannot be written: Permission denied"):
            add(folder / "rules.toml")
        assert read(folder / "rules.toml") == HEAD + ACME


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_owner_that_cannot_be_kept_is_told(rules: Path) -> None:
    add(rules)
    with tempfile.TemporaryDirectory() as name:
        theirs = written(Path(name) / "rules.toml", HEAD + ACME)
        theirs.parent.chmod(0o777)
        os.seteuid(NOBODY)
        try:
            with pytest.raises(MailgateError, match=r"cannot be written: Operation not permitted"):
                add(theirs)
        finally:
            os.seteuid(0)
        assert read(theirs) == HEAD + ACME
        assert names_in(theirs.parent) == ["rules.toml"]


def test_the_rules_that_come_with_it_keep_all_their_comments(tmp_path: Path) -> None:
    before = SHIPPED.read_text(encoding="utf-8")
    rules = written(tmp_path / "rules.toml", before)
    add(rules, "beta", "boss@beta.example")
    add(rules)
    lines = read(rules).splitlines()
    assert [line for line in before.splitlines() if line not in lines] == ['addresses = ["hello@beta.example"]']
    following = lines[lines.index("[clients.gamma]") + 4]
    assert following.startswith("# The rules are tried in order")
