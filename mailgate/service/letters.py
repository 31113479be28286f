"""Write the mails that a plan asks for, and put them into the outbox."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from mailgate.core import address, undelivered
from mailgate.core.access_data.covering import filled as written_out
from mailgate.core.access_data.opening import opened
from mailgate.core.desk import Desk
from mailgate.core.mail import Attachment, Notice, Outgoing, Part
from mailgate.core.message import mime
from mailgate.render import Letterhead
from mailgate.service.office import Office
from mailgate.service.reports import filled
from mailgate.store import Connection, blobs, messages, outbox, vault

log = logging.getLogger("mailgate.letters")

# Kept in the ticket's transcript too: what people quote when they answer. Not what hands a technician
# their own text back to be sent again: then it is fresh, though it stands in a mail of ours.
_QUOTABLE = ("ack", "answer", "notice", "handed_over")


@dataclass(frozen=True, slots=True)
class Source:
    """A message that is handed on: its blob, its attachments, and its access data by their numbers."""

    blob: int | None = None
    attachments: tuple[Attachment, ...] = ()
    secrets: Mapping[int, str] = field(default_factory=dict)


NOTHING = Source()


def post(
    tx: Connection,
    office: Office,
    notices: Sequence[Notice],
    now: datetime,
    cause: str,
    source: Source = NOTHING,
) -> None:
    """Write the mails into the outbox, in the transaction of what causes them.

    cause: names what they come from, unique for ever, e.g. "j17". source: whose attachments are handed on, and whose
    access data are written out for who may see them; what is remembered of the mail has them covered.
    """
    for number, notice in enumerate(notices):
        if _in_vain(tx, office.desk, notice, now):
            continue
        mine = source if notice.carry_from is None else _kept(tx, notice.carry_from)
        mail = write(tx, office, notice, now, f"{cause}.{number}", mine)
        if notice.ticket and notice.template in _QUOTABLE:
            covered = write(tx, office, notice, now, "", NOTHING) if notice.opens and mine.secrets else mail
            messages.remember_text(tx, notice.ticket, covered.text)
        outbox.queue(tx, mail, now)


def _in_vain(tx: Connection, desk: Desk, notice: Notice, now: datetime) -> bool:
    """Whether a mail that no person wrote would go to a dead address; the desk's own people are always told."""
    if not notice.automatic or outbox.failures(tx, notice.to, now - undelivered.WITHIN) < undelivered.MOST:
        return False
    person = desk.rules.who(notice.to)
    ours = notice.to == desk.rules.desk.admin or (person is not None and person.role.staff)
    if not ours:
        log.warning("%s: not written, since mail to its address comes back", notice.template)
    return not ours


def write(
    tx: Connection,
    office: Office,
    notice: Notice,
    now: datetime,
    name: str,
    source: Source,
) -> Outgoing:
    """Write one mail. The same arguments give the same bytes."""
    if notice.template == "rehearsal":
        notice = _with_mails(tx, office, notice, now)
    notice, extra = filled(tx, office.desk, notice, now)
    notice = opened(notice, source.secrets)
    parts = [*_carried(tx, notice, source), *extra]
    letterhead = _letterhead(office.desk, notice, now, name, outbox.next_id(tx))
    return office.renderer.write(notice, letterhead, parts)


def _with_mails(tx: Connection, office: Office, notice: Notice, now: datetime) -> Notice:
    """A rehearsal shows the very mails that would have gone out: they are written, and not sent."""
    planned: Sequence[tuple[bool, Notice]] = notice.values["mails"]  # type: ignore[assignment]
    written = [(staff, write(tx, office, one, now, "", NOTHING)) for staff, one in planned]
    mails = [
        {"to": mail.notice.to, "subject": mail.subject, "text": mail.text, "staff": staff} for staff, mail in written
    ]
    return replace(notice, values={**notice.values, "mails": mails})


def _letterhead(desk: Desk, notice: Notice, now: datetime, name: str, number: int) -> Letterhead:
    """number: of the mail in the outbox, which its envelope sender names."""
    home = desk.rules.desk.address
    reply_to = address.reply_address(desk.key, home, notice.ticket, notice.to) if notice.ticket is not None else ""
    message_id = _message_id(desk, name, now)
    sender = address.return_address(desk.key, home, number, message_id)
    return Letterhead(
        desk_name=desk.rules.desk.name,
        desk_address=home,
        reply_to=reply_to,
        sender="" if notice.template in undelivered.UNRETURNED else sender,
        message_id=message_id,
        date=now,
        zone=desk.rules.zone,
        ticket_tag=desk.tag(notice.ticket) if notice.ticket else "",
        language=desk.rules.desk.language,
    )


def _message_id(desk: Desk, name: str, now: datetime) -> str:
    """Unique because the cause is, and the time: after a restore causes are counted from the backup on again.

    Not to be guessed because of the keyed hash.
    """
    mac = hmac.digest(desk.key, f"message-id|{name}|{now.isoformat()}".encode(), "sha256").hex()[:16]
    return f"{name}.{mac}.mailgate@{desk.rules.desk.address.rpartition('@')[2]}"


def _carried(tx: Connection, notice: Notice, source: Source) -> list[Part]:
    """The attachments that a mail hands on, byte for byte: those with access data in them to who may see these."""
    carries = notice.carry or notice.carry_from is not None
    mine = (file for file in source.attachments if file.kept and (notice.opens or not file.guarded))
    attachments = tuple(mine) if carries else ()
    unread = [file.part for file in attachments if file.content is None]
    contents = mime.contents(blobs.get(tx, source.blob), unread) if unread and source.blob is not None else {}
    contents |= {file.part: file.content for file in attachments if file.content is not None}
    secrets = source.secrets if notice.opens else {}
    return [
        Part(
            written_out(file.name, secrets),
            file.type,
            contents[file.part],
            file.content_id,
            file.inline,
            file.charset,
        )
        for file in attachments
    ]


def _kept(tx: Connection, number: int) -> Source:
    """A message of before."""
    message = messages.get(tx, number)
    secrets = vault.of_message(tx, number)
    return Source(message.blob, message.attachments, secrets) if message is not None else NOTHING
