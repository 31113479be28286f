"""What the age of a desk costs: `python -m tests.bench.million`. Figures as JSON lines, a table on stderr at the end.

Everything that people and programs ask of a desk is done at a young one and at one of 1,000,000 messages in 100,000
tickets. Of so many times the median counts: milliseconds of CPU, and of the clock on the wall. steps: of SQLite's
machine in thousands, which are the same on every machine and show work that grows where it is too fast to be seen.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench import asked, history, machine
from tests.bench.desk import Place

Line = dict[str, Any]


@dataclass(frozen=True)
class Spent:
    """Milliseconds of CPU and of the wall, and thousands of steps of SQLite's machine."""

    cpu: float
    wall: float
    steps: float


def main() -> None:
    options = _options()
    told: list[Line] = [{"bench": "machine", **machine.described(options.work)}]
    _tell(told[0], options.out)
    with tempfile.TemporaryDirectory(prefix="mailgate-million-", dir=options.work) as work:
        places = {tickets: _made(Path(options.keep or work) / f"desk-{tickets}", tickets) for tickets in options.fill}
        for name, measured in _interleaved(places, options.times, tuple(options.only)):
            for tickets, spent in measured.items():
                told.append({"bench": name, "messages": tickets * history.EACH, **vars(spent)})
                _tell(told[-1], options.out)
    print(_table(told), file=sys.stderr)


def _made(folder: Path, tickets: int) -> Place:
    """A desk with so many tickets, or the one that was kept of another run."""
    place = Place(folder)
    if not place.database.exists():
        place.data.mkdir(parents=True)
        began = time.monotonic()
        history.make(place.database, tickets, datetime.now(UTC))
        size = place.database.stat().st_size / 1e6
        print(f"{tickets} tickets: made in {time.monotonic() - began:.0f} s, {size:.0f} MB", file=sys.stderr)
    return place


def _interleaved(places: dict[int, Place], times: int, only: tuple[str, ...]) -> Iterator[tuple[str, dict[int, Spent]]]:
    """Each question asked of each desk in turn, so that what else the machine does falls on all of them."""
    steps = asked.Steps()
    desks = {tickets: asked.AskedDesk(place, steps) for tickets, place in places.items()}
    for name, question in _chosen(asked.QUESTIONS, only):
        yield name, {tickets: _spent(desk, question, times) for tickets, desk in desks.items()}
    for name, question in _chosen(asked.ONCE, only):
        yield name, {tickets: _median([_once(desk, question)]) for tickets, desk in desks.items()}
    for desk in desks.values():
        desk.close()


def _chosen(questions: Mapping[str, asked.Question], only: tuple[str, ...]) -> list[tuple[str, asked.Question]]:
    return [(name, question) for name, question in questions.items() if not only or name.startswith(only)]


def _spent(desk: asked.AskedDesk, question: asked.Question, times: int) -> Spent:
    question(desk)  # what is made once
    return _median([_once(desk, question) for _ in range(times)])


def _median(found: Sequence[tuple[float, float, float]]) -> Spent:
    return Spent(*(round(statistics.median(values), 3) for values in zip(*found, strict=True)))


def _once(desk: asked.AskedDesk, question: asked.Question) -> tuple[float, float, float]:
    steps, cpu, wall = desk.steps.count, time.thread_time(), time.perf_counter()
    elsewhere = question(desk)
    took = time.thread_time() - cpu if elsewhere is None else elsewhere
    return took * 1000, (time.perf_counter() - wall) * 1000, (desk.steps.count - steps) / 1000


def _tell(line: Line, out: Path | None) -> None:
    text = json.dumps(line, ensure_ascii=False)
    print(text, flush=True)
    if out:
        with out.open("a", encoding="utf-8") as file:
            file.write(text + "\n")


def _table(lines: Sequence[Line]) -> str:
    """In Markdown: a row for each question, CPU in ms at each size, and how many times more the biggest takes."""
    sizes = sorted({line["messages"] for line in lines if "messages" in line})
    by_name: dict[str, dict[int, Line]] = {}
    for line in lines:
        if "messages" in line:
            by_name.setdefault(line["bench"], {})[line["messages"]] = line
    heads = ["CPU, ms", *(f"{size:,} messages" for size in sizes), "steps of SQLite", "wall"]
    rows = [heads, ["---", *("--:" for _ in heads[1:])]]
    for name, found in by_name.items():
        least, most = found[sizes[0]], found[sizes[-1]]
        growth = [f"{least[key]:g} → {most[key]:g}" for key in ("steps", "wall")]
        rows.append([name, *(f"{found[size]['cpu']:g}" for size in sizes), *growth])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.million", description=__doc__)
    parser.add_argument("--fill", type=int, nargs="+", default=[100, 100_000], help="tickets, of ten messages each")
    parser.add_argument("--times", type=int, default=15, help="how often each question is asked")
    parser.add_argument("--only", nargs="+", default=(), metavar="NAME", help="questions whose names begin so")
    parser.add_argument("--keep", type=Path, help="keep the desks here for another run")
    parser.add_argument("--out", type=Path, help="append the JSON lines to this file too")
    parser.add_argument("--work", type=Path, default=Path("/var/tmp"), help="where to work: on the disk that counts")
    return parser.parse_args()


if __name__ == "__main__":
    main()
