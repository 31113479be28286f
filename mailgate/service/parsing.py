"""Read messages, in a process that can be ended where that may be dear, or where many wait.

Nearly all are read at once. One that looks as if it could cost much goes to a process of its own, with limits on
seconds and memory, which is started when it is first needed and ended when it has had nothing to do for a while.
Where that process ends over a message, that message cannot be read safely, and no other is touched.

While many messages come in (`Reader`), another such process reads the next of them while this one is at those before.
"""

from __future__ import annotations

import contextlib
import logging
import pickle
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mailgate import cores
from mailgate.core.access_data import spans
from mailgate.core.mail import Ahead, Envelope, Mail
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
_HELLO = b"+"
# More than a person waits for: then it pays to read beside.
_BUSY = 50
_BUSY_SECONDS = 1.0
_BUSY_IDLE_SECONDS = 30.0
_AGAIN_SECONDS = 60.0  # after the process beside could not be had

Message = tuple[bytes, Envelope]


class EndedError(Exception):
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
        self._greeted = False
        self._used = 0.0
        self._rest: threading.Timer | None = None

    @property
    def pid(self) -> int | None:
        """Number of the process, None while there is none."""
        process = self._process
        return process.pid if process else None

    def parse(self, raw: bytes, envelope: Envelope) -> Mail:
        """The message; beyond the limits its header alone, or nothing but why."""
        with self._lock:
            try:
                return self._read((raw, envelope))
            finally:
                self._rest_later()

    def parse_all(self, messages: Sequence[Message]) -> list[Mail]:
        """Messages that are not dear to read. Raises EndedError where the process ends over them."""
        with self._lock:
            try:
                return self._ask(messages)
            finally:
                self._rest_later()

    def is_ready(self) -> bool:
        """Whether it would begin to read at once; it is started for that. Raises EndedError, OSError."""
        with self._lock:
            process = self._started()
            if not self._greeted and _has_said(process):
                self._greet(process)
            return self._greeted

    def stop(self) -> None:
        """End the process; the next message starts another."""
        with self._lock:
            self._end()

    def _rest_later(self) -> None:
        self._used = time.monotonic()
        if self._rest is None:
            self._wait(self._idle)

    def _wait(self, seconds: float) -> None:
        self._rest = threading.Timer(seconds, self._rest_now)
        self._rest.daemon = True
        self._rest.start()

    def _rest_now(self) -> None:
        """End the process, unless it was used since."""
        with self._lock:
            self._rest = None
            left = self._used + self._idle - time.monotonic()
            if self._process is None:
                return
            if left > 0:
                self._wait(left)
            else:
                self._end()

    def _read(self, message: Message) -> Mail:
        raw, envelope = message
        try:
            return self._ask([message])[0]
        except EndedError as ended:
            reason = str(ended)
            log.warning("a message of %d bytes was not read: %s", len(raw), reason)
        try:
            return self._ask([message], reason)[0]
        except EndedError:
            return mime.closed(raw, envelope, reason)

    def _ask(self, messages: Sequence[Message], reason: str = "") -> list[Mail]:
        """What the process makes of messages, or with a reason of their headers alone. Raises EndedError."""
        process = self._started()
        if process.stdin is None or process.stdout is None:
            raise AssertionError("a process without pipes")
        alarm = threading.Timer(_PATIENCE_SECONDS, process.kill)
        alarm.start()
        try:
            pickle.dump((messages, reason), process.stdin)
            process.stdin.flush()
            self._greet(process)
            mails: list[Mail] = pickle.load(process.stdout)  # noqa: S301 - what it reads was written by this very file
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise EndedError(self._last_words(process)) from error
        else:
            return mails
        finally:
            alarm.cancel()

    def _greet(self, process: subprocess.Popen[bytes]) -> None:
        """Hear that it has begun."""
        if not self._greeted and process.stdout is not None:
            if process.stdout.read(1) != _HELLO:
                raise EndedError(self._last_words(process))
            self._greeted = True

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self._end()
        if self._process is None:
            command = [sys.executable, "-P", "-m", __spec__.name, str(self._seconds), str(self._memory)]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
            self._greeted = False
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


