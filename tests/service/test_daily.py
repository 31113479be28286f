"""What happens by the clock: once, at its time, whatever stops the process and however long it was off."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailgate.core.model import Kind, Matter, MatterKind, MatterState, Role
from mailgate.errors import StoreUnavailable
from mailgate.render import Renderer
from mailgate.service.audit import audited, audited_apart, audited_here
from mailgate.service.daily import Daily, Done, run_daily, settle
from mailgate.service.office import Office
from mailgate.store import Connection, entries, events, matters, tickets
from mailgate.store.writer import Writer
from tests.running import read, text_of
from tests.store import makes
from tests.stored import StoredDesk, stored_desk
from tests.support import NOW, ticket

pytestmark = pytest.mark.slow

DAY = timedelta(days=1)
# Bought on NOW, a 3 November: the last day is the same of the next year.
LAST = datetime(2027, 11, 3, 9, 0, tzinfo=UTC)


@pytest.fixture
def writer(desk: StoredDesk) -> Iterator[Writer]:
    running = Writer(desk.store)
    yield running
    running.close()


def told(desk: StoredDesk) -> list[tuple[str, str]]:
    return [(mail.template, mail.to) for mail in desk.mails()]


def balance(desk: StoredDesk, client: str = "acme") -> int:
    with desk.store.read() as tx:
        return entries.balance(tx, client)


def happened(desk: StoredDesk, kind: events.Kind, client: str = "acme") -> frozenset[str]:
    with desk.store.read() as tx:
        return events.happened(tx, kind, client)


def proven(desk: StoredDesk) -> bool:
    with desk.store.read() as tx:
        assert audited(tx).problems == []
    return True


def debit(desk: StoredDesk, minutes: int, at: datetime, number: int = 12) -> int:
    """Work on a ticket of acme, booked by a message as the audit wants it."""
    with desk.store.write() as tx:
        if tickets.get(tx, number) is None:
            tickets.open_ticket(tx, ticket(number))
        count = tx.value("select count(*) from message") + 1
        message = makes.message(tx, count, number, at=at, role=Role.TECHNICIAN)
    work: dict[str, Any] = {"worked": minutes, "ticket": number, "technician": "marta", "message": message, "line": 0}
    return desk.book(-minutes, Kind.DEBIT, at, **work)


# ---- warnings ------------------------------------------------------------------------------------


def test_client_is_warned_thirty_and_seven_days_before_and_once_each(desk: StoredDesk, writer: Writer) -> None:
    desk.book(240)
    days: list[tuple[int, str]] = []
    for before in range(40, -1, -1):
        seen = len(desk.mails())
        run_daily(desk.store, writer, desk.office, LAST - before * DAY)
        days += [(before, mail.template) for mail in desk.mails()[seen:] if mail.template != "statement"]
    assert days == [(30, "expiry_warning"), (7, "expiry_warning")]
    assert proven(desk)


def test_warning_names_day_and_minutes_in_the_client_s_language(desk: StoredDesk, writer: Writer) -> None:
    desk.book(240, client="beta")
    run_daily(desk.store, writer, desk.office, LAST - 7 * DAY)
    warning = read(desk.raws()[[mail.template for mail in desk.mails()].index("expiry_warning")])
    assert warning["To"] == "hello@beta.example"
    assert "3 November 2027" in text_of(warning)
    assert "4 h" in text_of(warning)


def test_of_warnings_that_were_missed_only_the_nearest_is_sent(desk: StoredDesk, writer: Writer) -> None:
    desk.book(240)
    done = run_daily(desk.store, writer, desk.office, LAST - 3 * DAY)
    assert done.happened["expiry_warning"] == 1
    assert [template for template, _ in told(desk)].count("expiry_warning") == 1
    assert happened(desk, "expiry_warning") == {"2027-11-03/30d", "2027-11-03/7d"}
    assert run_daily(desk.store, writer, desk.office, LAST - 2 * DAY).happened.total() == 0


def test_use_of_the_account_makes_a_new_day_with_warnings_of_its_own(desk: StoredDesk, writer: Writer) -> None:
    desk.book(240)
    run_daily(desk.store, writer, desk.office, LAST - 30 * DAY)
    debit(desk, 12, LAST - 29 * DAY)
    done = run_daily(desk.store, writer, desk.office, LAST - 7 * DAY)
    assert done.happened["expiry_warning"] == 0
    done = run_daily(desk.store, writer, desk.office, LAST - 29 * DAY + 336 * DAY)
    assert done.happened["expiry_warning"] == 1


# ---- expiry --------------------------------------------------------------------------------------


def test_what_is_left_expires_on_the_day_after_the_last_one(desk: StoredDesk, writer: Writer) -> None:
    desk.book(240)
    run_daily(desk.store, writer, desk.office, LAST)
    assert balance(desk) == 240
    run_daily(desk.store, writer, desk.office, LAST + DAY)
    assert balance(desk) == 0
    with desk.store.read() as tx:
        last = entries.of_client(tx, "acme")[-1]
    assert (last.kind, last.minutes, last.day) == (Kind.EXPIRY, -240, date(2027, 11, 4))
    assert [(mail, to) for mail, to in told(desk) if mail == "expired"] == [
        ("expired", "ana@acme.example"),
        ("expired", "elena@example.es"),
    ]
    assert proven(desk)


def test_day_ends_in_the_desk_s_time_zone(desk: StoredDesk, writer: Writer) -> None:
    desk.book(240)
    midnight = datetime(2027, 11, 3, 23, 0, tzinfo=UTC)
    assert run_daily(desk.store, writer, desk.office, midnight - timedelta(minutes=1)).happened["expiry"] == 0
    assert run_daily(desk.store, writer, desk.office, midnight).happened["expiry"] == 1


def test_open_dispute_keeps_expiry_waiting_until_it_is_ruled_on(desk: StoredDesk, writer: Writer) -> None:
    desk.book(240)
    entry = debit(desk, 12, NOW)
    with desk.store.write() as tx:
        asked = Matter(0, MatterKind.DISPUTE, "acme", NOW, ticket=12, entry=entry, reason="no")
        number = matters.open_matter(tx, asked)
    assert run_daily(desk.store, writer, desk.office, LAST + 9 * DAY).happened["expiry"] == 0
    with desk.store.write() as tx:
        matters.decide(tx, number, MatterState.REFUSED, LAST, None)
    assert run_daily(desk.store, writer, desk.office, LAST + 10 * DAY).happened["expiry"] == 1
    assert balance(desk) == 0
    assert proven(desk)


def test_account_without_minutes_has_nothing_to_expire(desk: StoredDesk, writer: Writer) -> None:
    desk.book(12)
    debit(desk, 30, NOW)
    run_daily(desk.store, writer, desk.office, LAST + 10 * DAY)
    assert balance(desk) == -18
    assert {template for template, _ in told(desk)} == {"statement"}


def test_client_whom_the_rules_no_longer_have_expires_too_and_the_director_is_told(
    desk: StoredDesk, writer: Writer
) -> None:
    desk.book(240, client="gone")
    run_daily(desk.store, writer, desk.office, LAST + DAY)
    assert balance(desk, "gone") == 0
    assert {to for _, to in told(desk)} == {"elena@example.es"}


# ---- statements ----------------------------------------------------------------------------------


def test_month_with_movement_is_stated_once_when_it_is_over(desk: StoredDesk, writer: Writer) -> None:
    desk.book(240)
    assert run_daily(desk.store, writer, desk.office, datetime(2026, 11, 30, 22, 59, tzinfo=UTC)).happened.total() == 0
    for day in range(40):
        run_daily(desk.store, writer, desk.office, datetime(2026, 11, 30, 23, 0, tzinfo=UTC) + day * DAY)
    assert told(desk) == [("statement", "ana@acme.example")]
    assert happened(desk, "statement") == {"2026-11"}


def test_desk_that_was_off_states_each_month_that_it_missed(desk: StoredDesk, writer: Writer) -> None:
    desk.book(240)
    debit(desk, 12, NOW + 31 * DAY)
    debit(desk, 13, NOW + 92 * DAY)
    run_daily(desk.store, writer, desk.office, NOW + 150 * DAY)
    run_daily(desk.store, writer, desk.office, NOW + 150 * DAY)
    assert happened(desk, "statement") == {"2026-11", "2026-12", "2027-02"}
    assert told(desk) == [("statement", "ana@acme.example")] * 3
    december = text_of(read(desk.raws()[1]))
    assert "-12" in december or "12 min" in december
    assert "13 min" not in december


# ---- once, whatever happens ----------------------------------------------------------------------


def test_process_killed_before_the_commit_leaves_nothing_and_the_next_does_it(desk: StoredDesk, writer: Writer) -> None:
    desk.book(240)
    with pytest.raises(KeyboardInterrupt), desk.store.write() as tx:
        assert settle(tx, desk.office, "acme", LAST + DAY)["expiry"] == 1
        raise KeyboardInterrupt
    assert told(desk) == []
    assert balance(desk) == 240
    run_daily(desk.store, writer, desk.office, LAST + DAY)
    run_daily(desk.store, writer, desk.office, LAST + DAY)
    assert balance(desk) == 0
    assert Counter(template for template, _ in told(desk))["expired"] == 2
    assert proven(desk)


def test_failure_with_one_client_is_logged_and_does_not_stop_the_others(
    desk: StoredDesk, writer: Writer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    site = tmp_path / "templates" / "es"
    site.mkdir(parents=True)
    (site / "statement.txt").write_text("Subject: x\n\n{{ 1 // 0 if 'Acme' in client_name }}\n", encoding="utf-8")
    broken = Office(desk.office.desk, Renderer(site.parent))
    desk.book(240, client="acme")
    desk.book(240, client="beta")
    done = run_daily(desk.store, writer, broken, NOW + 60 * DAY)
    assert done.failed == ["acme"]
    assert "acme" in str(done)
    assert told(desk) == [("statement", "hello@beta.example")]
    assert happened(desk, "statement") == frozenset()
    assert "the day's work for acme failed" in caplog.text
    assert run_daily(desk.store, writer, desk.office, NOW + 60 * DAY).happened["statement"] == 1


def test_run_that_is_to_stop_ends_before_the_next_client(desk: StoredDesk, writer: Writer) -> None:
    desk.book(240, client="acme")
    desk.book(240, client="beta")
    answers = iter([True, True, False])  # before the proof, and before each client
    run_daily(desk.store, writer, desk.office, NOW + 60 * DAY, lambda: next(answers))
    assert told(desk) == [("statement", "ana@acme.example")]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 200), st.sampled_from(["run", "run", "crash", "buy", "work"])), min_size=1, max_size=25
    )
)
def test_random_days_and_restarts_never_repeat_an_event(steps: list[tuple[int, str]]) -> None:
    with TemporaryDirectory() as folder, stored_desk(Path(folder)) as desk:
        now = NOW
        desk.book(240)
        for days, what in steps:
            now += days * DAY
            if what == "buy":
                desk.book(240, at=now)
            elif what == "work":
                debit(desk, 7, now)
            elif what == "crash":
                _crash(desk, now)
            else:
                _run(desk, now)
        _run(desk, now)
        _told_each_once(desk)
        seen = len(desk.mails())
        _run(desk, now)
        assert len(desk.mails()) == seen
        assert proven(desk)


def _run(desk: StoredDesk, now: datetime) -> Done:
    """A run by a process of its own."""
    writer = Writer(desk.store)
    try:
        return run_daily(desk.store, writer, desk.office, now)
    finally:
        writer.close()


def _crash(desk: StoredDesk, now: datetime) -> None:
    with pytest.raises(KeyboardInterrupt), desk.store.write() as tx:
        settle(tx, desk.office, "acme", now)
        raise KeyboardInterrupt


def _told_each_once(desk: StoredDesk) -> None:
    mails = Counter(template for template, _ in told(desk))
    assert mails["expired"] == 2 * len(happened(desk, "expiry"))
    assert mails["statement"] <= len(happened(desk, "statement"))
    assert mails["expiry_warning"] <= len(happened(desk, "expiry_warning"))
    with desk.store.read() as tx:
        expired = [entry for entry in entries.of_client(tx, "acme") if entry.kind is Kind.EXPIRY]
    assert len(expired) == len(happened(desk, "expiry"))


# ---- books that do not add up --------------------------------------------------------------------


def _spoil(tx: Connection) -> None:
    tx.run("update ticket set closed_at = '2026-11-03T10:00:00.000000Z' where id = 12")


def _mend(tx: Connection) -> None:
    tx.run("update ticket set closed_at = null where id = 12")


@pytest.fixture
def spoilt(desk: StoredDesk) -> StoredDesk:
    desk.book(240)
    debit(desk, 12, NOW)
    with desk.store.write() as tx:
        _spoil(tx)
    return desk


def test_books_that_do_not_add_up_halt_the_desk_and_the_admin_is_told_once(
    spoilt: StoredDesk, writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    for night in range(3):
        done = run_daily(spoilt.store, writer, spoilt.office, LAST + (1 + night) * DAY)
        assert len(done.problems) == 1
    assert told(spoilt) == [("books_halted", "admin@example.es")]
    assert "ticket 12" in text_of(read(spoilt.raws()[0]))
    assert [record.levelname for record in caplog.records if "ticket 12" in record.message] == ["ERROR"]
    with spoilt.store.read() as tx:
        assert events.halted_since(tx) == LAST + DAY
    assert balance(spoilt) == 228, "what is due waits while nothing may be booked"


def test_good_proof_ends_the_halt_and_the_work_is_caught_up_with(
    spoilt: StoredDesk, writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    run_daily(spoilt.store, writer, spoilt.office, LAST + DAY)
    with spoilt.store.write() as tx:
        _mend(tx)
    done = run_daily(spoilt.store, writer, spoilt.office, LAST + 2 * DAY)
    assert done.happened["expiry"] == 1
    assert "minutes are booked again" in caplog.text
    with spoilt.store.read() as tx:
        assert events.halted_since(tx) is None
    assert proven(spoilt)


def test_new_trouble_after_a_good_proof_is_told_again(spoilt: StoredDesk, writer: Writer) -> None:
    for night, change in enumerate((_spoil, _mend, _spoil), 1):
        with spoilt.store.write() as tx:
            change(tx)
        run_daily(spoilt.store, writer, spoilt.office, NOW + night * DAY)
    assert [template for template, _ in told(spoilt)] == ["books_halted", "books_halted"]


# ---- the daemon's day ----------------------------------------------------------------------------


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def daily(desk: StoredDesk, writer: Writer, clock: Clock) -> Daily:
    return Daily(desk.store, writer, lambda: desk.office, lambda: None, clock)


@pytest.fixture(autouse=True)
def _no_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin with the proof at once."""
    monkeypatch.setattr("mailgate.service.daily._MOMENT_SECONDS", 0.0)


