"""What is kept no longer goes on its day and not before, for good; what remains goes on working."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from mailgate.core.mail import Envelope, file_name
from mailgate.core.message import mime
from mailgate.core.model import Outcome
from mailgate.service.audit import audited
from mailgate.service.jobs import retention
from mailgate.store import Connection, blobs, events, journal, messages, quarantine, search, tickets, vault, walks
from mailgate.store.tickets import EVERY
from tests.stored import damage, stored_desk
from tests.story import Story
from tests.support import NOW, desk, reply_address, written

DAY = timedelta(days=1)
# The last instant of the ninetieth day after the one on which all was closed, in Madrid; and the first after it.
LAST = datetime(2027, 2, 1, 22, 59, 59, tzinfo=UTC)
AFTER = LAST + timedelta(seconds=1)
SECRET = b"CANARY-7431"
LIMITS = ("raw_mail", "attachments", "quarantine", "closed_tickets", "access_data", "looks")


@contextmanager
def _story(folder: Path, **limits: str) -> Iterator[Story]:
    """Ana asks with a file, Marta answers and closes; all on one day."""
    with stored_desk(folder, desk(retention=limits)) as stored:
        story = Story(stored)
        stored.book(240, package="4h", price="160.00 EUR")
        stored.take(_with_file())
        story.says("marta", "Hecho, CANARY-7431.\n\n#time 12m\n#close", 1)
        _send_all(story)
        yield story
        assert story.problems() == []


def _with_file(message_id: str = "<m1@acme.example>") -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"] = "Ana <ana@acme.example>", "soporte@example.es"
    mail["Subject"], mail["Message-ID"] = "El carrito", message_id
    mail.set_content("No funciona el carrito. CANARY-7431 en el texto.\n")
    mail.add_attachment(SECRET * 1000, maintype="application", subtype="pdf", filename="captura.pdf")
    mail.set_boundary("=-b")
    return mail.as_bytes()


def _send_all(story: Story) -> None:
    with story.stored.store.write() as tx:
        tx.run("update outbox set state = 'sent', next_try_at = null")


def _tick(story: Story, at: datetime) -> int:
    with story.stored.store.write() as tx:
        return retention.run(tx, story.stored.office, at)


def _clear(story: Story, at: datetime) -> None:
    """All that is due on a day."""
    while _tick(story, at) or _under_way(story):
        pass


def _under_way(story: Story) -> bool:
    with story.stored.store.read() as tx:
        return bool(tx.value("select count(*) from walk where after is not null"))


def _blobs(tx: Connection) -> int:
    return int(tx.value("select count(*) from blob"))


def _bytes_of(story: Story) -> bytes:
    """The file of the store, its log folded in, and what is sealed in it."""
    with closing(sqlite3.connect(story.stored.store.path)) as raw:
        raw.execute("pragma wal_checkpoint(truncate)")
    with story.stored.store.read() as tx:
        sealed = [blobs.get(tx, row["id"]) for row in tx.rows("select id from blob")]
    return b"".join([story.stored.store.path.read_bytes(), *sealed])


@pytest.mark.parametrize(
    ("limits", "question"),
    [
        ({"raw_mail": "90d"}, "select count(*) from message where blob is not null"),
        ({"raw_mail": "90d"}, "select count(*) from outbox where blob is not null"),
        ({"attachments": "90d"}, "select count(*) from attachment where kept = 1"),
        ({"closed_tickets": "90d"}, "select count(*) from message where text <> ''"),
    ],
)
def test_what_is_closed_goes_on_the_day_after_its_last(tmp_path: Path, limits: dict[str, str], question: str) -> None:
    with _story(tmp_path, **limits) as story:

        def left() -> int:
            with story.stored.store.read() as tx:
                return int(tx.value(question))

        before = left()
        _clear(story, LAST)
        assert left() == before > 0
        _clear(story, AFTER)
        assert left() == 0


def test_a_damaged_mail_holds_up_nothing_and_goes_whole_with_its_files(tmp_path: Path) -> None:
    with _story(tmp_path, attachments="90d", looks="90d") as story:
        with story.stored.store.write() as tx:
            damage(tx, tx.value("select blob from message where id = 1"))
        _clear(story, AFTER)
        with story.stored.store.read() as tx:
            assert tx.value("select blob from message where id = 1") is None
            assert tx.value("select count(*) from attachment where kept = 1") == 0


def test_an_open_ticket_keeps_everything_however_old(tmp_path: Path) -> None:
    with _story(tmp_path, raw_mail="1d", attachments="1d", closed_tickets="1d") as story:
        story.says("ana", "Sigue sin funcionar.", 1, at=NOW + DAY)
        with story.stored.store.read() as tx:
            before = _blobs(tx)
        _clear(story, AFTER)
        with story.stored.store.read() as tx:
            assert _blobs(tx) == before
            assert all(one.text and one.blob for one in messages.of_ticket(tx, 1))


LIST = b"FTP\nusuario: web\nclave: Fil9!zz26\n"
TOLD = (b"Xk9!zz26", b"Fil9!zz26")


def _with_access_data(story: Story) -> None:
    """A second ticket that tells access data in its text and in a file, and is closed; Marta got them written out."""
    mail = message_from_bytes(_with_file("<m2@acme.example>"), policy=default)
    assert isinstance(mail, EmailMessage)
    mail.clear_content()
    mail.set_content("usuario: admin\nclave: Xk9!zz26\n\nNo entro en el panel, ni por FTP.\n")
    mail.add_attachment(LIST, maintype="text", subtype="plain", filename="accesos.txt")
    story.stored.take(mail.as_bytes())
    story.says("marta", "Listo.\n\n#time 5m\n#close", 2)
    _send_all(story)
    folder = story.stored.store.path.parent / "outbox"
    folder.mkdir(exist_ok=True)
    with story.stored.store.read() as tx:
        for row in tx.rows("select id, created_at, blob from outbox where ticket = 2"):
            at = datetime.fromisoformat(row["created_at"])
            (folder / file_name(at, row["id"])).write_bytes(blobs.get(tx, row["blob"]))


def _holding(story: Story) -> list[bytes]:
    """Which access data stand anywhere: in mails, in files that were sent, in the vault."""
    with story.stored.store.read() as tx:
        raws = [blobs.get(tx, row["id"]) for row in tx.rows("select id from blob")]
        kept = [value.encode() for number in (1, 2, 3, 4) for value in vault.of_message(tx, number).values()]
    files = [path.read_bytes() for path in (story.stored.store.path.parent / "outbox").iterdir()]
    parts = [
        part.get_payload(decode=True)
        for raw in (*raws, *files)
        for part in message_from_bytes(raw, policy=default).walk()
        if not part.is_multipart()
    ]
    return [value for value in TOLD if any(value in one for one in (*parts, *kept) if isinstance(one, bytes))]


def test_access_data_go_from_vault_and_mails_on_the_day_after_their_last(tmp_path: Path) -> None:
    with _story(tmp_path, access_data="90d") as story:
        _with_access_data(story)
        _clear(story, LAST)
        assert _holding(story) == list(TOLD)
        _clear(story, AFTER)
        assert _holding(story) == []
        with story.stored.store.read() as tx:
            told, raw = messages.get(tx, 3), _with_file()
            assert told is not None
            assert "clave: ⟦•••1⟧" in told.text
            assert told.blob is not None
            assert b"clave: *****" in blobs.get(tx, told.blob)
            assert [(file.kept, file.guarded) for file in told.attachments] == [(True, False)]
            first = messages.get(tx, 1)
            assert first is not None and first.blob is not None
            assert blobs.get(tx, first.blob) == raw, "a mail without them is as it came"
        assert _tick(story, AFTER) == 0


def test_access_data_of_a_ticket_that_goes_on_stay(tmp_path: Path) -> None:
    with _story(tmp_path, access_data="1d") as story:
        _with_access_data(story)
        story.says("ana", "Sigue sin ir.", 2, at=NOW + DAY)
        _clear(story, AFTER)
        assert _holding(story) == list(TOLD)


def test_without_limits_nothing_goes(tmp_path: Path) -> None:
    with _story(tmp_path) as story:
        assert _tick(story, AFTER + 9999 * DAY) == 0


def test_an_answer_finds_its_ticket_though_the_mails_are_gone(tmp_path: Path) -> None:
    with _story(tmp_path, raw_mail="1d", attachments="1d") as story:
        _clear(story, NOW + 2 * DAY)
        with story.stored.store.read() as tx:
            assert _blobs(tx) == 0
        sent = next(mail for mail in story.stored.mails() if mail.template == "answer")
        again = written(
            "Gracias, pero falla otra vez.",
            subject="Re: El carrito",
            message_id="<m9@acme.example>",
            headers=f"In-Reply-To: <{sent.message_id}>\n",
        )
        assert story.stored.take(again, NOW + 3 * DAY).outcome is Outcome.APPEND
        assert [one.text[:7] for one in story_messages(story)] == ["No func", "Hecho, ", "Gracias"]


def test_a_repeat_is_known_though_the_mail_is_gone(tmp_path: Path) -> None:
    with _story(tmp_path, raw_mail="1d") as story:
        _clear(story, NOW + 2 * DAY)
        raw = _with_file()
        assert story.stored.take(raw, NOW + 3 * DAY).outcome is Outcome.REPEAT


def story_messages(story: Story) -> list[messages.Message]:
    with story.stored.store.read() as tx:
        return list(messages.of_ticket(tx, 1))


def test_the_files_of_a_mail_go_and_what_was_written_in_it_stays(tmp_path: Path) -> None:
    with _story(tmp_path, attachments="1d") as story:
        assert b"Q0FOQVJZ" in _bytes_of(story), "base64"
        _clear(story, NOW + 2 * DAY)
        first = story_messages(story)[0]
        assert [(file.name, file.size, file.kept) for file in first.attachments] == [("captura.pdf", 11000, False)]
        with story.stored.store.read() as tx:
            mail = mime.parse(blobs.get(tx, first.blob or 0), Envelope("web"))
            assert journal.of_message(tx, first.id) is not None
        assert "CANARY-7431 en el texto" in mail.text
        assert [file.size for file in mail.attachments] == [0]
        assert b"Q0FOQVJZ" not in _bytes_of(story)


def test_a_closed_ticket_is_forgotten_to_the_last_byte_and_its_minutes_stay(tmp_path: Path) -> None:
    with _story(tmp_path, closed_tickets="1d") as story:
        before = [(entry.id, entry.minutes, entry.note) for entry in story.ledger()]
        assert SECRET in _bytes_of(story)
        _clear(story, NOW + 2 * DAY)
        assert [(entry.id, entry.minutes, entry.note) for entry in story.ledger()] == before
        with story.stored.store.read() as tx:
            assert search.find(tx, "carrito", EVERY) == []
            ticket = tickets.get(tx, 1)
        assert ticket is not None
        assert (ticket.subject, ticket.requester, ticket.technician, ticket.minutes) == ("", "", "marta", 12)
        left = _bytes_of(story)
        assert not [word for word in (SECRET, SECRET.lower(), b"unciona", b"ana@acme") if word in left]


def test_what_came_into_a_forgotten_ticket_is_kept_for_its_own_time(tmp_path: Path) -> None:
    with _story(tmp_path, closed_tickets="2d") as story:
        robot = {"headers": "Auto-Submitted: auto-replied\n", "to": reply_address(1, "ana@acme.example")}
        story.stored.take(written("Estoy fuera.", message_id="<r@acme.example>", **robot), NOW + 4 * DAY)
        _clear(story, NOW + 5 * DAY)
        assert story_messages(story)[-1].text.strip() == "Estoy fuera."
        _clear(story, NOW + 7 * DAY)
        assert {one.text for one in story_messages(story)} == {""}


def test_a_forgotten_ticket_that_gets_a_message_is_forgotten_once_more(tmp_path: Path) -> None:
    with _story(tmp_path, closed_tickets="2d") as story:
        _clear(story, NOW + 5 * DAY)
        robot = {"headers": "Auto-Submitted: auto-replied\n", "to": reply_address(1, "marta@example.es")}
        story.stored.take(
            written("Estoy fuera.", sender="marta@example.es", message_id="<r@example.es>", **robot), NOW + 6 * DAY
        )
        assert story_messages(story)[-1].text.strip() == "Estoy fuera."
        _clear(story, NOW + 7 * DAY)
        assert story_messages(story)[-1].text.strip() == "Estoy fuera."
        _clear(story, NOW + 9 * DAY)
        assert {one.text for one in story_messages(story)} == {""}


def test_when_the_walks_of_a_day_are_done_is_known(tmp_path: Path) -> None:
    with _story(tmp_path, raw_mail="1d", attachments="1d") as story:
        assert _done_last(story) is None
        _clear(story, NOW + 2 * DAY)
        assert _done_last(story) == NOW + 2 * DAY


def _done_last(story: Story) -> datetime | None:
    with story.stored.store.read() as tx:
        return walks.done_last(tx, ("raw", "files"))


def test_files_in_the_outbox_folder_go_with_their_mails(tmp_path: Path) -> None:
    with _story(tmp_path, raw_mail="1d") as story:
        (tmp_path / "outbox").mkdir()
        with story.stored.store.read() as tx:
            rows = tx.rows("select id from outbox")
        names = [file_name(NOW, row["id"]) for row in rows]
        for name in names:
            (tmp_path / "outbox" / name).write_bytes(b"x")
        _clear(story, NOW + 2 * DAY)
        assert list((tmp_path / "outbox").iterdir()) == []


def test_a_mail_that_waits_to_be_sent_or_for_a_word_is_kept(tmp_path: Path) -> None:
    with _story(tmp_path, raw_mail="1d") as story:
        with story.stored.store.write() as tx:
            tx.run("update outbox set state = 'queued', next_try_at = created_at where template = 'answer'")
            tx.run("insert into held (message, ticket, technician, reason) values (2, 1, 'marta', 'collision')")
        _clear(story, NOW + 3 * DAY)
        with story.stored.store.read() as tx:
            assert tx.value("select count(*) from outbox where blob is not null") == 1
        assert [one.blob is not None for one in story_messages(story)] == [False, True]


def test_the_quarantine_is_dropped_on_its_day(tmp_path: Path) -> None:
    with _story(tmp_path, quarantine="30d") as story:
        story.stored.take(written("CANARY-7431", sender="x@spam.example", message_id="<q@spam.example>"))
        last = datetime(2026, 12, 3, 22, 59, 59, tzinfo=UTC)
        _clear(story, last)
        with story.stored.store.read() as tx:
            assert len(quarantine.waiting(tx)) == 1
        _clear(story, last + timedelta(seconds=1))
        with story.stored.store.read() as tx:
            held = quarantine.get(tx, 1)
            assert held is not None
            assert (held.state, held.sender, held.reason, journal.get(tx, held.journal)) == ("dropped", "", "", None)
        assert b"spam.example" not in _bytes_of(story).replace(b"q@spam.example", b"")


def test_looks_are_forgotten_on_their_day(tmp_path: Path) -> None:
    with _story(tmp_path, looks="90d") as story:
        with story.stored.store.write() as tx:
            tx.run(
                "insert into look (message, address, at) values (1, 'ana@acme.example', '2026-11-03T10:00:00.000000Z')"
            )
            day = datetime(2026, 11, 3, 10, tzinfo=UTC)
            events.record(tx, "shown", "", f"{day.isoformat()} 1 root", day)
        assert (_tick(story, LAST), _tick(story, AFTER)) == (0, 2)


def test_a_walk_in_portions_that_is_killed_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_MOST", 2)
    with _story(tmp_path, raw_mail="1d") as story:
        counts = []
        for _ in range(20):
            with pytest.raises(KeyboardInterrupt), story.stored.store.write() as tx:
                retention.run(tx, story.stored.office, NOW + 2 * DAY)
                raise KeyboardInterrupt  # before the commit
            counts.append(_tick(story, NOW + 2 * DAY))
        with story.stored.store.read() as tx:
            assert _blobs(tx) == 0
        assert max(counts) == 2
        assert counts[-1] == 0


def test_when_all_is_done_a_tick_asks_little_and_writes_nothing(tmp_path: Path) -> None:
    limits: dict[str, Any] = dict.fromkeys(LIMITS, "90d")
    with _story(tmp_path, **limits) as story:
        _clear(story, AFTER)
        asked: list[str] = []
        with story.stored.store.write() as tx:
            tx.db.conn.set_trace_callback(asked.append)
            assert retention.run(tx, story.stored.office, AFTER + timedelta(minutes=1)) == 0
            tx.db.conn.set_trace_callback(None)
        assert len(asked) <= 9
        assert [sql for sql in asked if sql.startswith(("update", "insert"))] == []


def test_the_books_add_up_after_everything_went(tmp_path: Path) -> None:
    limits: dict[str, Any] = dict.fromkeys(LIMITS, "1d")
    with _story(tmp_path, **limits) as story:
        _clear(story, AFTER)
        with story.stored.store.read() as tx:
            found = audited(tx)
        assert (found.problems, found.balances) == ([], {"acme": 228})
