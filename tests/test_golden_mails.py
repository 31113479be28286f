"""Mails as real programs write them, each with what `mailgate explain` has to say of it.

A bug report becomes a new pair of files: tests/mails/<what>.eml, and <what>.expect.toml with those keys of
`explain` that matter. TOML has no null: "" stands for it, and `automatic` is true or false. Beside them:
fresh_contains, fresh_lacks, why_contains: lists of strings. A `problem` is a part of what is told.
[envelope] gives sender and recipients where the mail came by SMTP.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from mailgate.core.mail import Envelope
from mailgate.core.message import mime
from mailgate.service.audit import audited
from mailgate.service.explain import explained
from mailgate.service.process import process
from mailgate.store import journal
from tests.history import golden_desk, write_history
from tests.stored import StoredDesk, stored_desk
from tests.support import NOW

FOLDER = Path(__file__).parent / "mails"
MAILS = sorted(FOLDER.glob("*.eml"))
KEYS = (
    *("from", "role", "authenticated", "proof", "evidence", "automatic", "ticket", "fresh_text", "commands"),
    *("rules", "outcome", "why"),
)
OUTCOMES = ("open", "append", "answer", "quarantine", "reject", "keep")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoredDesk]:
    with stored_desk(tmp_path_factory.mktemp("golden"), golden_desk()) as opened:
        write_history(opened)
        yield opened


def expected_of(mail: Path) -> dict[str, Any]:
    return tomllib.loads(mail.with_suffix(".expect.toml").read_text(encoding="utf-8"))


def came(envelope: dict[str, Any]) -> Envelope:
    """By SMTP where an envelope is given, else out of a mailbox."""
    return Envelope("smtp", envelope["sender"], tuple(envelope["recipients"])) if envelope else Envelope("imap")


def explain(desk: StoredDesk, raw: bytes, envelope: Envelope) -> dict[str, Any]:
    with desk.store.read() as tx:
        return explained(tx, mime.parse(raw, envelope), desk.office, NOW)


def seen(result: dict[str, Any]) -> dict[str, Any]:
    """The result in the form in which expectations are written."""
    shown = {key: "" if value is None else value for key, value in result.items()}
    return shown | {"automatic": bool(result["automatic"]), "fresh_text": result["fresh_text"].strip()}


@pytest.mark.parametrize("path", MAILS, ids=[mail.stem for mail in MAILS])
def test_golden_mail(desk: StoredDesk, path: Path):
    expected = expected_of(path)
    result = explain(desk, path.read_bytes(), came(expected.pop("envelope", {})))
    assert json.loads(json.dumps(result)).keys() == set(KEYS)
    assert result["outcome"] in OUTCOMES
    why = "\n".join(result["why"])
    assert [part for part in expected.pop("why_contains", []) if part not in why] == [], why
    fresh = result["fresh_text"]
    assert [part for part in expected.pop("fresh_contains", []) if part not in fresh] == [], fresh
    assert [part for part in expected.pop("fresh_lacks", []) if part in fresh] == [], fresh
    commands = expected.pop("commands")
    assert [agreed(found, wanted) for found, wanted in zip(result["commands"], commands, strict=True)] == commands
    assert {key: seen(result)[key] for key in expected} == expected, why


def agreed(found: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """A command in the form in which it is expected: the keys that are given, and the problem if there is one."""
    problem, part = found["problem"] or "", wanted.get("problem", "")
    told = {"problem": part if part and part in problem else problem}
    return {key: found[key] for key in wanted if key != "problem"} | (told if problem or part else {})


@pytest.mark.parametrize("path", MAILS, ids=[mail.stem for mail in MAILS])
def test_what_explain_says_is_what_happens(desk: StoredDesk, path: Path):
    raw, envelope = path.read_bytes(), came(expected_of(path).get("envelope", {}))
    said = explain(desk, raw, envelope)
    with suppress(Undone), desk.store.write() as tx:
        before = tx.value("select count(*) from outbox")
        kept = journal.get(tx, journal.take(tx, raw, envelope, NOW))
        assert kept is not None
        plan = process(tx, kept, mime.parse(raw, envelope), desk.office, NOW)
        assert plan is not None
        assert (plan.outcome, plan.why) == (said["outcome"], tuple(said["why"]))
        told = [row["recipient"] for row in tx.rows("select recipient from outbox order by id")][before:]
        assert all(desk.office.desk.rules.who(person) for person in told)
        # A robot gets no answer; of a technician's the director is told, of a bounce the ticket's technician.
        staff = {person.addresses[0] for person in desk.office.desk.rules.technicians.values()}
        assert not said["automatic"] or set(told) <= staff - {said["from"]}
        assert audited(tx).problems == []
        raise Undone


class Undone(Exception):
    """Ends a transaction without any trace."""


def test_explaining_changes_nothing(desk: StoredDesk):
    before = list(desk.store.path.parent.iterdir())
    with desk.store.read() as tx:
        size = tx.value("select total(size) + count(*) from blob")
    for path in MAILS:
        explain(desk, path.read_bytes(), Envelope("imap"))
    with desk.store.read() as tx:
        assert tx.value("select total(size) + count(*) from blob") == size
        assert tx.value("select count(*) from journal where state = 'taken'") == 0
    assert list(desk.store.path.parent.iterdir()) == before


def test_every_mail_has_its_expectation_and_every_expectation_its_mail():
    expectations = {path.name.removesuffix(".expect.toml") for path in FOLDER.glob("*.expect.toml")}
    assert expectations == {path.stem for path in MAILS}
    assert len(MAILS) >= 30
