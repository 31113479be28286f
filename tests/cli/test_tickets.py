"""`tickets` and `ticket` as people and programs see them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mailgate.cli.terminal import coloured
from mailgate.core.mail import Attachment
from mailgate.core.model import Category, Kind, Priority, Role, Status, Ticket
from mailgate.opening import open_store
from mailgate.service import keys
from mailgate.store import Connection, entries, tickets
from tests.cli.conftest import Run
from tests.store.makes import NOW, debit, message

ESCAPES = "\x1b]0;owned\x07\x1b[31m rojo\x9b2J\u202etxt.exe\x08\r"


def fill(fills: Callable[[Connection], Any]) -> None:
    """Write into the store of the desk."""
    Path("data").mkdir(exist_ok=True)
    store = keys.opened(Path("data"), NOW)
    with store.write() as tx:
        fills(tx)
    store.close()


def asked(tx: Connection, number: int, subject: str = "El carrito", **changes: Any) -> None:
    tickets.open_ticket(tx, Ticket(number, "acme", subject, "ana@acme.example", NOW, technician="marta", **changes))


def story(tx: Connection) -> None:
    """A ticket with a bit of everything."""
    asked(
        tx,
        1,
        "El carrito no cobra",
        status=Status.HELD,
        held_for="balance",
        priority=Priority.URGENT,
        category=Category.BUG,
        answer_due_at=NOW + timedelta(hours=2),
        planned_start=NOW.date(),
        planned_delivery=NOW.date() + timedelta(days=1),
        estimate=90,
        limit=30,
        follows=None,
    )
    picture = Attachment(0, "captura.png", "image/png", 1_234_567)
    message(
        tx,
        1,
        of=1,
        author="ana@acme.example",
        author_name="Ana Prieto",
        role=Role.CLIENT,
        text="Hola:\n\nDesde ayer no cobra. " + "Es muy urgente. " * 12 + "\n\n  - sangrado\n- " + "largo " * 20,
        attachments=(picture,),
    )
    answer = message(tx, 2, of=1, author="marta@example.es", author_name="Marta Gil", text="Ya cobra.", internal=True)
    entries.append(tx, debit(ticket=1, message=answer, line=0))
    entries.append(tx, replace(debit(5, note="aviso"), kind=Kind.COURTESY, minutes=0))


# ---- tickets -------------------------------------------------------------------------------------


def test_programs_get_every_ticket_and_people_a_page(run: Run) -> None:
    fill(lambda tx: [asked(tx, number) for number in range(1, 61)])
    _, out, _ = run("tickets", "--json")
    assert len(json.loads(out)) == 60
    _, out, _ = run("tickets")
    lines = out.splitlines()
    assert len(lines) == 2 + 50 + 1
    assert lines[2].startswith("SOP-60 ")
    assert lines[-1] == "… and 10 more (--limit)"
    assert run("tickets", "--limit", "70")[1].count("SOP-") == 60
    assert len(json.loads(run("tickets", "--limit", "3", "--json")[1])) == 3


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--client", "acme"], ["SOP-3", "SOP-2", "SOP-1"]),
        (["--status", "waiting"], ["SOP-2"]),
        (["--technician", "elena"], ["SOP-3"]),
        (["--priority", "high"], ["SOP-2"]),
        (["--category", "design"], ["SOP-3"]),
        (["--late"], ["SOP-1"]),
        (["--search", "carrito"], ["SOP-3", "SOP-1"]),
        (["--search", "carrito", "--technician", "marta"], ["SOP-1"]),
        (["--search", "MIGRACIÓN"], ["SOP-2"]),
        (["--search", "sop-2"], ["SOP-2"]),
        (["--search", "[SOP-3]"], ["SOP-3"]),
        (["--search", "1"], ["SOP-1"]),
        (["--search", "2", "--priority", "low"], []),
        (["--search", '"'], []),
        (["--search", ""], []),
    ],
)
def test_lists_are_narrowed(run: Run, options: list[str], found: list[str]) -> None:
    def fills(tx: Connection) -> None:
        asked(tx, 1, answer_due_at=NOW - timedelta(days=400))
        asked(tx, 2, "Migración", status=Status.WAITING, priority=Priority.HIGH)
        tickets.open_ticket(
            tx, Ticket(3, "acme", "Carrito", "ana@acme.example", NOW, technician="elena", category=Category.DESIGN)
        )
        for number, subject in ((1, "El carrito"), (2, "Migración"), (3, "Carrito")):
            message(tx, number, of=number, subject=subject)

    fill(fills)
    code, out, err = run("tickets", *options, "--json")
    assert (code, err) == (0, "")
    assert sorted(one["id"] for one in json.loads(out)) == sorted(found)
    assert run("tickets", *options)[0] == 0


def test_search_shows_where_the_words_stand(run: Run) -> None:
    fill(story)
    _, out, _ = run("tickets", "--search", "cobra urg")
    assert "«cobra»" in out or "«urgente»" in out
    assert "excerpt" in out.splitlines()[0]
    assert "excerpt" not in json.loads(run("tickets", "--search", "cobra", "--json")[1])[0]


def test_technician_that_nobody_knows_is_told(run: Run) -> None:
    open_store(Path("data")).close()
    code, _, err = run("tickets", "--technician", "pepe")
    assert code == 1
    assert "elena, marta" in err


# ---- ticket --------------------------------------------------------------------------------------


def test_ticket_reads_as_a_conversation(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    fill(story)
    code, out, _ = run("ticket", "SOP-1")
    assert code == 0
    assert [line for line in out.splitlines() if len(line) > 80] == []
    head, first, second = out.split("\n── ")
    for said in (
        "SOP-1  El carrito no cobra",
        "client      Acme S.L. (acme)",
        "status      held: until time is bought",
        "priority    urgent, bug",
        "technician  Marta Gil",
        "answer due  23 Nov 2026, 13:00",
        "planned     23 Nov 2026",
        "delivery    24 Nov 2026",
        "charged     12 min, estimated 90 min, limit 30 min",
    ):
        assert said in head
    assert first.startswith("Ana Prieto <ana@acme.example> · client · 23 Nov 2026, 11:00 ─")
    assert "\n  - sangrado\n- largo largo" in first
    assert re.search(r"largo\n  (largo ?)+\n\[captura.png, 1.2 MB\]\n", first)
    assert second.startswith("Marta Gil <marta@example.es> · technician · internal · ")
    assert second.endswith("12 min charged, 5 min as a courtesy\n")


def test_mail_of_commands_alone_is_no_gap_in_the_conversation(run: Run) -> None:
    def said(tx: Connection) -> None:
        asked(tx, 1)
        message(tx, 1, of=1, role=Role.TECHNICIAN, internal=True, text="")

    fill(said)
    assert " ─\n\n(no text)\n\nno minutes" in re.sub("─+", "─", run("ticket", "SOP-1")[1])


@pytest.mark.parametrize(
    ("terminal", "no_colour", "wanted"), [(True, "", True), (True, "1", False), (False, "", False)]
)
def test_colour_is_for_terminals_alone(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, no_colour: str, wanted: bool
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    monkeypatch.setenv("NO_COLOR", no_colour)
    assert coloured() == wanted


def test_ticket_in_a_pipe_has_no_colour(run: Run) -> None:
    fill(story)
    assert "\x1b" not in run("ticket", "1")[1]


@pytest.mark.parametrize("verb", [["ticket", "1"], ["tickets"], ["tickets", "--search", "rojo"]])
@pytest.mark.parametrize("columns", ["80", "20", ""])
def test_what_others_wrote_cannot_command_the_terminal(
    run: Run, monkeypatch: pytest.MonkeyPatch, verb: list[str], columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)

    def fills(tx: Connection) -> None:
        asked(tx, 1, ESCAPES, category=None)
        file = Attachment(0, ESCAPES, "text/plain", 5)
        message(tx, 1, of=1, author=ESCAPES, author_name=ESCAPES, subject=ESCAPES, text=ESCAPES, attachments=(file,))
        entries.append(tx, debit(note=ESCAPES))

    fill(fills)
    code, out, _ = run(*verb)
    assert code == 0
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", out)
    assert "␛" in out


@pytest.mark.parametrize("letter", ["x", "ñ", "漢", "e\u0301", "🛒"])
def test_long_subject_is_cut_to_the_terminal(run: Run, monkeypatch: pytest.MonkeyPatch, letter: str) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    fill(lambda tx: asked(tx, 1, letter * 300))
    row = run("tickets")[1].splitlines()[2]
    assert row.endswith("…")
    assert len(row) <= 80 + row.count("\u0301")


@pytest.mark.parametrize("subject", ["0012", "1e5", "12.50", "nan"])
def test_subject_that_looks_like_a_number_stays_as_it_is(run: Run, subject: str) -> None:
    fill(lambda tx: asked(tx, 1, subject))
    assert run("tickets")[1].splitlines()[2].endswith(f"  {subject}")


def test_nothing_is_cut_in_a_pipe(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    fill(lambda tx: asked(tx, 1, "x" * 300))
    assert "x" * 300 in run("tickets")[1]
