"""`demo`."""

from __future__ import annotations

import sys

import click

from mailgate.cli.common import Place, pass_place

_PAUSE_SECONDS = 0.7


@click.command()
@click.option("--own", is_flag=True, help="Start a throw-away desk even if one runs here.")
@click.option("--fast", is_flag=True, help="No pauses.")
@pass_place
def demo(place: Place, own: bool, fast: bool) -> None:
    """Play a story over SMTP and show each mail: on the desk that runs here, else on a throw-away one.

    On the desk that runs here it leaves a closed ticket behind. It never plays on a desk that sends
    real mail.
    """
    from mailgate.demo.player import play
    from mailgate.demo.screen import Screen
    from mailgate.demo.stage import opened

    with opened(place.rules_path, place.data, own=own) as stage:
        play(stage, Screen(), 0.0 if fast or not sys.stdout.isatty() else _PAUSE_SECONDS)


VERBS = (demo,)
