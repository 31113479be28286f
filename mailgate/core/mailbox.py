"""What is to be fetched from an IMAP mailbox, and in which portions. Told by UID, never by \\Seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

# imaplib refuses an answer line of more than 1,000,000 bytes; a UID takes at most 11 of them.
SEARCH_MOST = 50_000
FETCH_MOST = 50
FETCH_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Uid:
    """Names one message of one mailbox for ever (RFC 3501 section 2.3.1.1)."""

    mailbox: str
    uidvalidity: int
    uid: int


@dataclass(frozen=True, slots=True)
class Sighting:
    """What of a folder is ours to take, settled when it is first seen with this UIDVALIDITY.

    up_to: the highest UID that was there already; of those, what came before `since` is left where it is.
    until: as long, more old mail may come, as while a folder is restored; `up_to` grows with it.
    left: how many are left by what was settled just now. anew: whether the folder was seen before, with other UIDs.
    """

    uidvalidity: int
    up_to: int
    since: datetime
    until: datetime
    left: int = 0
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """Why mail stays in a mailbox without being taken, for the admin.

    kind: "big" or "refused", one message; "old" or "anew", all that a `Sighting` left. count: messages.
    size: bytes.
    """

    kind: Literal["big", "refused", "old", "anew"]
    mailbox: str
    count: int = 1
    size: int = 0
    sender: str = ""
    subject: str = ""


def mailbox_name(host: str, user: str, folder: str) -> str:
    """The name under which a mailbox is remembered: the same after a change of port or password."""
    return f"{host.lower()}/{user}/{folder}"


def searches(last: int, exists: int, uid_next: int | None) -> Iterator[str]:
    """UID sets that hold every message above `last`, each with at most SEARCH_MOST messages in it.

    exists, uid_next: what SELECT answered; uid_next is None where the server does not tell it.
    "n:*" always holds the last message too, even if its UID is below n: filter what comes back.
    """
    if not exists:
        return
    if exists <= SEARCH_MOST or uid_next is None:
        yield f"{last + 1}:*"
        return
    for low in range(last + 1, uid_next, SEARCH_MOST):
        yield f"{low}:{min(low + SEARCH_MOST, uid_next) - 1}"


def portions(sizes: Mapping[int, int], max_size: int) -> Iterator[list[int]]:
    """UIDs in ascending order, in portions to fetch with one command.

    sizes: UID to RFC822.SIZE. A portion has at most FETCH_MOST messages and FETCH_BYTES bytes; a
    message that is bigger than FETCH_BYTES, or than `max_size` and not to be fetched, stands alone.
    """
    alone = min(FETCH_BYTES, max_size)
    portion: list[int] = []
    size = 0
    for uid in sorted(sizes):
        size += sizes[uid]
        if portion and (size > alone or len(portion) == FETCH_MOST):
            yield portion
            portion, size = [], sizes[uid]
        portion.append(uid)
    if portion:
        yield portion
