"""On which of the machine's processors this process computes.

Python's lock lets one thread compute at a time. Where it goes from thread to thread and from processor to processor,
each begins with cold caches, a tenth of what a message costs. What may compute beside has a process of its own.
"""

from __future__ import annotations

import os

# In the environment of what is started from there.
_ON_ONE = "MAILGATE_ON_ONE_PROCESSOR"


def stay_on_one() -> None:
    """Have this thread, and what it starts, compute on one processor; not where somebody has chosen some already."""
    if not hasattr(os, "sched_setaffinity"):  # Linux alone has it
        return
    mine = sorted(os.sched_getaffinity(0))
    if 1 < len(mine) == os.cpu_count():
        os.environ[_ON_ONE] = "yes"
        os.sched_setaffinity(0, {mine[os.getpid() % len(mine)]})


def use_all() -> None:
    """Undo that, in a process which was started from there."""
    if os.environ.pop(_ON_ONE, ""):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
