"""The hostile cases over real SMTP and through a real IMAP server: one outcome, and honest mail is unharmed."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import servers
from tests.edges.conftest import certificate_folder, impatient, own_certificate
from tests.edges.test_imap_desk import mailbox, secret
from tests.hostile import canary
from tests.hostile.cases import ANA, Case, every, mail
from tests.running import RunningDesk, running_desk
from tests.servers import Certificate, Dovecot, eventually

__all__ = ["certificate_folder", "impatient", "own_certificate"]

# To the admin by IMAP: of what is too big, and stays in the mailbox.
KNOWN = {"ana@acme.example", "marta@example.es", "elena@example.es", "admin@example.es"}
CASES = every()
OUTCOMES = "select j.outcome, q.reason from journal j left join quarantine q on q.journal = j.id order by j.id"


def honest(number: int) -> Case:
    return Case("honest", mail(f"honest {number}", body=b"Otra consulta, la %d.\r\n" % number))


def judge(desk: RunningDesk, taken: Sequence[Case]) -> list[str]:
    """What became of each otherwise than it must, once all are processed."""
    eventually(lambda: desk.count("journal where outcome is not null") == len(taken))
    found = desk.rows(OUTCOMES)
    return [
        f"{case.name}: {outcome} ({reason})"
        for case, (outcome, reason) in zip(taken, found, strict=True)
        if outcome != case.outcome or not (reason or "").startswith(case.reason)
    ]


def look_over(desk: RunningDesk) -> None:
    """Nothing was booked, and what left the desk went to people whom it knows, and is sound."""
    assert desk.count("entry") == 0
    assert desk.count("ticket where status = 'closed'") == 0
    eventually(lambda: desk.count("outbox where state = 'queued'") == 0)
    sent = [path.read_bytes() for path in (desk.data / "outbox").glob("*.eml")]
    assert {str(canary.read(raw)["To"]) for raw in sent} <= KNOWN


def test_names_of_cases_are_their_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.slow
def test_each_case_has_its_outcome_over_smtp(tmp_path: Path) -> None:
    with running_desk(tmp_path) as desk:
        taken: list[Case] = []
        for number, case in enumerate(CASES):
            for one in (case, honest(number)):
                assert deliver(desk, one.raw) == one.code, one.name
                taken += [one] if one.code == 250 else []
        assert judge(desk, taken) == []
        look_over(desk)


def deliver(desk: RunningDesk, raw: bytes) -> int:
    """The code of the answer to a mail, byte for byte."""
    with smtplib.SMTP("127.0.0.1", desk.smtp_port, timeout=20) as peer:
        peer.ehlo("peer.example")
        peer.mail(ANA)
        peer.rcpt("soporte@example.es")
        return peer.data(raw)[0]


@pytest.fixture
def dovecot(own_certificate: Certificate) -> Iterator[Dovecot]:
    with servers.dovecot(own_certificate) as server:
        yield server


@pytest.mark.servers
@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
def test_each_case_has_its_outcome_through_imap(tmp_path: Path, dovecot: Dovecot) -> None:
    cases = [one for number, case in enumerate(CASES) if case.by_imap for one in (case, honest(number))]
    with collecting(tmp_path, dovecot) as desk:
        dovecot.put(*(case.raw for case in cases))
        assert judge(desk, [case for case in cases if case.code == 250]) == []
        look_over(desk)
        left = sum(case.code != 250 for case in cases)
        eventually(lambda: sum(not flags for flags in dovecot.contents().values()) == left)


@contextmanager
def collecting(folder: Path, server: Dovecot) -> Iterator[RunningDesk]:
    secret(folder)
    with running_desk(folder, mailbox(server)) as desk:
        yield desk
