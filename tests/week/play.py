"""Play a week, look at the daemon after each hour, and judge at the end."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.faults import checks
from tests.week.desk import BOXES, Rig, rig_in, set_clock
from tests.week.sample import Sample, look
from tests.week.traffic import MAILS, Week

_ZONE = ZoneInfo("Europe/Madrid")
# The daemon looks once a second whether its clock was set, and then does what is due.
_STEP_SECONDS = 1.15
_MB = 1_000_000
# How far memory may be apart in the first hours that count and in the last: mails differ in size.
BAND = 8 * _MB
_LOG = 40 * _MB
# Pools of threads and of connections are filled as it happens, up to their size.
_BY_CHANCE = 3
# One reads what may be dear, one beside while much comes in, one proves the books at night.
_CHILDREN = 3


@dataclass(frozen=True, slots=True)
class Hour:
    """A look after an hour of the clock. messages: taken so far. lag: seconds that the event loop was late at most."""

    day: int
    hour: int
    messages: int
    lag: float
    sample: Sample


@dataclass
class Played:
    """problems: what is not as promised, each a sentence."""

    hours: list[Hour] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


def week(folder: Path, days: int, steps: int, out: Path | None = None, mails_a_day: int = MAILS) -> Played:
    """So many days from a Monday on, each hour of the clock in so many steps."""
    mails = Week(days, folder / "corpus", mails_a_day)
    monday = _monday()
    played = Played()
    with rig_in(folder, mails, monday) as rig:
        _sell(rig, mails)
        for number in range(days * 24):
            begins = monday + timedelta(hours=number)
            _hour(rig, mails, begins, number // 24, steps)
            _settle(rig)
            played.hours.append(_seen(rig, number))
            if out:
                with out.open("a") as file:
                    file.write(json.dumps({"at": f"{begins}", **asdict(played.hours[-1])}) + "\n")
        played.files = {file.name: file.stat().st_size for file in sorted(rig.desk.data.iterdir())}
        played.refused, played.outcomes = rig.refused, _outcomes(rig)
        played.problems = [*_lost(rig), *growth(played.hours)]
    return played


def _monday() -> datetime:
    """The next midnight before a Monday, so that no clock is set back."""
    now = datetime.now(_ZONE)
    day = now + timedelta(days=7 - now.weekday())
    return day.replace(hour=0, minute=0, second=0, microsecond=0)


def _sell(rig: Rig, mails: Week) -> None:
    for number in range(0, len(mails.clients), 20):
        sold = rig.desk.verb("sell", f"c{number:02d}", "10h")
        assert sold.returncode == 0, sold.stderr


def _hour(rig: Rig, mails: Week, begins: datetime, day: int, steps: int) -> None:
    """Its mails, what programs and people ask, and what falls into this hour."""
    _chores(rig, mails, begins.hour, day)
    for step in range(steps):
        set_clock(rig, begins + timedelta(minutes=60 * step / steps))
        end = time.monotonic() + _STEP_SECONDS
        known = rig.known()
        for letter in mails.part(begins.hour, step, steps, known):
            rig.bring(letter)
        for path in ("/health", "/metrics"):
            rig.get(rig.monitor, path)
        _visit(rig, begins.hour, step)
        time.sleep(max(0.0, end - time.monotonic()))


def _chores(rig: Rig, mails: Week, hour: int, day: int) -> None:
    """What an admin, a server and cron do once a day."""
    match hour:
        case 2:
            copy = rig.desk.folder / f"{day}.backup"
            made = rig.desk.verb("backup", str(copy))
            assert made.returncode == 0, made.stderr
            copy.unlink()
        case 3:
            rig.mailboxes.stop()
            rig.mailboxes.start()
        case 9:
            rig.sign_in(mails.clients[day])
        case 10 | 16:
            rig.desk.verb("status")
        case 11:
            rig.change("disk_free", f"# day {day}\ndisk_free")
        case 14:
            rig.change(*_turned(day, 'poll = "60s"', 'poll = "61s"'))
        case 17:
            rig.change(*_turned(day, 'give_up = "5d"', 'give_up = "4d"'))


def _turned(day: int, one: str, other: str) -> tuple[str, str]:
    return (one, other) if day % 2 == 0 else (other, one)


_PAGES = ("/", "/tickets", "/balance", "/reports", "/search?q=correo", "/sign-in", "/static/app.js", "/nowhere")


def _visit(rig: Rig, hour: int, step: int) -> None:
    """A client looks around; once a day they want their report as PDF."""
    if 9 <= hour <= 19:
        rig.get(rig.web, _PAGES[(hour * 6 + step) % len(_PAGES)])
        if hour == 18 and step == 0:
            status, _ = rig.get(rig.web, "/reports/pdf")
            assert status == 200, status


def _settle(rig: Rig) -> None:
    """Until every mailbox is looked through, all is processed and every mail is sent."""
    given, end = rig.given.total(), time.monotonic() + 60
    while checks.value(rig.desk, "select count(*) from journal") < given:
        assert time.monotonic() < end, f"not all was taken:\n{rig.desk.log.read_text()[-2000:]}"
        time.sleep(0.1)
    checks.wait_until_settled(rig.desk)


def _seen(rig: Rig, number: int) -> Hour:
    metrics = rig.get(rig.monitor, "/metrics")[1]
    lag = next(line for line in metrics.splitlines() if line.startswith("mailgate_loop_lag_seconds "))
    sample = look(rig.desk.pid, rig.desk.data, rig.desk.temporary)
    messages = int(checks.value(rig.desk, "select count(*) from journal"))
    return Hour(number // 24, number % 24, messages, float(lag.split()[1]), sample)


def _outcomes(rig: Rig) -> Counter[str]:
    sql = "select outcome, count(*) from journal group by outcome"
    return Counter({str(outcome): count for outcome, count in checks.rows(rig.desk, sql)})


# ---- what must hold ------------------------------------------------------------------------------


def growth(hours: list[Hour]) -> Iterator[str]:
    """What grew from the second morning to the last evening. On the first day what is needed seldom is loaded.

    Not PSS: it grows where another process ends that had the same libraries.
    """
    last = hours[-1].day
    first = [hour.sample for hour in hours if hour.day == min(1, last) and hour.hour < 8]
    evening = [hour.sample for hour in hours if hour.day == last and hour.hour >= 18]
    for what, band in (("rss", BAND), ("threads", _BY_CHANCE)):
        before, after = (_median([getattr(one, what) for one in part]) for part in (first, evening))
        if after - before > band:
            yield f"{what} grew from {before} to {after}"
    handles = [_typical(part) for part in (first, evening)]
    for kind, number in (handles[1] - handles[0]).items():
        if number > _BY_CHANCE and kind != "pipe":  # to a child, which comes and goes
            yield f"{number} more open of {kind}"
    for hour in hours:
        if hour.sample.children > _CHILDREN:
            yield f"day {hour.day + 1}, {hour.hour} h: {hour.sample.children} children"
        if hour.sample.log > _LOG:
            yield f"day {hour.day + 1}, {hour.hour} h: the log has {hour.sample.log / _MB:.0f} MB"
        if hour.sample.left:
            yield f"day {hour.day + 1}, {hour.hour} h: {hour.sample.left} temporary files"


def _median(values: list[int]) -> int:
    return sorted(values)[len(values) // 2]


def _typical(day: list[Sample]) -> Counter[str]:
    kinds = {kind for sample in day for kind in sample.handles}
    return Counter({kind: _median([sample.handles.get(kind, 0) for sample in day]) for kind in kinds})


def _lost(rig: Rig) -> Iterator[str]:
    """Each mail has one outcome, each of ours went out once, the mailboxes are tidy, the books add up."""
    desk = rig.desk
    if (kept := checks.value(desk, "select count(*) from journal")) != rig.given.total():
        yield f"{rig.given.total()} mails were given and {kept} are there"
    for (number,) in checks.rows(desk, "select id from journal where outcome is null or state = 'taken'"):
        yield f"message {number} has no outcome"
    for message_id, times in checks.rows(
        desk, "select message_id, count(*) from message group by message_id, digest having count(*) > 1"
    ):
        yield f"{message_id} is there {times} times"
    for number, error in checks.rows(desk, "select id, last_error from outbox where state <> 'sent' and bounced = ''"):
        yield f"mail {number} was not sent: {error}"
    for (message_id,) in checks.rows(desk, "select message_id from outbox where state = 'sent'"):
        if rig.hop.got[message_id] != 1:
            yield f"{message_id} arrived {rig.hop.got[message_id]} times"
    for reason, detail in checks.rows(desk, "select reason, detail from quarantine where reason = 'failed'"):
        yield f"failed: {reason} {detail[-500:]}"
    yield from _untidy(rig)
    for line in desk.logged():
        if "traceback" in line:
            yield f"the log: {line['text']} {line['traceback'][-500:]}"
    for (line,) in checks.rows(desk, "pragma integrity_check"):
        if line != "ok":
            yield f"store: {line}"
    if (audit := desk.verb("audit")).returncode:
        yield f"audit: {audit.stdout.decode()}"


def _untidy(rig: Rig) -> Iterator[str]:
    for box, after in BOXES.items():
        rig.mailboxes.user = f"{box}@bench.example"
        there = rig.mailboxes.contents()
        left = sum(rb"\Seen" not in flags for flags in there.values()) if after == "seen" else len(there)
        moved = len(rig.mailboxes.contents("Hecho")) if after.startswith("move") else rig.given[box]
        if left or moved != rig.given[box]:
            yield f"mailbox {box}: {left} left, {moved} of {rig.given[box]} put away"
