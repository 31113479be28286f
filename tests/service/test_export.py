"""What a client gets of the desk: all that is theirs, nothing of anybody else, in files that any program opens."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from mailgate.core.desk import Desk
from mailgate.core.settings.checks import build
from mailgate.core.settings.rules import Rules
from mailgate.errors import NotFound, Refused
from mailgate.service import export
from mailgate.service.office import Office
from mailgate.store import looks, quarantine
from tests.service.jobs.test_retention import _with_file
from tests.stored import stored_desk
from tests.story import Story
from tests.support import KEY, NOW, RULES, desk, written

OTHERS = (b"CANARY-BETA", b"beta.example", b"Beta Ltd")


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """Acme and Beta each ask; Marta works for both, and one of her mails books on both."""
    with stored_desk(tmp_path / "data", desk()) as stored:
        story = Story(stored)
        for client in ("acme", "beta"):
            stored.book(240, client=client, package="4h", price="160.00 EUR", reference=f"transfer of {client}")
        stored.take(_with_file())
        story.says("hello@beta.example", "CANARY-BETA: our shop is down.", subject="CANARY-BETA shop")
        story.says("marta", "Hecho.\n\n#time 12m\n#time SOP-2 30m CANARY-BETA note", 1)
        story.says("marta", "#note\nOjo: paga tarde.", 1)
        story.says("ana", "saldo", subject="saldo")
        stored.take(written("Hola", sender="x@nobody.example", message_id="<q@x.example>"))
        with stored.store.write() as tx:
            looks.note(tx, 1, "ana@acme.example", NOW)
            looks.note(tx, 2, "hello@beta.example", NOW)
        yield story


@pytest.fixture(autouse=True)
def data(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()


def files_of(story: Story, client: str = "acme") -> dict[str, bytes]:
    steps: list[tuple[int, int]] = []
    with story.stored.store.read() as tx:
        made = dict(export.files(tx, story.stored.office, client, NOW, lambda *step: steps.append(step)))
    assert steps[-1][0] == steps[-1][1]
    return made


def table(made: dict[str, bytes], name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(made[f"{name}.json"])
    read = list(csv.DictReader(io.StringIO(made[f"{name}.csv"].decode("utf-8-sig"))))
    assert [row.get("id") for row in read] == [str(row["id"]) if "id" in row else None for row in rows]
    return rows


def test_all_that_is_theirs_is_in_it(story: Story) -> None:
    made = files_of(story)
    assert made["tickets/SOP-1/mails/000001-El_carrito.eml"] == _with_file()
    assert made["tickets/SOP-1/files/000001-002-captura.pdf"] == b"CANARY-7431" * 1000
    said = json.loads(made["tickets/SOP-1/messages.json"])
    assert [(one["author"], one["text"].strip()[:6]) for one in said] == [
        ("ana@acme.example", "No fun"),
        ("marta@example.es", "Hecho."),
    ]
    assert "paga tarde" in made["tickets/SOP-1/internal/messages.json"].decode()
    assert [row["minutes"] for row in table(made, "ledger")] == [240, -12]
    assert [row["id"] for row in table(made, "tickets")] == ["SOP-1"]
    assert [row["address"] for row in json.loads(made["looks.json"])] == ["ana@acme.example"]
    assert json.loads(made["client.json"])["rules"]["name"] == "Acme S.L."
    sent = [message_from_bytes(made[name]) for name in made if "/sent/" in name]
    assert {mail["To"] for mail in sent} == {"ana@acme.example"}
    assert len(sent) == 3, "the acknowledgement, the answer, the balance"
    assert [json.loads(made["other/messages.json"])[0]["text"].strip()] == ["saldo"]


def test_nothing_of_anybody_else_is_in_it(story: Story) -> None:
    made = files_of(story)
    assert not [(name, word) for name, content in made.items() for word in OTHERS if word in content + name.encode()]
    assert not [name for name, content in made.items() if b"nobody.example" in content]


def test_the_same_store_gives_the_same_bytes(story: Story, tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        export.write(tmp_path / name, files_of(story).items())
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_folder_has_what_a_zip_has_and_both_are_for_their_owner_alone(story: Story, tmp_path: Path) -> None:
    made = files_of(story)
    assert export.write(tmp_path / "out", made.items()) == export.write(tmp_path / "out.zip", made.items()) == len(made)
    there = {
        str(path.relative_to(tmp_path / "out")): path.read_bytes()
        for path in (tmp_path / "out").rglob("*.*")
        if path.is_file()
    }
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == there == made
    for path in (tmp_path / "out", tmp_path / "out.zip", tmp_path / "out" / "ledger.csv"):
        assert path.stat().st_mode & 0o077 == 0


def test_nothing_is_overwritten_and_what_fails_leaves_nothing(story: Story, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(Refused, match="there already"):
        export.write(tmp_path / "out", [])

    def failing() -> Iterator[export.File]:
        yield "a.txt", b"a"
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        export.write(tmp_path / "late.zip", failing())
    assert {path.name for path in tmp_path.iterdir()} == {"out", "data"}


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "etc_passwd"),
        ("Presupuesto año 2026.pdf", "Presupuesto_ano_2026.pdf"),
        ("CON", "CON"),
        ("", "x"),
        ("...", "x"),
        ("a" * 300 + ".pdf", "a" * 80 + ".pdf"),
        ("x\x00\n\u202efdp.exe", "x_fdp.exe"),
        ("日本.pdf", "pdf"),
    ],
)
def test_names_are_safe_on_any_system(name: str, safe: str) -> None:
    assert export._safe(name) == safe


def test_what_names_them_and_waits_in_quarantine_is_apart(story: Story) -> None:
    with story.stored.store.write() as tx:
        number = tx.value("select journal from quarantine order by id limit 1")
        quarantine.add(tx, number, NOW, sender="ana@acme.example", subject="¿Yo?", reason="forged")
    made = files_of(story)
    assert [one["subject"] for one in json.loads(made["quarantine/quarantine.json"])] == ["¿Yo?"]
    assert "quarantine/000002.eml" in made


def test_a_client_whom_the_rules_no_longer_have_is_found_by_the_store(story: Story) -> None:
    before = files_of(story)
    without = build({**RULES, "clients": {"beta": RULES["clients"]["beta"]}})
    assert isinstance(without, Rules)
    story.stored.office = Office(Desk(without, KEY), story.stored.office.renderer)
    after = files_of(story)
    assert set(after) == set(before)
    assert [name for name in before if after[name] != before[name]] == ["LEEME.txt", "README.txt", "client.json"]
    with story.stored.store.read() as tx, pytest.raises(NotFound, match="no such client"):
        export.known(tx, story.stored.office.desk, "nobody")


@pytest.mark.parametrize(("name", "words"), [("LEEME.txt", "Copia de todo"), ("README.txt", "A copy of all")])
def test_it_says_what_is_what_in_both_languages(story: Story, name: str, words: str) -> None:
    made = files_of(story)
    told = made[name].decode()
    assert words in told
    tops = {path.partition("/")[0] for path in made} - {"LEEME.txt", "README.txt"}
    assert not [top for top in tops if top not in told]
    assert "\r\n" in told
