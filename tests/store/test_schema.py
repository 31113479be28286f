"""The schema: made whole or not at all, guarded, and with an index for each question on a message's way."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlite_utils import Database

from mailgate.core.facts import Author, Wanted
from mailgate.core.mail import Envelope
from mailgate.core.model import Absence, Outcome
from mailgate.core.retention import Limits
from mailgate.errors import Refused, StoreUnavailable
from mailgate.service import keys
from mailgate.service.health import looked
from mailgate.store import (
    Connection,
    Store,
    absences,
    board,
    connection,
    due,
    entries,
    events,
    experience,
    facts,
    guests,
    holds,
    journal,
    matters,
    messages,
    outbox,
    quarantine,
    redactions,
    repute,
    retention,
    schema,
    tickets,
    walks,
)
from mailgate.store.connection import connect, transaction
from mailgate.store.proofs import problems_of_store
from tests import ready
from tests.plans import FROM_ONE_END
from tests.store.makes import ENVELOPE, NOW, TODAY, booked, debit, message, queued, taken, ticket, void
from tests.support import rules

BIG = (
    *("journal", "message", "ticket", "entry", "outbox", "blob", "transcript", "attachment", "quarantine", "held"),
    *("absence", "experience", "matter", "event"),
)


PARTIAL = (
    *("journal_ready", "outbox_due", "mailbox_unsettled", "quarantine_waiting", "held_waiting"),
    *("ticket_due", "ticket_load", "ticket_delivery", "matter_open"),
)
IMAP = {"host": "imap.example.es", "user": "soporte@example.es", "password_env": "X"}


def _names(path: Path, kind: str) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {row[0] for row in connection.execute("select name from sqlite_master where type = ?", [kind])}


def test_guards_are_there_after_migrating(store: Store) -> None:
    assert _names(store.path, "trigger") == {"entry_never_changes", "entry_never_goes", "entry_note_stays"}
    with store.read() as tx:
        assert list(problems_of_store(tx)) == []


def test_missing_guard_is_a_problem_of_the_audit(store: Store) -> None:
    with store.write() as tx:
        tx.run("drop trigger entry_never_goes")
    with store.read() as tx:
        assert list(problems_of_store(tx)) == ["ledger: the guard entry_never_goes is missing"]


def test_opening_again_changes_nothing(store: Store) -> None:
    with store.write() as tx:
        taken(tx)
    again = Store(store.path)
    with again.read() as tx:
        assert tx.value("select count(*) from journal") == 1
        assert tx.value("select count(*) from _sqlite_migrations") == 16
    again.close()


def test_store_of_a_newer_version_is_refused_and_left_alone(store: Store) -> None:
    with store.write() as tx:
        tx.run(
            "insert into _sqlite_migrations (migration_set, name, applied_at)"
            " values ('mailgate', 'm9999_from_the_future', '2027-01-01')"
        )
    with pytest.raises(Refused, match=r"newer mailgate.*m9999_from_the_future"):
        Store(store.path)


def test_migration_that_fails_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half_way(db: Database) -> None:
        db.execute("create table left_over (id integer)")
        raise sqlite3.OperationalError("killed here")

    migrations = list(schema.migrations._migrations)
    broken = schema.migrations._Migration("m0002_breaks", half_way)
    monkeypatch.setattr(schema.migrations, "_migrations", [*migrations, broken])
    with pytest.raises(sqlite3.OperationalError, match="killed here"):
        Store(tmp_path / "mailgate.db")
    assert _names(tmp_path / "mailgate.db", "table") == set()
    monkeypatch.setattr(schema.migrations, "_migrations", migrations)
    with Store(tmp_path / "mailgate.db").read() as tx:
        assert list(problems_of_store(tx)) == []


def test_a_store_of_before_knows_who_worked_for_whom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    migrations = list(schema.migrations._migrations)
    monkeypatch.setattr(schema.migrations, "_migrations", migrations[:2])
    with Store(tmp_path / "mailgate.db").write() as tx:
        tx.run(
            "insert into ticket (id, client, subject, requester, opened_at, status, priority, category)"
            " values (1, 'acme', '', '', '', 'new', 'normal', 'bug')"
        )
        for number, kind, of in ((1, "debit", None), (2, "debit", None), (3, "void", 1)):
            tx.run(
                "insert into entry (client, kind, minutes, worked, at, day, ticket, technician, note, of, phone)"
                " values ('acme', :kind, :minutes, :worked, '', '', 1, 'marta', '', :of, 0)",
                kind=kind,
                minutes=0 if kind == "debit" else 5,
                worked=5 * number if kind == "debit" else 0,
                of=of,
            )
    monkeypatch.setattr(schema.migrations, "_migrations", migrations)
    with Store(tmp_path / "mailgate.db").read() as tx:
        assert experience.with_client(tx, "acme") == {"marta": 10}
        assert list(experience.problems(tx)) == []


@pytest.mark.slow
def test_programs_that_make_the_store_at_the_same_time_agree(tmp_path: Path) -> None:
    script = f"from pathlib import Path; from mailgate.store import Store; Store(Path({str(tmp_path)!r}) / 'm.db')"
    started = [
        subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, cwd=Path(__file__).parents[2])
        for _ in range(4)
    ]
    told = [process.communicate(timeout=60)[1].decode() for process in started]
    assert [process.returncode for process in started] == [0] * 4, told


def test_file_that_is_no_store_is_named_as_damaged(tmp_path: Path) -> None:
    (tmp_path / "mailgate.db").write_bytes(b"this is no database " * 500)
    with pytest.raises(StoreUnavailable, match="damaged"):
        Store(tmp_path / "mailgate.db")


def test_commits_are_synced_and_references_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_PRAGMAS", ready.PRAGMAS)  # the other tests wait for no disk
    opened = connect(tmp_path / "mailgate.db")
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "trusted_schema": 0}
    assert {name: opened.value(f"pragma {name}") for name in wanted} == wanted


def _filled(tx: Connection) -> None:
    """Enough of everything for SQLite to prefer an index where there is one."""
    for number in range(1, 31):
        ticket(tx, number, f"c{number % 5}")
        source = message(tx, number, of=number)
        first = booked(tx, debit(client=f"c{number % 5}", ticket=number, message=source, line=0))
        booked(tx, void(first))
        queued(tx, number, number)
        messages.remember_text(tx, number, "hola")
        holds.hold(tx, source, number, "marta", "forward")
        kept = taken(tx, f"odd {number}".encode())
        quarantine.add(tx, kept, NOW, sender="", subject="", reason="odd", message_id=f"{number}", digest="d")
        absences.note(tx, Absence("marta", TODAY, TODAY), None)
        journal.finish(tx, kept, Outcome.QUARANTINE, None)
        taken(tx, f"waits {number}".encode())


def _questions(tx: Connection) -> Iterator[object]:
    """Each function of the store that stands on a message's way, once."""
    wanted = Wanted(
        "new@x",
        "d",
        ("1@desk.example", "j2.0@desk.example"),
        frozenset({1, 2}),
        frozenset({1}),
        "marta",
        "c1",
        quarantined=frozenset({1}),
        technicians=("marta", "luis"),
        author=Author("c1.example", ("ana@c1.example", "eva@c1.example")),
    )
    yield facts.facts_for(tx, wanted, NOW)
    yield facts.facts_for(tx, replace(wanted, person="", stranger="x@y.example"), NOW)
    yield guests.admit(tx, 2, "x@y.example", 2)
    yield quarantine.newest(tx)
    yield journal.take(tx, b"one more", Envelope("smtp"), NOW)
    yield journal.waiting(tx, 20, NOW)
    yield journal.postpone(tx, 2, NOW, "ana@c1.example", tried=True)
    yield journal.stands_behind(tx, 4, "ana@c1.example")
    yield repute.remember_signer(tx, "c1.example", NOW)
    yield journal.newest(tx)
    yield journal.is_waiting(tx, 1)
    yield journal.get(tx, 1)
    yield journal.became(tx, 1)
    yield journal.begin_alone(tx, 1)
    yield journal.finish(tx, 1, Outcome.APPEND, 1)
    yield ticket(tx, 99)
    yield tickets.update(tx, tickets.get(tx, 99))  # type: ignore[arg-type]
    yield message(tx, 99, of=99)
    yield booked(tx, debit(ticket=99))
    yield messages.show(tx, 1)
    yield messages.decided_again(tx, 1, "", internal=False)
    yield holds.release(tx, 1, 1)
    yield holds.forget_whole(tx, 2, "marta")
    yield journal.of_message(tx, 1)
    yield tickets.merge(tx, 3, 4)
    yield messages.get(tx, 1)
    yield messages.of_ticket(tx, 1)
    yield queued(tx, 99, 99)
    yield due.to_start(tx, NOW.date())
    yield due.undelivered(tx, NOW.date())
    yield due.broken(tx, NOW)
    yield due.soon(tx, NOW, NOW)
    yield outbox.claim_due(tx, NOW, NOW, 50)
    yield outbox.mark_sent(tx, 1, NOW)
    yield outbox.mark_failed(tx, 2, "450", NOW)
    for place in redactions.places(tx, redactions.kin(tx, 4)):
        yield redactions.words(tx, place), redactions.raws(tx, place), redactions.of(tx, place)


