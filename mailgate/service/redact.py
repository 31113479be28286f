"""Take a secret out of a ticket for good: out of its texts, raw mails, files, index, and mails that wait to be sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mailgate import disk
from mailgate.core.access_data.covering import PLACE
from mailgate.core.access_data.covering import place as place_of
from mailgate.core.desk import Desk
from mailgate.core.mail import Notice, file_name
from mailgate.core.message import hide
from mailgate.core.plan import Plan
from mailgate.core.redaction import Redaction, Secret
from mailgate.core.stages.reply import answering
from mailgate.pause import pause
from mailgate.store import Connection, Store, blobs, redactions, search, vault
from mailgate.store.keyring import KeyLostError
from mailgate.store.redactions import Place, Trace

OUTBOX = "outbox"
# Between two portions of the index: who else waits to write asks for the store every tenth of a second.
_BREATH_SECONDS = 0.1
# What is no text and may hold some: nobody looks into it.
_CLOSED = ("application/", "message/")
_OPEN = ("application/json", "application/xml", "message/rfc822")


@dataclass(frozen=True, slots=True)
class Redacted:
    """What was done. found: how many rows of each kind it stood in; places: in all of them together.

    unread: names of files of the ticket into which nobody looked, since they are packed.
    """

    found: Counter[str]
    places: int
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class By:
    """Who takes it out. author: id of a technician, "" at this machine; message: by which they say so."""

    desk: Desk
    at: datetime
    author: str = ""
    message: int | None = None


def redact(tx: Connection, ticket: int, secret: Secret, by: By) -> Redacted:
    """Take it out of a ticket and its kin, and out of what people of the ticket were told or handed back.

    The message that asks for it says it as well, in whatever ticket that stands.
    """
    asking = [Place("message", by.message)] if by.message else []
    tickets = [ticket, *redactions.tickets_of(tx, asking)]
    kin = dict.fromkeys(one for ticket in tickets for one in redactions.kin(tx, ticket))
    return _redacted(tx, [*redactions.places(tx, kin), *asking], secret, by)


def redact_message(tx: Connection, message: int, secret: Secret, by: By) -> Redacted:
    """The same for a message of no ticket."""
    return _redacted(tx, [Place("message", message)], secret, by)


def meant(tx: Connection, ticket: int, text: str) -> Secret:
    """What somebody names: the text itself, or by its place ("⟦•••57⟧") what was covered in the ticket."""
    kin = redactions.kin(tx, ticket)
    numbers = [number for one in kin for number, _ in vault.of_ticket(tx, one)]
    told = {number: value for number in numbers if (value := vault.value(tx, number, kin))}
    places: dict[str, list[str]] = {}
    for number, value in told.items():
        places.setdefault(value, []).append(place_of(number))
    named = PLACE.fullmatch(text.strip())
    return Secret(told.get(int(named[1] or 0), text) if named else text, places)


def redacted_notice(tx: Connection, plan: Plan, redaction: Redaction, by: By) -> Notice:
    """Take out what a mail says, and tell its writer what was done."""
    done, desk = redact(tx, redaction.ticket, meant(tx, redaction.ticket, redaction.text), by), by.desk
    notice = Notice(
        "redacted",
        to=plan.person.address if plan.person else "",
        language=desk.rules.desk.language,
        ticket=redaction.ticket,
        values={"ticket_tag": desk.tag(redaction.ticket), "places": done.places, **_rows(done), "files": done.unread},
    )
    return answering(notice, plan.mail)


def _rows(done: Redacted) -> dict[str, int]:
    """In how many messages and mails it stood, and in how many other rows: subjects, notes, the quarantine."""
    messages, mails = done.found["message"], done.found["mail"]
    return {"messages": messages, "mails": mails, "others": done.found.total() - messages - mails}


def settle(store: Store, now: datetime, going: Callable[[], bool] = lambda: True) -> bool:
    """Overwrite what is left in the file of what was taken out of the rows; whether it is all done.

    The index is written anew in portions between which others write, and at last the log is folded into the file
    and emptied. Where somebody still reads what was, or `going` says to stop, it is done later.
    """
    with store.read() as tx:
        newest = redactions.unsettled(tx)
    if not newest:
        return True
    if not overwrite_index(store, going) or not store.empty_log():
        return False
    with store.write() as tx:
        redactions.settle(tx, newest, now)
    return True


def overwrite_index(store: Store, going: Callable[[], bool] = lambda: True) -> bool:
    """Have what was forgotten go from the index of the search for good, in portions between which others write.

    False where `going` said to stop before the end.
    """
    more, begin = True, True
    while more:
        with store.write() as tx:
            more, begin = search.overwrite(tx, begin=begin), False
        if more and not going():
            return False
        pause(_BREATH_SECONDS if more else 0)
    return True


def _redacted(tx: Connection, places: Iterable[Place], secret: Secret, by: By) -> Redacted:
    found: Counter[str] = Counter()
    total = 0
    unread: dict[str, None] = {}
    known: dict[int, int] = {}  # blob to how often it stood there: one may be several rows'
    for place in dict.fromkeys(places):
        raw = sum(_hide_in_blob(tx, blob, secret, known) for blob in redactions.raws(tx, place))
        files = _hide_in_names(tx, place, secret, unread)
        texts = {column: secret.hide(text) for column, text in redactions.words(tx, place).items()}
        said = sum(times for _, times in texts.values()) + files + _destroy(tx, place, secret)
        if (raw or said) and place.kind != "transcript":
            redactions.record(tx, Trace(by.at, by.author, by.message, place, max(raw, said)))
            redactions.blur(tx, place, by.desk.blurred)
            if place != Place("message", by.message or 0):
                found[place.kind] += 1
                total += max(raw, said)
        if changed := {column: text for column, (text, times) in texts.items() if times}:
            redactions.reword(tx, place, changed)
        if place.kind == "mail":
            _hide_in_file(tx, place.number, secret)
    return Redacted(found, total, tuple(unread))


def _destroy(tx: Connection, place: Place, secret: Secret) -> int:
    """What was taken out of a message as access data, and is it, holds it, or is a part of it."""
    kept = vault.of_message(tx, place.number) if place.kind == "message" else {}
    found = [number for number, value in kept.items() if secret.hide(value)[1] or secret.holds(value)]
    for number in found:
        vault.destroy(tx, number)
    return len(found)


def _hide_in_blob(tx: Connection, blob: int, secret: Secret, known: dict[int, int]) -> int:
    if blob not in known:
        try:
            raw = blobs.get(tx, blob)
        except KeyLostError:
            if tx.keyring.fault:  # else the key is given up for good: nobody will ever read it
                raise
            raw = b""
        data, known[blob] = hide.without(raw, secret)
        if known[blob]:
            redactions.exchange(tx, blob, data)
    return known[blob]


def _hide_in_names(tx: Connection, place: Place, secret: Secret, unread: dict[str, None]) -> int:
    """The names of the files of a message; unread: is filled with those of which nobody knows what they hold."""
    places = 0
    for part, (name, kind) in (redactions.file_names(tx, place.number) if place.kind == "message" else {}).items():
        hidden, times = secret.hide(name)
        if times:
            redactions.rename_file(tx, place.number, part, hidden)
            places += times
        if kind.startswith(_CLOSED) and kind not in _OPEN:
            unread[hidden] = None
    return places


def _hide_in_file(tx: Connection, mail: int, secret: Secret) -> None:
    """A mail that was sent to a file is in it as it went out."""
    at = redactions.written_out(tx, mail)
    path = Path(tx.file).parent / OUTBOX / file_name(at, mail) if at else None
    if path is None or not path.exists():
        return
    data, places = hide.without(path.read_bytes(), secret)
    if not places:
        return
    if data is None:
        path.unlink()
        disk.sync(path.parent)
    else:
        disk.put(path, data)
