"""What the log says again, and what it does not."""

from __future__ import annotations

import logging

from mailgate.cli.daemon import Repeats

MINUTE = 60.0


def _record(text: str, level: int = logging.WARNING, name: str = "mailgate.process") -> logging.LogRecord:
    return logging.LogRecord(name, level, "", 0, text, (), None)


def test_same_warning_is_said_once_a_minute_by_each_part():
    now = [0.0]
    repeats = Repeats(lambda: now[0])
    assert [repeats.filter(_record("the disk is full")) for _ in range(3)] == [True, False, False]
    assert repeats.filter(_record("the disk is full", name="mailgate.smtp"))
    assert repeats.filter(_record("the disk fails"))
    now[0] = MINUTE
    assert repeats.filter(_record("the disk is full"))


def test_what_happened_and_what_went_wrong_is_always_said():
    repeats = Repeats(lambda: 0.0)
    for level in (logging.INFO, logging.ERROR):
        assert all(repeats.filter(_record("message 1: open", level)) for _ in range(2))


def test_many_different_warnings_take_no_memory_for_good():
    repeats = Repeats(lambda: 0.0)
    assert all(repeats.filter(_record(f"not sent {number}")) for number in range(5000))
    assert len(repeats._said) <= 1000
