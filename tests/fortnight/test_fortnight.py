"""Two weeks of a desk with three technicians and thirty clients, in minutes: its mails against what must be true."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest

from tests.fortnight.desk import MovedDesk, Sent, day_of
from tests.fortnight.hours import CLOSED, MADRID, is_open, later
from tests.fortnight.people import FIRST_ANSWER, Fortnight
from tests.fortnight.rules import CLIENTS, STAFF

pytestmark = pytest.mark.slow

BEGINS = datetime(2026, 10, 19, 0, 0, tzinfo=MADRID)
ENDS = datetime(2026, 11, 2, 0, 0, tzinfo=MADRID)
OPEN_DAYS = [
    day
    for day in (date(2026, 10, 19) + timedelta(days=number) for number in range(14))
    if day.weekday() < 5 and day not in CLOSED
]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fortnight]:
    desk = MovedDesk(tmp_path_factory.mktemp("fortnight"), BEGINS)
    try:
        fortnight = Fortnight(desk, seed=1)
        fortnight.buy()
        fortnight.live(ENDS)
        yield fortnight
    finally:
        desk.close()


def _of(lived: Fortnight, *templates: str) -> list[Sent]:
    return [mail for mail in lived.desk.mails() if mail.template in templates]


def _tags(mail: Sent) -> set[int]:
    return {int(number) for number in re.findall(r"SOP-(\d+)", mail.text)}


def test_books_are_proven(lived: Fortnight) -> None:
    assert lived.desk.problems() == []


def test_every_minute_that_was_written_is_booked_once(lived: Fortnight) -> None:
    assert lived.log.booked.total() > 500
    for client in CLIENTS:
        assert lived.desk.balance(client) == 960 - lived.log.booked[client], client


def test_each_answer_reached_its_client_once_and_what_was_held_only_on_its_writers_word(lived: Fortnight) -> None:
    assert lived.log.held, "nobody crossed anybody: the lot was too kind"
    assert len([mail for mail in _of(lived, "answer") if mail.to in CLIENTS]) == lived.log.answers
    assert len(_of(lived, "held")) == len(lived.log.held)


def test_each_request_is_acknowledged_once(lived: Fortnight) -> None:
    assert Counter(mail.ticket for mail in _of(lived, "ack")) == Counter(lived.log.requests.keys())


def test_a_promise_that_broke_is_told_once_to_each_whom_it_concerns_and_no_other_is(lived: Fortnight) -> None:
    """Of the tickets in which people only wrote and answered, reckoned by a clock of the test's own."""
    told = {
        person: Counter(tag for mail in _of(lived, "promise_broken") if mail.to == person for tag in _tags(mail))
        for person in STAFF
    }
    for ticket in _plain(lived):
        late = _broken(lived, ticket)
        assert told["elena"][ticket] == late, ticket
        assert sum(count[ticket] for count in told.values()) in (late, 2 * late), ticket


def test_alerts_come_in_desk_hours_only(lived: Fortnight) -> None:
    alerts = _of(lived, "promise_soon", "promise_broken", "start_today", "overdue", "digest")
    assert alerts
    assert [mail.at for mail in alerts if not is_open(mail.at)] == []


def test_director_gets_one_digest_each_working_day(lived: Fortnight) -> None:
    digests = _of(lived, "digest")
    assert [day_of(mail.at) for mail in digests] == OPEN_DAYS
    assert {mail.to for mail in digests} == {"elena"}
    assert {mail.at.astimezone(MADRID).hour for mail in digests} == {10}


def test_each_technician_gets_one_evening_mail_on_each_day_with_something_in_it(lived: Fortnight) -> None:
    busy = {key for key, work in lived.log.worked.items() if work} | set(lived.log.untimed)
    # What was booked by answering the evening's mail is no work of the day on which it is read.
    got = [(mail.to, day_of(mail.at)) for mail in _of(lived, "evening")]
    assert len(got) == len(set(got))
    assert set(got) == busy


def test_planned_work_is_told_begins_on_its_day_and_is_told_when_late(lived: Fortnight) -> None:
    assert lived.log.planned
    assert lived.log.postponed
    assert len(_of(lived, "planned")) == len(lived.log.planned) + len(lived.log.postponed)
    started = Counter(tag for mail in _of(lived, "start_today") for tag in _tags(mail))
    assert set(started) <= set(lived.log.planned)
    assert set(started.values()) <= {1, 2}, "again only where it was planned anew"


def test_no_mail_is_written_twice(lived: Fortnight) -> None:
    twice = Counter(
        (mail.template, mail.to, mail.ticket, mail.mail["Subject"], mail.text) for mail in lived.desk.mails()
    )
    assert [key[:3] for key, count in twice.items() if count > 1] == []


def test_figures(lived: Fortnight, capsys: pytest.CaptureFixture[str]) -> None:
    log = lived.log
    promises = sum(len(log.heard[ticket]) for ticket in _plain(lived))
    late = sum(_broken(lived, ticket) for ticket in _plain(lived))
    figures = {
        "requests": len(log.requests),
        "mails in": lived.desk.letters,
        "mails out": len(lived.desk.mails()),
        "messages that were owed an answer": promises,
        "promises kept": promises - late,
        "late": late,
        "reassigned": len(log.assigned),
        "planned": len(log.planned),
        "postponed": len(log.postponed),
        "held": len(log.held),
        "merged": len(log.merged),
        "thank-yous": len(log.thanked),
    }
    with capsys.disabled():
        print("\nA fortnight:", ", ".join(f"{name} {count}" for name, count in figures.items()))
    assert all(figures.values())


def test_daemon_that_was_off_for_a_week_tells_each_thing_once_and_nothing_that_is_news_to_nobody(
    lived: Fortnight,
) -> None:
    """The last test: it lets the time of all the others go on."""
    desk, before = lived.desk, len(lived.desk.mails())
    desk.now = datetime(2026, 11, 9, 10, 0, tzinfo=MADRID)
    assert desk.tick()
    assert not desk.tick()
    told = Counter((mail.template, mail.to, mail.ticket) for mail in desk.mails()[before:])
    assert told["digest", "elena", None] == 1, "of today, not one for each day"
    assert max(told.values()) == 1, told
    assert not [mail for mail in desk.mails()[before:] if mail.template in ("evening", "promise_soon")]


def _plain(lived: Fortnight) -> list[int]:
    """The tickets in which nothing happened but questions and answers."""
    log = lived.log
    special = {*log.planned, *(one for pair in log.merged for one in pair), *log.waited, *log.guests}
    return [ticket for ticket in log.requests if ticket not in special]


def _broken(lived: Fortnight, ticket: int) -> int:
    """How many promises broke: for each message that nobody had asked before, was an answer there in time?"""
    asked = [(at, "") for at in lived.log.heard[ticket]]
    broken, owed = 0, None
    for at, technician in sorted([*asked, *lived.log.answered[ticket]]):
        if not technician:
            owed = owed or at
        elif owed:
            broken += at >= later(owed, FIRST_ANSWER)
            owed = None
    return broken + bool(owed and later(owed, FIRST_ANSWER) < ENDS)
