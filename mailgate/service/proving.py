"""Find proof of who sent a message before it is decided on, while the others go on.

Asking the DNS takes from microseconds to seconds. What is at hand is answered at once; the rest is asked for in
threads of its own, and whose domain gives no answer waits in the journal, to be asked again later.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from mailgate.core import trust
from mailgate.core.desk import Desk
from mailgate.core.mail import Mail
from mailgate.core.proof import Verdicts
from mailgate.store import Store, journal
from mailgate.store.journal import Kept
from mailgate.store.writer import Writer

log = logging.getLogger("mailgate.proof")

# So many are asked for at a time; each of them may wait for a slow server.
_MOST_ASKED = 24
# Beyond these, what needs proof waits in the journal instead of in memory.
_MOST_UNDER_WAY = 64
_MOST_BYTES = 64_000_000
_SOON = timedelta(seconds=1)


class Checks(Protocol):
    """Who can find out about a message. For any thread."""

    def at_once(self, raw: bytes, mail: Mail, now: datetime) -> Verdicts | None:
        """The verdicts, None where they would have to be waited for."""
        ...

    def verify(self, raw: bytes, mail: Mail, now: datetime) -> Verdicts:
        """The verdicts; blocks for some seconds at most."""
        ...


@dataclass(frozen=True)
class _Asked:
    kept: Kept
    mail: Mail
    size: int
    verdicts: Future[Verdicts]


class Proving:
    """The messages whose proof is looked for. rings: called from any thread when there is news.

    For one thread, the processor's. What is under way is in the journal all the while.
    """

    def __init__(self, store: Store, writer: Writer, checks: Checks, rings: Callable[[], None]) -> None:
        self._store = store
        self._writer = writer
        self._checks = checks
        self._rings = rings
        self._pool = ThreadPoolExecutor(_MOST_ASKED, thread_name_prefix="proof")
        self._under_way: dict[int, _Asked] = {}

    @property
    def under_way(self) -> frozenset[int]:
        """Numbers in the journal of the messages that are being looked into."""
        return frozenset(self._under_way)

    def proven(self, kept: Kept, mail: Mail, desk: Desk, now: datetime, *, wait: bool = False) -> Mail | None:
        """The mail with what is known of its sender; None where that takes a while, so that it is not its turn.

        wait: look now, however long it takes. A message stays behind an earlier one of the same sender.
        """
        if not trust.needs_proof(mail, desk):
            return mail
        if self._is_behind(kept, mail):
            self._postpone(kept, mail, now + _SOON)
            return None
        verdicts = self._checks.at_once(kept.raw, mail, now)
        if verdicts is None and wait:
            verdicts = self._checks.verify(kept.raw, mail, now)
        if verdicts is not None:
            return self._decidable(kept, replace(mail, verdicts=verdicts), desk, now)
        if len(self._under_way) >= _MOST_UNDER_WAY or self._held_bytes() + len(kept.raw) > _MOST_BYTES:
            self._postpone(kept, mail, now + _SOON)
            return None
        future = self._pool.submit(self._checks.verify, kept.raw, mail, now)
        self._under_way[kept.id] = _Asked(kept.emptied(), mail, len(kept.raw), future)
        future.add_done_callback(lambda _: self._rings())
        return None

    def finished(self, desk: Desk, now: datetime) -> list[tuple[Kept, Mail | Exception]]:
        """What has been found out since the last call and can be decided now, oldest first."""
        done = [asked for _, asked in sorted(self._under_way.items()) if asked.verdicts.done()]
        ready: list[tuple[Kept, Mail | Exception]] = []
        for asked in done:
            del self._under_way[asked.kept.id]
            error = asked.verdicts.exception()
            if isinstance(error, Exception):
                ready.append((asked.kept, error))
                continue
            mail = replace(asked.mail, verdicts=asked.verdicts.result())
            if decidable := self._decidable(asked.kept, mail, desk, now):
                ready.append((asked.kept, decidable))
        return ready

    def stop(self) -> None:
        """Ask no more. What is under way is found in the journal by the next process."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _decidable(self, kept: Kept, mail: Mail, desk: Desk, now: datetime) -> Mail | None:
        """The mail, unless the DNS is to be asked again later: no answer is neither proof nor none."""
        if not mail.verdicts.undecided:
            return mail
        person = desk.rules.who(mail.sender or "")
        again = trust.next_try(person, kept.taken_at, kept.proof_tries + 1, now)
        if again is None:
            log.warning("message %d: the DNS gave no answer for too long", kept.id)
            return mail
        log.info("message %d waits: the DNS gives no answer", kept.id)
        self._postpone(kept, mail, again, tried=True)
        return None

    def _is_behind(self, kept: Kept, mail: Mail) -> bool:
        asked = any(other.mail.sender == mail.sender for other in self._under_way.values())
        if asked:
            return True
        with self._store.read() as tx:
            return journal.stands_behind(tx, kept.id, mail.sender or "")

    def _postpone(self, kept: Kept, mail: Mail, until: datetime, *, tried: bool = False) -> None:
        wait = partial(journal.postpone, journal=kept.id, until=until, sender=mail.sender or "", tried=tried)
        self._writer.submit(wait).result()

    def _held_bytes(self) -> int:
        return sum(asked.size for asked in self._under_way.values())
