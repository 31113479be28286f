"""How fast the desk is: `python -m tests.bench`. Figures as JSON lines, a table on stderr at the end.

Each round measures the bare pipeline and the desk in turn, with few and with many tickets, so that what
else the machine does falls on all of them.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import servers
from tests.bench import bare, machine, table
from tests.bench.corpus import SHARED, Corpus, load
from tests.bench.desk import Place, fill
from tests.bench.measure import Bench, Figures


@dataclass
class Report:
    """Everything measured so far; each line goes out as soon as it is known."""

    out: Path | None
    lines: list[dict[str, Any]] = field(default_factory=list)

    def tell(self, name: str, tickets: int, figures: Figures | None) -> None:
        if figures is None:
            return
        line = {"bench": name, "tickets": tickets, **figures, "at": time.strftime("%Y-%m-%dT%H:%M:%S")}
        self.lines.append(line)
        text = json.dumps(line, ensure_ascii=False)
        print(text, flush=True)
        if self.out:
            with self.out.open("a", encoding="utf-8") as file:
                file.write(text + "\n")


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(prefix="mailgate-bench-", dir=options.work) as work:
        folder = Path(work)
        folder.chmod(0o755)
        report = Report(options.out)
        report.tell("machine", 0, machine.described(folder))
        corpus = load(options.messages, folder / "corpus")
        benches = {tickets: _filled(corpus, tickets, folder) for tickets in options.fill}
        for _ in range(options.runs):
            for tickets, bench in benches.items():
                for name, measured in _round(bench, folder / "bare"):
                    report.tell(name, tickets, measured())
        for tickets, bench in benches.items():
            report.tell("one_by_one", tickets, bench.one_by_one(min(200, options.messages)))
    print(table.written(report.lines), file=sys.stderr)


def _filled(corpus: Corpus, tickets: int, folder: Path) -> Bench:
    """A desk with so many tickets there beforehand."""
    bench = Bench(Place(folder / f"desk-{tickets}"), corpus)
    fill(bench.place, tickets)
    return bench


def _round(bench: Bench, work: Path) -> Iterator[tuple[str, Callable[[], Figures | None]]]:
    """The measurements of one round, in turn."""
    yield "bare.16.kept", lambda: bare.measure(bench.corpus, 16, True, work)
    yield "smtp.16.kept.held", lambda: bench.over_smtp(16, kept=True, held=True)
    yield "bare.16.each", lambda: bare.measure(bench.corpus, 16, False, work)
    yield "smtp.16.each.held", lambda: bench.over_smtp(16, kept=False, held=True)
    yield "smtp.16.kept.files", lambda: bench.over_smtp(16, kept=True, held=False)
    yield "smtp.1.kept.files", lambda: bench.over_smtp(1, kept=True, held=False)
    if not servers.missing():
        yield "imap.files", bench.over_imap


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--messages", type=int, default=1000, help="mails in each measurement")
    parser.add_argument("--runs", type=int, default=3, help="rounds at each level; the table has medians")
    parser.add_argument("--fill", type=int, nargs="+", default=[0, 10_000, 100_000], help="tickets beforehand")
    parser.add_argument("--out", type=Path, help="append the JSON lines to this file too")
    parser.add_argument("--work", type=Path, default=Path("/var/tmp"), help="where to work: on the disk that counts")
    options = parser.parse_args()
    if not SHARED.is_dir():
        print("no ../shared/bench here: an own, plainer corpus, and no bare pipeline beside it", file=sys.stderr)
    if why := servers.missing():
        print(f"no measurement over IMAP: {why}", file=sys.stderr)
    return options


if __name__ == "__main__":
    main()
