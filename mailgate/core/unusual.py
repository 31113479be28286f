"""Time that is probably a slip: asked back once before it debits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mailgate.core.model import Command

# Fewer debits than these say nothing of what somebody usually books.
_ENOUGH = 8
# Minutes that nobody is asked about, however short the answer.
_MOST_UNASKED = 60
_TIMES = 3
# A longer text than this may well stand for long work.
_SHORT_LINES = 2


@dataclass(frozen=True, slots=True)
class Unusual:
    """A booking that looks wrong. most: minutes that are usual for its writer, None where it passes the rules' mark."""

    command: Command
    most: int | None = None


def unusual(commands: Iterable[Command], text: str, debits: Sequence[int], confirm_above: int | None) -> Unusual | None:
    """The first line that books more than `confirm_above` minutes, or too much for so short a text.

    text: of the mail, without its commands. debits: minutes of the writer's newest. confirm_above: None for never.
    """
    booked = [command for command in commands if command.name in ("time", "call") and not command.problem]
    most = _usual(debits) if _is_short(text) else None
    for command in booked:
        minutes = command.minutes or 0
        if confirm_above is not None and minutes > confirm_above:
            return Unusual(command)
        if most is not None and minutes > max(_MOST_UNASKED, _TIMES * most):
            return Unusual(command, most)
    return None


def _is_short(text: str) -> bool:
    return 0 < sum(bool(line.strip()) for line in text.splitlines()) <= _SHORT_LINES


def _usual(debits: Sequence[int]) -> int | None:
    """The minutes that nine in ten of the debits stay within, None where there are too few to tell."""
    if len(debits) < _ENOUGH:
        return None
    return sorted(debits)[-(-9 * len(debits) // 10) - 1]
