"""Tell the admin of mail that stays in a mailbox: too big, or older than what is ours to take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from mailgate.core.mail import Notice
from mailgate.core.mailbox import Left
from mailgate.service.letters import post
from mailgate.service.office import Office
from mailgate.store import Connection, mailboxes

# In one mail; what is more comes with the next.
_MOST = 50
# A folder that is filled with old mail, or a client who sends big ones, is told of once in an hour.
_QUIET = timedelta(hours=1)


def run(tx: Connection, office: Office, now: datetime) -> int:
    """Tell what was left since the last mail about it."""
    left = mailboxes.untold(tx, _MOST)
    last = mailboxes.told_last(tx) if left else None
    if not left or (last and now - last < _QUIET):
        return 0
    rules = office.desk.rules
    values = {"left": _summed(left.values()), "limit": rules.smtp.max_size}
    notice = Notice("mail_left", rules.desk.admin, rules.desk.language, values=values, automatic="auto-generated")
    post(tx, office, [notice], now, f"l{max(left)}")
    mailboxes.told(tx, left, now)
    return len(left)


def _summed(left: Iterable[Left]) -> list[Left]:
    """Single messages one by one, then what is old as one sum for each mailbox."""
    every = list(left)
    single = [one for one in every if one.kind in ("big", "refused")]
    counts: Counter[Left] = Counter()
    for one in every:
        if one.kind in ("old", "anew"):
            counts[replace(one, count=0)] += one.count
    return [*single, *(replace(one, count=count) for one, count in counts.items())]
