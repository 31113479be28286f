"""What was found out about a message, as it stands in the journal: JSON, so that it can be looked at for good."""

from __future__ import annotations

import json
from dataclasses import fields
from functools import lru_cache

from mailgate.core.proof import UNCHECKED, Result, Signature, Verdicts


@lru_cache(maxsize=256)  # what is found out about those who write often is the same each time
def written(verdicts: Verdicts) -> str | None:
    """The column's text; None where nothing was looked up."""
    if verdicts == UNCHECKED:
        return None
    signatures = [_fields(one) for one in verdicts.signatures]
    return json.dumps({**_fields(verdicts), "signatures": signatures}, default=sorted)


def read(text: str | None) -> Verdicts:
    """The value of what `written` wrote."""
    if text is None:
        return UNCHECKED
    found = json.loads(text)
    signatures = tuple(
        Signature(**{**one, "result": Result(one["result"]), "covers": frozenset(one["covers"])})
        for one in found["signatures"]
    )
    results = {"spf": Result(found["spf"]), "dmarc": Result(found["dmarc"])}
    return Verdicts(**{**found, **results, "signatures": signatures})


def _fields(value: Signature | Verdicts) -> dict[str, object]:
    """By name. Not `asdict`, which copies what is inside, for each message."""
    return {field.name: getattr(value, field.name) for field in fields(value)}
