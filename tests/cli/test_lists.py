"""`quarantine` and `outbox` in a terminal."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mailgate.opening import open_store
from tests.cli.conftest import Run
from tests.support import written

LONG = "\x1b[31m" + "muy " * 60
COMMANDING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]")


@pytest.fixture
def filled(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A stranger's mail in quarantine, in a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    raw = written("hola \x1b]0;x\x07", sender="luis@stranger.example", subject=f"=?utf-8?q?{LONG.replace(' ', '_')}?=")
    assert run("inject", "-", stdin=raw)[0] == 0
    return run


def test_quarantine_fits_into_the_terminal(filled: Run) -> None:
    code, out, _ = filled("quarantine")
    lines = out.splitlines()
    assert code == 0
    assert len(lines) == 3
    assert max(len(line) for line in lines) <= 80
    assert re.match(r" *1  \d{4}-\d\d-\d\d \d\d:\d\d  luis@", lines[2])
    assert "…" in lines[2]
    assert not COMMANDING.search(out)


def test_outbox_fits_into_the_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    rules = Path("rules.toml")
    smarthost = '\n[outgoing]\nvia = "smtp"\nhost = "127.0.0.1"\nport = 1\n'
    rules.write_text(rules.read_text(encoding="utf-8") + smarthost, encoding="utf-8")
    run("inject", "-", stdin=written(subject="x" * 200))
    code, out, _ = run("outbox")
    lines = out.splitlines()
    assert code == 0
    assert len(lines) == 4
    assert max(len(line) for line in lines) <= 80


def test_sent_mails_are_listed_where_they_are_asked_for(run: Run) -> None:
    open_store(Path("data")).close()
    assert "no mail was sent" in run("outbox", "--sent")[1]
    for number in (1, 2):
        run("inject", "-", stdin=written(message_id=f"<{number}@acme.example>"))
    assert json.loads(run("outbox", "--json")[1]) == []
    assert "nothing waits to be sent" in run("outbox")[1]
    sent = json.loads(run("outbox", "--sent", "--json")[1])
    assert [mail["id"] for mail in sent] == [1, 2, 3, 4]
    assert {(mail["state"], mail["next_try_at"], mail["last_error"]) for mail in sent} == {("sent", None, None)}
    assert {mail["ticket"] for mail in sent} == {"SOP-1", "SOP-2"}
    assert all(re.match(r"\d{4}-\d\d-\d\dT", mail["sent_at"]) for mail in sent)
    assert "sent at" in run("outbox", "--sent")[1]


def test_access_data_in_quarantine_are_shown_to_who_asks_and_that_is_kept(run: Run) -> None:
    raw = written("Hola.\n\nusuario: web\nclave: Xk9!zz26", sender="luis@stranger.example")
    assert run("inject", "-", stdin=raw)[0] == 0
    code, out, err = run("quarantine", "show", "1")
    assert (code, "clave: *****" in out, "Xk9" in out) == (0, True, False)
    assert "access data in it are covered; --access-data shows them" in err
    told = json.loads(run("quarantine", "show", "1", "--json")[1])
    assert (told["covered"], "Xk9" in told["raw"]) == (True, False)
    assert json.loads(run("looks", "--json")[1]) == []
    code, out, err = run("quarantine", "show", "1", "--access-data")
    assert out.encode() == raw
    assert "covered" not in err
    (look,) = json.loads(run("looks", "--json")[1])
    assert (look["quarantine"], look["message"], bool(look["who"])) == (1, None, True)
    assert json.loads(run("looks", "--client", "acme", "--json")[1]) == []


def test_a_mail_without_access_data_leaves_no_look(filled: Run) -> None:
    assert "hola" in filled("quarantine", "show", "1", "--access-data")[1]
    assert json.loads(filled("looks", "--json")[1]) == []


def test_programs_get_everything(filled: Run) -> None:
    (only,) = json.loads(filled("quarantine", "--json")[1])
    assert len(only["subject"]) > 200
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", only["at"])


def test_message_is_shown_byte_for_byte_where_it_is_no_terminal(filled: Run) -> None:
    code, out, err = filled("quarantine", "show", "1")
    assert code == 0
    assert "hola \x1b]0;x\x07" in out
    assert err == "luis@stranger.example is nobody that the rules know\n"


def test_several_mails_are_steered_at_once_or_none(run: Run) -> None:
    rules = Path("rules.toml")
    rules.write_text(rules.read_text() + '\n[outgoing]\nvia = "smtp"\nhost = "127.0.0.1"\nport = 1\n')
    assert run("inject", "-", stdin=written())[0] == 0
    waiting = [str(mail["id"]) for mail in json.loads(run("outbox", "--json")[1])]
    assert len(waiting) == 2
    assert run("outbox", "cancel", *waiting, "99")[0] == 1
    assert {mail["state"] for mail in json.loads(run("outbox", "--json")[1])} == {"queued"}
    assert run("outbox", "cancel", *waiting)[:2] == (0, "".join(f"{number} is cancelled\n" for number in waiting))
    assert {mail["state"] for mail in json.loads(run("outbox", "--json")[1])} == {"failed"}
    assert run("outbox", "retry", *waiting)[:2] == (0, "".join(f"{number} is due now\n" for number in waiting))
    assert {mail["state"] for mail in json.loads(run("outbox", "--json")[1])} == {"queued"}
    assert run("outbox", "retry")[0] == 2
