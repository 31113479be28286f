"""Everything that can be wrong with the rules, found at once.

`schema` judges each section by itself. Here is what holds between sections; it looks at the data as
tomllib read it, so that a wrong type in one place hides no wrong name in another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from mailgate.core.settings import faults
from mailgate.core.settings.faults import Fault
from mailgate.core.settings.fields import Endpoint
from mailgate.core.settings.locate import Path
from mailgate.core.settings.rules import Rules
from mailgate.core.settings.servers import OAuth2
from mailgate.core.settings.wording import did_you_mean, quoted

ANY: Final = "*"

# Keys that hold the id of something: where it must be defined, how it is called, and the key.
_NAMES: tuple[tuple[str, str, Path], ...] = (
    ("technicians", "technician", ("desk", "director")),
    ("technicians", "technician", ("clients", ANY, "technician")),
    ("technicians", "technician", ("rules", ANY, "set", "assign")),
    ("technicians", "technician", ("rules", ANY, "set", "notify")),
    ("technicians", "technician", ("rules", ANY, "set", "notify", ANY)),
    ("clients", "client", ("rules", ANY, "match", "client")),
    ("clients", "client", ("rules", ANY, "match", "client", ANY)),
)

_ADDRESSES: tuple[tuple[str, Path], ...] = (
    ("the desk's", ("desk", "address")),
    ("the desk's", ("desk", "aliases", ANY)),
    ("technician", ("technicians", ANY, "addresses", ANY)),
    ("client", ("clients", ANY, "addresses", ANY)),
)

_LISTENERS: tuple[Path, ...] = (("smtp", "listen"), ("smtp", "lmtp"), ("web", "listen"), ("monitor", "listen"))
_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - looked for, not listened on


def build(data: Mapping[str, Any]) -> Rules | list[Fault]:
    """The rules from what tomllib read, or everything that is wrong with them."""
    found = [*_unknown_names(data), *_addresses_twice(data), *_passwords_in_the_clear(data)]
    try:
        rules = Rules.model_validate(data)
    except ValidationError as error:
        return [*faults.of(error, Rules), *found]
    return found or [*_listeners_twice(rules), *_two_programs(rules)] or rules


def _each(data: Any, pattern: Path, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Path and value of every text that a pattern leads to; ANY is each key of a table or list."""
    if not pattern:
        if isinstance(data, str):
            yield path, data
        return
    steps: Any = ()
    if pattern[0] == ANY:
        steps = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    elif isinstance(data, dict) and pattern[0] in data:
        steps = ((pattern[0], data[pattern[0]]),)
    for step, value in steps:
        yield from _each(value, pattern[1:], (*path, step))


def _unknown_names(data: Mapping[str, Any]) -> Iterator[Fault]:
    for table, kind, pattern in _NAMES:
        known = data.get(table)
        known = known if isinstance(known, dict) else {}
        for path, name in _each(data, pattern):
            if name not in known:
                yield Fault(path, f"{quoted(name)} is no {kind} in [{table}]{did_you_mean(name, known)}")


def _addresses_twice(data: Mapping[str, Any]) -> Iterator[Fault]:
    """An address must lead to one person."""
    owners: dict[str, tuple[str, Path]] = {}
    for kind, pattern in _ADDRESSES:
        for path, written in _each(data, pattern):
            owner = f"{kind} {quoted(path[1])}" if ANY in pattern[:2] else kind
            other, other_path = owners.setdefault(written.lower(), (owner, path))
            if other_path != path:
                what = "is here twice" if other == owner else f"is also {other}"
                yield Fault(path, f"{written} {what}", other_path)


def _passwords_in_the_clear(data: Mapping[str, Any]) -> Iterator[Fault]:
    """Signing in is offered under TLS alone."""
    smtp = data.get("smtp")
    if isinstance(smtp, dict) and smtp.get("tls_cert_file"):
        return
    for key in ("password_file", "password_env"):
        for path, written in _each(data, ("technicians", ANY, key)):
            if written:
                what = "lets them sign in, which takes TLS; name smtp.tls_cert_file and smtp.tls_key_file"
                yield Fault(path, what)


def _listeners_twice(rules: Rules) -> Iterator[Fault]:
    """Two servers cannot wait at one place; what systemd hands over has names of its own."""
    places: list[tuple[Path, Endpoint]] = []
    for section, key in _LISTENERS:
        place = getattr(getattr(rules, str(section)), str(key))
        if place is None or place.kind == "systemd":
            continue
        for path, other in places:
            if _meet(place, other):
                what = f"is where {'.'.join(map(str, path))} listens; give each a port of its own"
                yield Fault((section, key), what, path)
        places.append(((section, key), place))


def _two_programs(rules: Rules) -> Iterator[Fault]:
    """A person signs in once for a user at a provider, however many servers of theirs are named."""
    known: dict[tuple[str, str], tuple[Path, OAuth2]] = {}
    for path, login in rules.logins:
        if login.oauth2:
            key = login.oauth2.provider, login.user
            other, oauth2 = known.setdefault(key, (path, login.oauth2))
            if oauth2 != login.oauth2:
                what = f"differs from that of the same user; {login.user} signs in once for both, so write them alike"
                yield Fault((*path, "oauth2"), what, (*other, "oauth2"))


def _meet(one: Endpoint, other: Endpoint) -> bool:
    """Whether whoever listens at one keeps the other from it; port 0 is any that is free."""
    if one.kind != other.kind or one.kind == "unix":
        return one == other
    hosts = {place.host.replace("localhost", "127.0.0.1") for place in (one, other)}
    return one.port == other.port != 0 and (len(hosts) == 1 or not hosts.isdisjoint(_EVERYWHERE))
