"""`login`: a person signs in, by a browser here or elsewhere, or with a code; what comes of it is kept and told."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from mailgate.service import logins
from mailgate.service.logins import Account
from tests.cli.conftest import Run
from tests.edges.test_outbound_oauth import TokenSink
from tests.faults.driver import ROOT, desk_in, rules_text
from tests.provider import Provider, provider
from tests.servers import free_port
from tests.sink import sink

pytestmark = pytest.mark.slow

USER = "soporte@desk.example"
# Nobody answers there: what is tested here is the login.
IMAP = """
[[imap]]
host = "127.0.0.1"
port = 1
tls = "none"
user = "{user}"
oauth2 = {{ provider = "{provider}", client_id = "desk-1", client_secret_file = "secrets/{provider}", {urls} }}
"""


@dataclass
class Terminal:
    """A desk with logins, and a person at the verb."""

    folder: Path
    provider: Provider

    def name(self, provider: str = "google", user: str = USER, **urls: str) -> None:
        """Put a mailbox into the rules."""
        told = ", ".join(f'{key} = "{url}"' for key, url in {**self.provider.urls, **urls}.items())
        with self.rules.open("a", encoding="utf-8") as rules:
            rules.write(IMAP.format(user=user, provider=provider, urls=told))

    @property
    def rules(self) -> Path:
        return self.folder / "rules.toml"

    def start(self, *verb: str) -> subprocess.Popen[bytes]:
        place = ["--rules", str(self.rules), "--data", str(self.folder / "data")]
        command = [sys.executable, "-m", "mailgate", *place, "login", *verb]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=ROOT, env={**os.environ})

    def kept(self, provider: str = "google") -> str:
        account = Account(self.provider.settings(provider), USER)
        assert account.file(self.folder / "data").stat().st_mode & 0o777 == 0o600
        return logins.tokens(self.folder / "data", account).refresh


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    with provider(user=USER, client_secret="own") as asked:
        terminal = Terminal(tmp_path, asked)
        terminal.rules.write_text(rules_text(free_port()), encoding="utf-8")
        (tmp_path / "secrets").mkdir()
        for name in ("google", "microsoft"):
            (tmp_path / "secrets" / name).write_text("own\n")
            (tmp_path / "secrets" / name).chmod(0o600)
        yield terminal


def link_of(process: subprocess.Popen[bytes]) -> str:
    """The link that is shown, and then that the address may be pasted."""
    assert process.stderr
    while not (line := process.stderr.readline().decode()).startswith("http"):
        assert line, "it ended"
    while b"paste" not in process.stderr.readline():
        pass
    return line.strip()


def ended(process: subprocess.Popen[bytes], typed: bytes | None = None) -> tuple[int, str, str]:
    out, error = process.communicate(typed, timeout=30)
    return process.returncode, out.decode(), error.decode()


def test_browser_on_this_machine_comes_back_by_itself(terminal: Terminal) -> None:
    terminal.name()
    process = terminal.start("google", "--json")
    with urllib.request.urlopen(link_of(process), timeout=10) as page:
        assert "look at the terminal" in page.read().decode()
        assert "code" not in page.headers
    code, out, error = ended(process)
    told = json.loads(out)
    assert (told["login"], told["ends_at"]) == (f"google {USER}", None)
    # Whether the mailbox opens with it is tried at once, and here it does not.
    assert code == 1
    assert "ConnectionRefusedError" in told["mailboxes"][0]["told"]
    assert terminal.kept() == "refresh-1"
    assert "Traceback" not in error


def test_browser_elsewhere_gives_an_address_to_paste(terminal: Terminal) -> None:
    terminal.name()
    terminal.provider.more = {"refresh_token_expires_in": 604_799}
    process = terminal.start("google")
    asked = {key: values[0] for key, values in parse_qs(urlsplit(link_of(process)).query).items()}
    address = terminal.provider.agree(asked)
    wrong = address.replace(asked["state"], "another")
    code, out, error = ended(process, f"{wrong}\n\n{address}\n".encode())
    assert code == 1  # the mailbox
    assert "the program is in testing" in out
    assert "That is not the address" in error
    assert terminal.kept() == "refresh-1"


def test_address_may_come_in_pieces_and_strangers_get_nothing(terminal: Terminal) -> None:
    terminal.name()
    process = terminal.start("google")
    asked = {key: values[0] for key, values in parse_qs(urlsplit(link_of(process)).query).items()}
    for path in ("favicon.ico", "?code=evil&state=evil"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(asked["redirect_uri"] + path, timeout=10)
    address = terminal.provider.agree(asked).encode()
    assert process.stdin
    process.stdin.write(address[:30])
    process.stdin.flush()
    threading.Event().wait(0.4)
    code, _, _ = ended(process, address[30:] + b"\n")
    assert terminal.kept() == "refresh-1"
    assert code == 1


def test_whoever_does_not_agree_is_told_and_nothing_is_kept(terminal: Terminal) -> None:
    terminal.name()
    process = terminal.start("google")
    asked = {key: values[0] for key, values in parse_qs(urlsplit(link_of(process)).query).items()}
    address = f"{asked['redirect_uri']}?error=access_denied&state={asked['state']}\n"
    code, _, error = ended(process, address.encode())
    assert (code, error.splitlines()[-1]) == (1, "mailgate: the provider said: access_denied")
    assert not list((terminal.folder / "data").rglob("*.json"))


def test_code_is_entered_on_another_device(terminal: Terminal) -> None:
    terminal.name("microsoft", device_url=f"{terminal.provider.url}/device")
    terminal.provider.agreed = False
    process = terminal.start("microsoft")
    assert process.stderr
    shown = process.stderr.readline().decode()
    assert f"Open {terminal.provider.url}/enter in a browser" in shown
    assert "ABCD-EFGH" in shown
    terminal.provider.answers = [(400, {"error": "authorization_pending"}), (503, {})]
    terminal.provider.agreed = True
    code, out, _ = ended(process)
    assert out.startswith(f"microsoft {USER}: signed in, and renewed by itself")
    assert terminal.kept("microsoft") == "refresh-1"
    assert "outlook.office.com" in terminal.provider.asked[0]["scope"]
    assert code == 1


def test_code_that_is_refused_or_forgotten_ends_it(terminal: Terminal) -> None:
    terminal.name("microsoft", device_url=f"{terminal.provider.url}/device")
    terminal.provider.answers = [(400, {"error": "access_denied", "error_description": "The user said no."})]
    code, _, error = ended(terminal.start("microsoft"))
    assert (code, error.splitlines()[-1]) == (1, "mailgate: the provider said: access_denied: The user said no.")


def test_wrong_program_is_told_in_one_line_without_its_secret(terminal: Terminal) -> None:
    terminal.name("microsoft", device_url=f"{terminal.provider.url}/device")
    terminal.provider.answers = [(401, {"error": "invalid_client", "error_description": "own is wrong"})]
    code, _, error = ended(terminal.start("microsoft"))
    assert (code, error.splitlines()[-1]) == (1, "mailgate: the provider said: invalid_client: *** is wrong")


async def test_mails_that_waited_for_the_login_go_out_at_once(terminal: Terminal) -> None:
    """The daemon has tried them, and would try them again minutes later."""
    async with sink(auth=True, kind=TokenSink) as server:
        urls = ", ".join(f'{key} = "{url}"' for key, url in terminal.provider.urls.items())
        oauth2 = f'{{ provider = "google", client_id = "desk-1", client_secret_file = "secrets/google", {urls} }}'
        way = f'via = "smtp"\nport = {server.port}\nuser = "{USER}"\noauth2 = {oauth2}'
        with desk_in(terminal.folder, outgoing=way) as desk:
            desk.start()
            assert desk.verb("sell", "acme", "4h").returncode == 0
            await until(lambda: any(f"run: mailgate login google {USER}" in line["text"] for line in desk.logged()))
            assert (await asyncio.to_thread(sign_in, terminal)).endswith(" out now")
            await until(lambda: len(server.taken) > 0, seconds=15)


def sign_in(terminal: Terminal) -> str:
    process = terminal.start("google")
    with urllib.request.urlopen(link_of(process), timeout=10):
        pass
    code, out, _ = ended(process)
    assert code == 0
    return out.splitlines()[1]


async def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.05)


class TestWhich:
    def test_rules_without_a_login_say_what_is_missing(self, terminal: Terminal) -> None:
        code, _, error = ended(terminal.start("google"))
        assert code == 1
        assert 'oauth2 = { provider = "google", client_id = "…" }' in error

    def test_of_several_one_is_named(self, terminal: Terminal) -> None:
        terminal.name()
        terminal.name(user="otro@desk.example")
        code, _, error = ended(terminal.start("google"))
        assert (code, "which is one of: soporte@desk.example, otro@desk.example" in error) == (1, True)
        code, _, error = ended(terminal.start("google", "nadie@desk.example"))
        assert (code, "there is: soporte@desk.example, otro@desk.example" in error) == (1, True)
        process = terminal.start("google", "OTRO@desk.example")
        assert "login_hint=otro%40desk.example" in link_of(process)
        process.kill()
        ended(process)


def test_check_and_status_say_who_has_to_sign_in_and_how(terminal: Terminal, run: Run) -> None:
    terminal.rules.write_text(Path("rules.toml").read_text(encoding="utf-8"), encoding="utf-8")
    terminal.name()
    line = f"oauth2: nobody has signed in yet; run: mailgate login google {USER}"
    code, out, error = run("check")
    assert (code, out) == (0, "rules.toml: good\n")
    assert re.search(rf"warning: rules.toml:\d+: imap 1: {re.escape(line)}\n", error)
    (told,) = json.loads(run("check", "--json")[1])
    assert (told["warning"], told["key"]) == (True, "imap 1: oauth2")
    run("inject", "-", stdin=b"From: ana@acme.example\r\nSubject: x\r\n\r\nhola\r\n")
    code, out, _ = run("status", "--json")
    found = json.loads(out)
    assert code == 1
    assert found["logins"][0]["name"] == f"google {USER}"
    assert "mailgate login google" in next(one["do"] for one in found["problems"] if one["name"] == "login")
    assert f"login:           google {USER}: a person has to sign in: nobody has signed in yet" in run("status")[1]
