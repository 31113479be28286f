"""Every message of the corpus is read; what is claimed of it holds, save the differences that are meant."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mailgate.core.mail import Envelope
from mailgate.core.message import mime
from mailgate.core.message.automatic import automatic

CORPUS = Path(__file__).resolve().parents[4] / "shared" / "corpus"
DIFFERENCES = Path(__file__).with_name("corpus_differences.toml")
DESK = ["soporte@example.es"]
CLAIMS = (
    "subject",
    "from",
    "from_name",
    "body_starts",
    "attachments",
    "attachment_names",
    "automatic",
    "automatic_kind",
)
KINDS = {"auto_reply": "auto-reply", "list_or_bulk": "bulk", "auto_generated": "auto-generated"}

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real mails is not beside this checkout")


@dataclass(frozen=True)
class Case:
    name: str
    claims: dict[str, Any]
    raw: bytes


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return list(_cases())


def _cases() -> Iterator[Case]:
    for expected in sorted(CORPUS.glob("*/expected.json")):
        for name, claims in json.loads(expected.read_text())["cases"].items():
            if claims["kind"] == "mail":
                yield Case(f"{expected.parent.name}/{name}", claims, (expected.parent / name).read_bytes())


def _collapsed(text: str | None) -> str:
    return " ".join((text or "").split())


def _readings(case: Case) -> dict[str, tuple[object, object]]:
    """For each claim: what is claimed and what we read, in comparable form."""
    mail = mime.parse(case.raw, Envelope("inject"))
    robot = automatic(mail, DESK)
    claims = case.claims
    begin = _collapsed(claims.get("body_starts"))
    read: dict[str, tuple[object, object]] = {
        "subject": (_collapsed(claims.get("subject")), _collapsed(mail.subject)),
        "from": ((claims.get("from") or "").lower(), mail.sender or ""),
        "from_name": (claims.get("from_name") or "", mail.sender_name),
        "body_starts": (begin, _collapsed(mail.text)[: len(begin)].rstrip()),
        "attachments": (claims.get("attachments"), len(mail.attachments)),
        "attachment_names": (claims.get("attachment_names"), [one.name for one in mail.attachments]),
        "automatic": (claims.get("automatic"), robot is not None),
        "automatic_kind": (
            KINDS.get(claims.get("automatic_kind", ""), claims.get("automatic_kind")),
            robot and robot.kind,
        ),
    }
    return {claim: read[claim] for claim in CLAIMS if claim in claims}


def _table(made: Counter[tuple[str, str]], kept: Counter[tuple[str, str]]) -> str:
    folders = sorted({folder for folder, _ in made})
    lines = ["", f"{'as claimed':16}" + "".join(f"{claim:>17}" for claim in CLAIMS)]
    for folder in [*folders, "all"]:
        cells = [
            (
                sum(kept[one, claim] for one in folders) if folder == "all" else kept[folder, claim],
                sum(made[one, claim] for one in folders) if folder == "all" else made[folder, claim],
            )
            for claim in CLAIMS
        ]
        shares = [f"{good}/{total}" if total else "" for good, total in cells]
        lines.append(f"{folder:16}" + "".join(f"{share:>17}" for share in shares))
    return "\n".join(lines)


@pytest.mark.slow
def test_corpus_is_read_as_claimed_but_for_the_differences_that_are_meant(
    cases: list[Case], capsys: pytest.CaptureFixture[str]
) -> None:
    made: Counter[tuple[str, str]] = Counter()
    kept: Counter[tuple[str, str]] = Counter()
    found: dict[tuple[str, str], str] = {}
    for case in cases:
        for claim, (claimed, read) in _readings(case).items():
            key = (case.name.partition("/")[0], claim)
            made[key] += 1
            kept[key] += claimed == read
            if claimed != read:
                found[case.name, claim] = f"{case.name}: {claim}: claimed {claimed!r}, read {read!r}"
    with capsys.disabled():
        print(_table(made, kept))
    known = {
        (name, one["claim"]) for one in tomllib.loads(DIFFERENCES.read_text())["difference"] for name in one["cases"]
    }
    assert not [words for key, words in sorted(found.items()) if key not in known], "new differences"
    assert not sorted(known - found.keys()), "differences that have gone"


def test_every_difference_has_a_reason() -> None:
    assert all(len(one["reason"]) > 20 for one in tomllib.loads(DIFFERENCES.read_text())["difference"])


def test_no_ordinary_mail_is_taken_for_a_robots(cases: list[Case]) -> None:
    """Where nothing is claimed in our own mails, a person wrote."""
    taken = []
    for case in cases:
        if case.name.startswith(("es/", "django-helpdesk/", "redmine/")) and not case.claims.get("automatic"):
            robot = automatic(mime.parse(case.raw, Envelope("inject")), DESK)
            taken += [f"{case.name}: {robot}"] if robot else []
    assert not taken


@pytest.mark.slow
def test_every_attachment_of_the_corpus_can_be_taken_out_in_its_size(cases: list[Case]) -> None:
    for case in cases:
        for one in mime.parse(case.raw, Envelope("inject")).attachments:
            assert len(mime.contents(case.raw, [one.part])[one.part]) == one.size, case.name


@pytest.mark.slow
def test_line_ends_do_not_change_who_a_message_is(cases: list[Case]) -> None:
    """CRLF over SMTP, LF from a pipe: one message."""
    for case in cases:
        if b"\r" in case.raw.replace(b"\r\n", b""):
            continue
        lf = case.raw.replace(b"\r\n", b"\n")
        crlf = lf.replace(b"\n", b"\r\n")
        assert mime.parse(lf, Envelope("inject")).digest == mime.parse(crlf, Envelope("inject")).digest, case.name
