"""`init`: a few questions, and the first rules."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import click

from mailgate.beginning import Answers, begin
from mailgate.cli.common import Place, pass_place
from mailgate.cli.questions import QUESTIONS, Given, Question
from mailgate.core.settings.providers import PROVIDERS
from mailgate.errors import Refused


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


def _next_steps(place: Place, given: Given, secrets: list[tuple[str, str]]) -> list[str]:
    steps = [*_registrations(given)]
    steps += [
        f"put the {what} into {place.rules_path.parent / file}, readable for the desk's user alone"
        for what, file in secrets
    ]
    steps += [f"mailgate login {login}   sign in, in a browser on whatever machine" for login in _logins(given)]
    steps.append(
        "mailgate check --online       what is wrong, if anything is: rules, sign-ins, a mail there and back, DNS"
    )
    steps.append("mailgate run                  or as a service: systemctl enable --now mailgate mailgate-backup.timer")
    if not given["client_name"]:
        steps.append("mailgate client add ID ADDRESS   who may write")
    steps.append("mailgate sell CLIENT 4h       book what a client has bought")
    steps.append("mailgate demo                 a whole story, mail by mail, on a desk that sends to files")
    return [f"{place.rules_path} is written. Next:", *(f"  {number}. {step}" for number, step in enumerate(steps, 1))]


def _registrations(given: Given) -> Iterator[str]:
    ways = [(given[f"{way}_login"], given[f"{way}_client_id"]) for way in ("imap", "smtp")]
    for provider in dict.fromkeys(login for login, client_id in ways if login in PROVIDERS and not client_id):
        yield f"register the desk at {provider} (docs/operations.md says how), and put the client_id into the rules"


def _logins(given: Given) -> list[str]:
    """As the verb takes them, each once though it serves both ways."""
    ways = [(given[f"{way}_login"], given[f"{way}_user"]) for way in ("imap", "smtp")]
    return list(dict.fromkeys(f"{login} {user}" for login, user in ways if login in PROVIDERS))


VERBS = (init,)