def _has_said(process: subprocess.Popen[bytes]) -> bool:
    return process.stdout is not None and bool(select.select([process.stdout], [], [], 0)[0])


class Reader:
    """Reads what waits; for one thread. busy: messages of one second from which on they are read beside."""

    def __init__(self, beside: Parser, busy: int = _BUSY) -> None:
        self._beside = beside
        self._busy = busy
        self._since = 0.0
        self._count = 0
        self._many = False
        self._not_before = 0.0

    def read(self, messages: Sequence[Message]) -> list[Mail | Exception]:
        """Each as far as it can be understood, in order, or what our own code raised on it."""
        if self._is_busy(len(messages)) and len(messages) > 1 and not any(burdensome(raw) for raw, _ in messages):
            try:
                if self._beside.is_ready():
                    return [*self._beside.parse_all(messages)]
            except (EndedError, OSError) as error:
                log.warning("messages are read in the program itself: %s", error)
                self._not_before = time.monotonic() + _AGAIN_SECONDS
        return [_attempted(message) for message in messages]

    @property
    def is_busy(self) -> bool:
        """Whether so many came within the last moments. For any thread."""
        return self._have_come and time.monotonic() - self._since < 2 * _BUSY_SECONDS

    def stop(self) -> None:
        """Leave no process behind."""
        self._beside.stop()

    def _is_busy(self, count: int) -> bool:
        now = time.monotonic()
        if now - self._since > _BUSY_SECONDS:
            self._many = self._count >= self._busy and now - self._since < 2 * _BUSY_SECONDS
            self._since, self._count = now, 0
        self._count += count
        return now >= self._not_before and self._have_come

    @property
    def _have_come(self) -> bool:
        return self._many or self._count >= self._busy


def _attempted(message: Message) -> Mail | Exception:
    try:
        return parse(*message)
    except Exception as error:  # noqa: BLE001 - one message must not stop the rest
        return error


_PARSER = Parser()


def reader() -> Reader:
    """For the processor."""
    return Reader(Parser(idle=_BUSY_IDLE_SECONDS))


def parse(raw: bytes, envelope: Envelope) -> Mail:
    """The message as far as it can be understood and safely read. Never raises for what stands in it."""
    return _PARSER.parse(raw, envelope) if burdensome(raw) else mime.parse(raw, envelope)


def stop() -> None:
    """Leave no process behind."""
    _PARSER.stop()


def main(seconds: int, memory: int) -> int:
    """The process: reads what comes in and writes what it makes of it, until nothing comes any more."""
    for stop in (signal.SIGINT, signal.SIGTERM):  # of a terminal, of systemd: that ends who asks, and then this
        signal.signal(stop, signal.SIG_IGN)
    cores.use_all()
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # if the machine has too little, rather this one
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    sys.stdout.buffer.write(_HELLO)
    sys.stdout.buffer.flush()
    while True:
        try:
            messages, reason = pickle.load(sys.stdin.buffer)  # noqa: S301 - of the process that started this one
        except EOFError:
            return 0
        spent = int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
        resource.setrlimit(resource.RLIMIT_CPU, (spent + seconds + 1, resource.RLIM_INFINITY))
        try:
            pickle.dump([_made(raw, envelope, reason) for raw, envelope in messages], sys.stdout.buffer)
        except MemoryError:
            return _OUT_OF_MEMORY
        sys.stdout.buffer.flush()


def _made(raw: bytes, envelope: Envelope, reason: str) -> Mail:
    if reason:
        return mime.head(raw, envelope, reason)
    mail = mime.parse(raw, envelope)
    reading = fresh.read(mail, (), first=True)
    return replace(mail, ahead=Ahead(reading, tuple(spans(fresh.source(mail)[0]))))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
