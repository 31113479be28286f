"""`export`, `erase` and `looks` as people and programs see them, and beside a daemon that runs."""

from __future__ import annotations

import json
import smtplib
import zipfile
from pathlib import Path

import pytest

from mailgate.opening import open_store
from mailgate.service.take import utc_now
from mailgate.store import events, looks
from tests.cli.conftest import Run
from tests.faults.driver import ADDRESS, Desk, desk_in
from tests.servers import eventually
from tests.support import written


@pytest.fixture
def desk(run: Run) -> Run:
    """Acme bought time and asked for something."""
    assert run("sell", "acme", "4h")[0] == 0
    assert run("inject", "-", stdin=written("CANARY-7431"))[0] == 0
    return run


def test_export_writes_a_zip_of_the_day_and_says_so(desk: Run, tmp_path: Path) -> None:
    code, out, _ = desk("export", "acme")
    made = next(tmp_path.glob("acme-*.zip"))
    assert (code, out.startswith(f"{made.name}: ")) == (0, True)
    assert desk("export", "acme")[::2] == (1, f"mailgate: {made.name}: is there already; choose another name\n")
    with zipfile.ZipFile(made) as archive:
        assert "tickets/SOP-1/messages.json" in archive.namelist()
    store = open_store(Path("data"))
    with store.read() as tx:
        assert len(events.happened(tx, "export", "acme")) == 1
    store.close()


def test_export_covers_access_data_unless_they_are_asked_for_which_is_kept(run: Run) -> None:
    raw = written("usuario: web\nclave: Xk9!zz26", subject="El FTP")
    assert run("inject", "-", stdin=raw)[0] == 0
    code, out, _ = run("export", "acme", "--output", "out")
    assert (code, out.endswith("about acme; access data are covered\n")) == (0, True)
    files = [path for path in Path("out").rglob("*") if path.is_file()]
    assert [path for path in files if b"Xk9" in path.read_bytes()] == []
    assert "clave: *****" in Path("out/tickets/SOP-1/mails/000001-El_FTP.eml").read_text()
    assert json.loads(run("looks", "--json")[1]) == []
    code, out, _ = run("export", "acme", "--output", "all", "--access-data")
    assert (code, "it holds access data" in out) == (0, True)
    assert Path("all/tickets/SOP-1/mails/000001-El_FTP.eml").read_bytes() == raw
    assert [(look["ticket"], look["message"]) for look in json.loads(run("looks", "--json")[1])] == [("SOP-1", 1)]


def test_export_tells_programs_what_it_wrote(desk: Run, tmp_path: Path) -> None:
    told = json.loads(desk("export", "acme", "--output", "out", "--json")[1])
    assert told == {"client": "acme", "output": "out", "files": sum(path.is_file() for path in Path("out").rglob("*"))}


@pytest.mark.parametrize("verb", [("export", "nobody"), ("erase", "nobody", "--yes", "--force")])
def test_nobody_is_not_found(desk: Run, verb: tuple[str, ...]) -> None:
    code, _, err = desk(*verb)
    assert (code, err) == (1, "mailgate: nobody: no such client, neither in the rules nor in the store\n")


def test_erase_says_what_stands_against_it_and_does_nothing(desk: Run) -> None:
    code, out, err = desk("erase", "acme", "--yes")
    assert (code, out) == (1, "")
    for words in ("1 ticket is open", "the balance is 240 minutes", "until 20", "--keep-books", "nothing was done"):
        assert words in err
    assert "CANARY" in desk("ticket", "SOP-1")[1]


def test_erase_asks_for_a_yes(desk: Run) -> None:
    code, _, err = desk("erase", "acme", "--force")
    assert code == 1
    assert "what was said in 1 ticket goes for good; 1 entry stays in the books under a pseudonym" in err
    assert "CANARY" in desk("ticket", "SOP-1")[1]


def test_erase_tells_what_it_did_and_what_it_did_not_reach(desk: Run) -> None:
    code, out, err = desk("erase", "acme", "--yes", "--force")
    assert (code, err) == (0, "")
    for words in ("forgotten, with 1 ticket", "erased-1", "the rules still list acme", "mailbox itself"):
        assert words in out
    assert "(no longer kept)" in desk("ticket", "SOP-1")[1]
    assert desk("audit")[0] == 0
    assert [row["client"] for row in json.loads(desk("tickets", "--json")[1])] == ["erased-1"]


def test_looks_are_listed_for_people_and_programs(desk: Run) -> None:
    assert desk("looks")[1] == "nobody looked\n"
    store = open_store(Path("data"))
    with store.write() as tx:
        looks.note(tx, 1, "ana@acme.example", utc_now())
    store.close()
    assert "ana@acme.example" in desk("looks")[1]
    rows = json.loads(desk("looks", "--client", "acme", "--json")[1])
    assert [(row["who"], row["ticket"], row["message"]) for row in rows] == [("ana@acme.example", "SOP-1", 1)]
    assert json.loads(desk("looks", "--client", "beta", "--json")[1]) == []


@pytest.mark.slow
def test_a_client_is_forgotten_beside_a_running_daemon_which_goes_on(tmp_path: Path) -> None:
    with desk_in(tmp_path) as desk:
        desk.start()
        assert desk.verb("sell", "acme", "4h").returncode == 0
        for number in range(30):
            _send(desk, "ana@acme.example", f"CANARY-7431 number {number}", f"<c{number}@acme.example>")
        _send(desk, "bob@beta.example", "Of beta.", "<b@beta.example>")
        eventually(lambda: len(_tickets(desk)) == 31, 60)
        eventually(lambda: len(list((desk.data / "outbox").glob("*.eml"))) >= 62, 60)
        assert desk.verb("export", "acme", "--output", str(tmp_path / "out.zip")).returncode == 0
        told = desk.verb("erase", "acme", "--yes", "--force", "--json")
        assert told.returncode == 0, told.stderr
        assert json.loads(told.stdout)["tickets"] == 30
        _send(desk, "bob@beta.example", "Once more.", "<b2@beta.example>")
        eventually(lambda: len(_tickets(desk)) == 32, 60)
        assert desk.verb("audit").returncode == 0
    left = [path for path in desk.data.rglob("*") if path.is_file()]
    assert [
        path.name for path in left if any(word in path.read_bytes() for word in (b"CANARY-7431", b"acme.example"))
    ] == []


def _send(desk: Desk, sender: str, text: str, message_id: str) -> None:
    with smtplib.SMTP("127.0.0.1", desk.port, timeout=20) as client:
        raw = written(text, sender=sender, to=ADDRESS, subject=text, message_id=message_id)
        client.sendmail(sender, [ADDRESS], raw)


def _tickets(desk: Desk) -> list[object]:
    found: list[object] = json.loads(desk.verb("tickets", "--json").stdout)
    return found
