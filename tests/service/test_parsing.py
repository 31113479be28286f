"""Mail that may be dear to read is read in a process that can be ended: one mail waits, the next goes on."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mailgate.core.mail import Envelope
from mailgate.core.message import mime
from mailgate.core.message.burden import MUCH_TEXT, burdensome
from mailgate.core.model import Outcome
from mailgate.service import parsing
from mailgate.service.parsing import Parser, Reader
from mailgate.service.process import process_released
from mailgate.store import quarantine
from tests.running import running_desk
from tests.servers import eventually
from tests.stored import stored_desk
from tests.support import NOW, plan, reply_address, ticket, written
from tests.support import known as facts

pytestmark = pytest.mark.slow

ENVELOPE = Envelope("smtp", "ana@acme.example", ("soporte@example.es",))
BIG = written("No funciona.\n" * 60_000)
# Each line may be a command, and each is looked at: ten megabytes are three seconds.
DEAR = written("#time 12m\n" * 990_000)


@pytest.fixture
def parser() -> Iterator[Parser]:
    parser = Parser()
    yield parser
    parser.stop()


def running(pid: int | None) -> bool:
    return pid is not None and Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (written(), ""),
        (written("x\n" * (MUCH_TEXT // 2 - 200)), ""),
        (written("x\n" * (MUCH_TEXT // 2 + 1)), "much text"),
        (written("--x\n" * 200), ""),
        (written("--x\n" * 201), "many parts"),
        (written(headers="X-A: " + "a" * 33_000 + "\n"), "a long header"),
        (written("message/rfc822\n" * 9), "nested deep"),
        (written("QUFB" * 19 + ("\n" + "QUFB" * 19) * 20_000), ""),
    ],
)
def test_what_may_be_dear_is_told_by_its_bytes(raw: bytes, reason: str) -> None:
    assert burdensome(raw) == reason


def test_the_process_reads_as_this_one_does_and_stays_for_the_next(parser: Parser) -> None:
    assert parser.pid is None
    assert parser.parse(BIG, ENVELOPE) == mime.parse(BIG, ENVELOPE)
    first = parser.pid
    assert parser.parse(written(), ENVELOPE) == mime.parse(written(), ENVELOPE)
    assert parser.pid == first


def test_process_ends_when_it_has_nothing_to_do() -> None:
    parser = Parser(idle=0.1)
    parser.parse(written(), ENVELOPE)
    eventually(lambda: parser.pid is None)
    assert parser.parse(written(), ENVELOPE).sender == "ana@acme.example"
    parser.stop()
    assert parser.pid is None


def test_message_that_takes_too_long_is_read_no_further_than_its_header() -> None:
    parser = Parser(seconds=0)
    mail = parser.parse(DEAR, ENVELOPE)
    assert mail.unreadable == "reading it takes more than 0 seconds"
    assert (mail.sender, mail.message_id, mail.text) == ("ana@acme.example", "m1@acme.example", "")
    assert parser.parse(written(), ENVELOPE).text.startswith("Hola")
    parser.stop()


def test_message_that_takes_too_much_memory_is_read_no_further_than_its_header() -> None:
    parser = Parser(memory=128 * 1024**2)
    mail = parser.parse(DEAR, ENVELOPE)
    assert mail.unreadable == "reading it takes more than 128 MB"
    assert (mail.sender, mail.text) == ("ana@acme.example", "")
    parser.stop()


def test_process_that_is_killed_over_a_message_loses_only_that(parser: Parser) -> None:
    parser.parse(written(), ENVELOPE)
    victim = parser.pid
    assert victim is not None
    os.kill(victim, signal.SIGSTOP)
    threading.Timer(0.2, os.kill, (victim, signal.SIGKILL)).start()
    assert parser.parse(BIG, ENVELOPE).unreadable == "reading it ended the process that read it (-9)"
    assert parser.parse(BIG, ENVELOPE).unreadable == ""
    assert parser.pid != victim


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_signal_that_is_meant_for_the_desk_and_all_its_processes_spoils_no_message(
    parser: Parser, stop: signal.Signals
) -> None:
    parser.parse(written(), ENVELOPE)
    reader = parser.pid
    assert reader is not None
    os.kill(reader, stop)
    assert parser.parse(BIG, ENVELOPE).unreadable == ""
    assert parser.pid == reader


def test_process_that_was_killed_while_idle_costs_no_message(parser: Parser) -> None:
    parser.parse(written(), ENVELOPE)
    victim = parser.pid
    assert victim is not None
    os.kill(victim, signal.SIGKILL)
    os.waitid(os.P_PID, victim, os.WEXITED | os.WNOWAIT)
    assert parser.parse(BIG, ENVELOPE).unreadable == ""


def test_such_a_message_waits_in_quarantine_and_stays_there_however_often_it_is_released(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow = Parser(seconds=0)
    monkeypatch.setattr(parsing, "_PARSER", narrow)
    with stored_desk(tmp_path) as desk:
        plan = desk.take(DEAR)
        assert (plan.outcome, plan.reason) == (
            Outcome.QUARANTINE,
            "cannot be read safely: reading it takes more than 0 seconds",
        )
        assert desk.mails() == []
        with desk.store.write() as tx:
            held = quarantine.get(tx, 1)
            assert held is not None
            assert process_released(tx, desk.office, held, NOW).reason == plan.reason
        assert desk.take(written(message_id="<m2@acme.example>")).outcome is Outcome.OPEN
    narrow.stop()


def test_running_desk_goes_on_with_the_next_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The patience with the process is so short that it ends before it could answer."""
    with running_desk(tmp_path) as desk:
        with monkeypatch.context() as impatient:
            impatient.setattr(parsing, "_PATIENCE_SECONDS", 0.01)
            desk.send(crlf(BIG), "ana@acme.example")
            desk.send(crlf(written(message_id="<m2@acme.example>")), "ana@acme.example")
            eventually(lambda: desk.count("journal where outcome is not null") == 2)
        assert desk.rows("select outcome from journal order by id") == [("quarantine",), ("open",)]
        reason = "cannot be read safely: reading it ended the process that read it (-9)"
        assert desk.rows("select reason from quarantine") == [(reason,)]
        desk.send(crlf(written("No funciona.\n" * 60_000, message_id="<m3@acme.example>")), "ana@acme.example")
        eventually(lambda: desk.count("journal where outcome = 'open'") == 2)
    assert parsing._PARSER.pid is None


