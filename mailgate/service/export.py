"""Everything about a client in open formats: files of a folder or a zip, the same bytes for the same store.

What is for the desk alone stands apart in `internal/`, for somebody to look through before it is handed over. A
mail of the desk's own people is given as its text: as it came it may hold commands for other clients' tickets. Access
data are covered, unless they are asked for.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from mailgate import disk
from mailgate.core.desk import Desk
from mailgate.core.mail import Notice
from mailgate.core.message import mime
from mailgate.core.model import Ticket
from mailgate.errors import NotFound, Refused
from mailgate.service import originals
from mailgate.service.office import Office
from mailgate.service.statements import cell
from mailgate.store import Connection, blobs, entries, journal, looks, messages, records, tickets, vault
from mailgate.store.messages import Message
from mailgate.store.records import Posted, Theirs
from mailgate.store.tickets import Only

File = tuple[str, bytes]
"""Path within the export, and content."""

Progress = Callable[[int, int], None]

Show = Callable[[bytes, Collection[str]], bytes]
"""A mail as it is given, of one as it came and the access data that are known of it."""

_PARTIAL = ".mailgate-export"
_LONGEST_NAME = 80
_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9._-]+")
# What a zip says of when its files were made: nothing, so that the same files give the same zip.
_NO_TIME = (1980, 1, 1, 0, 0, 0)
# Never mailed again to be read by somebody else: it signs in.
_SECRET = ("sign_in",)
_OF_MESSAGE = (
    *("id", "at", "author", "author_name", "role", "internal", "automatic", "authenticated", "proof"),
    *("message_id", "refs", "subject", "text", "attachments"),
)


def theirs(tx: Connection, desk: Desk, client: str) -> Theirs:
    """Whether an address is the client's: by the rules, else by what they wrote while the rules knew them."""
    wrote = records.wrote_in_tickets(tx, client)

    def check(address: str) -> bool:
        person = desk.rules.who(address) if address else None
        return person.client == client if person is not None else address in wrote

    return check


def known(tx: Connection, desk: Desk, client: str) -> str:
    """The id of a client of the rules or of the store. Raises NotFound."""
    if desk.rules.client(client) is None and not records.is_known(tx, client):
        raise NotFound(f"{client}: no such client, neither in the rules nor in the store")
    return client


def with_access_data(tx: Connection, desk: Desk, client: str) -> list[int]:
    """The messages about a client that told access data which are kept."""
    told = (
        message for ticket in tickets.listed(tx, Only(client=client)) for _, message in vault.of_ticket(tx, ticket.id)
    )
    loose = records.messages_of_no_ticket(tx, theirs(tx, desk, client))
    return list(dict.fromkeys([*told, *(number for number in loose if vault.of_message(tx, number))]))


def files(
    tx: Connection, office: Office, client: str, now: datetime, progress: Progress, *, in_clear: bool = False
) -> Iterator[File]:
    """All files of an export. progress: gets tickets done, and tickets. in_clear: with access data."""
    desk, show = office.desk, _as_it_is if in_clear else _covered
    listed = tickets.listed(tx, Only(client=client))[::-1]
    check = theirs(tx, desk, client)
    for name, language in (("LEEME.txt", "es"), ("README.txt", "en")):
        yield name, _readme(office, client, len(listed), language, now, covered=not in_clear)
    yield "client.json", _json(_client(desk, client))
    yield from _tables(tx, desk, client, listed)
    for number, ticket in enumerate(listed, 1):
        yield from _ticket(tx, desk, ticket, show)
        progress(number, len(listed))
    yield from _loose(tx, desk, check, show)
    yield "sessions.json", _json(records.sessions(tx, check))


def _as_it_is(raw: bytes, known: Collection[str]) -> bytes:
    return raw


def _covered(raw: bytes, known: Collection[str]) -> bytes:
    return originals.covered(raw, known)[0]


def _readme(office: Office, client: str, count: int, language: str, now: datetime, *, covered: bool) -> bytes:
    desk = office.desk
    values = {"client": client, "client_name": desk.client_name(client), "day": desk.local_day(now), "count": count}
    values |= {"covered": covered}
    text, _ = office.renderer.preview(Notice("export_readme", "", language, values=values), desk.rules.zone, "", now)
    return (f"{desk.rules.desk.name}\n\n{text}").replace("\n", "\r\n").encode()


def _client(desk: Desk, client: str) -> dict[str, Any]:
    listed = desk.rules.client(client)
    return {"id": client, "rules": listed.model_dump() if listed else None}


def _tables(tx: Connection, desk: Desk, client: str, listed: Sequence[Ticket]) -> Iterator[File]:
    for name, rows in (
        ("tickets", [{**asdict(ticket), "id": desk.tag(ticket.id)} for ticket in listed]),
        ("ledger", [asdict(entry) for entry in entries.of_client(tx, client)]),
        ("matters", records.matters(tx, client)),
        ("events", records.happened(tx, client)),
        ("looks", [asdict(look) for look in looks.listed(tx, client)]),
    ):
        plain = [_plain(row) for row in rows]
        yield f"{name}.json", _json(plain)
        yield f"{name}.csv", _csv(plain)


def _ticket(tx: Connection, desk: Desk, ticket: Ticket, show: Show) -> Iterator[File]:
    """A ticket: what was said with its files, and our mails; what is internal in a folder of its own."""
    folder = f"tickets/{_safe(desk.tag(ticket.id))}"
    said = messages.of_ticket(tx, ticket.id)
    for place, internal in ((folder, False), (f"{folder}/internal", True)):
        some = [message for message in said if message.internal is internal]
        if some or not internal:
            yield f"{place}/messages.json", _json([_message(message) for message in some])
        for message in some:
            yield from _as_it_came(tx, desk, place, message, show)
    told = vault.of_tickets(tx, [ticket.id])
    yield from _mails(tx, desk, folder, records.posted_of_ticket(tx, ticket.id), lambda raw: show(raw, told))


