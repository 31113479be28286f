"""What `init` asks, in its order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from babel.core import get_global

from mailgate.core.settings import fields
from mailgate.core.settings.providers import LOGINS, PROVIDERS, login_at, servers_of

Given = dict[str, str]
"""Answers so far, by the names of `Answers`."""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask. read: raises ValueError with what would be right.

    with_: the earlier answer without which it makes no sense: its key, and which values serve, any where none is named.

    optional: Enter, or "", leaves it out. asked: else it is an option only.
    """

    key: str
    text: str
    default: Callable[[Given], str]
    read: Callable[[str, Given], object]
    with_: tuple[str, ...] = ()
    optional: bool = False
    asked: bool = True

    @property
    def option(self) -> str:
        """How it is given to a script."""
        return "--" + self.key.replace("_", "-")

    def wanted(self, given: Given) -> bool:
        """Whether it makes sense after the answers so far."""
        if not self.with_:
            return True
        key, *values = self.with_
        return given[key] in values if values else bool(given[key])

    @property
    def goes_with(self) -> str:
        """The option without which this one makes no sense."""
        key, *values = self.with_
        return f"--{key.replace('_', '-')} {'|'.join(values)}".strip()

    def checked(self, value: str, given: Given) -> str:
        """The answer, if it is one. Raises ValueError."""
        value = value.strip()
        if value or not self.optional:
            self.read(value, given)
        return value


def _one_of(*choices: str) -> Callable[[str, Given], object]:
    def read(value: str, given: Given) -> object:
        if value not in choices:
            raise ValueError(f"{value}: one of {', '.join(choices)}")
        return value

    return read


def _port(value: str, given: Given) -> object:
    if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= 65535:
        raise ValueError(f"{value}: a port is a number from 1 to 65535")
    return value


def _zone(given: Given) -> str:
    """The country's time zone, where it has one; Spain's is that of the mainland."""
    zones = get_global("territory_zones").get(given["country"], [])
    return "Europe/Madrid" if given["country"] == "ES" else zones[0] if len(zones) == 1 else "UTC"


def _plain(value: str, given: Given) -> object:
    return fields.plain(value)


def _address(value: str, given: Given) -> object:
    """Each person has an address of their own, and none has the desk's."""
    taken = {given.get(f"{who}address") for who in ("", "director_", "technician_")} - {None, ""}
    if fields.address(value) in taken:
        raise ValueError(f"{value} is taken already; each has an address of their own")
    return value


def _client_address(value: str, given: Given) -> object:
    if "*" in value:
        raise ValueError(f"{value}: name one person, to whom notices go; add {value} to the rules afterwards")
    return _address(value, given)


def _always(value: str) -> Callable[[Given], str]:
    return lambda given: value


def _colleague(name: str) -> Callable[[Given], str]:
    """An address beside the desk's; where anybody gets one it would be a stranger's."""

    def default(given: Given) -> str:
        domain = given["address"].partition("@")[2]
        return f"{name}@{'example.es' if fields.is_public(domain.lower()) else domain}"

    return default


_CLIENT_ID = "… as which program: the client_id that it gave you (docs/operations.md says how; - for later)?"
QUESTIONS = (
    Question("name", "What is the desk called, as clients read it?", _always("Soporte Técnico"), _plain),
    Question("address", "Which address do clients write to?", _always("soporte@example.es"), _address),
    Question("language", "Which language does it write, es or en?", _always("es"), _one_of("es", "en")),
    Question("director_name", "Who decides: the director's name?", _always("Elena Ruiz"), _plain),
    Question("director_address", "… and address?", _colleague("elena"), _address),
    Question("technician_name", "The first technician's name (- for none)?", _always("-"), _plain, optional=True),
    Question(
        "technician_address",
        "… and address?",
        _colleague("tecnico"),
        _address,
        with_=("technician_name",),
    ),
    Question("client_name", "The first client's name (- for none)?", _always("-"), _plain, optional=True),
    Question(
        "client_address",
        "… and the address they write from?",
        _always("ana@acme.example"),
        _client_address,
        with_=("client_name",),
    ),
    Question("country", "In which country are your holidays?", _always("ES"), lambda v, g: fields.region_of(v, "")),
    Question(
        "region",
        "… and region (- for none)?",
        lambda g: "MD" if g["country"] == "ES" else "-",
        lambda v, g: fields.region_of(g["country"], v),
        optional=True,
    ),
    Question("timezone", "Which time zone?", _zone, lambda v, g: fields.zone(v)),
    Question(
        "admin",
        "Who is told when the machinery has trouble?",
        lambda g: g["director_address"],
        lambda v, g: fields.address(v),
    ),
    Question(
        "incoming",
        "How does mail come in: smtp (your mail server hands it over) or imap (from a mailbox)?",
        _always("smtp"),
        _one_of("smtp", "imap"),
    ),
    Question(
        "imap_host",
        "The mailbox's server?",
        lambda g: servers_of(g["address"]).imap,
        _plain,
        with_=("incoming", "imap"),
    ),
    Question("imap_port", "… its port (993, or 143 with STARTTLS)?", _always("993"), _port, with_=("incoming", "imap")),
    Question("imap_user", "… and user?", lambda g: g["address"], _plain, with_=("incoming", "imap")),
    Question(
        "imap_login",
        "How does it let the desk in: with a password, or by google or microsoft (OAuth2)?",
        lambda g: login_at(g["imap_host"]),
        _one_of(*LOGINS),
        with_=("incoming", "imap"),
    ),
    Question(
        "imap_client_id",
        _CLIENT_ID,
        _always("-"),
        _plain,
        with_=("imap_login", *PROVIDERS),
        optional=True,
    ),
    Question(
        "outgoing",
        "How does mail go out: files (to try things out) or smtp (a mail server)?",
        _always("files"),
        _one_of("files", "smtp"),
    ),
    Question(
        "smtp_host",
        "The server that sends?",
        lambda g: servers_of(g["address"], g["imap_login"]).smtp,
        _plain,
        with_=("outgoing", "smtp"),
    ),
    Question(
        "smtp_port",
        "… its port (587, 465, or 25 on this machine)?",
        lambda g: "25" if fields.loopback(g["smtp_host"]) else "587",
        _port,
        with_=("outgoing", "smtp"),
    ),
    Question(
        "smtp_user",
        "… and user (- for none)?",
        lambda g: "-" if fields.loopback(g["smtp_host"]) else g["imap_user"] or g["address"],
        _plain,
        with_=("outgoing", "smtp"),
        optional=True,
    ),
    Question(
        "smtp_login",
        "How does it let the desk in: with a password, or by google or microsoft (OAuth2)?",
        lambda g: login_at(g["smtp_host"]),
        _one_of(*LOGINS),
        with_=("smtp_user",),
    ),
    Question(
        "smtp_client_id",
        _CLIENT_ID,
        lambda g: (g["smtp_login"] == g["imap_login"] and g["imap_client_id"]) or "-",
        _plain,
        with_=("smtp_login", *PROVIDERS),
        optional=True,
    ),
    Question("listen", "Where to listen?", _always("127.0.0.1:8025"), lambda v, g: fields.endpoint(v), asked=False),
)