def several(count: int) -> list[tuple[bytes, Envelope]]:
    return [(written(message_id=f"<m{number}@acme.example>"), ENVELOPE) for number in range(1, count + 1)]


@pytest.mark.parametrize(
    "text",
    [
        "Hola:\n\nNo funciona el carrito.\n\nAna",
        "Hola:\n\nEl usuario es ana y la contraseña: Tr3s.Tristes-tigres\n\nAna",
        "#tope 2h\n\nLa clave de la otra vez ya no vale: s3creta-Vieja!9",
        "Gracias.\n\nEl 2 nov 2026, Marta escribió:\n> Hecho.\n> Un saludo",
        "> ¿Funciona?\nNo.\n> ¿Seguro?\nSí.",
        "",
    ],
)
@pytest.mark.parametrize("known", [(), ("s3creta-Vieja!9",)])
@pytest.mark.parametrize("history", [(), ("Hecho.\nUn saludo",)])
@pytest.mark.parametrize("to", ["", reply_address(12, "ana@acme.example")])
def test_what_is_made_of_the_text_ahead_changes_no_decision(
    text: str, known: tuple[str, ...], history: tuple[str, ...], to: str
) -> None:
    parts = {"to": to} if to else {}
    raw = written(text, **parts)
    told = facts(*([ticket()] if to else []), secrets=frozenset(known), history={12: history})
    ahead = parsing._made(raw, Envelope("imap"), "")
    assert ahead.ahead is not None
    assert plan(ahead, told) == plan(mime.parse(raw, Envelope("imap")), told)


