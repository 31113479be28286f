"""`mailgate demo` played for real: a daemon of its own, or one that runs already."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailgate.demo.stage import free_port
from tests.servers import eventually

RULES = """
[desk]
name = "Help Desk"
address = "help@desk.example"
tag = "HD"
admin = "admin@desk.example"
director = "bob"
language = "en"

[smtp]
listen = "127.0.0.1:{port}"

[web]
listen = ""

[outgoing]
via = "{via}"

[trust]
technicians = "{trust}"

[packages.10h]
minutes = 600
price = "400.00 EUR"

[technicians.bob]
name = "Bob Stone"
addresses = ["bob@desk.example"]

[technicians.eve]
name = "Eve Moss"
addresses = ["eve@desk.example"]

[clients.gamma]
name = "Gamma Ltd"
addresses = ["*@gamma.example", "john.smith@gamma.example"]
contact = "john.smith@gamma.example"

[[rules]]
name = "broken"
match = {{ any = ["error 500"] }}
set = {{ assign = "eve", notify = ["bob"] }}
"""


def _mailgate(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mailgate", *words]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2]), "COLUMNS": "90"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


@contextmanager
def _running(folder: Path, via: str = "files", trust: str = "token") -> Iterator[None]:
    rules = RULES.format(port=free_port(), via=via, trust=trust)
    (folder / "rules.toml").write_text(rules, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    log = folder / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [sys.executable, "-m", "mailgate", "run"], cwd=folder, env=environment, stderr=output
        ) as daemon,
    ):
        try:
            eventually(lambda: b"mails go out by" in log.read_bytes() or daemon.poll() is not None, 60)
            yield
        finally:
            daemon.terminate()
            daemon.wait(20)


@pytest.mark.slow
def test_the_whole_story_on_a_throw_away_desk(tmp_path: Path) -> None:
    done = _mailgate(tmp_path, "demo", "--fast")
    assert (done.returncode, done.stderr) == (0, "")
    assert "a throw-away desk (there is no rules.toml)" in done.stdout
    assert "new → waiting, work 0 → 12 min, Acme S.L. 240 → 228 min" in done.stdout
    assert "¿Querías decir «#time 5m»?" in done.stdout
    assert "good: 5 entries" in done.stdout
    assert done.stdout.rstrip().splitlines()[-1].split()[:2] == ["acme", "209"]
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 90
    assert not any(tmp_path.iterdir())


@pytest.mark.slow
def test_the_story_can_be_played_again_on_a_desk_that_runs_with_people_of_its_own(tmp_path: Path) -> None:
    with _running(tmp_path):
        for ticket in ("HD-1", "HD-2"):
            done = _mailgate(tmp_path, "demo", "--fast")
            assert (done.returncode, done.stderr) == (0, "")
            assert "on the desk that runs here" in done.stdout
            assert f"{ticket}: open → closed, work 27 → 31 min" in done.stdout
            assert "Eve just replies" in done.stdout
            assert "The site is down: error 500" in done.stdout
        assert done.stdout.splitlines()[-1].split()[:2] == ["gamma", "1138"]


@pytest.mark.slow
def test_a_desk_that_sends_real_mail_is_left_alone(tmp_path: Path) -> None:
    with _running(tmp_path, via="smtp"):
        done = _mailgate(tmp_path, "demo", "--fast")
    assert (done.returncode, done.stdout) == (1, "")
    assert "real mail" in done.stderr
    assert "--own" in done.stderr
    assert _mailgate(tmp_path, "tickets").stdout.strip() == "no tickets"


@pytest.mark.slow
def test_a_desk_on_another_folder_is_left_alone(tmp_path: Path) -> None:
    with _running(tmp_path):
        done = _mailgate(tmp_path, "--data", "elsewhere", "demo", "--fast")
    assert done.returncode == 1
    assert "does not run on elsewhere" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "elsewhere").exists()