def _loose(tx: Connection, desk: Desk, check: Theirs, show: Show) -> Iterator[File]:
    """What belongs to no ticket: questions, statements; what names them as its sender and waits in quarantine."""
    numbers = records.messages_of_no_ticket(tx, check)
    said = [message for number in numbers if (message := messages.get(tx, number))]
    yield "other/messages.json", _json([_message(message) for message in said])
    for message in said:
        yield from _as_it_came(tx, desk, "other", message, show)
    yield from _mails(tx, desk, "other", records.posted_of_no_ticket(tx, check), lambda raw: show(raw, ()))
    held = records.quarantined(tx, check)
    fields = ("id", "at", "sender", "subject", "reason", "state")
    yield "quarantine/quarantine.json", _json([{name: getattr(one, name) for name in fields} for one in held])
    for one in held:
        if (raw := blobs.readable(tx, journal.blob_of(tx, one.journal))) is not None:
            yield f"quarantine/{one.id:06}.eml", show(raw, ())


def _as_it_came(tx: Connection, desk: Desk, folder: str, message: Message, show: Show) -> Iterator[File]:
    """The mail, unless somebody of the desk wrote it, and its files."""
    kept_raw = blobs.readable(tx, message.blob)
    if kept_raw is None:
        return
    raw = show(kept_raw, vault.of_message(tx, message.id).values())
    if not message.role.staff and not _is_staff(desk, message.author):
        yield f"{folder}/mails/{_numbered(message.id, message.subject)}.eml", raw
    kept = [file for file in message.attachments if file.kept]
    try:
        contents = mime.contents(raw, [file.part for file in kept]) if kept else {}
    except LookupError:  # its text alone is given: out of the rest access data cannot be taken for sure
        contents = {}
    for file in kept:
        if file.part in contents:
            yield f"{folder}/files/{message.id:06}-{file.part:03}-{_safe(file.name)}", contents[file.part]


def _mails(
    tx: Connection, desk: Desk, folder: str, mails: Iterable[Posted], show: Callable[[bytes], bytes]
) -> Iterator[File]:
    """Ours to people outside the desk."""
    for mail in mails:
        if mail.template in _SECRET or _is_staff(desk, mail.to):
            continue
        if (raw := blobs.readable(tx, mail.blob)) is not None:
            yield f"{folder}/sent/{_numbered(mail.id, mail.subject)}.eml", show(raw)


def _is_staff(desk: Desk, address: str) -> bool:
    person = desk.rules.who(address) if address else None
    return address == desk.rules.desk.admin or (person is not None and person.role.staff)


def _message(message: Message) -> dict[str, Any]:
    fields = asdict(message)
    for file in fields["attachments"]:
        del file["content"]
    return {name: fields[name] for name in _OF_MESSAGE}


def _numbered(number: int, words: str) -> str:
    return f"{number:06}-{_safe(words)}"


def _safe(name: str) -> str:
    """A name that any system takes, of ASCII letters and digits: no path, nothing hidden, not too long."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    cleaned = _NOT_IN_NAME.sub("_", plain).strip("._-")
    stem, dot, extension = cleaned.rpartition(".")
    if dot and len(extension) <= 10:
        return f"{stem[:_LONGEST_NAME].rstrip('.')}.{extension}"
    return cleaned[:_LONGEST_NAME].rstrip(".") or "x"


def _plain(value: Any) -> Any:
    """What JSON can hold: times in UTC as ISO 8601, names of enumerations."""
    match value:
        case Enum():
            return value.value
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case dict():
            return {str(_plain(key)): _plain(one) for key, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case None | bool() | int() | str():
            return value
        case _:
            return str(value)


def _json(value: Any) -> bytes:
    return (json.dumps(_plain(value), ensure_ascii=False, indent=2) + "\n").encode()


def _csv(rows: Sequence[dict[str, Any]]) -> bytes:
    """With a mark that it is UTF-8, for spreadsheets; nothing in it is a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    if rows:
        writer.writerow(rows[0])
    for row in rows:
        writer.writerow(["" if value is None else cell(value, "yes") for value in row.values()])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "replace")


def write(target: Path, made: Iterable[File]) -> int:
    """Write an export to a new folder, or to a zip where the name ends so; gives how many files.

    For its owner alone, and there whole or not at all. Raises Refused where something of that name is there.
    """
    if target.exists():
        raise Refused(f"{target}: is there already; choose another name")
    if not target.parent.is_dir():
        raise NotFound(f"{target.parent}: no such folder")
    with disk.workshop(target.parent / _PARTIAL) as work:
        draft = work / target.name
        count = (_zipped if target.suffix == ".zip" else _unpacked)(draft, made)
        draft.rename(target)
        disk.sync(target.parent)
    return count


def _zipped(draft: Path, made: Iterable[File]) -> int:
    draft.touch(mode=0o600)
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in made:
            info = zipfile.ZipInfo(name, _NO_TIME)
            info.external_attr = 0o600 << 16
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    disk.sync(draft)
    return len(archive.namelist())


def _unpacked(draft: Path, made: Iterable[File]) -> int:
    draft.mkdir(mode=0o700)
    written = 0
    for name, content in made:
        path = draft / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(content)
        written += 1
    return written