def test_few_messages_are_read_in_the_program_itself(parser: Parser) -> None:
    reader = Reader(parser, busy=10)
    assert reader.read(several(9)) == [mime.parse(*one) for one in several(9)]
    assert reader.read([]) == []
    assert parser.pid is None


def test_many_are_read_beside_as_soon_as_the_process_is_there_and_as_they_would_be_here(parser: Parser) -> None:
    reader = Reader(parser, busy=10)
    assert len(reader.read(several(10))) == 10  # while it starts, nothing waits for it
    eventually(parser.is_ready)
    assert reader.read(several(12)) == [mime.parse(*one) for one in several(12)]


def test_it_is_known_for_a_moment_that_many_have_come(parser: Parser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "_BUSY_SECONDS", 0.2)
    reader = Reader(parser, busy=10)
    reader.read(several(9))
    assert not reader.is_busy
    reader.read(several(1))
    assert reader.is_busy
    eventually(lambda: not reader.is_busy)


def test_process_beside_that_dies_over_messages_costs_none_of_them(
    parser: Parser, caplog: pytest.LogCaptureFixture
) -> None:
    reader = Reader(parser, busy=1)
    reader.read(several(2))
    eventually(parser.is_ready)
    victim = parser.pid
    assert victim is not None
    os.kill(victim, signal.SIGSTOP)
    threading.Timer(0.2, os.kill, (victim, signal.SIGKILL)).start()
    assert reader.read(several(20)) == [mime.parse(*one) for one in several(20)]
    assert "messages are read in the program itself" in caplog.text
    assert len(reader.read(several(3))) == 3
    assert parser.pid is None  # for a while it is not tried again


def test_process_beside_that_cannot_be_had_is_done_without(monkeypatch: pytest.MonkeyPatch, parser: Parser) -> None:
    monkeypatch.setattr(parsing.sys, "executable", "/nonexistent/python")
    reader = Reader(parser, busy=1)
    assert reader.read(several(3)) == [mime.parse(*one) for one in several(3)]


def test_message_that_may_be_dear_is_not_read_beside_with_others(parser: Parser) -> None:
    reader = Reader(parser, busy=1)
    reader.read(several(2))
    eventually(parser.is_ready)
    assert parser.pid is not None
    os.kill(parser.pid, signal.SIGSTOP)
    mails = reader.read([*several(2), (BIG, ENVELOPE)])
    assert [isinstance(mail, Exception) for mail in mails] == [False] * 3
    os.kill(parser.pid, signal.SIGCONT)


def test_busy_desk_whose_process_beside_is_killed_again_and_again_makes_one_ticket_of_each_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = Parser()
    monkeypatch.setattr(parsing, "reader", lambda: Reader(beside, busy=2))
    monkeypatch.setattr(parsing, "_AGAIN_SECONDS", 0.0)
    killed = 0
    with running_desk(tmp_path) as desk, ThreadPoolExecutor(8) as peers:

        def send(number: int) -> None:
            desk.send(crlf(written(message_id=f"<m{number}@acme.example>")), "ana@acme.example")

        for start in range(1, 121, 12):
            list(peers.map(send, range(start, start + 12)))
            if (victim := beside.pid) is not None:
                os.kill(victim, signal.SIGKILL)
                killed += 1
        eventually(lambda: desk.count("journal where outcome is not null") == 120)
        assert desk.rows("select outcome, count(*) from journal group by outcome") == [("open", 120)]
        assert desk.count("ticket") == 120
    assert killed > 2
    assert beside.pid is None


def crlf(raw: bytes) -> bytes:
    return raw.replace(b"\n", b"\r\n")
