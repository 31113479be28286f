"""Remove what is kept no longer ([retention] of the rules): once a day all that is due, in portions.

What is removed is told in the log; `status` says when the last day's walk was done.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from datetime import datetime
from pathlib import Path

from mailgate import disk
from mailgate.core.mail import file_name
from mailgate.core.message import strip
from mailgate.core.retention import Limits, limits
from mailgate.service import originals
from mailgate.service.office import Office
from mailgate.store import Connection, blobs, messages, records, redactions, retention, search, vault, walks

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
        "messages' access data": _walked(tx, "access data", ends.access_data, ends, now, _access_data),
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
    key = f"{ends.raw} {ends.copies} {ends.files} {ends.access_data}"
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


def _access_data(tx: Connection, ends: Limits, after: int) -> tuple[int | None, int]:
    """Out of the vault, of the mails that told them, and of ours: who had the ticket got them written out."""
    if ends.access_data is None:
        return None, 0
    found = retention.with_access_data(tx, ends.access_data, after, _MOST_TICKETS)
    due = [one for one in found if one.due]
    told: dict[int | None, set[str]] = {}
    for one in due:
        values = vault.of_message(tx, one.id).values()
        told.setdefault(one.ticket, set()).update(values)
        message = messages.get(tx, one.id)
        _take_out(tx, message.blob if message else None, values)
        retention.forget_access_data(tx, one.id)
    for ticket, known in told.items():
        for mail in records.posted_of_ticket(tx, ticket) if ticket else ():
            if mail.state != "queued":
                _take_out(tx, mail.blob, known)
                _take_out_of_file(Path(tx.file).parent / OUTBOX / file_name(mail.at, mail.id), known)
    return (found[-1].id if len(found) == _MOST_TICKETS else None), len(due)


def _take_out(tx: Connection, blob: int | None, known: Collection[str]) -> None:
    raw = blobs.readable(tx, blob)
    left = originals.without(raw, known) if raw is not None else None
    if blob is not None and left != raw:
        redactions.exchange(tx, blob, left)


def _take_out_of_file(path: Path, known: Collection[str]) -> None:
    """A mail that was sent to a file is in it as it went out."""
    raw = path.read_bytes() if path.exists() else b""
    left = originals.without(raw, known)
    if left is None:
        path.unlink()
    elif left != raw:
        disk.put(path, left)


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
