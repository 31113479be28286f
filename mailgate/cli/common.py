"""What the verbs share: where things are, and how results are shown."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from mailgate import config
from mailgate.cli.terminal import fitted, harmless, harmless_line
from mailgate.core.settings.rules import Rules
from mailgate.errors import NotFound
from mailgate.opening import open_office, open_store, site_templates
from mailgate.render import Renderer
from mailgate.service.office import Office
from mailgate.store import STORE, Connection, Store, records

as_json = click.option("--json", "json_wanted", is_flag=True, help="Print JSON, for programs.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the rules and the data of this call are."""

    rules_path: Path
    data: Path

    @contextmanager
    def store(self, *, may_begin: bool = False) -> Iterator[Store]:
        """The open store, closed at the end. may_begin: make one where there is none; else NotFound."""
        if not may_begin:
            self._require_store()
        store = open_store(self.data)
        try:
            yield store
        finally:
            store.close()

    def office(self, *, may_begin: bool = False) -> Office:
        """Rules, secret and templates, checked. may_begin: as for the store, whose secret it is."""
        if may_begin:
            self.data.mkdir(parents=True, exist_ok=True)
        else:
            try:
                self._require_store()
            except NotFound:
                self.rules()  # what is wrong in them is told first
                raise
        return open_office(self.rules_path, self.data)

    def _require_store(self) -> None:
        """A mistyped folder is no empty desk, and nothing is made there."""
        try:
            (self.data / STORE).stat()
        except (FileNotFoundError, NotADirectoryError):
            told = "no desk has run here yet; name its folder with --data, or begin one: mailgate run"
            raise NotFound(f"{self.data}: {told}") from None

    def renderer(self) -> Renderer:
        """The templates, those beside the rules before the packaged ones; not checked."""
        return Renderer(site_templates(self.rules_path))

    def rules(self) -> Rules:
        """The rules alone, checked."""
        return config.load(self.rules_path)


@contextmanager
def untouched(place: Place) -> Iterator[Place]:
    """The same place, or an empty one that goes away where no desk has run yet."""
    if (place.data / STORE).exists():
        yield place
        return
    with tempfile.TemporaryDirectory() as folder:
        open_store(Path(folder)).close()
        yield Place(place.rules_path, Path(folder))


pass_place = click.make_pass_decorator(Place)

# As large as the store's numbers can be: beyond it SQLite has no integers.
row_number = click.IntRange(min=1, max=2**63 - 1)


def show(value: Any, json_wanted: bool, readable: Callable[[Any], str]) -> None:
    """Print a result for programs or for people, to whom nothing of a mail may command the terminal."""
    if json_wanted:
        click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))
    else:
        click.echo(harmless(readable(value)))


def table(rows: Sequence[Mapping[str, Any]], columns: Iterable[str], empty: str) -> str:
    """Rows as a plain table with these columns, or a sentence where there are none.

    Where it is shown in a terminal it is as wide as that, and the widest columns are cut.
    """
    names = list(columns)
    if not rows:
        return empty
    import tabulate  # the daemon shows no tables

    tabulate.MIN_PADDING = 0  # headings need no more room than cells
    heads = [name.replace("_", " ") for name in names]
    cells = [[_cell(row[name]) for name in names] for row in rows]
    shown = fitted([heads, *cells])
    columns_of_words = [any(isinstance(cell, str) and cell for cell in column) for column in zip(*cells, strict=True)]
    words = [place for place, are_words in enumerate(columns_of_words) if are_words]
    # Else a subject such as "0012" would be taken for a number.
    return str(tabulate.tabulate(shown[1:], headers=shown[0], tablefmt="simple", disable_numparse=words))


def _cell(value: object) -> Any:
    """Numbers as they are, so that they stand to the right; times to the minute."""
    if not isinstance(value, str):
        return "" if value is None else value
    return harmless_line(_INSTANT.sub(r"\1 \2", value))


def when(at: datetime | None, zone: ZoneInfo) -> str | None:
    """A time as ISO 8601 with the desk's offset, None for None."""
    return at.astimezone(zone).isoformat(timespec="seconds") if at else None


def on(day: date | None) -> str | None:
    """A day as ISO 8601, None for None."""
    return day.isoformat() if day else None


# As `when` writes it.
_INSTANT = re.compile(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d[+-]\d\d:\d\d$")
_MOST_DIGITS = 18  # what surely fits into the store's 64 bits


def tag_of(rules: Rules, ticket: int | None) -> str | None:
    """The ID of a ticket as people see it, None for None."""
    return f"{rules.desk.tag}-{ticket}" if ticket else None


def number_of(rules: Rules, tag: str) -> int:
    """The number in "SOP-12" or "12". Raises NotFound for anything else."""
    digits = tag.upper().removeprefix(f"{rules.desk.tag}-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > _MOST_DIGITS:
        raise NotFound(f"{tag}: no ticket; write it as {rules.desk.tag}-12")
    return int(digits)


def known_client(rules: Rules, client: str) -> str:
    """The id of a client. Raises NotFound with the ids that there are."""
    if client not in rules.clients:
        ids = ", ".join(sorted(rules.clients)) or "none yet"
        raise NotFound(f"{client}: no such client; the rules have: {ids}")
    return client


def client_of_books(tx: Connection, rules: Rules, client: str) -> str:
    """The same, also of one that the rules no longer have: tickets and ledger know them still."""
    known = client in rules.clients or (client.isprintable() and records.is_known(tx, client))  # bytes that are no text
    return client if known else known_client(rules, client)
