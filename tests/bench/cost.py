"""What one message costs in CPU, step by step: `python -m tests.bench.cost`. One JSON line, milliseconds.

A message goes the daemon's way, on the disk, but one step after the other and without its waits, so the
figures hold beside other work too: a busy machine makes it wait, and hardly makes it compute more.
Of the rounds, each on a new store, the lowest counts: whatever else the machine does can only add. held: all
but the delivery. loop: how fast the machine is just now, a fixed loop.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from pathlib import Path
from typing import Any

from mailgate.core import trust
from mailgate.core.mail import Envelope
from mailgate.core.mail import Mail as Message
from mailgate.core.message import mime
from mailgate.edges.outbound import FileTransport
from mailgate.edges.smtp import Gate, Handler, quiet_libraries
from mailgate.edges.verify import Verifier, organisational
from mailgate.opening import open_office, open_store
from mailgate.render import Renderer
from mailgate.service import deliver, process
from mailgate.service.office import Office
from mailgate.service.take import utc_now
from mailgate.store import Store, journal, messages, outbox, tickets
from mailgate.store.writer import Writer
from tests.bench import feed, machine
from tests.bench.corpus import DESK, Corpus, Mail, load
from tests.bench.desk import Place, fill, write_rules

# Messages that share a commit, as under load.
_TOGETHER = 8
# What is measured inside the processing of a message; what is left of it is "rest".
_STEPS: tuple[tuple[str, Any, str], ...] = (
    ("parse", mime, "parse"),
    ("proof", Verifier, "at_once"),
    ("wanted", process, "wanted"),
    ("facts", process, "facts_for"),
    ("decide", process, "decide"),
    ("letters", Renderer, "write"),
    ("store", messages, "add"),
    ("store", messages, "remember_text"),
    ("store", outbox, "queue"),
    ("store", tickets, "open_ticket"),
    ("store", tickets, "update"),
    ("store", journal, "finish"),
)


@dataclass
class Meter:
    """Seconds of CPU of this thread by step; what a step calls that is a step itself does not count for it."""

    spent: Counter[str] = field(default_factory=Counter)
    _stack: list[str] = field(default_factory=list)
    _since: float = 0.0

    def measured(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, which counts for this step from now on."""

        @wraps(function)
        def inner(*values: Any, **named: Any) -> Any:
            self._turn()
            self._stack.append(step)
            try:
                return function(*values, **named)
            finally:
                self._turn()
                self._stack.pop()

        return inner

    def _turn(self) -> None:
        now = time.thread_time()
        if self._stack:
            self.spent[self._stack[-1]] += now - self._since
        self._since = now


def main() -> None:
    options = _options()
    quiet_libraries()
    meter = Meter()
    for step, owner, name in _STEPS:
        setattr(owner, name, meter.measured(step, getattr(owner, name)))
    with tempfile.TemporaryDirectory(prefix="mailgate-cost-", dir=options.work) as work:
        corpus = load(options.messages, Path(work) / "corpus")
        rounds = [_round(corpus, Path(work) / str(number), options.fill, meter) for number in range(options.runs)]
    told = {step: round(min(one[step] for one in rounds) * 1000, 3) for step in rounds[0]}
    held = round(sum(told.values()) - told["deliver"], 3)
    print(json.dumps({"bench": "cost", "tickets": options.fill, "loop": machine.loop_ms(), "held": held, **told}))


def _round(corpus: Corpus, folder: Path, tickets: int, meter: Meter) -> dict[str, float]:
    """Seconds for a message by step."""
    place = Place(folder)
    write_rules(place, corpus, 0, None)
    fill(place, tickets)
    store, office = open_store(place.data), open_office(place.rules, place.data)
    checks = Verifier(lambda: office.desk.rules.trust)
    organisational("once.example")  # the list of public suffixes is read once
    meter.spent.clear()
    smtp = asyncio.run(_smtp(corpus.mails, office))
    for start in range(0, len(corpus.mails), _TOGETHER):
        meter.measured("take", _take)(store, corpus.mails[start : start + _TOGETHER])
        meter.measured("rest", _process)(store, office, checks)
    delivery = _delivery(store, office, place.data / "outbox")
    store.close()
    spent = {"smtp": smtp, **meter.spent, "deliver": delivery}
    return {step: seconds / len(corpus.mails) for step, seconds in spent.items()}


async def _smtp(mails: Sequence[Mail], office: Office) -> float:
    """What the gateway takes to hear all mails on kept connections, of which nothing is kept."""
    settings = office.desk.rules.smtp
    numbers = iter(range(1, len(mails) + 1))

    async def take(raw: bytes, envelope: Envelope) -> int:
        return next(numbers)

    gate = Gate(settings.listen, lambda: settings, Handler(take, lambda: office.desk.rules.desks, "smtp"))
    await gate.start()
    before = time.thread_time()
    await asyncio.to_thread(feed.over_smtp, gate.port, mails, _TOGETHER, True)
    after = time.thread_time()
    await gate.stop()
    return after - before


def _take(store: Store, mails: Sequence[Mail]) -> None:
    """As the writer does it for what comes at once."""
    with store.write() as tx:
        for mail in mails:
            with tx.savepoint():
                journal.take(tx, mail.raw, Envelope("smtp", mail.sender, (DESK,), "127.0.0.1"), utc_now())


def _process(store: Store, office: Office, checks: Verifier) -> None:
    """As the processor does it."""
    with store.read() as tx:
        waiting = journal.waiting(tx, _TOGETHER, utc_now())
    read = ((kept, mime.parse(kept.raw, kept.envelope)) for kept in waiting)
    ready = [(kept.emptied(), _proven(kept.raw, mail, office, checks)) for kept, mail in read]
    with store.write() as tx:
        for kept, mail in ready:
            with tx.savepoint():
                process.process(tx, kept, mail, office, utc_now())


def _proven(raw: bytes, mail: Message, office: Office, checks: Verifier) -> Message:
    """With what is known of its sender; the names of the corpus are asked of no DNS."""
    if not trust.needs_proof(mail, office.desk):
        return mail
    verdicts = checks.at_once(raw, mail, utc_now())
    assert verdicts is not None
    return replace(mail, verdicts=verdicts)


def _delivery(store: Store, office: Office, folder: Path) -> float:
    """What it takes to send everything into files."""
    writer = Writer(store)
    before = time.process_time()
    asyncio.run(deliver.drain(writer, FileTransport(folder).send, lambda: office))
    after = time.process_time()
    writer.close()
    return after - before


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.cost", description=__doc__)
    parser.add_argument("--messages", type=int, default=600, help="mails of a round")
    parser.add_argument("--runs", type=int, default=3, help="rounds")
    parser.add_argument("--fill", type=int, default=0, help="tickets beforehand")
    parser.add_argument("--work", type=Path, default=Path("/var/tmp"), help="where to work: on the disk that counts")
    return parser.parse_args()


if __name__ == "__main__":
    main()
