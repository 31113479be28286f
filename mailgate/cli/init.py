"""`init`: a few questions, and the first rules."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click
from babel.core import get_global

from mailgate.beginning import Answers, begin
from mailgate.cli.common import Place, pass_place
from mailgate.core.settings import fields
from mailgate.errors import Refused

Given = dict[str, str]
"""Answers so far, by the names of `Answers`."""


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask. read: raises ValueError with what would be right.

    with_: the earlier answer without which it makes no sense, as key and value; value "" is any.

    optional: Enter, or "", leaves it out. asked: else it is an option only.
    """

    key: str
    text: str
    default: Callable[[Given], str]
    read: Callable[[str, Given], object]
    with_: tuple[str, str] | None = None
    optional: bool = False
    asked: bool = True

    @property
    def option(self) -> str:
        """How it is given to a script."""
        return "--" + self.key.replace("_", "-")

    def wanted(self, given: Given) -> bool:
        """Whether it makes sense after the answers so far."""
        key, value = self.with_ or ("", "")
        return not key or (given[key] == value if value else bool(given[key]))

    @property
    def goes_with(self) -> str:
        """The option without which this one makes no sense."""
        key, value = self.with_ or ("", "")
        return f"--{key.replace('_', '-')} {value}".strip()

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


QUESTIONS = (
    Question("name", "What is the desk called, as clients read it?", _always("Soporte Técnico"), _plain),
    Question("address", "Which address do clients write to?", _always("soporte@example.es"), _address),
    Question("language", "Which language does it write, es or en?", _always("es"), _one_of("es", "en")),
    Question("director_name", "Who decides: the director's name?", _always("Elena Ruiz"), _plain),
    Question("director_address", "… and address?", lambda g: f"elena@{g['address'].partition('@')[2]}", _address),
    Question("technician_name", "The first technician's name (- for none)?", _always("-"), _plain, optional=True),
    Question(
        "technician_address",
        "… and address?",
        lambda g: f"tecnico@{g['address'].partition('@')[2]}",
        _address,
        with_=("technician_name", ""),
    ),
    Question("client_name", "The first client's name (- for none)?", _always("-"), _plain, optional=True),
    Question(
        "client_address",
        "… and the address they write from?",
        _always("ana@acme.example"),
        _client_address,
        with_=("client_name", ""),
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
        lambda g: f"imap.{g['address'].partition('@')[2]}",
        _plain,
        with_=("incoming", "imap"),
    ),
    Question("imap_user", "… and user?", lambda g: g["address"], _plain, with_=("incoming", "imap")),
    Question(
        "outgoing",
        "How does mail go out: files (to try things out) or smtp (a mail server)?",
        _always("files"),
        _one_of("files", "smtp"),
    ),
    Question(
        "smtp_host",
        "The server that sends?",
        lambda g: f"smtp.{g['address'].partition('@')[2]}",
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
        lambda g: "-" if fields.loopback(g["smtp_host"]) else g["address"],
        _plain,
        with_=("outgoing", "smtp"),
        optional=True,
    ),
    Question("listen", "Where to listen?", _always("127.0.0.1:8025"), lambda v, g: fields.endpoint(v), asked=False),
)


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for question in reversed(QUESTIONS):
        command = click.option(question.option, help=question.text)(command)
    return command


@click.command()
@_options
@click.option("--yes", is_flag=True, help="Ask nothing: what is not given is the default.")
@pass_place
def init(place: Place, /, yes: bool, **options: str | None) -> None:
    """Ask a few questions and write rules.toml, with a word on each key.

    Enter takes what stands in brackets. What is given as an option is not asked.
    """
    if place.rules_path.exists():
        raise Refused(f"{place.rules_path}: is there already and is kept; change it by hand")
    given: Given = {}
    for question in QUESTIONS:
        given[question.key] = _answer(question, options[question.key], given, yes)
    secrets = begin(place.rules_path, Answers(**given))
    click.echo("\n".join(_next_steps(place, given, secrets)))


def _answer(question: Question, option: str | None, given: Given, yes: bool) -> str:
    """From the option, else the default, else from whoever sits there, until it is right; "" where it is not wanted."""
    if not question.wanted(given):
        if option is not None:
            raise click.UsageError(f"{question.option}: goes with {question.goes_with}")
        return ""
    if option is not None or yes or not question.asked:
        value = option if option is not None else question.default(given)
        try:
            return question.checked("" if value == "-" else value, given)
        except ValueError as error:
            raise click.UsageError(f"{question.option}: {error}") from None
    while True:
        value = _asked(question.text, question.default(given))
        try:
            return question.checked("" if value == "-" else value, given)
        except ValueError as error:
            click.echo(f"  {error}", err=True)


def _asked(text: str, default: str) -> str:
    """What a person says; a script that has no more answers is told so."""
    try:
        return str(click.prompt(text, default=default, err=True))
    except click.Abort:
        click.echo(err=True)
        if sys.stdin.isatty():
            click.echo("nothing was written", err=True)
            raise
        raise click.UsageError("the answers ended, and nothing was written; give them as options, or --yes") from None


def _next_steps(place: Place, given: Given, secrets: list[str]) -> list[str]:
    steps = [
        f"put the password into {place.rules_path.parent / file}, readable for the desk's user alone"
        for file in secrets
    ]
    steps.append(
        "mailgate check --online       what is wrong, if anything is: rules, sign-ins, a mail there and back, DNS"
    )
    steps.append("mailgate run                  or as a service: systemctl enable --now mailgate mailgate-backup.timer")
    if not given["client_name"]:
        steps.append("mailgate client add ID ADDRESS   who may write")
    steps.append("mailgate sell CLIENT 4h       book what a client has bought")
    steps.append("mailgate demo                 a whole story, mail by mail, on a desk that sends to files")
    return [f"{place.rules_path} is written. Next:", *(f"  {number}. {step}" for number, step in enumerate(steps, 1))]


VERBS = (init,)
