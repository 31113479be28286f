"""Single measurements. Each gives a dict of figures, and raises SystemExit where the desk did not do its work."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from mailgate.store import Store, outbox
from tests.bench import feed, mailbox, verify
from tests.bench.corpus import Corpus, Mail
from tests.bench.desk import Daemon, Place, free_port, pss, silent_hop, write_rules
from tests.bench.watch import Watch, ask, await_processed

Figures = dict[str, Any]

_IDLE_SECONDS = 5


@dataclass
class Bench:
    """A place with a store, and the corpus that is fed to it again and again under new Message-IDs."""

    place: Place
    corpus: Corpus

    salts: Iterator[int] = field(default_factory=lambda: count(1))

    def mails(self) -> tuple[Mail, ...]:
        """The corpus as this store has not seen it yet."""
        return self.corpus.salted(next(self.salts))

    @contextlib.contextmanager
    def daemon(self, *, held: bool, imap: str = "") -> Iterator[Daemon]:
        """A daemon on this store. held: what it writes stays in the outbox."""
        port = free_port()
        hop = silent_hop()
        write_rules(self.place, self.corpus, port, hop.getsockname()[1] if held else None, imap)
        with Daemon(self.place, port) as daemon, hop:  # the hop goes first, so that nothing waits for it at the end
            yield daemon

    def over_smtp(self, connections: int, *, kept: bool, held: bool) -> Figures:
        """Messages per second, durably taken and fully processed, under as much load as the peers can give."""
        mails, before = self.mails(), verify.snapshot(self.place.database)
        with self.daemon(held=held) as daemon, Watch(self.place.database) as watch:
            began, cpu = time.monotonic(), daemon.cpu()
            taken = feed.over_smtp(daemon.port, mails, connections, kept)
            fed = time.monotonic()
            done = await_processed(self.place.database, max(one.journal for one in taken))
            cpu = daemon.cpu() - cpu
            waits = self._waits(taken, watch)
            figures = {
                "taken_per_s": round(len(mails) / (fed - began), 1),
                "processed_per_s": round(len(mails) / (done - began), 1),
                "cpu_ms_per_message": round(cpu / len(mails) * 1000, 2),
                "ack_ms_median_under_load": _milliseconds(statistics.median(waits)),
            }
        order = [one.mail for one in sorted(taken, key=lambda one: one.journal)]
        self._check(mails, order, before)
        if held:
            self._empty_outbox()
        return figures | {"peak_pss_mb": round(daemon.peak, 1)}

    def one_by_one(self, many: int) -> Figures:
        """Milliseconds from 250 to the acknowledgement in the outbox, for mails that come one at a time."""
        mails, before = self.mails()[:many], verify.snapshot(self.place.database)
        with self.daemon(held=False) as daemon, Watch(self.place.database) as watch:
            peer = feed.Peer(daemon.port)
            taken = []
            for mail in mails:
                taken.append(peer.send(mail))
                await_processed(self.place.database, taken[-1].journal)
                time.sleep(0.02)
            peer.close()
            waits = self._waits(taken, watch)
            idle = self._idle(daemon)
        self._check(mails, [one.mail for one in taken], before)
        told = {
            "ack_ms_median": statistics.median(waits),
            "ack_ms_p95": statistics.quantiles(waits, n=20)[-1],
        }
        return {name: _milliseconds(value) for name, value in told.items()} | idle

    def over_imap(self) -> Figures:
        """Messages per second out of a Dovecot's mailbox, from the first one taken to the last one processed."""
        mails, before = self.mails(), verify.snapshot(self.place.database)
        with mailbox.dovecot() as server:
            section = mailbox.section(server, self.place.folder / "imap-password")
            with self.daemon(held=False, imap=section) as daemon:
                mailbox.put(server, mails)
                last = before["journal"] + len(mails)
                began = await_taken(self.place.database, before["journal"])
                done = await_processed(self.place.database, last)
        self._check(mails, [mail.number for mail in mails], before)
        return {
            "processed_per_s": round(len(mails) / (done - began), 1),
            "peak_pss_mb": round(daemon.peak, 1),
        }

    def _waits(self, taken: Sequence[feed.Taken], watch: Watch) -> list[float]:
        """Seconds from 250 to the acknowledgement, for each mail that got one; never below 0."""
        sql = f"select id, message_id from outbox where template = 'ack' and id > {watch.first}"
        acks = {int(name[1:].partition(".")[0]): number for number, name in ask(self.place.database, sql)}
        time.sleep(0.05)  # the watch looks once more
        pairs = ((one.at, acks[one.journal]) for one in taken if one.journal in acks)
        return [max(0.0, watch.appeared(number) - at) for at, number in pairs]

    def _empty_outbox(self) -> None:
        """What was held back must not be delivered in the measurement after this one."""
        store = Store(self.place.database)
        with store.write() as tx:
            for mail in outbox.listed(tx):
                outbox.mark_sent(tx, mail.id, datetime.now(UTC))
        store.close()

    def _idle(self, daemon: Daemon) -> Figures:
        time.sleep(1)
        cpu = daemon.cpu()
        time.sleep(_IDLE_SECONDS)
        used = (daemon.cpu() - cpu) / _IDLE_SECONDS
        return {"idle_cpu_percent": round(used * 100, 2), "idle_pss_mb": round(pss(daemon.pid), 1)}

    def _check(self, mails: Sequence[Mail], order: Sequence[int], before: Any) -> None:
        verify.check(before, verify.snapshot(self.place.database), verify.expected(mails, order))


def await_taken(database: Path, journal: int) -> float:
    """Wait until a message beyond this number is there; gives the time."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if ask(database, "select coalesce(max(id), 0) from journal")[0][0] > journal:
            return time.monotonic()
        time.sleep(0.002)
    raise SystemExit("nothing was fetched from the mailbox")


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)
