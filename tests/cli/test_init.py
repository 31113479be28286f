"""`init` asks a few questions and leaves rules that pass `check`, and run."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import smtplib
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from mailgate import config
from mailgate.beginning import shipped
from mailgate.cli.questions import QUESTIONS
from tests.faults.driver import READY_SECONDS, ROOT, free_port, listens
from tests.servers import eventually

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def command(folder: Path, *verb: str) -> list[str]:
    place = ["--rules", str(folder / "rules.toml"), "--data", str(folder / "data")]
    return [sys.executable, "-m", "mailgate", *place, *verb]


def run(folder: Path, *verb: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(folder, *verb), capture_output=True, text=True, cwd=ROOT, check=False)


def written(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "rules.toml").read_text())


def talk(folder: Path, *answers: str) -> str:
    """Run it in a terminal, a person there giving an answer to each question; what was on the screen."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command(folder, "init"), stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT)
    os.close(theirs)
    shown, left = b"", list(answers)
    with contextlib.suppress(OSError):  # EIO: the other end is closed
        while select.select([ours], [], [], 20)[0] and (piece := os.read(ours, 4096)):
            shown += piece
            if shown.rstrip(b" ").endswith(b"]:"):
                os.write(ours, f"{left.pop(0)}\n".encode() if left else b"\3")
                shown += b"\n"
    os.close(ours)
    assert process.wait(30) == 0, shown.decode()
    assert left == []
    return shown.decode()


def test_enter_to_everything_is_a_desk_that_passes_check(folder: Path) -> None:
    asked = [question for question in QUESTIONS if question.asked]
    shown = talk(folder, *[""] * 13)
    assert len(asked) > 12  # those about a technician, a client, servers make sense only after an answer
    assert run(folder, "check").returncode == 0
    assert "rules.toml is written. Next:" in shown
    assert "mailgate check" in shown


def test_answers_of_a_person_stand_in_the_rules(folder: Path) -> None:
    shown = talk(
        folder,
        "Ayuda Web",
        "no address",
        "ayuda@web.example",
        "fr",
        "en",
        "María Ñúñez",
        "ayuda@web.example",
        "maria@web.example",
        "María Gil",
        "gil@web.example",
        'Bar "El Sol" S.L.',
        "sol@bar.example",
        "Spain",
        "ES",
        "XX",
        "CT",
        "Europe/Madird",
        "Europe/Madrid",
        "root@web.example",
        "imap",
        "mail.web.example",
        "",
        "",
        "",
        "smtp",
        "127.0.0.1",
        "0",
        "",
        "",
    )
    assert "is no plain address" in shown
    assert "is taken already" in shown
    assert '"Europe/Madird" is no time zone' in shown
    assert "put the password into" in shown
    rules = written(folder)
    assert rules["desk"] == {
        **tomllib.loads(shipped())["desk"],
        "name": "Ayuda Web",
        "address": "ayuda@web.example",
        "language": "en",
        "director": "maria-nunez",
        "admin": "root@web.example",
    }
    assert rules["technicians"] == {
        "maria-nunez": {"name": "María Ñúñez", "addresses": ["maria@web.example"]},
        "maria-gil": {"name": "María Gil", "addresses": ["gil@web.example"]},
    }
    client = {"name": 'Bar "El Sol" S.L.', "addresses": ["sol@bar.example"], "technician": "maria-gil"}
    assert rules["clients"] == {"bar": client}
    assert rules["hours"]["holidays"] == {"country": "ES", "region": "CT", "closed": [], "open": []}
    box = {"host": "mail.web.example", "port": 993, "tls": "implicit", "user": "ayuda@web.example"}
    assert rules["imap"] == [{**box, "password_file": "secrets/imap", "after": "seen"}]
    assert rules["outgoing"] == {"via": "smtp", "host": "127.0.0.1", "port": 25, "tls": "none"}
    missing = run(folder, "check")
    assert missing.returncode == 0
    assert "secrets/imap; without it the daemon does not start" in missing.stderr
    (folder / "secrets").mkdir()
    (folder / "secrets" / "imap").write_text("password")
    assert run(folder, "check").returncode == 0


def test_address_at_a_provider_that_is_known_takes_enter_and_a_login(folder: Path) -> None:
    begins, ends = ["", "ayuda@gmail.com", *[""] * 9], ["imap", "", "", "", "", "desk-1", "smtp", *[""] * 5]
    shown = talk(folder, *begins, *ends)
    oauth2 = {"provider": "google", "client_id": "desk-1", "client_secret_file": "secrets/google"}
    box = {"host": "imap.gmail.com", "port": 993, "tls": "implicit", "user": "ayuda@gmail.com", "oauth2": oauth2}
    way = {"via": "smtp", "host": "smtp.gmail.com", "port": 587, "tls": "starttls", "user": "ayuda@gmail.com"}
    rules = written(folder)
    assert rules["imap"] == [{**box, "after": "seen"}]
    assert rules["outgoing"] == {**way, "oauth2": oauth2}
    assert rules["technicians"]["elena"]["addresses"] == ["elena@example.es"]  # elena@gmail.com is a stranger
    steps = shown[shown.index("Next:") :]
    assert steps.index("put the client secret into") < steps.index("mailgate login google ayuda@gmail.com")
    assert steps.count("mailgate login") == steps.count("client secret") == 1
    assert "client_id" not in steps
    checked = run(folder, "check")
    assert checked.returncode == 0
    assert "nobody has signed in yet; run: mailgate login google ayuda@gmail.com" in checked.stderr


