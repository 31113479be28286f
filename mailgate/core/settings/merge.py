"""`rules.toml` and the files it includes, as one table that still knows where each key came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mailgate.core.settings.locate import Path

Origin = tuple[int, Path]


@dataclass
class Merged:
    """The table. origins: of its keys, which file (by its number) and which path there."""

    data: dict[str, Any] = field(default_factory=dict)
    origins: dict[Path, Origin] = field(default_factory=dict)
    clashes: list[tuple[Origin, Path]] = field(default_factory=list)

    def origin(self, path: Path) -> Origin:
        """File and path of a key of the table; of a missing one, where it would be."""
        known = path
        while known and known not in self.origins:
            known = known[:-1]
        file, place = self.origins.get(known, (0, ()))
        return file, (*place, *path[len(known) :])


def merge(tables: Sequence[dict[str, Any]]) -> Merged:
    """Tables go into one another, [[tables]] one after another; any other key may be set once.

    clashes: the places where a key is set again, each with the key's path.
    """
    merged = Merged()
    for file, table in enumerate(tables):
        _take(merged, merged.data, table, file, ())
    return merged


def _take(merged: Merged, into: dict[str, Any], table: dict[str, Any], file: int, path: Path) -> None:
    for key, value in table.items():
        here = (*path, key)
        if key not in into:
            into[key] = _empty_like(value)
            merged.origins[here] = file, here
        elif not _joinable(value) or _empty_like(value) != _empty_like(into[key]):
            merged.clashes.append(((file, here), here))
            continue
        if isinstance(value, dict):
            _take(merged, into[key], value, file, here)
        elif _joinable(value):
            start = len(into[key])
            into[key] += value
            merged.origins |= {(*here, start + place): (file, (*here, place)) for place in range(len(value))}


def _joinable(value: object) -> bool:
    """Whether a value is a table or an array of tables."""
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)
    )


def _empty_like(value: Any) -> Any:
    """What a table or an array of tables is poured into; any other value stands for itself."""
    return type(value)() if _joinable(value) else value
