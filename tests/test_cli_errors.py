"""Wrong input anywhere: one clear line on stderr, the right exit code, no traceback."""

from __future__ import annotations

import io
import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from mailgate import cli
from mailgate.opening import open_store
from tests.faults.driver import ROOT, desk_in, rules_text

Told = tuple[int, str, str]
Run = Callable[..., Told]

NOTHING = 0
REFUSED = 1
WRONG = 2
LATER = 75


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with good rules, in which verbs are run."""
    (tmp_path / "rules.toml").write_text(rules_text(port=0), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def desk(place: Path) -> Path:
    """The same, of a desk that has a store."""
    open_store(place / "data").close()
    return place


@pytest.fixture
def run(place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line in this process; an exception that it lets through fails the test."""

    def run_verb(*arguments: str, stdin: bytes = b"") -> Told:
        monkeypatch.setattr(sys, "argv", ["mailgate", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = cli.main()
        written = capfd.readouterr()
        return code, written.out, written.err

    return run_verb


def _is_one_clear_line(told: Told, code: int, *words: str) -> None:
    assert told[0] == code, told
    assert told[1] == ""
    assert told[2].startswith("mailgate: ")
    assert told[2].count("\n") == 1, told[2]
    assert all(word in told[2] for word in words), told[2]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["frobnicate"], ["frobnicate"]),
        (["--frob"], ["--frob"]),
        (["ticket"], ["ID", "mailgate ticket --help"]),
        (["ticket", "SOP-1", "SOP-2"], ["SOP-2"]),
        (["ticket", "SOP-1", "--frob"], ["--frob"]),
        (["tickets", "--status", "lost"], ["lost", "waiting"]),
        (["report", "acme", "--format", "docx"], ["docx"]),
        (["sell", "acme"], ["PACKAGE"]),
        (["sell", "acme", "4h", "--paid-by", "cash"], ["cash", "transfer"]),
        (["inject"], ["FILE"]),
        (["quarantine", "show", "x"], ["x"]),
        (["quarantine", "show", "0"], ["0"]),
        (["quarantine", "drop", "9" * 30], ["range"]),
        (["outbox", "retry", "-1"], ["-1"]),
        (["quarantine", "eat", "1"], ["eat"]),
        (["--data", "rules.toml", "tickets"], ["rules.toml"]),
        (["--rules", ".", "tickets"], ["."]),
        (["--rules", "nowhere.toml", "tickets"], ["nowhere.toml"]),
        (["sell", "acme", "4h", "--reference", "\udcff"], ["UTF-8"]),
    ],
)
def test_wrong_usage_ends_with_2(run: Run, arguments: list[str], words: list[str]) -> None:
    _is_one_clear_line(run(*arguments), WRONG, *words)


@pytest.mark.usefixtures("desk")
def test_words_that_are_no_text_end_with_2(run: Run) -> None:
    _is_one_clear_line(run("tickets", "--search", "\udcff"), WRONG, "UTF-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    "period",
    [
        "gestern",
        "2026-13",
        "0000-01",
        "2026-11-30..2026-11-01",
        "2026-02-30..2026-03-01",
        "2026-01-01..",
        "..",
        "99999-01",
        "9999-12",
        "2026-1٣",
        "\udcff",
        "9" * 5000,
    ],
)
def test_wrong_period_ends_with_2(run: Run, period: str) -> None:
    _is_one_clear_line(run("report", "acme", period), WRONG)


@pytest.mark.slow
@pytest.mark.parametrize("period", ["0001-01", "0001-01-01..9999-12-31"])
@pytest.mark.usefixtures("desk")
def test_period_at_the_ends_of_the_calendar_is_empty(run: Run, period: str) -> None:
    assert run("report", "acme", period)[0] == NOTHING


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ticket", "SOP-99"], ["SOP-99"]),
        (["ticket", "9" * 30], ["no ticket"]),
        (["ticket", "hello"], ["hello", "SOP-12"]),
        (["ticket", ""], ["SOP-12"]),
        (["ticket", "SOP-"], ["SOP-12"]),
        (["ticket", "SOP-①"], ["SOP-12"]),
        (["ticket", "\udcff"], ["SOP-12"]),
        (["balance", "nobody"], ["nobody", "acme"]),
        (["balance", "\udcff"], ["acme"]),
        (["report", "nobody"], ["nobody"]),
        (["tickets", "--client", "nobody"], ["nobody"]),
        (["sell", "nobody", "4h"], ["nobody"]),
        (["sell", "acme", "9h"], ["9h", "4h"]),
        (["quarantine", "show", "7"], ["7"]),
        (["quarantine", "release", "7"], ["7"]),
        (["quarantine", "drop", "7"], ["7"]),
        (["outbox", "retry", "7"], ["7"]),
        (["outbox", "cancel", "7"], ["7"]),
        (["inject", "missing.eml"], ["missing.eml"]),
        (["inject", "folder"], ["folder", "Maildir"]),
        (["inject", "/dev/null"], ["empty"]),
        (["inject", "-"], ["empty"]),
        (["explain", "missing.eml"], ["missing.eml"]),
        (["explain", "-"], ["empty"]),
    ],
)
def test_what_is_not_there_ends_with_1(run: Run, desk: Path, arguments: list[str], words: list[str]) -> None:
    (desk / "folder").mkdir()
    _is_one_clear_line(run(*arguments), REFUSED, *words)


