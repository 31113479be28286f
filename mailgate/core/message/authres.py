"""What a mail server wrote about a message into Authentication-Results (RFC 8601), read without being fooled.

Comments and quoted strings may hold anything, "; dmarc=pass" too. Anybody can write such a field: whose
is believed, and in which place, is decided in `believed`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

_LONGEST = 16_384
# A quoted string, a run of other text, or one of the signs that part it; comments are taken out before.
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([;=])|([^\s;="]+)', re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reported:
    """One result: e.g. method "dkim", result "pass", properties {"header.d": "acme.example"}; all lower case."""

    method: str
    result: str
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """One field. authserv: the server that says so, "" where it does not name itself."""

    authserv: str
    results: tuple[Reported, ...]


def parse(value: str) -> Report | None:
    """One field; None for one that cannot be read for sure: an open quote or comment, or far too long."""
    bare = _without_comments(value) if len(value) <= _LONGEST else None
    if bare is None:
        return None
    first, *rest = _statements(bare)
    authserv = "" if "=" in first else (first[0].lower() if first else "")
    statements = [first, *rest] if "=" in first else rest
    return Report(authserv, tuple(found for words in statements if (found := _reported(words))))


def believed(fields: Iterable[tuple[str, str]], trusted: Collection[str]) -> tuple[Report, ...]:
    """The reports of our own servers, among a message's fields: lower-case name and value, from the top.

    A server puts its fields on top of what it was given, milters even on top of its own Received. So all
    that stand above every Received are believed if they bear a trusted name; else the topmost alone.
    """
    names = {name.lower() for name in trusted}
    above, topmost, received = [], None, False
    for name, value in fields:
        received = received or name == "received"
        if name == "authentication-results":
            topmost = topmost or value
            if received:
                break
            above.append(value)
    reports = [parse(value) for value in (above or ([topmost] if topmost else []))]
    if not reports or reports[0] is None or reports[0].authserv not in names:
        return ()
    return tuple(report for report in reports if report and report.authserv in names)


def of_author(reports: Sequence[Report], method: str, domain: str) -> str:
    """The one result of "dmarc" for this author's domain; "" if there is none, or more than one."""
    found = [one for report in reports for one in report.results if one.method == method]
    if len(found) != 1 or found[0].properties.get("header.from") != domain:
        return ""
    return found[0].result


def passed(reports: Sequence[Report], method: str) -> Iterator[Mapping[str, str]]:
    """The properties of each "pass" of a method."""
    for report in reports:
        for one in report.results:
            if one.method == method and one.result == "pass":
                yield one.properties


def _without_comments(value: str) -> str | None:
    """The value with a space for each comment; None where a comment or a quoted string never ends."""
    kept, depth, quoted, escaped = [], 0, False, False
    for char in value:
        if escaped or (char == "\\" and (quoted or depth)):
            escaped = not escaped
            kept.append(char if not depth else "")
            continue
        if char == '"' and not depth:
            quoted = not quoted
        elif not quoted and char in "()":
            depth += 1 if char == "(" else -1
            kept.append(" ")
            if depth < 0:
                return None
            continue
        kept.append(char if not depth else "")
    return None if quoted or depth or escaped else "".join(kept)


def _statements(bare: str) -> Iterator[list[str]]:
    """Words and "=" signs of each part between semicolons; the sign inside a quoted string is text."""
    words: list[str] = []
    for quoted, sign, word in (match.groups() for match in _TOKEN.finditer(bare)):
        if sign == ";":
            yield words
            words = []
        elif quoted is not None:
            # In front of it a mark, so that a quoted "=" is no sign.
            words.append("\0" + _QUOTED_PAIR.sub(r"\1", quoted))
        else:
            words.append(sign or word)
    yield words


def _reported(words: list[str]) -> Reported | None:
    pairs = [
        (words[at - 1].lower(), words[at + 1].lstrip("\0").lower())
        for at, word in enumerate(words)
        if word == "=" and 0 < at < len(words) - 1
    ]
    if not pairs or words[1] != "=":
        return None
    method, result = pairs[0]
    properties: dict[str, str] = {}
    for name, said in pairs[1:]:
        if "." in name or name == "reason":
            properties.setdefault(name, said)
    return Reported(method.partition("/")[0], result, properties)
