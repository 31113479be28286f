"""What must be true of the year that `story` tells, with a real store, real mails and a moved clock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.year import paper
from tests.year.life import Life
from tests.year.story import BEGINS, CHAPTERS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    life = Life(tmp_path_factory.mktemp("year"), BEGINS)
    try:
        for chapter in CHAPTERS:
            chapter(life)
        yield life
    finally:
        life.close()


# Every entry of Acme, added up with a pencil: number, day of the work, ticket, minutes, what is left after it.
ACME = """
 1   2 feb 2026   ·       +240   240
 2   2 feb 2026   SOP-1    -12   228
 3   3 feb 2026   SOP-2    -10   218
 4   3 feb 2026   SOP-2    -25   193
 5   4 feb 2026   SOP-2      0   193
 6  10 feb 2026   SOP-3    -20   173
 7  11 feb 2026   SOP-3    -25   148
 8   4 mar 2026   SOP-4    -60    88
 9   5 mar 2026   SOP-4    -38    50
10   6 mar 2026   SOP-4     -5    45
11  14 abr 2026   SOP-5    -20    25
12  20 abr 2026   SOP-5    -40   -15
13  23 abr 2026   ·       +720   705
14  23 abr 2026   SOP-7    -45   660
15  24 abr 2026   SOP-6    -30   630
21  24 jun 2026   SOP-12   -60   570
22  26 jun 2026   SOP-12   +60   630
23  30 jun 2026   SOP-13   -50   580
24   3 jul 2026   SOP-13   +30   610
25  15 jul 2026   SOP-13   -15   595
28  12 ago 2027   ·       -595     0
"""
_PRINTED = re.compile(r"^(\d+) +(\d+ \w+ \d{4}) +(·|SOP-\d+) +(\S.*?) {2,}saldo (.+)$", re.MULTILINE)


def minutes(printed: str) -> int:
    """ "-1 h 32 min" as -92."""
    hours, rest = re.fullmatch(r"[+-]?(?:(\d+) h ?)?(?:(\d+) min)?", printed).groups(default="0")
    return (-1 if printed.startswith("-") else 1) * (60 * int(hours) + int(rest))


def test_every_mail_is_as_it_was_read_and_approved(year: Life):
    changed = paper.differences(year.mails())
    assert not changed, "\n\n".join(changed)


def test_the_ledger_that_report_prints_adds_up_to_the_minute(year: Life):
    report = year.admin("report", "acme", "2026-01-01..2027-12-31")
    printed = [
        (number, day, ticket, minutes(booked), minutes(left))
        for number, day, ticket, booked, left in _PRINTED.findall(report)
    ]
    by_hand = [re.split(r" {2,}", line.strip()) for line in ACME.strip().splitlines()]
    assert printed == [(number, day, tag, int(booked), int(left)) for number, day, tag, booked, left in by_hand]
    assert sum(booked for *_, booked, _ in printed) == printed[-1][-1] == 0
    assert report.count("Saldo al principio: 0 min") == report.count("Saldo al final: 0 min") == 2


def test_the_books_are_proven(year: Life):
    assert year.problems() == []
    assert year.everything()["quarantine"] == []


def test_no_month_is_stated_twice(year: Life):
    stated = [(mail.to, mail.mail["Subject"]) for mail in year.mails() if mail.template == "statement"]
    assert len(stated) == len(set(stated)) == 12


def test_the_work_of_every_day_done_again_changes_nothing(year: Life):
    before = year.everything()
    for day in range((year.now - year.begun).days + 1):
        year.daily(year.begun + timedelta(days=day))
    assert year.everything() == before
