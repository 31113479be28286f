"""Make due what a clock that was ahead has put off: put right, it would let that wait for as long as it was ahead."""

from __future__ import annotations

from datetime import datetime

from mailgate.core import retry, trust
from mailgate.service.office import Office
from mailgate.store import Connection, journal, outbox


def run(tx: Connection, office: Office, now: datetime) -> int:
    """Bring back what lies further ahead than anything is ever put off; how many mails and messages."""
    mails = outbox.bring_back(tx, now, now + retry.LONGEST)
    return mails + journal.bring_back(tx, now, now + trust.LONGEST_PAUSE)
