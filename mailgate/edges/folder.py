"""What is asked of an IMAP folder, and done to it, in single commands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from imapclient import SEEN, IMAPClient

from mailgate.core.mailbox import Sighting, searches

_AT_ONCE = 500  # UIDs named in one command


def chunks(uids: list[int]) -> Iterator[list[int]]:
    """Portions that one command may name."""
    for start in range(0, len(uids), _AT_ONCE):
        yield uids[start : start + _AT_ONCE]


def between(client: IMAPClient, last: int, exists: int, up_to: int, *criteria: object) -> list[int]:
    """UIDs above `last`, `up_to` the highest, ascending. criteria: more of SEARCH, never out of a mail.

    "n:*" always holds the last message, even if its UID is below n.
    """
    found = [client.search(["UID", uid_set, *criteria]) for uid_set in searches(last, exists, up_to + 1)]
    return sorted(uid for uids in found for uid in uids if last < uid <= up_to)


def recent(client: IMAPClient, last: int, exists: int, sighting: Sighting) -> list[int]:
    """UIDs above `last` that were there at first sight and are ours to take, ascending.

    SINCE counts whole days in the server's own zone: it only narrows down what INTERNALDATE then decides.
    """
    day = sighting.since.date() - timedelta(days=1)
    found: list[int] = []
    for uids in chunks(between(client, last, exists, sighting.up_to, "SINCE", day)):
        dates = client.fetch(uids, ["INTERNALDATE"])
        found += [uid for uid in uids if (at := dates.get(uid, {}).get(b"INTERNALDATE")) and at >= sighting.since]
    return found


def tidy(client: IMAPClient, after: str, uids: list[int]) -> None:
    """What `after` says; harmless when repeated, or for messages that are gone."""
    if after == "seen":
        client.add_flags(uids, [SEEN], silent=True)
    elif after == "delete":
        _delete(client, uids)
    else:
        _move(client, uids, after.removeprefix("move:"))


def _delete(client: IMAPClient, uids: list[int]) -> None:
    """Without UIDPLUS (RFC 4315) they stay marked: EXPUNGE would remove what others marked, too."""
    client.delete_messages(uids, silent=True)
    if client.has_capability("UIDPLUS"):
        client.uid_expunge(uids)


def _move(client: IMAPClient, uids: list[int], folder: str) -> None:
    """MOVE (RFC 6851), or copy and delete; the folder is made if it is not there."""
    if not client.folder_exists(folder):
        client.create_folder(folder)
    if client.has_capability("MOVE"):
        client.move(uids, folder)
    else:
        client.copy(uids, folder)
        _delete(client, uids)
