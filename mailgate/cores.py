"""On which of the machine's processors this process computes.

Python's lock lets one thread compute at a time. Where it goes from thread to thread and from processor to processor,
each begins with cold caches, a tenth of what a message costs. What may compute beside has a process of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

# In the environment of what is started from there.
_ON_ONE = "MAILGATE_ON_ONE_PROCESSOR"


@contextmanager
def on_one() -> Iterator[None]:
    """Have this thread, and what it starts, compute on one processor; not where somebody has chosen some already."""
    mine = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []  # Linux alone has it
    if not 1 < len(mine) == os.cpu_count():
        yield
        return
    os.environ[_ON_ONE] = "yes"
    os.sched_setaffinity(0, {mine[os.getpid() % len(mine)]})
    try:
        yield
    finally:
        use_all()


def use_all() -> None:
    """Undo that, in a process which was started from there."""
    if os.environ.pop(_ON_ONE, ""):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
