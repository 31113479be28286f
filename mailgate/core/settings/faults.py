"""What is wrong with the rules: where, and a sentence. Turns pydantic's findings into ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mailgate.core.settings.locate import Path
from mailgate.core.settings.wording import choices, did_you_mean, quoted, shown


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong. other: the key that it clashes with, if any."""

    path: Path
    what: str
    other: Path | None = None


def spoken(path: Path, data: Mapping[str, Any]) -> str:
    """A path as an admin reads it, `rules 3 "site down": set.priority`; tables in lists count from 1."""
    words, value = "", data
    for step in path:
        value = _step(value, step)
        if isinstance(step, str):
            words += step if not words or words.endswith(": ") else f".{step}"
        elif isinstance(value, dict):
            name = value.get("name")
            words += f" {step + 1}" + (f" {quoted(name)}" if isinstance(name, str) else "") + ": "
    return words.removesuffix(": ")


def _step(value: Any, step: str | int) -> Any:
    try:
        return value[step]
    except (LookupError, TypeError):
        return None


def of(error: ValidationError, model: type[BaseModel]) -> Iterator[Fault]:
    """The faults that pydantic found while it read `model`."""
    for found in error.errors(include_url=False):
        path = tuple(step for step in found["loc"] if step != "[key]")
        if found["type"] == "extra_forbidden":
            yield Fault(path, "unknown key" + did_you_mean(str(path[-1]), known_keys(model, path[:-1])))
        elif found["type"] != "default_factory_not_called":  # the consequence of another fault
            yield Fault(path, _SENTENCES.get(found["type"], _not_possible)(found))


def known_keys(model: type[BaseModel], path: Path) -> list[str]:
    """The keys that the table at `path` may have."""
    inside: type[BaseModel] | None = model
    steps = iter(path)
    for step in steps:
        annotation = _fields(inside).get(step)
        inside = _model_in(annotation)
        if get_origin(annotation) in (dict, tuple):
            next(steps, None)  # the name or the number of one of them
    return [str(key) for key in _fields(inside)]


def _fields(model: type[BaseModel] | None) -> dict[str | int, Any]:
    """The keys of a model, as the file has them, and their types."""
    fields = model.model_fields.items() if model else ()
    return {field.alias or name: field.annotation for name, field in fields}


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that a type is made of: itself, or in `Model | None`, `tuple[Model, ...]`, `dict`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model_in(inner))), None)


def _should_be(what: str) -> Callable[[ErrorDetails], str]:
    return lambda found: f"{shown(found['input'])}; use {what}"


_NO = {"priority": "no priority", "category": "no category", "categories": "no category"}


def _not_allowed(found: ErrorDetails) -> str:
    """pydantic expects `'urgent', 'high' or 'low'`."""
    words = found["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
    key = next(step for step in reversed(found["loc"]) if isinstance(step, str))
    return f"{quoted(found['input'])} is {_NO.get(key, 'not possible here')}; use {choices(words)}"


def _not_possible(found: ErrorDetails) -> str:
    return f"{quoted(found['input'])} is not possible here"


def _bound(word: str, key: str) -> Callable[[ErrorDetails], str]:
    return lambda found: f"{quoted(found['input'])} is {word} {found['ctx'][key]}"


_TABLE = _should_be("a table")
# By pydantic's type of error.
_SENTENCES: Mapping[str, Callable[[ErrorDetails], str]] = {
    "missing": lambda found: "is missing",
    "value_error": lambda found: str(found["ctx"]["error"]),
    "bool_type": _should_be("true or false"),
    "string_type": _should_be("text in quotes"),
    "int_type": _should_be("a whole number"),
    "tuple_type": _should_be("a list in square brackets"),
    "dict_type": _TABLE,
    "model_type": _TABLE,
    "literal_error": _not_allowed,
    "enum": _not_allowed,
    "greater_than_equal": _bound("too small; use at least", "ge"),
    "less_than_equal": _bound("too big; use at most", "le"),
}