def test_client_id_may_come_later_and_nobody_signs_in_before(folder: Path) -> None:
    imap = ("--incoming", "imap", "--imap-host", "outlook.office365.com")
    ended = run(folder, "init", "--yes", "--address", "ayuda@web.example", *imap, "--outgoing", "smtp")
    rules = written(folder)
    assert rules["imap"][0]["oauth2"] == {"provider": "microsoft", "client_id": "…"}
    assert rules["outgoing"]["host"] == "smtp.office365.com"
    assert "put the client_id into the rules" in ended.stdout
    assert run(folder, "check").returncode == 0
    login = run(folder, "login", "microsoft")
    assert (login.returncode, "still to be filled in" in login.stderr) == (1, True)


def test_mailbox_at_another_port_is_spoken_to_with_starttls(folder: Path) -> None:
    assert run(folder, "init", "--yes", "--incoming", "imap", "--imap-port", "143").returncode == 0
    (box,) = written(folder)["imap"]
    assert (box["port"], box["tls"], box["password_file"]) == (143, "starttls", "secrets/imap")


def test_script_is_asked_nothing_and_comments_stay(folder: Path) -> None:
    ended = run(folder, "init", "--yes", "--name", "Desk", "--outgoing", "smtp", "--smtp-host", "smtp.web.example")
    assert (ended.returncode, ended.stderr) == (0, "")
    text = (folder / "rules.toml").read_text()
    rules = written(folder)
    assert rules["outgoing"]["port"] == 587
    assert rules["outgoing"]["tls"] == "starttls"
    assert rules["outgoing"]["password_file"] == "secrets/smtp"
    comments = [line for line in shipped().splitlines() if line.startswith("# The rules are tried")]
    assert comments
    assert all(comment in text for comment in comments)
    assert [rule["name"] for rule in rules["rules"]] == [rule["name"] for rule in tomllib.loads(shipped())["rules"]]
    config.load(folder / "rules.toml")


def test_rules_that_are_there_are_kept(folder: Path) -> None:
    (folder / "rules.toml").write_text("mine")
    ended = run(folder, "init", "--yes")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "is there already and is kept" in ended.stderr
    assert (folder / "rules.toml").read_text() == "mine"


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--address", "x"], "--address"),
        (["--language", "fr"], "one of es, en"),
        (["--director-address", "soporte@example.es"], "taken already"),
        (["--country", "XX"], "no holidays are known"),
        (["--timezone", "Mars"], "--timezone"),
        (["--outgoing", "smtp", "--smtp-port", "none"], "--smtp-port"),
        (["--incoming", "imap", "--imap-login", "yahoo"], "one of password, google, microsoft"),
        (["--listen", "here"], "--listen"),
        (["--name", " "], "--name"),
    ],
)
def test_wrong_answer_of_a_script_is_one_line_and_nothing_is_written(
    folder: Path, options: list[str], word: str
) -> None:
    ended = run(folder, "init", "--yes", *options)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert word in ended.stderr
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "with_"),
    [
        (("--smtp-host", "smtp.web.example"), "--outgoing smtp"),
        (("--imap-user", "ayuda"), "--incoming imap"),
        (("--imap-client-id", "desk-1"), "--imap-login google|microsoft"),
        (("--client-address", "ana@acme.example"), "--client-name"),
    ],
)
def test_option_that_would_go_unheard_is_refused(folder: Path, options: tuple[str, str], with_: str) -> None:
    ended = run(folder, "init", "--yes", *options)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert f"{options[0]}: goes with {with_}" in ended.stderr
    assert not (folder / "rules.toml").exists()


def test_first_client_is_a_person_and_a_whole_domain_comes_later(folder: Path) -> None:
    ended = run(folder, "init", "--yes", "--client-name", "Acme", "--client-address", "*@acme.example")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "name one person, to whom notices go; add *@acme.example to the rules afterwards" in ended.stderr


def test_answers_that_end_are_told_and_nothing_is_written(folder: Path) -> None:
    ended = subprocess.run(
        command(folder, "init"), input="Ayuda\n", capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert ended.returncode == 2
    assert "the answers ended, and nothing was written; give them as options, or --yes" in ended.stderr
    assert list(folder.iterdir()) == []


def test_desk_runs_with_what_was_written(folder: Path) -> None:
    port = free_port()
    options = ["--listen", f"127.0.0.1:{port}", "--client-name", "Acme", "--client-address", "ana@acme.example"]
    assert run(folder, "init", "--yes", *options).returncode == 0
    daemon = subprocess.Popen(command(folder, "run"), cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: listens(port), READY_SECONDS)
        with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
            raw = "From: ana@acme.example\r\nSubject: Hola\r\nMessage-ID: <1@acme.example>\r\n\r\nHola.\r\n"
            client.sendmail("ana@acme.example", ["soporte@example.es"], raw)
        outbox = folder / "data/outbox"
        eventually(lambda: outbox.is_dir() and len(list(outbox.glob("*.eml"))) >= 2, 60)
    finally:
        daemon.terminate()
        assert daemon.wait(30) == 0
