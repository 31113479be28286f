"""kill -9 at random moments under load: `python -m tests.faults.kill --kills 300`.

Some kills hit the start (the schema, what an earlier process left behind), some an orderly stop.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from tests.faults import checks
from tests.faults.driver import Desk, desk_in, free_port
from tests.faults.senders import Oracle, Postbag, load


@dataclass(frozen=True)
class Result:
    """What a run found. twins: mails that the next hop got more than once. problems: none if all is well."""

    kills: int
    letters: int
    attempts: dict[str, int]
    repeats: int
    mails: int
    twins: int
    seconds: float
    problems: list[str]


class Sink:
    """A next hop that remembers each mail by its Message-ID. pause: seconds before the reply."""

    def __init__(self, pause: float) -> None:
        self.port = free_port()
        self._pause = pause
        self.got: Counter[str] = Counter()
        self.contents: dict[str, set[bytes]] = {}
        self._lock = threading.Lock()

    @property
    def settings(self) -> str:
        """The lines of `[outgoing]` that lead here."""
        return f'via = "smtp"\nhost = "127.0.0.1"\nport = {self.port}'

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message_id = str(message_from_bytes(envelope.content)["Message-ID"]).strip("<>")
        with self._lock:
            self.got[message_id] += 1
            self.contents.setdefault(message_id, set()).add(envelope.content)
        await asyncio.sleep(self._pause)
        return "250 2.0.0 Taken"


@contextmanager
def sink(pause: float = 0.01) -> Iterator[Sink]:
    """A running next hop."""
    handler = Sink(pause)
    controller = Controller(handler, hostname="127.0.0.1", port=handler.port)
    controller.start()
    try:
        yield handler
    finally:
        controller.stop()


def run(folder: Path, kills: int, seed: int, next_hop: Sink | None = None) -> Result:
    """Kill the daemon so many times while four senders work, let it settle, and judge."""
    begun = time.monotonic()
    rng = random.Random(seed)
    bag, oracle = Postbag(random.Random(seed + 1)), Oracle()
    outgoing = next_hop.settings if next_hop else 'via = "files"'
    with desk_in(folder, outgoing=outgoing) as desk:
        with load(desk, bag, oracle):
            for _ in range(kills):
                _live_and_die(desk, rng)
            desk.start()
        checks.wait_until_settled(desk)
        desk.stop()
        found = checks.problems(desk, bag.made, oracle)
        found += _hop_problems(desk, next_hop, kills) if next_hop else checks.files_problems(desk)
        return Result(
            kills,
            len(bag.made),
            dict(Counter(told for tolds in oracle.told.values() for told in tolds)),
            checks.value(desk, "select count(*) from journal where outcome = 'repeat'"),
            checks.value(desk, "select count(*) from outbox"),
            sum(times - 1 for times in next_hop.got.values()) if next_hop else 0,
            round(time.monotonic() - begun, 1),
            found,
        )


def _live_and_die(desk: Desk, rng: random.Random) -> None:
    way = rng.random()
    if way < 0.2:
        desk.start(ready=False)
        time.sleep(rng.uniform(0.2, 1.2))
    else:
        desk.start()
        time.sleep(rng.uniform(0, 0.3))
    if way > 0.9:
        desk.signal(signal.SIGTERM)
        time.sleep(rng.uniform(0, 0.1))
    desk.kill()


def _hop_problems(desk: Desk, hop: Sink, kills: int) -> Iterator[str]:
    """Each mail arrived; a second time only by a kill between the reply and our mark, the same to the byte."""
    mails = {row[0] for row in checks.rows(desk, "select message_id from outbox where state = 'sent'")}
    yield from (f"{message_id}: never arrived" for message_id in mails - set(hop.got))
    yield from (f"{message_id}: arrived and is not marked" for message_id in set(hop.got) - mails)
    yield from (f"{message_id}: twins differ" for message_id, raw in hop.contents.items() if len(raw) > 1)
    # Four connections send at a time, so a kill may catch one mail on each.
    twins = sum(times - 1 for times in hop.got.values())
    if twins > 4 * kills:
        yield f"{twins} twins of {kills} kills"


def main() -> int:
    """Run long, print one JSON line, and exit 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--via", choices=["files", "smtp"], default="files")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if wanted.via == "smtp":
            with sink() as hop:
                result = run(Path(folder), wanted.kills, wanted.seed, hop)
        else:
            result = run(Path(folder), wanted.kills, wanted.seed)
    print(json.dumps({"seed": wanted.seed, "via": wanted.via, **result.__dict__}, ensure_ascii=False))
    return 1 if result.problems else 0


if __name__ == "__main__":
    sys.exit(main())
