"""Remove what is kept no longer ([retention] of the rules): once a day all that is due, in portions.

What is removed is told in the log; `status` says when the last day's walk was done.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from mailgate.core.mail import file_name
from mailgate.core.message import strip
from mailgate.core.retention import Limits, limits
from mailgate.service.office import Office
from mailgate.store import Connection, blobs, messages, retention, search, walks

log = logging.getLogger("mailgate.retention")

# In one transaction, so that mail is hardly held up: a few hundred rows, a few big mails.
_MOST = 200
_MOST_BYTES = 20_000_000
_MOST_TICKETS = 20
OUTBOX = "outbox"


def run(tx: Connection, office: Office, now: datetime) -> int:
    """Remove a portion of each kind; how many things went."""
    ends = limits(office.desk.rules.retention, office.desk.rules.zone, now)
    removed = {
        "mails": _walked(tx, "raw", ends.copies, ends, now, _raws),
        "mails with files": _walked(tx, "files", ends.files, ends, now, _files),
        "of the quarantine": _quarantined(tx, ends.quarantine, now),
        "closed tickets": _closed(tx, ends.tickets, now),
        "looks": retention.forget_looks(tx, ends.looks, _MOST) if ends.looks else 0,
    }
    _overwrite(tx, now, forgot=removed["closed tickets"] > 0)
    if told := ", ".join(f"{count} {name}" for name, count in removed.items() if count):
        log.info("no longer kept: %s", told)
    return sum(removed.values())


Stretch = Callable[[Connection, Limits, int], tuple[int | None, int]]
"""Goes on after a number; gives the next one, None for the end, and how many things went."""


def _walked(tx: Connection, name: str, end: datetime | None, ends: Limits, now: datetime, stretch: Stretch) -> int:
    """Go on with the walk of the day. Other limits, of another day or other rules, are another walk."""
    if end is None:
        return 0
    key = f"{ends.raw} {ends.copies} {ends.files}"
    after = walks.standing(tx, name, key)
    if after is None:
        return 0
    following, removed = stretch(tx, ends, after)
    walks.go_on(tx, name, key, following, removed, now)
    return removed


def _raws(tx: Connection, ends: Limits, after: int) -> tuple[int | None, int]:
    found = retention.raws(tx, ends, after, _MOST)
    chosen = retention.portion(found, _MOST_BYTES)
    due = [one for one in chosen if not one.needed]
    for one in due:
        for at, number in retention.remove_raw(tx, one.id):
            (Path(tx.file).parent / OUTBOX / file_name(at, number)).unlink(missing_ok=True)
    return _next(found, chosen), len(due)


def _files(tx: Connection, ends: Limits, after: int) -> tuple[int | None, int]:
    found = retention.with_files(tx, ends, after, _MOST)
    chosen = retention.portion(found, _MOST_BYTES)
    due = [one.id for one in chosen if not one.needed]
    for number in due:
        _strip(tx, number)
    return _next(found, chosen), len(due)


def _next(found: list[retention.Found], chosen: list[retention.Found]) -> int | None:
    """After which number to go on: the end is where nothing more stands, or what is too new."""
    at_end = len(found) < _MOST if len(chosen) == len(found) else found[len(chosen)].young
    return None if at_end or not chosen else chosen[-1].id


def _strip(tx: Connection, number: int) -> None:
    """Take the files out of a mail; one that cannot be written anew without them goes whole."""
    message = messages.get(tx, number)
    if message is None or message.blob is None:
        return
    raw = blobs.readable(tx, message.blob)
    stripped = strip.without(raw, [file.part for file in message.attachments]) if raw is not None else None
    if stripped is None or not retention.without_files(tx, number, message.blob, stripped):
        log.info("message %d cannot be written without its files and goes whole", number)
        retention.remove_raw(tx, message.blob)


def _quarantined(tx: Connection, before: datetime | None, now: datetime) -> int:
    due = retention.quarantined(tx, before, _MOST) if before else []
    for number in due:
        retention.forget_quarantined(tx, number, now)
    return len(due)


def _closed(tx: Connection, before: datetime | None, now: datetime) -> int:
    due = retention.closed(tx, before, _MOST_TICKETS) if before else []
    for number in due:
        retention.forget_said(tx, number, now)
    return len(due)


def _overwrite(tx: Connection, now: datetime, *, forgot: bool) -> None:
    """Words that were forgotten go from the index of the search for good: a portion each time, to its end.

    Not in the transaction that forgets them: only after it they stand in the index as gone.
    """
    if forgot:
        walks.go_on(tx, "search", f"since {now.isoformat()}", 0, 0, now)
        return
    key = walks.key(tx, "search")
    after = walks.standing(tx, "search", key) if key else None
    if after is not None:
        more = search.overwrite(tx, begin=after == 0)
        walks.go_on(tx, "search", key, after + 1 if more else None, 0, now)
