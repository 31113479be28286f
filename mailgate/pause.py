"""Wait a moment, in a thread that may wait."""

from __future__ import annotations

import threading

_NEVER = threading.Event()


def pause(seconds: float) -> None:
    """Wait for so long, by the monotonic clock.

    Not by `time.sleep`: that fails where only the date is faked (libfaketime with the monotonic clock left alone),
    which is how one tries out what a year brings to a desk.
    """
    _NEVER.wait(seconds)
