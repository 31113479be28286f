"""When a mail that was not taken is tried again, or given up (RFC 5321 section 4.5.4.1)."""

from __future__ import annotations

from datetime import datetime, timedelta

# The last one repeats. Short at first: greylisting and restarts pass within minutes.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 120, 240))
# While the next hop cannot be reached: when it is back, what waited is to go out soon.
HOP_DOWN = timedelta(minutes=15)
# Mails that failed together come back up to a tenth of the wait apart, not all at once.
_SPREAD = 11
# A server wants to know first who we are (RFC 4954 section 6).
SIGN_IN_FIRST = (530, 534, 535, 538)
LONGEST = WAITS[-1] * (1 + _SPREAD / 100)
"""No wait is longer."""


def next_try(
    now: datetime, created_at: datetime, tries: int, give_up: timedelta, mail: int = 0, *, hop: bool = False
) -> datetime | None:
    """The time of the next try after one that failed at `now`; None once the mail is `give_up` old.

    tries: how many failed, this one included, >= 1. mail: id of the mail, moves its tries apart. hop: it was the
    next hop that could not be reached.
    """
    if now >= created_at + give_up:
        return None
    wait = WAITS[min(max(tries, 1), len(WAITS)) - 1]
    if hop:
        wait = min(wait, HOP_DOWN)
    return now + wait + wait * (mail % _SPREAD) / 100
