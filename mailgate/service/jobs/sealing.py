"""Put mails that are in clear, or under an older key, under the newest one, some at a time."""

from __future__ import annotations

from datetime import datetime

from mailgate.service import keys
from mailgate.service.office import Office
from mailgate.store import Connection, sealing


def run(tx: Connection, office: Office, now: datetime) -> int:
    """Look for a change of the keys, then seal some anew; how many mails that were.

    Where a key is gone from the disk the daemon goes on with what it has, and the admin is told (`service.health`).
    """
    found = keys.at_hand(tx)
    if found.fault:
        return 0
    if found.names != tx.keyring.names:
        tx.keyring.take_up(found)
        sealing.note(tx, found.names, now)
    return sealing.seal_anew(tx)
