"""`guide`: the pages that clients and technicians are given."""

from __future__ import annotations

import click

from mailgate.cli.common import Place, pass_place
from mailgate.service.guide import Audience, guide


@click.command(name="guide")
@click.argument("audience", type=click.Choice(["clients", "technicians"]))
@click.option("--language", type=click.Choice(["es", "en"]), help="Of the page.  [default: the desk's]")
@pass_place
def guide_page(place: Place, audience: Audience, language: str | None) -> None:
    """Print the page for clients or technicians of this desk, as Markdown."""
    rules = place.rules()
    click.echo(guide(rules, place.renderer(), audience, language or rules.desk.language), nl=False)


VERBS = (guide_page,)
