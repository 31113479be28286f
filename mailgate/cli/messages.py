"""`inject` and `explain`."""

from __future__ import annotations

import asyncio
import mailbox
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from mailgate.cli.common import Place, as_json, pass_place, show, untouched
from mailgate.core.mail import Envelope, Mail, Source
from mailgate.core.model import Outcome
from mailgate.core.trust import needs_proof
from mailgate.edges.outbound import transport_for
from mailgate.edges.verify import Verifier
from mailgate.errors import Refused
from mailgate.opening import sole_daemon
from mailgate.service import parsing
from mailgate.service.deliver import drain
from mailgate.service.explain import explained
from mailgate.service.office import Office
from mailgate.service.process import FAILED, process_alone
from mailgate.service.take import utc_now
from mailgate.store import Store, journal, outbox, rules_taken
from mailgate.store.writer import Writer

_files = click.argument("files", nargs=-1, required=True, type=click.Path(allow_dash=True), metavar="FILE...|-")


@click.command()
@_files
@click.option("--from", "sender", help="Envelope sender.")
@click.option("--to", "recipients", multiple=True, help="Envelope recipient; may be given more than once.")
@as_json
@pass_place
def inject(
    place: Place, files: tuple[str, ...], sender: str | None, recipients: tuple[str, ...], json_wanted: bool
) -> None:
    """Take messages in: .eml files, mbox files, Maildir folders, or - for stdin.

    Returns when each is on disk and processed. Messages taken in this way are trusted: they come
    from this machine's own user. What cannot be taken is told, and the others are taken all the same.
    """
    office = place.office(may_begin=True)
    envelope = Envelope("inject", sender, recipients, "inject")
    results: list[dict[str, Any]] = []
    refused: list[str] = []
    with place.store(may_begin=True) as store:
        with store.write() as tx:
            rules_taken.note(tx, office.written, utc_now())
        for file in files:
            try:
                for number, raw in enumerate(_messages(file, recipients), 1):
                    if len(raw) > office.desk.rules.smtp.max_size:
                        refused.append(f"{file}: message {number} has {len(raw)} bytes, more than smtp.max_size")
                    else:
                        results.append(_take(store, office, raw, envelope))
            except Refused as error:
                refused.append(str(error))
        _send_if_nobody_else_does(place, store, office)
    if results:
        show(results, json_wanted, _told)
    if refused:
        raise Refused("\n".join(refused))


@click.command()
@click.argument("file", type=click.Path(allow_dash=True), metavar="FILE|-")
@click.option("--from", "sender", help="Envelope sender.")
@click.option("--to", "recipients", multiple=True, help="Envelope recipient.")
@click.option(
    "--as",
    "road",
    type=click.Choice(["smtp", "inject"]),
    default="smtp",
    show_default=True,
    help="How it would come; what is injected is trusted.",
)
@as_json
@pass_place
def explain(
    place: Place, file: str, sender: str | None, recipients: tuple[str, ...], road: Source, json_wanted: bool
) -> None:
    """Say what would be done with a message, and why. Changes nothing."""
    raw = next(_messages(file, recipients), None)
    if raw is None:
        raise Refused(f"{file}: holds no message")
    with untouched(place) as seen, seen.store() as store:
        office = seen.office()
        mail = _checked(raw, parsing.parse(raw, Envelope(road, sender, recipients, "explain")), office)
        with store.read() as tx:
            result = explained(tx, mail, office, utc_now())
    show(result, json_wanted, _explained)


def _checked(raw: bytes, mail: Mail, office: Office) -> Mail:
    """The mail with what the DNS says of its sender now; a file does not tell who sent it, so there is no SPF."""
    if not needs_proof(mail, office.desk):
        return mail
    checks = Verifier(lambda: office.desk.rules.trust)
    return replace(mail, verdicts=checks.verify(raw, mail, utc_now()))


def _take(store: Store, office: Office, raw: bytes, envelope: Envelope) -> dict[str, Any]:
    """Keep one message, then process it; both are on disk on return."""
    with store.write() as tx:
        number = journal.take(tx, raw, envelope, utc_now())
    plan = process_alone(store, office, number, utc_now())
    with store.read() as tx:
        outcome, ticket = journal.became(tx, number)
    if plan:
        why = plan.why[-1]
    elif outcome is Outcome.QUARANTINE:
        why = FAILED
    else:
        why = "the daemon was faster"
    return {
        "journal": number,
        "outcome": outcome,
        "ticket": office.desk.tag(ticket) if ticket else None,
        "why": why,
    }


def _send_if_nobody_else_does(place: Place, store: Store, office: Office) -> None:
    """Write what is due to its files, unless a daemon runs: it will. A smarthost may be slow: that waits."""
    if office.desk.rules.outgoing.via != "files":
        return
    try:
        with sole_daemon(place.data):
            asyncio.run(_drain(place, store, office))
    except Refused:
        return


async def _drain(place: Place, store: Store, office: Office) -> None:
    writer = Writer(store)
    transport = transport_for(office.desk.rules, place.rules_path, place.data)
    try:
        writer.submit(outbox.release_claims).result()
        await drain(writer, transport.send, lambda: office)
    finally:
        await transport.close()
        writer.close()


def _messages(file: str, recipients: Iterable[str]) -> Iterator[bytes]:
    """The raw messages of an .eml file, an mbox, a Maildir, or stdin."""
    if file == "-":
        raw = sys.stdin.buffer.read()
        yield from _mbox_or_one(raw, recipients)
        return
    path = Path(file)
    if path.is_dir():
        yield from _maildir(path)
        return
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise Refused(f"{file}: {error.strerror}") from error
    yield from _mbox_or_one(raw, recipients)


def _maildir(path: Path) -> Iterator[bytes]:
    if not (path / "cur").is_dir() or not (path / "new").is_dir():
        raise Refused(f"{path}: no Maildir; it has no cur/ and new/")
    box = mailbox.Maildir(path, create=False)
    for key in sorted(box.keys()):
        yield box.get_bytes(key)


def _mbox_or_one(raw: bytes, recipients: Iterable[str]) -> Iterator[bytes]:
    """An mbox begins with "From " (RFC 4155); so does a message that an MTA pipes in, but there is one.

    With an envelope recipient given, it is a pipe: one message, whatever it looks like.
    """
    if not raw.strip():
        raise Refused("there is no message: the input is empty")
    if not raw.startswith(b"From "):
        yield raw
    elif any(recipients):
        yield raw.partition(b"\n")[2]
    else:
        with tempfile.NamedTemporaryFile(suffix=".mbox") as file:
            file.write(raw)
            file.flush()
            box = mailbox.mbox(file.name, create=False)
            for key in box.keys():  # noqa: SIM118 - a mailbox is no dict
                yield box.get_bytes(key)
            box.close()


def _told(results: list[dict[str, Any]]) -> str:
    return "\n".join(
        f"{result['journal']}: {result['outcome']}{' ' + result['ticket'] if result['ticket'] else ''}"
        f" ({result['why']})"
        for result in results
    )


def _explained(result: dict[str, Any]) -> str:
    lines = [f"{number}. {step}" for number, step in enumerate(result["why"], 1)]
    for command in result["commands"]:
        lines.append(f"   {command['line']}: {command['problem'] or 'good'}")
    target = f" {result['ticket']}" if result["ticket"] else ""
    return "\n".join([*lines, f"=> {result['outcome']}{target}"])


VERBS = (inject, explain)