def _days(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message.partition(":")[0] for record in caplog.records if record.name == "mailgate.daily"]


def test_work_is_done_at_the_start_and_when_the_local_day_changes(
    daily: Daily, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for hours in range(48):
        clock.now = NOW + timedelta(hours=hours)
        daily.tick()
    assert _days(caplog) == ["2026-11-03", "2026-11-04", "2026-11-05"]


def test_clock_that_jumps_ahead_and_back_repeats_nothing(
    desk: StoredDesk, daily: Daily, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    desk.book(240)
    for jump in (0, 40, 0, 40):
        clock.now = NOW + jump * DAY
        daily.tick()
    assert len(_days(caplog)) == 2, "the work of a day is done once"
    assert told(desk) == [("statement", "ana@acme.example")]


def test_store_that_cannot_be_used_is_tried_again_by_the_next_tick(
    desk: StoredDesk, daily: Daily, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    desk.book(240)
    clock.now = NOW + 40 * DAY
    with closing(sqlite3.connect(desk.store.path, isolation_level=None)) as other:
        other.execute("begin immediate")
        daily.tick()
        other.execute("rollback")
    assert "the day's work waits" in caplog.text
    assert told(desk) == []
    daily.tick()
    assert told(desk) == [("statement", "ana@acme.example")]


def test_daily_that_was_stopped_does_nothing(desk: StoredDesk, daily: Daily, clock: Clock) -> None:
    desk.book(240)
    clock.now = NOW + 40 * DAY
    daily.stop()
    daily.tick()
    assert told(desk) == []


def test_who_waits_for_the_work_of_the_day_goes_on_once_it_is_done(
    desk: StoredDesk, daily: Daily, clock: Clock
) -> None:
    for days in (0, 40):
        clock.now = NOW + days * DAY
        daily.wait(0.01)  # no longer than that
        waiting = threading.Thread(target=daily.wait, args=(60,))
        waiting.start()
        daily.tick()
        waiting.join(20)
        assert not waiting.is_alive()
        with desk.store.read() as tx:
            assert events.latest(tx, "day") == clock.now
    daily.stop()
    clock.now += DAY
    daily.wait(60)


def test_proof_of_the_books_makes_way_for_much_mail_and_is_made_up_for(
    desk: StoredDesk, writer: Writer, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    busy = [True]
    daily = Daily(desk.store, writer, lambda: desk.office, lambda: None, clock, lambda: busy[0])
    desk.book(240)
    clock.now = NOW + 40 * DAY
    caplog.set_level(logging.INFO)
    daily.tick()
    assert "makes way" in caplog.text
    assert told(desk) == []
    daily.wait(60)  # who waits for the work goes on, too
    busy[0] = False
    daily.tick()
    assert told(desk) == [("statement", "ana@acme.example")]


def test_proof_of_the_books_begins_a_moment_after_the_start_when_it_shows_whether_much_mail_waits(
    desk: StoredDesk, writer: Writer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailgate.service.daily._MOMENT_SECONDS", 0.5)
    began, asked = time.monotonic(), []

    def busy() -> bool:
        asked.append(time.monotonic() - began)
        return True

    daily = Daily(desk.store, writer, lambda: desk.office, lambda: None, clock, busy)
    daily.tick()
    assert asked[0] >= 0.5
    later = len(asked)
    began = time.monotonic()
    daily.tick()
    assert asked[later] < 0.4, "only at the start"


def test_start_that_ends_at_once_waits_for_no_moment(
    desk: StoredDesk, writer: Writer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailgate.service.daily._MOMENT_SECONDS", 60.0)
    daily = Daily(desk.store, writer, lambda: desk.office, lambda: None, clock)
    working = threading.Thread(target=daily.tick)
    working.start()
    daily.stop()
    working.join(20)
    assert not working.is_alive()
    assert day_done_at(desk) == NOW


def test_proof_of_the_books_does_not_make_way_for_ever(
    desk: StoredDesk, writer: Writer, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailgate.service.daily._MOST_TIMES", 2)
    daily = Daily(desk.store, writer, lambda: desk.office, lambda: None, clock, lambda: True)
    desk.book(240)
    for day in (40, 80):  # each day anew
        clock.now = NOW + day * DAY
        for _ in range(2):
            daily.tick()
            assert day_done_at(desk) < clock.now
        daily.tick()
        assert day_done_at(desk) == clock.now


def day_done_at(desk: StoredDesk) -> datetime:
    """When the work of a day was last done."""
    with desk.store.read() as tx:
        return events.latest(tx, "day") or NOW


def test_work_in_vain_names_what_was_done() -> None:
    assert str(Done()) == "0 warnings of expiry, 0 expiries, 0 statements"
    assert str(Done(problems=["x"])) == "the day's work waits: 1 problem in the books"


def test_daemon_that_starts_again_on_the_same_day_does_not_prove_the_books_again(
    desk: StoredDesk, writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    desk.book(240)
    for _ in range(2):
        Daily(desk.store, writer, lambda: desk.office, lambda: None, lambda: NOW).tick()
    assert len(_days(caplog)) == 1


def test_books_proven_apart_are_the_same_as_here(desk: StoredDesk) -> None:
    desk.book(240)
    assert audited_apart(desk.store, lambda: True) == audited_here(desk.store, lambda: True)
    assert audited_apart(desk.store, lambda: False) is None


def test_a_store_that_cannot_be_proven_apart_says_so(desk: StoredDesk) -> None:
    desk.store.path.unlink()
    desk.store.path.mkdir()
    with pytest.raises(StoreUnavailable):
        audited_apart(desk.store, lambda: True)


def test_months_of_more_than_a_year_ago_are_not_stated_any_more(desk: StoredDesk, writer: Writer) -> None:
    desk.book(240)
    desk.book(240, at=NOW + 100 * DAY)
    run_daily(desk.store, writer, desk.office, NOW + 420 * DAY)
    assert [template for template, _ in told(desk)].count("statement") == 1