def _clockwork(tx: Connection) -> Iterator[object]:
    """What the jobs of the clock ask."""
    yield entries.low(tx, 60, NOW)
    yield events.is_recorded(tx, "digest", "", "2026-11-03")
    yield events.latest(tx, "digest")
    yield board.opened_since(tx, NOW)
    yield board.due_before(tx, NOW)
    yield board.starting(tx, NOW.date())
    yield board.to_deliver(tx, NOW.date())
    yield board.held(tx)
    yield board.load(tx)
    yield matters.waiting(tx)
    yield quarantine.waiting(tx)
    yield entries.worked(tx, "marta", NOW, NOW)
    yield entries.booked(tx, "marta", NOW, NOW)
    yield messages.answers_without_time(tx, NOW, NOW)
    yield holds.of_technician(tx, "marta")
    yield outbox.failed_since(tx, NOW)
    yield looked(tx, rules(imap=[IMAP]), NOW)
    yield events.open_troubles(tx)
    ends = Limits(NOW, NOW, NOW, NOW, NOW, NOW, NOW)
    yield retention.raws(tx, ends, 0, 10)
    yield retention.with_files(tx, ends, 0, 10)
    yield retention.quarantined(tx, NOW, 10)
    yield retention.closed(tx, NOW, 10)
    yield retention.forget_looks(tx, NOW, 10)
    yield walks.standing(tx, "raw", "")
    yield walks.done_last(tx, retention.WALKS)
    yield redactions.unsettled(tx)


