"""Read a message, in a process that can be ended where it may be dear to read.

Nearly all are read at once. One that looks as if it could cost much goes to a process of its own, with limits on
seconds and memory, which is started when it is first needed and ended when it has had nothing to do for a while.
Where that process ends over a message, that message cannot be read safely, and no other is touched.
"""

from __future__ import annotations

import contextlib
import logging
import pickle
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

from mailgate.core.mail import Envelope, Mail
from mailgate.core.message import mime
from mailgate.core.message.burden import burdensome
from mailgate.core.reading import fresh

log = logging.getLogger("mailgate.parsing")

# The dearest that is known took four seconds and 330 MB, for 25 MB of mail.
_SECONDS = 10
_MEMORY = 768 * 1024**2
_PATIENCE_SECONDS = 30.0  # with a process that computes nothing, or gets no turn
_IDLE_SECONDS = 120.0
_OUT_OF_MEMORY = 3


class _EndedError(Exception):
    """The process ended over a message; the text says why."""


class Parser:
    """A process that reads one message after the other. For any thread.

    seconds: of computing, for one message. memory: bytes of address space. idle: seconds after which it ends.
    """

    def __init__(self, seconds: int = _SECONDS, memory: int = _MEMORY, idle: float = _IDLE_SECONDS) -> None:
        self._seconds = seconds
        self._memory = memory
        self._idle = idle
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._rest: threading.Timer | None = None

    @property
    def pid(self) -> int | None:
        """Number of the process, None while there is none."""
        process = self._process
        return process.pid if process else None

    def parse(self, raw: bytes, envelope: Envelope) -> Mail:
        """The message; beyond the limits its header alone, or nothing but why."""
        with self._lock:
            if self._rest:
                self._rest.cancel()
            mail = self._read(raw, envelope)
            self._rest = threading.Timer(self._idle, self.stop)
            self._rest.daemon = True
            self._rest.start()
            return mail

    def stop(self) -> None:
        """End the process; the next message starts another."""
        with self._lock:
            self._end()

    def _read(self, raw: bytes, envelope: Envelope) -> Mail:
        try:
            return self._ask(raw, envelope, "")
        except _EndedError as ended:
            reason = str(ended)
            log.warning("a message of %d bytes was not read: %s", len(raw), reason)
        try:
            return self._ask(raw, envelope, reason)
        except _EndedError:
            return mime.closed(raw, envelope, reason)

    def _ask(self, raw: bytes, envelope: Envelope, reason: str) -> Mail:
        """What the process makes of a message, or with a reason of its header alone. Raises _EndedError."""
        process = self._started()
        if process.stdin is None or process.stdout is None:
            raise AssertionError("a process without pipes")
        alarm = threading.Timer(_PATIENCE_SECONDS, process.kill)
        alarm.start()
        try:
            pickle.dump((raw, envelope, reason), process.stdin)
            process.stdin.flush()
            mail: Mail = pickle.load(process.stdout)  # noqa: S301 - what it reads was written by this very file
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise _EndedError(self._last_words(process)) from error
        else:
            return mail
        finally:
            alarm.cancel()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self._end()
        if self._process is None:
            command = [sys.executable, "-P", "-m", __spec__.name, str(self._seconds), str(self._memory)]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        return self._process

    def _last_words(self, process: subprocess.Popen[bytes]) -> str:
        """Why the process ended, once it has."""
        code = process.wait()
        self._end()
        if code == -signal.SIGXCPU:
            return f"reading it takes more than {self._seconds} seconds"
        if code == _OUT_OF_MEMORY:
            return f"reading it takes more than {self._memory // 1024**2} MB"
        return f"reading it ended the process that read it ({code})"

    def _end(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # what is left in the buffer has nobody to go to
                pipe.close() if pipe else None
        self._process.wait()
        self._process = None


_PARSER = Parser()


def parse(raw: bytes, envelope: Envelope) -> Mail:
    """The message as far as it can be understood and safely read. Never raises for what stands in it."""
    return _PARSER.parse(raw, envelope) if burdensome(raw) else mime.parse(raw, envelope)


def stop() -> None:
    """Leave no process behind."""
    _PARSER.stop()


def main(seconds: int, memory: int) -> int:
    """The process: reads what comes in and writes what it makes of it, until nothing comes any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: that ends who asks, and then this
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # if the machine has too little, rather this one
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    while True:
        try:
            raw, envelope, reason = pickle.load(sys.stdin.buffer)  # noqa: S301 - of the process that started this one
        except EOFError:
            return 0
        spent = int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
        resource.setrlimit(resource.RLIMIT_CPU, (spent + seconds + 1, resource.RLIM_INFINITY))
        try:
            pickle.dump(_made(raw, envelope, reason), sys.stdout.buffer)
        except MemoryError:
            return _OUT_OF_MEMORY
        sys.stdout.buffer.flush()


def _made(raw: bytes, envelope: Envelope, reason: str) -> Mail:
    if reason:
        return mime.head(raw, envelope, reason)
    mail = mime.parse(raw, envelope)
    fresh.read(mail, (), first=True)  # whether that can be done as well, since who asks will do it
    return mail


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
