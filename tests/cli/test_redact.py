"""`redact` as people and programs see it, and `#redact` in a mail to a daemon that runs."""

from __future__ import annotations

import json
import smtplib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.faults.driver import ADDRESS, Desk, desk_in
from tests.support import written

CANARY = "canario7431"
GONE_SECONDS = 60.0


def _holds(data: Path) -> list[str]:
    return [path.name for path in data.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]


@pytest.fixture
def filled(run: Run) -> Run:
    assert run("inject", "-", stdin=written(f"La cuenta es {CANARY}.\n\nAna", subject=f"Cuenta {CANARY}"))[0] == 0
    assert _holds(Path("data"))
    return run


def test_it_is_nowhere_afterwards_and_told_in_a_line(filled: Run) -> None:
    code, out, err = filled("redact", "1", CANARY)
    assert (code, err) == (0, "")
    assert out.startswith("***** stands in ")
    assert "1 message, " in out
    assert CANARY not in out
    assert _holds(Path("data")) == []
    shown = json.loads(filled("ticket", "SOP-1", "--json")[1])
    assert (shown["subject"], shown["messages"][0]["text"].splitlines()[0]) == ("Cuenta *****", "La cuenta es *****.")
    assert filled("audit")[0] == 0


def test_programs_get_numbers_and_the_text_may_come_from_stdin(filled: Run) -> None:
    code, out, _ = filled("redact", "1", "-", "--json", stdin=f"{CANARY}\n".encode())
    told = json.loads(out)
    assert code == 0
    assert set(told) == {"ticket", "places", "rows", "unread", "settled"}
    assert (told["ticket"], told["rows"]["ticket"], told["settled"]) == ("SOP-1", 1, True)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("1", "otra-cosa"), "does not stand in it"),
        (("99", CANARY), "no such message"),
        (("1", "abc"), "too short"),
        (("1", "  "), "too short"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(filled: Run, arguments: tuple[str, str], told: str) -> None:
    code, out, err = filled("redact", *arguments)
    assert (code, out) == (1, "")
    assert told in err


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with desk_in(tmp_path) as made:
        yield made


def _send(desk: Desk, sender: str, subject: str, text: str, message_id: str) -> None:
    with smtplib.SMTP("127.0.0.1", desk.port) as client:
        raw = written(text, sender=sender, to=ADDRESS, subject=subject, message_id=message_id)
        client.sendmail(sender, [ADDRESS], raw)


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + GONE_SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.slow
def test_command_in_a_mail_takes_it_out_of_the_whole_folder_of_a_daemon(desk: Desk) -> None:
    desk.start()
    _send(desk, "ana@acme.example", f"Cuenta {CANARY}", f"La cuenta es {CANARY}.", "<m1@acme.example>")
    outbox = desk.data / "outbox"
    _until(lambda: outbox.exists() and len(list(outbox.glob("*.eml"))) == 2)
    assert _holds(desk.data)
    _send(desk, "marta@desk.example", "Re: [SOP-1 Acme]", f"#redact {CANARY}", "<m2@desk.example>")
    _until(lambda: len(list(outbox.glob("*.eml"))) == 3)
    assert [path.name for path in outbox.iterdir() if CANARY.encode() in path.read_bytes()] == []
    desk.stop()
    desk.start()  # what is left of it in the file goes every minute, and at the start
    _until(lambda: _holds(desk.data) == [])
    assert desk.verb("audit").returncode == 0


@pytest.mark.slow
def test_verb_beside_a_daemon_takes_it_out_at_once(desk: Desk) -> None:
    desk.start()
    _send(desk, "ana@acme.example", "Cuenta", f"La cuenta es {CANARY}.", "<m1@acme.example>")
    _until(lambda: desk.verb("ticket", "SOP-1").returncode == 0)
    _until(lambda: len(list((desk.data / "outbox").glob("*.eml"))) == 2)
    told = desk.verb("redact", "1", CANARY)
    assert (told.returncode, told.stderr) == (0, b"")
    _until(lambda: _holds(desk.data) == [])
