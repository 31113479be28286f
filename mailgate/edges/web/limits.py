"""How often somebody may ask for something."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

# So many names are remembered; of more the one that was silent for longest is forgotten.
_MOST_NAMES = 10_000


class Limit:
    """So many times within so many seconds, for each name."""

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._times: OrderedDict[str, deque[float]] = OrderedDict()
        self._one_at_a_time = threading.Lock()

    def allows(self, name: str) -> bool:
        """Whether this time is within the limit; if it is, it counts."""
        with self._one_at_a_time:
            return self._counts(name, self._clock())

    def _counts(self, name: str, now: float) -> bool:
        times = self._times.setdefault(name, deque())
        self._times.move_to_end(name)
        while times and times[0] <= now - self._seconds:
            times.popleft()
        if len(times) >= self._most:
            return False
        times.append(now)
        if len(self._times) > _MOST_NAMES:
            self._times.popitem(last=False)
        return True
