"""`export`, `erase`, `looks`: what the desk holds of a client, and who looked at it."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from mailgate.cli.common import Place, as_json, on, pass_place, show, table, tag_of, when
from mailgate.core.erasure import Obstacle
from mailgate.core.settings.rules import Rules
from mailgate.core.writing.phrases import count
from mailgate.errors import Refused
from mailgate.service import erase as erasing
from mailgate.service import export as service
from mailgate.service.erase import Erased, Standing
from mailgate.service.take import utc_now
from mailgate.store import events, looks, messages

# As many looks as a person looks through.
_SHOWN = 100


@click.command()
@click.argument("client")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="A new folder, or a .zip.  [default: CLIENT-DAY.zip here]",
)
@click.option("--access-data", is_flag=True, help="With access data as they were sent; who asks is recorded first.")
@as_json
@pass_place
def export(place: Place, client: str, output: Path | None, access_data: bool, json_wanted: bool) -> None:
    """Write everything about CLIENT in open formats: mails, files, tickets, ledger, who looked at what.

    Nothing of other clients is in it. What is for the desk alone stands in folders of their own, to be
    looked through before it is handed over. Access data are covered. The daemon goes on meanwhile.
    """
    office, now = place.office(), utc_now()
    target = output or Path(f"{client}-{office.desk.local_day(now)}.zip")
    with place.store() as store, _bar("exporting") as bar:
        with store.read() as tx:
            service.known(tx, office.desk, client)
        if access_data:
            with store.write() as tx:
                for message in service.with_access_data(tx, office.desk, client):
                    looks.note(tx, message, who(), now)
        with store.read() as tx:
            files = service.files(tx, office, client, now, _progress(bar), in_clear=access_data)
            written = service.write(target, files)
        with store.write() as tx:
            events.record(tx, "export", client, f"{now.isoformat()} {who()}", now)
    held = "it holds access data, keep it safe" if access_data else "access data are covered"
    told = f"{target}: {count(written, 'file', 'files', 'en')} about {client}; {held}"
    show({"client": client, "output": str(target), "files": written}, json_wanted, lambda _: told)


def who() -> str:
    """Who runs this, as the machine knows them."""
    return os.environ.get("SUDO_USER") or getpass.getuser()


def _bar(label: str) -> Any:  # click does not give the type a name
    return click.progressbar(length=1, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())


def _progress(bar: Any) -> service.Progress:
    def progress(done: int, tickets: int) -> None:
        bar.length = tickets
        bar.update(done - bar.pos)

    return progress


@click.command()
@click.argument("client")
@click.option("--yes", is_flag=True, help="Do it; without, and not at a terminal, it is only told.")
@click.option("--force", is_flag=True, help="Even though something stands against it.")
@click.option("--keep-books", is_flag=True, help="Tickets and ledger keep the client's id, all else goes.")
@as_json
@pass_place
def erase(place: Place, client: str, yes: bool, force: bool, keep_books: bool, json_wanted: bool) -> None:
    """Forget CLIENT: texts, mails, files, names and addresses go for good.

    Minutes, dates and prices stay in the books, under a pseudonym: their sums can be proven as before. It does
    not begin while a ticket is open, minutes are left, something waits for a word, or the law wants the books
    to name the client (retention.books): it says what, and --force does it all the same. With --keep-books
    the books may name them, so that does not stand against it; run it again without when that time is over.
    """
    office, now = place.office(), utc_now()
    with place.store() as store:
        with store.read() as tx:
            service.known(tx, office.desk, client)
            found = erasing.standing(tx, office.desk, client, now)
        against = [one for one in found.obstacles if not (keep_books and one.kind == "books")]
        if against and not force:
            raise Refused("\n".join(_obstacle(client, one) for one in against) + "\nnothing was done; see --force")
        if not yes and not (sys.stdin.isatty() and click.confirm(f"{_what(found, keep_books)}. Go on?", err=True)):
            raise Refused(f"{_what(found, keep_books)}; nothing was done: say --yes")
        with _bar("erasing") as bar:
            done = erasing.erase(store, office, client, now, who(), _progress(bar), keep_books=keep_books)
    shown = {"client": client, **asdict(done), "in_rules": found.in_rules}
    shown |= {"backup_at": when(found.backup_at, office.desk.rules.zone), "backups_until": on(found.backups_until)}
    show(shown, json_wanted, lambda _: "\n".join(_erased(found, done)))


def _obstacle(client: str, one: Obstacle) -> str:
    match one.kind:
        case "tickets":
            told = count(one.count, "ticket is open", "tickets are open", "en")
            return f"{client}: {told}; with --force closed, and nobody is told"
        case "matters":
            told = count(one.count, "matter waits for a word", "matters wait for a word", "en")
            return f"{client}: {told}; with --force withdrawn"
        case "balance":
            return f"{client}: the balance is {one.count} minutes; with --force nobody can use it any more"
        case _:
            return (
                f"{client}: the books are to name them until {one.until} (retention.books); --keep-books leaves"
                " the id there and forgets the rest, --force forgets it, too"
            )


def _what(found: Standing, keep_books: bool) -> str:
    books = "in the books under this id" if keep_books else "in the books under a pseudonym"
    tickets = count(found.tickets, "ticket", "tickets", "en")
    entries = count(found.entries, "entry stays", "entries stay", "en")
    return f"{found.client}: what was said in {tickets} goes for good; {entries} {books}"


def _erased(found: Standing, done: Erased) -> Iterator[str]:
    books = f"their entries are those of {done.pseudonym} now" if done.pseudonym else "the books keep the id"
    yield f"{found.client}: forgotten, with {count(done.tickets, 'ticket', 'tickets', 'en')}; {books}"
    if found.in_rules:
        yield f"the rules still list {found.client}: take them out, else their next mail opens a ticket as before"
    if found.backup_at:
        yield (
            f"backups up to {found.backup_at:%Y-%m-%d} have everything still; with the timer that ships the last of"
            f" them goes on {found.backups_until}"
        )
    yield "not reached from here: the mailbox itself (INBOX, sent, trash), copies of the store from before a restore"
    if not done.folded:
        yield "somebody reads the store now: its log holds old pages until the daemon is restarted"


@click.command(name="looks")
@click.option("--client", metavar="ID", help="Only at what stands in tickets of this client.")
@as_json
@pass_place
def looks_list(place: Place, client: str | None, json_wanted: bool) -> None:
    """List who had access data shown, the newest first: whom, when, and in which message or mail in quarantine."""
    rules, most = place.rules(), None if json_wanted else _SHOWN
    with place.store() as store, store.read() as tx:
        found = [
            (look.at, _look(rules, look.at, look.address, message=look.message, ticket=message.ticket))
            for look in looks.listed(tx, client, most)
            if (message := messages.get(tx, look.message))
        ]
        for at, key in events.latest_of(tx, "shown", most) if client is None else ():
            _, number, name = key.split(" ", 2)
            found.append((at, _look(rules, at, name, quarantine=int(number))))
    rows = [row for _, row in sorted(found, key=lambda one: one[0], reverse=True)][:most]
    show(rows, json_wanted, lambda rows: table(rows, _LOOK, "nobody looked"))


_LOOK = ("at", "who", "ticket", "message", "quarantine")


def _look(rules: Rules, at: datetime, name: str, **of: int | None) -> dict[str, Any]:
    where = {
        "ticket": tag_of(rules, of.get("ticket")),
        "message": of.get("message"),
        "quarantine": of.get("quarantine"),
    }
    return {"at": when(at, rules.zone), "who": name, **where}


VERBS = (export, erase, looks_list)
