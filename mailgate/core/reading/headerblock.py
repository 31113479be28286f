"""Header blocks, such as Outlook's: "De: …", "Enviado el: …", "Para: …", "Asunto: …"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mailgate.core.reading.opening import HEADER_BLOCK, LONGEST_LINE, TIME, Opening, is_rule
from mailgate.core.reading.quotewords import FIELDS, folded

MOST_LINES = 16

_FIELD = re.compile(r"\W*(?P<name>[^\W\d_][^:：<>@]{0,24}?)\W{0,3}[:：](?P<value>.*)")


def _roles() -> dict[str, dict[str, str]]:
    """Folded name of a field to language to role."""
    roles: dict[str, dict[str, str]] = {}
    for language, fields in FIELDS.items():
        for role, names in fields.items():
            for name in names:
                roles.setdefault(folded(name), {})[language] = role
    return roles


_ROLES = _roles()


@dataclass(frozen=True, slots=True)
class _Field:
    """One line of a header block. roles: by language, empty where the name is unknown."""

    roles: dict[str, str]
    value: str


def _field(line: str) -> _Field | None:
    if len(line) > LONGEST_LINE or not (":" in line[:40] or "：" in line[:40]):
        return None
    match = _FIELD.match(line)
    return _Field(_ROLES.get(folded(match["name"].strip()), {}), match["value"]) if match else None


def find(lines: Sequence[str], at: int) -> Opening | None:
    """A block that names its sender and either a date or an address, in three or more fields.

    A client's text may hold "De: Madrid", "Para: Sevilla" (corpus es/46): that is not enough. Below
    a rule the fields may be in a language that we do not know.
    """
    first = _field(lines[at])
    below_rule = at > 0 and is_rule(lines[at - 1])
    if first is None or not (first.roles or below_rule):
        return None
    fields, end = _fields(lines, at, any_name=below_rule)
    if len(fields) < 3:
        return None
    values = " ".join(field.value for field in fields)
    roles = _all_roles(fields)
    told = "@" in values or ("date" in roles and any(char.isdigit() for char in values))
    if "from" in roles and roles & {"date", "subject"} and told:
        return Opening(at, end, HEADER_BLOCK, _language(fields))
    if below_rule and "@" in values and TIME.search(values):
        return Opening(at, end, HEADER_BLOCK)
    return None


def _fields(lines: Sequence[str], at: int, *, any_name: bool) -> tuple[list[_Field], int]:
    """The fields from a line on, and the line after the last; a field may go on over a line or two."""
    fields: list[_Field] = []
    end = at
    for number in range(at, min(at + MOST_LINES, len(lines))):
        field = _field(lines[number])
        if field and (field.roles or any_name):
            fields.append(field)
            end = number + 1
        elif not lines[number] and not {"from", "subject"} <= _all_roles(fields):
            continue
        elif not lines[number] or number - end >= 2:
            break
        elif fields:
            fields[-1] = replace(fields[-1], value=f"{fields[-1].value} {lines[number]}")
    return fields, end


def _all_roles(fields: Sequence[_Field]) -> set[str]:
    return {role for field in fields for role in field.roles.values()}


def _language(fields: Sequence[_Field]) -> str:
    """The language in which most of the fields are known."""
    return max(FIELDS, key=lambda language: sum(language in field.roles for field in fields))
