"""Arguments that are one of a few: words of the desk, people of the desk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from mailgate.core.commands import vocabulary
from mailgate.core.commands.reader import Context, in_spanish, wrong
from mailgate.core.commands.vocabulary import SETTABLE, Word, folded
from mailgate.core.model import Command

_VALUES: Mapping[str, tuple[Word, ...]] = {
    "status": vocabulary.STATUSES,
    "priority": vocabulary.PRIORITIES,
    "category": vocabulary.CATEGORIES,
}


def one_of(command: Command, name: str, text: str, context: Context) -> Command:
    """One of a few words; what is proposed is in the language in which the command was written."""
    words, status = _VALUES[command.name], command.name == "status"
    spanish = in_spanish(command, name)
    choice = [word.shown(spanish=spanish) for word in words if not status or word.value in SETTABLE]
    if not text:
        return wrong(command, "argument_missing", name, f"{name} {choice[0]}")
    said, more = _said(text, lambda start: vocabulary.meaning(words, start))
    value = vocabulary.meaning(words, said)
    if value is None:
        return wrong(command, f"{command.name}_unknown", text, ", ".join(choice))
    if status and value not in SETTABLE:
        return wrong(command, "status_not_settable", said, ", ".join(choice))
    if more:
        return wrong(command, "too_much", more, f"{name} {said}")
    return replace(command, value=str(value))


def person(command: Command, name: str, text: str, context: Context) -> Command:
    """A technician, by id or name or by the beginning of either, if nobody else's begins so."""
    if not text:
        return wrong(command, "argument_missing", name, f"{name} {next(iter(context.technicians), '')}")
    said, more = _said(text, lambda start: _called(start, context.technicians))
    people = _called(said, context.technicians)
    if not people:
        return wrong(command, "technician_unknown", text, ", ".join(context.technicians))
    if len(people) > 1:
        return wrong(command, "technician_ambiguous", said, ", ".join(people))
    if more:
        return wrong(command, "too_much", more, f"{name} {said}")
    return replace(command, value=people[0])


def _said(text: str, known: Callable[[str], object]) -> tuple[str, str]:
    """The longest beginning, of at most four words, that is known, and the rest; all if none is."""
    words = text.split(" ")
    for count in range(min(len(words), 4), 0, -1):
        start = " ".join(words[:count]).rstrip(".,;:!")
        if start and known(start):
            return start, " ".join(words[count:])
    return text, ""


def _called(text: str, technicians: Mapping[str, str]) -> list[str]:
    """Ids of those who may be meant, by the surest of: id, name, first name, beginning of id or name."""
    sought = folded(text).removeprefix("@")
    people = [(key, folded(key), folded(name)) for key, name in technicians.items()]
    tiers = (
        [key for key, short, _ in people if short == sought],
        [key for key, _, name in people if name == sought],
        [key for key, _, name in people if name.partition(" ")[0] == sought],
        [key for key, short, name in people if short.startswith(sought) or name.startswith(sought)],
    )
    return next(filter(None, tiers), []) if sought else []
