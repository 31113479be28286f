"""What was found out about a message, as it stands in the journal: JSON, so that it can be looked at for good."""

from __future__ import annotations

import json
from dataclasses import asdict

from mailgate.core.proof import UNCHECKED, Result, Signature, Verdicts


def written(verdicts: Verdicts) -> str | None:
    """The column's text; None where nothing was looked up."""
    if verdicts == UNCHECKED:
        return None
    return json.dumps(asdict(verdicts), default=sorted)


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
