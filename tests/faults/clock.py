"""A wall clock of the daemon's own, which a test moves while the monotonic one stays."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass
class Clock:
    """Differs from the true one by as many seconds as were set last."""

    _file: Path
    _library: Path

    @property
    def environment(self) -> tuple[str, ...]:
        """What a process is run under to have this clock: a command line before its own."""
        return ("env", f"LD_PRELOAD={self._library}", f"MOVED_CLOCK={self._file}")

    def set(self, seconds: int) -> None:
        """Have it differ by so many seconds, from now on."""
        draft = self._file.with_suffix(".new")
        draft.write_text(str(seconds))
        draft.replace(self._file)


def clock_in(folder: Path) -> Clock:
    """One that goes right; skips the test where there is no C compiler."""
    if not shutil.which("cc"):
        pytest.skip("needs a C compiler, for a clock of the daemon's own")
    library = folder / "clock.so"
    source = Path(__file__).with_name("moved_clock.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", library, source], check=True)
    clock = Clock(folder / "moved", library)
    clock.set(0)
    return clock
