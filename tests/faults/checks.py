"""The invariants, read from outside: from the SQLite file, the outbox folder, and `mailgate audit`."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from email import message_from_bytes
from email.policy import compat32
from typing import Any

from tests.faults.driver import Desk
from tests.faults.senders import Letter, Oracle
from tests.support import BY_THE_HOUR


def rows(desk: Desk, sql: str, *params: object) -> list[tuple[Any, ...]]:
    """Ask the store beside the daemon, without the right to write."""
    with closing(sqlite3.connect(f"file:{desk.store}?mode=ro", uri=True, timeout=10)) as connection:
        return connection.execute(sql, params).fetchall()


def value(desk: Desk, sql: str, *params: object) -> Any:
    return rows(desk, sql, *params)[0][0]


def wait_until_settled(desk: Desk, seconds: float = 120.0) -> None:
    """Until everything that was taken is processed and every mail is sent."""
    waiting = (
        "select (select count(*) from journal where state = 'taken')"
        " + (select count(*) from outbox where state = 'queued')"
    )
    end = time.monotonic() + seconds
    while left := value(desk, waiting):
        assert desk.running(), f"the daemon ended:\n{desk.log.read_text()[-3000:]}"
        assert time.monotonic() < end, f"{left} messages and mails still wait after {seconds} s"
        time.sleep(0.05)


def hurry(desk: Desk) -> None:
    """Mails that found no room or no file handle are tried again after a minute; the test does not wait for it.

    Again and again: that a try failed is noted only once the store can be written, which may be after a look.
    """
    queued = "select count(*) from outbox where state = 'queued'"
    waits = "select count(*) from outbox where state = 'queued' and tries > 0 and leased_until is null"
    end = time.monotonic() + 60
    while value(desk, "select count(*) from journal where state = 'taken'") or value(desk, queued):
        assert time.monotonic() < end, "what was taken is not done"
        if value(desk, waits):
            with closing(sqlite3.connect(desk.store, timeout=10)) as connection, connection:
                connection.execute("update outbox set next_try_at = created_at where state = 'queued'")
        time.sleep(0.2)


def problems(desk: Desk, letters: list[Letter], oracle: Oracle) -> list[str]:
    """Everything that is not as promised, once the desk is settled; each a sentence."""
    return [
        *_taken_once(desk, letters, oracle),
        *_effects_once(desk, letters),
        *_books(desk, letters),
        *_mails_once(desk, letters),
        *_store_whole(desk),
    ]


def stored(desk: Desk) -> Counter[str]:
    """How often each Message-ID stands in the tickets."""
    return Counter(row[0] for row in rows(desk, "select message_id from message"))


def _taken_once(desk: Desk, letters: list[Letter], oracle: Oracle) -> Iterator[str]:
    kept = stored(desk)
    for letter in letters:
        told, times = oracle.told[letter.message_id], kept[letter.message_id]
        if "ok" in told and times != 1:
            yield f"{letter.message_id}: got 250 and is there {times} times"
        if "ok" not in told and times > ("unknown" in told):
            yield f"{letter.message_id}: was refused and is there {times} times"
    unknown = set(kept) - {letter.message_id for letter in letters}
    yield from (f"{message_id}: nobody sent it" for message_id in unknown)
    for number, reason, detail in rows(desk, "select id, reason, detail from quarantine"):
        yield f"quarantine {number}: {reason} {detail[-300:]}"


def _effects_once(desk: Desk, letters: list[Letter]) -> Iterator[str]:
    """One ticket for a request, one entry for a line of work."""
    opened = dict(rows(desk, "select m.message_id, count(*) from message m where m.outcome = 'open' group by 1"))
    booked = {
        message_id: (times, minutes)
        for message_id, times, minutes in rows(
            desk,
            "select m.message_id, count(*), -sum(e.minutes) from entry e join message m on m.id = e.message group by 1",
        )
    }
    kept = stored(desk)
    for letter in letters:
        if not kept[letter.message_id]:
            continue
        if opened.get(letter.message_id, 0) != letter.opens:
            yield f"{letter.message_id}: opened {opened.get(letter.message_id, 0)} tickets"
        wanted = (1, letter.minutes) if letter.minutes else (0, 0)
        if (found := booked.get(letter.message_id, (0, 0))) != wanted:
            yield f"{letter.message_id}: entries and minutes are {found}, not {wanted}"
    tickets = value(desk, "select count(*) from ticket")
    if tickets != sum(opened.values()):
        yield f"{tickets} tickets from {sum(opened.values())} requests"


def _books(desk: Desk, letters: list[Letter]) -> Iterator[str]:
    """The balances are the sums of what was sent."""
    kept = stored(desk)
    wanted: Counter[str] = Counter()
    for letter in letters:
        if kept[letter.message_id]:
            wanted[letter.client] -= letter.minutes
    for client, minutes in rows(desk, "select client, sum(minutes) from entry group by client"):
        if wanted.pop(client, 0) != minutes:
            yield f"{client}: the balance is {minutes}"
    yield from (f"{client}: no entries, {minutes} wanted" for client, minutes in wanted.items() if minutes)


def _mails_once(desk: Desk, letters: list[Letter]) -> Iterator[str]:
    """One acknowledgement for a ticket, one answer for a technician's mail, one notice for a client's.

    Beside them goes out what the hour brings, whenever the test is run.
    """
    for ticket, acks in rows(
        desk,
        "select t.id, count(o.id) from ticket t left join outbox o on o.ticket = t.id and o.template = 'ack'"
        " group by t.id having count(o.id) <> 1",
    ):
        yield f"ticket {ticket}: {acks} acknowledgements"
    kept = stored(desk)
    here = [letter for letter in letters if kept[letter.message_id]]
    templates = (row[0] for row in rows(desk, "select template from outbox"))
    queued: Counter[str] = Counter(template for template in templates if template not in BY_THE_HOUR)
    wanted = Counter(
        ack=sum(letter.opens for letter in here),
        notice=sum(not letter.minutes for letter in here),
        answer=sum(letter.minutes > 0 for letter in here),
    )
    if queued != +wanted:
        yield f"mails in the outbox: {dict(queued)}, not {dict(wanted)}"


def files_problems(desk: Desk) -> Iterator[str]:
    """Into files each mail goes once, never twice and never half."""
    found: Counter[str] = Counter()
    for file in (desk.data / "outbox").iterdir():
        if file.suffix != ".eml":
            yield f"{file.name}: left behind"
            continue
        headers = message_from_bytes(file.read_bytes(), policy=compat32)
        found[str(headers["Message-ID"]).strip("<>")] += 1
    sent = Counter(row[0] for row in rows(desk, "select message_id from outbox where state = 'sent'"))
    for message_id in found | sent:
        if found[message_id] != 1 or sent[message_id] != 1:
            yield f"{message_id}: {found[message_id]} files of {sent[message_id]} mails"


def _store_whole(desk: Desk) -> Iterator[str]:
    for (line,) in rows(desk, "pragma integrity_check"):
        if line != "ok":
            yield f"store: {line}"
    audit = desk.verb("audit")
    if audit.returncode != 0:
        yield f"audit: {audit.stdout.decode()} {audit.stderr.decode()}"
