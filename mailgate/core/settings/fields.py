"""How single values of `rules.toml` are read; each function is the validator of a type in `schema`.

All raise ValueError with a sentence that says what is wrong and what would be right.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from mailgate.core.address import canonical
from mailgate.core.settings import countries, units
from mailgate.core.settings.units import Span
from mailgate.core.settings.wording import choices, did_you_mean, quoted, shown

# Where anybody gets an address: a wildcard there would let everybody in.
PUBLIC_DOMAINS = frozenset(
    """
    126.com 163.com aol.com euskaltel.net fastmail.com free.fr gmail.com gmx.com gmx.de gmx.es gmx.net
    googlemail.com hushmail.com icloud.com jazztel.es laposte.net libero.it mac.com mail.com mail.ru me.com
    movistar.es msn.com ono.com orange.es orange.fr pm.me proton.me protonmail.com qq.com telefonica.es
    telefonica.net terra.es tuta.io tutanota.com vodafone.es wanadoo.es wanadoo.fr web.de ya.com yandex.com
    yandex.ru zoho.com
    """.split()  # noqa: SIM905
)
# Brands with a domain in many countries: yahoo.es, hotmail.co.uk, outlook.fr.
PUBLIC_BRANDS = frozenset({"hotmail", "live", "outlook", "rocketmail", "yahoo", "ymail"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server listens: host and port, the path of a unix socket, or what systemd hands over."""

    kind: Literal["tcp", "unix", "systemd"]
    host: str = ""
    port: int = 0
    path: str = ""


def written(read: Callable[[str], object]) -> Callable[[object], object]:
    """The validator of a value that is written as text and read by `read`."""

    def validator(value: object) -> object:
        if not isinstance(value, str):
            raise ValueError(f"{shown(value)}; write it in quotes")
        return read(value)

    return validator


def is_public(domain: str) -> bool:
    """Whether anybody gets an address there."""
    return domain in PUBLIC_DOMAINS or domain.partition(".")[0] in PUBLIC_BRANDS


def plain(value: str) -> str:
    """Text for a line of a mail or a log: something, and no control characters."""
    if not value.strip():
        raise ValueError("is empty; write something or leave the key out")
    if not value.isprintable():
        raise ValueError(f"{quoted(value)} has a control character or a line break in it; take it out")
    return value


def address(value: str) -> str:
    """A plain address in canonical form."""
    found = canonical(value)
    if found is None:
        raise ValueError(f"{quoted(value)} is no plain address; write it as name@domain, without < and >")
    if "*" in found:
        raise ValueError(f"{quoted(value)} is a wildcard, which only clients have; write one address")
    return found


def pattern(value: str) -> str:
    """A plain address, or `*@domain` for everybody of a domain."""
    if "*" not in value:
        return address(value)
    name, _, domain = value.lower().partition("@")
    if name != "*" or "." not in domain or "*" in domain or canonical(f"x@{domain}") is None:
        raise ValueError(f"{quoted(value)} is no address; a wildcard is written *@domain, for a whole domain")
    return f"*@{domain}"


def authorised(value: str) -> str:
    """The same for those who are let in: never everybody of a public mail domain."""
    found = pattern(value)
    domain = found.partition("@")[2]
    if found.startswith("*") and is_public(domain):
        raise ValueError(f"{quoted(value)} would let in everybody who has mail there; name each address")
    return found


def words(value: str) -> str:
    """A word or phrase to look for."""
    if not re.search(r"\w", value):
        raise ValueError(f"{quoted(value)} has no letter or digit in it; write a word to look for")
    return plain(value)


def id(value: str) -> str:  # noqa: A001
    """The name by which a package, technician or client goes in the rules and on the command line."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", value):
        raise ValueError(f"{quoted(value)} is no name here; use letters without accents, digits, - and _")
    return value


def day(value: object) -> object:
    """A date, written as text or as TOML's own."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    return written(units.day)(value)


def listed(value: object) -> object:
    """One text alone stands for a list of one."""
    return [value] if isinstance(value, str) else value


def some(value: object) -> object:
    """A list or table that must not be empty."""
    if value in ([], {}):
        raise ValueError("is empty; at least one is needed")
    return value


def attachments(value: object) -> object:
    """What stands in the name of an attachment; true stands for any attachment."""
    if value is True:
        return ("",)
    if isinstance(value, bool):
        raise ValueError('use true for any attachment, or a part of its name, as in ".zip"')
    return listed(value)


def spans(value: object) -> object:
    """The opening hours of a day, in order: one span or a list of them, without overlap."""
    values = listed(value)
    if not isinstance(values, list | tuple):
        raise ValueError(f'{shown(value)}; write hours as in "10:00-20:00"')
    found = sorted(one for item in values if isinstance(one := written(units.span)(item), Span))
    for first, second in pairwise(found):
        if second.start < first.end:
            raise ValueError(f"{_clocks(first)} and {_clocks(second)} overlap; write them as one, or apart")
    return tuple(found)