@pytest.mark.parametrize(("questions", "least"), [(_questions, 40), (_clockwork, 15)])
def test_neither_a_message_nor_the_clock_scans_a_big_table(
    store: Store, questions: Callable[[Connection], Iterator[object]], least: int
) -> None:
    asked: list[str] = []
    with store.write() as tx:
        _filled(tx)
    with store.write() as tx:
        tx.db.conn.set_trace_callback(asked.append)
        for _ in questions(tx):
            pass
        tx.db.conn.set_trace_callback(None)
    statements = [sql for sql in asked if sql.lower().startswith(("select", "insert", "update"))]
    assert len(statements) >= least
    # Without foreign keys: the plan of an insert names the tables that would be looked through if a
    # reference were broken at that moment, which is never.
    with closing(sqlite3.connect(store.path)) as plain:
        scans = [f"{plan}: {sql}" for sql in statements for plan in _plan(plain, sql) if _scans_big_table(plan)]
    scans = [scan for scan in scans if not FROM_ONE_END.search(scan)]
    assert scans == []


def _plan(connection: sqlite3.Connection, sql: str) -> list[str]:
    return [row[3] for row in connection.execute(f"explain query plan {sql}")]


def _scans_big_table(plan: str) -> bool:
    """Whether a step of a plan reads a table, or a whole index that is not partial, from end to end."""
    found = re.match(r"SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?", plan)
    return bool(found and (found[1] in BIG or len(found[1]) == 1) and found[2] not in PARTIAL)


def test_envelope_of_any_road_fits_the_schema(store: Store) -> None:
    with store.write() as tx:
        for source in ("smtp", "lmtp", "imap", "inject"):
            taken(tx, source=source)
        with pytest.raises(sqlite3.IntegrityError):
            taken(tx, source="fax")
    assert ENVELOPE.source == "smtp"


def test_a_store_from_before_the_client_area_takes_what_is_written_there(tmp_path: Path) -> None:
    before = connect(tmp_path / "mailgate.db")
    with transaction(before):
        schema.migrations.apply(before.db, stop_before="m0004_client_area")
        before.run("insert into blob (digest, size, data) values ('d', 1, x'41')")
        before.run(
            "insert into journal (taken_at, source, peer, rcpt_to, blob) values ('2026-01-01', 'smtp', '', '[]', 1)"
        )
    with keys.opened(tmp_path, NOW).write() as tx:
        assert journal.take(tx, b"x", Envelope("web"), NOW) == 2
        with pytest.raises(sqlite3.IntegrityError):
            tx.run("update journal set source = 'pigeon'")
        assert tx.rows("pragma foreign_key_check") == []
        assert tx.value("pragma integrity_check") == "ok"


def test_people_who_are_no_clients_are_counted_by_when_they_wrote(store: Store) -> None:
    asked: list[str] = []
    with store.read() as tx:
        tx.db.conn.set_trace_callback(asked.append)
        assert tickets.prospects_since(tx, NOW) == 0
        tx.db.conn.set_trace_callback(None)
        plan = [row["detail"] for row in tx.rows(f"explain query plan {asked[0]}")]
    assert plan == ["SEARCH ticket USING COVERING INDEX ticket_prospects (client=? AND opened_at>?)"]
