"""What the figures were seen on."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path


def described(folder: Path) -> dict[str, object]:
    """Cores, versions, and what a commit must at least cost on the disk of this folder."""
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "fsync_ms": fsync_ms(folder),
        "loop_ms": loop_ms(),
        "load": round(os.getloadavg()[0], 2),
    }


def fsync_ms(folder: Path) -> float:
    """Milliseconds of a write of 4 kB with fsync, the median of 200."""
    took = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(200):
            file.write(b"x" * 4096)
            start = time.perf_counter()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - start)
    return round(statistics.median(took) * 1000, 2)


def loop_ms() -> float:
    """Milliseconds of a fixed loop in Python, the best of five: how fast this machine is just now."""
    best = 1.0
    for _ in range(5):
        start = time.perf_counter()
        value = 0
        for number in range(300_000):
            value = (value * 31 + number) & 0xFFFFFFFF
        best = min(best, time.perf_counter() - start)
    return round(best * 1000, 1)


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "")