def _clocks(span: Span) -> str:
    start, end = (f"{minute // 60:02}:{minute % 60:02}" for minute in span)
    return f'"{start}-{end}"'


def zone(value: str) -> str:
    """The name of a time zone, as in the IANA database."""
    try:
        return ZoneInfo(value).key
    except (OSError, LookupError, ValueError):
        proposal = did_you_mean(value, available_timezones()) or '; write it as in "Europe/Madrid"'
        raise ValueError(f"{quoted(value)} is no time zone{proposal}") from None


def region_of(country: str, region: str) -> None:
    """Refuse a country or a region whose public holidays are not known."""
    known = countries.codes()
    if not country and region:
        raise ValueError(f'region {quoted(region)} has no country; write country = "ES" before it')
    if country and country not in known:
        proposal = did_you_mean(country, known) or '; write its code of two letters, as in "ES"'
        raise ValueError(f"no holidays are known for country {quoted(country)}{proposal}")
    regions = countries.regions(country) if region else ()
    if region and region not in regions:
        known_regions = f"; use {choices(regions)}" if regions else "; leave it out"
        raise ValueError(f"no holidays are known for region {quoted(region)} of {country}{known_regions}")


def tag(value: str) -> str:
    """What stands before the number in a ticket's ID."""
    if not re.fullmatch(r"[A-Z][A-Z0-9]{0,9}", value):
        raise ValueError(f'{quoted(value)} is no tag; write one to ten capitals and digits, as in "SOP"')
    return value


def url(value: str) -> str:
    """Where people reach the client area; no slash at the end."""
    if not re.fullmatch(r"https?://[^\s/?#]+[^\s?#]*", value):
        raise ValueError(f'{quoted(value)} is no address of a web page; write it as in "https://soporte.example.es"')
    return value.rstrip("/")


def guarded_url(value: str) -> str:
    """Where secrets are sent to; "" for none."""
    found = re.fullmatch(r"(https?)://(\[[0-9a-fA-F:]+\]|[\w.-]+)(:[0-9]{1,5})?(/[^\s#]*)?", value, re.ASCII)
    if value and not found:
        raise ValueError(f'{quoted(value)} is no address; write it as in "https://login.example.es/token"')
    if found and found[1] == "http" and not loopback(found[2].strip("[]")):
        raise ValueError(f"{quoted(value)} sends secrets in the clear; use https")
    return value


def tenant(value: str) -> str:
    """An organisation, as a part of Microsoft's addresses."""
    if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9.-]*", value):
        name = "example.onmicrosoft.com"
        raise ValueError(f'{quoted(value)} is no tenant; write its name as in "{name}", or its number')
    return value


def price(value: str) -> str:
    """An amount of money, "160.00 EUR"."""
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{2})? [A-Z]{3}", value):
        raise ValueError(f'{quoted(value)} is no price; write amount and currency, as in "160.00 EUR"')
    return value


def after(value: str) -> str:
    """What becomes of a mail that was fetched: "seen", "delete", "move:Folder"."""
    if value in ("seen", "delete") or (value.startswith("move:") and plain(value) != "move:"):
        return value
    raise ValueError(f'{quoted(value)} is not possible here; use "seen", "delete" or "move:Folder"')


def endpoint(value: str) -> Endpoint | None:
    """Where to listen; None for "", which is nowhere."""
    if not value:
        return None
    if value == "systemd":
        return Endpoint("systemd")
    if value.startswith("unix:") and len(value) > 5:
        return Endpoint("unix", path=value[5:])
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):([0-9]{1,5})", value)
    if match is None or int(match[2]) > 65535:
        raise ValueError(f'{quoted(value)} is no place; use "127.0.0.1:8025", "unix:/path" or "systemd"')
    return Endpoint("tcp", match[1].strip("[]"), int(match[2]))


def host_and_port(value: str) -> Endpoint | None:
    """A server to ask; None for ""."""
    found = endpoint(value)
    if found is not None and found.kind != "tcp":
        raise ValueError(f'{quoted(value)} is no server to ask; use "127.0.0.1:53"')
    return found


def optional(read: Callable[[str], object]) -> Callable[[object], object]:
    """The same as `written`, with None for ""."""
    validator = written(read)
    return lambda value: None if value == "" else validator(value)


def network(value: str) -> IPv4Network | IPv6Network:
    """A network "192.0.2.0/24", or one address."""
    try:
        return ip_network(value)
    except ValueError:
        raise ValueError(f'{quoted(value)} is no network; write it as in "192.0.2.0/24"') from None


def loopback(host: str) -> bool:
    """Whether a host is this machine, so that nothing crosses a network."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
