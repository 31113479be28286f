"""What a process takes of its machine, read from /proc beside it."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_LOG = "mailgate.db-wal"


@dataclass(frozen=True, slots=True)
class Sample:
    """One look. rss, pss, children_rss, log, data: bytes. cpu: seconds so far, of the process and ended children.

    handles: what is open, by kind. log: of the store, not folded into it yet. left: files that are nobody's.
    """

    rss: int
    pss: int
    handles: dict[str, int]
    threads: int
    children: int
    children_rss: int
    log: int
    data: int
    left: int
    cpu: float


def look(pid: int, data: Path, temporary: Path) -> Sample:
    memory = _memory(pid)
    children = list(_children(pid))
    files = [file for file in data.rglob("*") if file.is_file()]
    return Sample(
        rss=memory["Rss"],
        pss=memory["Pss"],
        handles=dict(_handles(pid)),
        threads=len(list(Path(f"/proc/{pid}/task").iterdir())),
        children=len(children),
        children_rss=sum(_memory(child)["Rss"] for child in children),
        log=_size(data / _LOG),
        data=sum(_size(file) for file in files),
        left=len(list(temporary.rglob("*"))) + sum(file.name.endswith((".tmp", ".new")) for file in files),
        cpu=_cpu(pid),
    )


def _memory(pid: int) -> Counter[str]:
    """Bytes; nothing of a process that is gone."""
    found: Counter[str] = Counter()
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
            name, size, *_ = line.split()
            found[name.rstrip(":")] = int(size) * 1024
    return found


def _handles(pid: int) -> Counter[str]:
    kinds: Counter[str] = Counter()
    for handle in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            to = str(handle.readlink())
            kinds[to.rpartition("/")[2] if to.startswith("/") else to.partition(":")[0]] += 1
    return kinds


def _children(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            yield from map(int, (task / "children").read_text().split())


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


def _size(file: Path) -> int:
    with contextlib.suppress(OSError):
        return file.stat().st_size
    return 0
