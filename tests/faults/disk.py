"""A small disk of its own, and how to fill it."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A disk of 64 MiB at a folder: the write-ahead log alone may take 16. Skips the test where none can be had."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a small disk")
    place.mkdir(exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", place], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def fill(disk: Path) -> Path:
    """Write until not a byte fits, and keep others from using what is freed in between."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1_000_000, 4096, 1) * 3:
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"\0" * size)
    return ballast
