"""`check` beyond rules and templates: the files that the rules name, and the places where the desk listens."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.servers import certificate

pytestmark = pytest.mark.slow

KEYS = Path(__file__).parents[1] / "keys"
OUTGOING = '\n[outgoing]\nuser = "u"\npassword_file = "secrets/smtp"\n'
IMAP = '\n[[imap]]\nhost = "imap.example.es"\nuser = "u"\npassword_file = "secrets/imap"\n'
DKIM = '\n[outgoing.dkim]\ndomain = "example.es"\nselector = "a"\nkey_file = "dkim.pem"\n'


@pytest.fixture
def folder(run: Run, tmp_path: Path) -> Path:
    """Of good rules, with a folder for secrets."""
    (tmp_path / "secrets").mkdir()
    return tmp_path


def add(folder: Path, text: str) -> None:
    with (folder / "rules.toml").open("a", encoding="utf-8") as file:
        file.write(text)


def with_tls(folder: Path) -> None:
    path = folder / "rules.toml"
    files = '[smtp]\ntls_cert_file = "cert.pem"\ntls_key_file = "key.pem"\n'
    path.write_text(path.read_text().replace("[smtp]\n", files))


def put(folder: Path, name: str, content: bytes, mode: int = 0o640) -> None:
    (folder / name).write_bytes(content)
    (folder / name).chmod(mode)


def keys_of(told: str) -> list[tuple[str, bool]]:
    return [(one["key"], one["warning"]) for one in json.loads(told)]


def test_password_file_that_is_not_there_is_a_warning_with_its_line(run: Run, folder: Path) -> None:
    add(folder, OUTGOING + IMAP)
    lines = (folder / "rules.toml").read_text().splitlines()
    code, out, err = run("check")
    assert (code, out) == (0, "rules.toml: good\n")
    line = 1 + lines.index('password_file = "secrets/smtp"')
    assert f"rules.toml:{line}: outgoing.password_file: there is no file secrets/smtp; without it" in err
    assert "imap 1: password_file: there is no file secrets/imap" in err
    for name in ("smtp", "imap"):
        put(folder, f"secrets/{name}", b"password")
    assert run("check") == (0, "rules.toml: good\n", "")


def test_file_that_can_hold_no_password_is_told(run: Run, folder: Path) -> None:
    add(folder, OUTGOING + IMAP)
    put(folder, "secrets/imap", b"\n")
    (folder / "secrets/smtp").mkdir()
    code, _, err = run("check")
    assert code == 2
    assert "secrets/imap is empty; write into it what it is for" in err
    assert "secrets/smtp cannot be read: Is a directory; it must be a file" in err


def test_file_that_others_may_use_is_a_warning(run: Run, folder: Path) -> None:
    add(folder, OUTGOING)
    put(folder, "secrets/smtp", b"password", 0o644)
    code, out, err = run("check")
    assert (code, out) == (0, "rules.toml: good\n")
    assert err.startswith("warning: rules.toml:")
    assert "run: chmod o= secrets/smtp" in err
    code, out, _ = run("check", "--json")
    assert (code, keys_of(out)) == (0, [("outgoing.password_file", True)])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_file_that_only_systemd_can_hand_over_is_a_warning(run: Run, folder: Path) -> None:
    add(folder, OUTGOING)
    put(folder, "secrets/smtp", b"password", 0o000)
    code, _, err = run("check")
    assert code == 0
    assert "LoadCredential=" in err


def test_credential_takes_the_place_of_a_file(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(folder, OUTGOING)
    (folder / "credentials").mkdir()
    put(folder, "credentials/smtp", b"password", 0o600)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder / "credentials"))
    assert run("check") == (0, "rules.toml: good\n", "")


def test_certificate_and_key_must_be_there_and_belong_together(run: Run, folder: Path) -> None:
    with_tls(folder)
    code, out, _ = run("check", "--json")
    assert (code, keys_of(out)) == (0, [("smtp.tls_cert_file", True), ("smtp.tls_key_file", True)])
    certificate(folder)
    (folder / "key.pem").chmod(0o600)
    assert run("check") == (0, "rules.toml: good\n", "")
    put(folder, "key.pem", (KEYS / "rsa1024.pem").read_bytes())
    code, _, err = run("check")
    assert code == 2
    assert "smtp.tls_cert_file: does not go with tls_key_file:" in err


def test_key_for_signatures_must_be_one(run: Run, folder: Path) -> None:
    add(folder, DKIM)
    assert "outgoing.dkim.key_file: there is no file dkim.pem" in run("check")[2]
    put(folder, "dkim.pem", b"no key")
    code, _, err = run("check")
    assert code == 2
    assert "outgoing.dkim.key_file: is no RSA key in PEM that mails can be signed with" in err
    put(folder, "dkim.pem", (KEYS / "rsa1024.pem").read_bytes())
    assert run("check")[0] == 0


def test_two_servers_at_one_place_are_told_with_both_lines(run: Run, folder: Path) -> None:
    add(folder, '\n[monitor]\nlisten = "127.0.0.1:9108"\n')
    text = (folder / "rules.toml").read_text().replace('lmtp = "127.0.0.1:0"', 'lmtp = "0.0.0.0:9108"')
    (folder / "rules.toml").write_text(text)
    code, _, err = run("check")
    assert code == 2
    line = 1 + text.splitlines().index('lmtp = "0.0.0.0:9108"')
    assert f"monitor.listen: is where smtp.lmtp listens; give each a port of its own (rules.toml:{line})" in err


def test_key_under_a_password_is_refused_and_none_is_asked_for(run: Run, folder: Path) -> None:
    with_tls(folder)
    locked = ["openssl", "pkey", "-in", certificate(folder).key, "-aes256", "-passout", "pass:x", "-out"]
    subprocess.run([*locked, folder / "locked.pem"], check=True, capture_output=True)
    (folder / "locked.pem").rename(folder / "key.pem")
    code, _, err = run("check")
    assert code == 2
    assert "the key without a password" in err


def test_template_that_no_mail_has_is_a_warning(run: Run, folder: Path) -> None:
    (folder / "templates/es").mkdir(parents=True)
    for name in ("akc.txt", "_ours.txt", "ack.html"):
        put(folder, f"templates/es/{name}", b"Hola\n")
    code, out, err = run("check")
    assert (code, out) == (0, "rules.toml: good\n")
    assert err == 'warning: templates/es/akc.txt: no mail is called "akc"; did you mean "ack"?\n'


def test_fault_in_what_many_templates_include_is_told_once(run: Run, folder: Path) -> None:
    (folder / "templates/es").mkdir(parents=True)
    put(folder, "templates/es/_packages.txt", b"{{ nope }")
    code, _, err = run("check")
    assert code == 2
    assert err.count("templates/es/_packages.txt") == 1