@pytest.mark.parametrize(
    "verb",
    [
        ["audit"],
        ["balance"],
        ["report", "acme"],
        ["refund", "acme"],
        ["tickets"],
        ["ticket", "SOP-1"],
        ["status"],
        ["outbox"],
        ["outbox", "retry", "1"],
        ["quarantine"],
        ["quarantine", "release", "1"],
        ["sessions"],
        ["looks"],
        ["secret", "show", "SOP-1"],
        ["key"],
        ["key", "rotate"],
        ["export", "acme"],
        ["erase", "acme", "--yes"],
        ["redact", "1", "hunter2-and-more"],
        ["backup", "copy.db"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("folder", ["dato", "empty", "rules.toml/data"])
def test_folder_without_a_store_is_told_and_left_as_it_is(run: Run, place: Path, verb: list[str], folder: str) -> None:
    (place / "empty").mkdir()
    before = sorted(place.rglob("*"))
    _is_one_clear_line(run("--data", folder, *verb), REFUSED, f"{folder}: no desk has run here yet", "mailgate run")
    assert sorted(place.rglob("*")) == before


@pytest.mark.parametrize("verb", [["sell", "acme", "4h"], ["inject", "-"]])
def test_first_sale_or_message_makes_the_store(run: Run, place: Path, verb: list[str]) -> None:
    assert run(*verb, stdin=b"From: ana@acme.example\n\nhola")[0] == NOTHING
    assert (place / "data" / "mailgate.db").exists()
    assert run("audit")[0] == NOTHING


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look anywhere")
def test_folder_that_may_not_be_looked_into_is_not_said_to_be_empty(run: Run, desk: Path) -> None:
    (desk / "data").chmod(0)
    _is_one_clear_line(run("audit"), LATER, "data/mailgate.db", "Permission denied")


def test_no_verb_shows_the_help(run: Run) -> None:
    code, _, told = run()
    assert code == WRONG
    assert "quarantine" in told


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (b"[desk\n", ["rules.toml:1"]),
        (b"", ["rules.toml"]),
        (b"\xff\xfe", ["UTF-8"]),
        (rules_text(0).replace('director = "elena"', 'director = "elene"').encode(), ["elene"]),
        (rules_text(0).replace("[web]", "[wep]").encode(), ["wep"]),
    ],
)
@pytest.mark.parametrize("verb", [["tickets"], ["run"], ["inject", "-"], ["check"]])
def test_broken_rules_end_with_2_and_name_the_place(
    run: Run, place: Path, rules: bytes, words: list[str], verb: list[str]
) -> None:
    (place / "rules.toml").write_bytes(rules)
    code, out, told = run(*verb, stdin=b"From: a@b.example\n\nhola")
    assert (code, out) == (WRONG, "")
    assert all(word in told for word in words), told
    assert "Traceback" not in told


@pytest.mark.slow
def test_problems_of_the_rules_are_told_as_json_too(run: Run, place: Path) -> None:
    (place / "rules.toml").write_text("[desk]\nname = 3\n", encoding="utf-8")
    code, out, _ = run("check", "--json")
    assert code == WRONG
    assert {"file", "line", "key", "what", "warning"} == set(json.loads(out)[0])


@pytest.mark.parametrize("verb", [["sell", "acme", "4h"], ["inject", "-"], ["run"]])
def test_data_folder_that_cannot_be_made_ends_with_75(run: Run, place: Path, verb: list[str]) -> None:
    (place / "file").touch()
    told = run("--data", "file/data", *verb, stdin=b"From: a@b.example\n\nhola")
    _is_one_clear_line(told, LATER, "file/data")


def _directory(path: Path) -> None:
    path.mkdir()


def _rubbish(path: Path) -> None:
    path.write_bytes(b"this is no database " * 500)


@pytest.mark.slow
@pytest.mark.parametrize("spoil", [_directory, _rubbish])
@pytest.mark.parametrize("verb", [["tickets"], ["inject", "-"], ["audit"], ["run"]])
def test_store_that_cannot_be_opened_ends_with_75(
    run: Run, place: Path, spoil: Callable[[Path], None], verb: list[str]
) -> None:
    (place / "data").mkdir()
    spoil(place / "data" / "mailgate.db")
    _is_one_clear_line(run(*verb, stdin=b"From: a@b.example\n\nhola"), LATER, "store")


@pytest.mark.slow
@pytest.mark.parametrize(("content", "mode", "word"), [(b"short", 0o600, "32 bytes"), (b"k" * 32, 0o644, "chmod 600")])
def test_spoiled_secret_ends_with_1_and_says_what_to_do(
    run: Run, desk: Path, content: bytes, mode: int, word: str
) -> None:
    secret = desk / "data" / "secret.key"
    secret.write_bytes(content)
    secret.chmod(mode)
    _is_one_clear_line(run("balance"), REFUSED, word)


@pytest.mark.slow
def test_half_written_secret_of_a_killed_process_is_no_obstacle(run: Run, desk: Path) -> None:
    (desk / "data" / ".secret.killed").write_bytes(b"half")
    assert run("balance")[0] == NOTHING
    secret = desk / "data" / "secret.key"
    assert (len(secret.read_bytes()), secret.stat().st_mode & 0o777) == (32, 0o600)


@pytest.mark.slow
def test_locked_store_ends_with_75_and_nothing_is_booked(run: Run, place: Path) -> None:
    assert run("sell", "acme", "4h")[0] == NOTHING
    with closing(sqlite3.connect(place / "data" / "mailgate.db", isolation_level=None)) as foreign:
        foreign.execute("begin immediate")
        _is_one_clear_line(run("sell", "acme", "4h"), LATER, "locked")
        foreign.execute("rollback")
    assert json.loads(run("balance", "acme", "--json")[1])["minutes"] == 240


@pytest.mark.slow
def test_audit_of_spoiled_books_ends_with_1_and_tells_what_is_wrong(run: Run, place: Path) -> None:
    assert run("sell", "acme", "4h")[0] == NOTHING
    with closing(sqlite3.connect(place / "data" / "mailgate.db")) as foreign, foreign:
        foreign.execute("drop trigger entry_never_changes")
    code, out, told = run("audit")
    assert (code, told) == (REFUSED, "")
    assert "entry_never_changes is missing" in out


@pytest.mark.slow
def test_message_that_is_too_big_is_refused(run: Run, place: Path) -> None:
    rules = rules_text(0).replace("[smtp]", '[smtp]\nmax_size = "1MB"')
    (place / "rules.toml").write_text(rules, encoding="utf-8")
    (place / "big.eml").write_bytes(b"From: <ana@acme.example>\n\n" + b"x" * 1_100_000)
    _is_one_clear_line(run("inject", "big.eml"), REFUSED, "smtp.max_size")


def test_missing_password_file_stops_the_daemon_at_the_start(run: Run, place: Path) -> None:
    outgoing = 'via = "smtp"\nhost = "127.0.0.1"\nuser = "u"\npassword_file = "secrets/smtp"'
    (place / "rules.toml").write_text(rules_text(0, outgoing), encoding="utf-8")
    _is_one_clear_line(run("run"), WRONG, "secrets/smtp")


def test_certificate_that_is_not_there_stops_the_daemon_at_the_start(run: Run, place: Path) -> None:
    text = rules_text(0).replace("[smtp]", '[smtp]\ntls_cert_file = "tls/cert.pem"\ntls_key_file = "tls/key.pem"')
    (place / "rules.toml").write_text(text, encoding="utf-8")
    _is_one_clear_line(run("run"), WRONG, "tls/cert.pem", "smtp.tls_cert_file")


@pytest.mark.slow
def test_mail_in_no_known_form_is_no_error(run: Run) -> None:
    for raw in (b"\0\xff\xfe\r\r\n", b"hola", b"From: \xed\xa0\x80\nSubject: =?x?q?=ff?=\n\n\xff"):
        code, out, told = run("inject", "--json", "-", stdin=raw)
        assert (code, json.loads(out)[0]["outcome"]) == (NOTHING, "quarantine"), told
    assert run("audit")[0] == NOTHING


@pytest.mark.slow
def test_second_daemon_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with desk_in(tmp_path) as desk:
        desk.start()
        second = desk.verb("run")
        assert second.returncode == REFUSED
        assert second.stderr.decode().startswith(f"mailgate: {desk.data}: another mailgate is running on it")
        assert f"{desk.pid}" in second.stderr.decode()
        assert desk.running()


@pytest.mark.slow
def test_port_in_use_is_refused(tmp_path: Path) -> None:
    with desk_in(tmp_path) as desk, socket.socket() as other:
        other.bind(("127.0.0.1", desk.port))
        other.listen()
        ended = desk.verb("run", "--log", "text")
    assert ended.returncode == REFUSED
    assert "cannot listen" in ended.stderr.decode()
    assert "Traceback" not in ended.stderr.decode()


@pytest.mark.slow
def test_reader_that_goes_away_is_not_told_about(tmp_path: Path) -> None:
    with desk_in(tmp_path) as desk:
        read, write = os.pipe()
        os.close(read)
        with os.fdopen(write, "wb") as gone:
            ended = subprocess.run(
                desk.command("--help"), stdout=gone, stderr=subprocess.PIPE, cwd=ROOT, timeout=60, check=False
            )
    assert ended.stderr == b""
