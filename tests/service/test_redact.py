"""A secret that was taken out is nowhere in the data folder; a trace tells who did it, and the books are as before."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from mailgate.core.mail import Envelope, file_name
from mailgate.core.message import mime
from mailgate.core.model import Outcome
from mailgate.core.redaction import MARK, Secret
from mailgate.service import keys
from mailgate.service.redact import By, Redacted, redact, redact_message, settle
from mailgate.store import blobs, journal, messages, redactions, search, tickets
from mailgate.store.keyring import KeyLostError
from mailgate.store.redactions import Place
from mailgate.store.tickets import EVERY
from tests.stored import stored_desk
from tests.story import ANA, ELENA, MARTA, Story
from tests.support import NOW, reply_address

CANARY = "canario7431"
LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """Ana writes her password, in the subject too; Marta answers and quotes it."""
    with stored_desk(tmp_path) as stored:
        told = Story(stored)
        stored.book(240, package="4h", price="160.00 EUR")
        stored.take(_from_ana())
        told.says("marta", f"La he probado.\n#time 12m\n\n> la cuenta es {CANARY}\n", 1)
        told.told()
        yield told
        assert told.problems() == []


def _from_ana(extra: str = "", message_id: str = "<m1@acme.example>") -> bytes:
    mail = EmailMessage()
    if extra:
        mail["Received"] = extra
    mail["From"], mail["To"], mail["Message-ID"] = f"Ana <{ANA}>", "soporte@example.es", message_id
    mail["Subject"] = f"Cuenta {CANARY}"
    mail.set_content(f"Hola: la cuenta es {CANARY}.\n", cte="base64")
    mail.add_alternative(f"<p>Hola: la cuenta es canario<b>7431</b>.</p> {CANARY}", subtype="html")
    mail.add_attachment(CANARY.encode() * 3, maintype="application", subtype="zip", filename=f"{CANARY}.zip")
    return mail.as_bytes()


def _gone(story: Story, text: str = CANARY) -> list[str]:
    """The files of the data folder, and the blobs in them, in which the text stands."""
    with story.stored.store.read() as tx:
        raws = {f"blob {row['id']}": blobs.get(tx, row["id"]) for row in tx.rows("select id from blob")}
    folder = story.stored.store.path.parent
    files = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return [name for name, data in (files | raws).items() if text.encode() in data]


def _redact(story: Story, text: str = CANARY, ticket: int = 1) -> Redacted:
    with story.stored.store.write() as tx:
        return redact(tx, ticket, Secret(text), By(story.stored.office.desk, LATER, "marta"))


def _send_all(story: Story) -> Path:
    """To files, as `via = "files"` does."""
    folder = story.stored.store.path.parent / "outbox"
    folder.mkdir()
    for mail, raw in zip(story.stored.mails(), story.stored.raws(), strict=True):
        (folder / file_name(NOW, mail.id)).write_bytes(raw)
    with story.stored.store.write() as tx:
        tx.run("update outbox set state = 'sent', next_try_at = null, sent_at = created_at")
    return folder


def test_command_takes_it_out_of_everything_and_of_the_mail_that_says_it(story: Story):
    before = story.ledger()
    plan = story.says("marta", f"#redact {CANARY}", 1, LATER)
    assert plan.outcome is Outcome.APPEND
    assert [told for told in story.told() if told[0] != "redacted"] == []
    assert settle(story.stored.store, LATER)
    assert _gone(story) == []
    assert [entry.minutes for entry in story.ledger()] == [entry.minutes for entry in before]
    assert story.ticket().subject == f"Cuenta {MARK}"


def test_what_readers_see_has_a_mark_in_its_place(story: Story):
    story.says("marta", f"#ocultar {CANARY}", 1, LATER)
    with story.stored.store.read() as tx:
        first = messages.of_ticket(tx, 1)[0]
        assert (first.subject, first.text.strip()) == (f"Cuenta {MARK}", f"Hola: la cuenta es {MARK}.")
        assert [file.name for file in first.attachments] == [f"{MARK}.zip"]
        assert search.find(tx, CANARY, EVERY) == []
        assert [hit.message for hit in search.find(tx, "hola cuenta", EVERY)] == [first.id]


def test_writer_is_told_where_it_stood_and_what_nobody_looked_into(story: Story):
    story.says("marta", f"#redact {CANARY}", 1, LATER)
    text = story.text_of("redacted")
    assert "2 mensajes" in text
    assert f"{MARK}.zip" in text
    assert CANARY not in text


def test_text_that_does_not_stand_there_is_told_and_is_not_kept_either(story: Story):
    story.says("marta", "#redact otra-cosa-99", 1, LATER)
    assert "no está en SOP-1" in " ".join(story.text_of("redacted").split())
    assert settle(story.stored.store, LATER)
    assert _gone(story, "otra-cosa-99") == []


def test_trace_says_who_when_where_and_how_often_and_not_what(story: Story):
    plan = story.says("marta", f"#redact {CANARY}", 1, LATER)
    assert plan.ticket is not None
    with story.stored.store.read() as tx:
        first, answer, asked = (message.id for message in messages.of_ticket(tx, 1))
        (trace,) = redactions.of(tx, Place("message", first))
        assert (trace.at, trace.author, trace.cause, trace.places) == (LATER, "marta", asked, 8)
        assert redactions.of(tx, Place("message", answer))
        found = messages.get(tx, first)
        assert found is not None
        assert found.why.endswith(f"redacted 2026-11-03 by marta, by message {asked}: 8")


def test_queued_mails_go_out_without_it_and_sent_ones_are_kept_without_it(story: Story):
    folder = _send_all(story)
    story.says("ana", f"¿Y {CANARY}?", 1)
    assert any(CANARY.encode() in path.read_bytes() for path in folder.iterdir())
    _redact(story)
    assert settle(story.stored.store, LATER)
    assert _gone(story) == []
    assert all(mail.to for mail in story.stored.mails())
    queued = [mail for mail in story.stored.mails() if mail.state == "queued"]
    assert {mail.to for mail in queued} >= {MARTA}


def test_note_of_an_entry_loses_it_and_nothing_else_of_the_ledger_changes(story: Story):
    assert [entry.note for entry in story.ledger() if entry.ticket] == [f"Cuenta {CANARY}"]
    _redact(story)
    assert [(entry.note, entry.minutes) for entry in story.ledger() if entry.ticket] == [(f"Cuenta {MARK}", -12)]
    assert settle(story.stored.store, LATER)
    refused = pytest.raises(sqlite3.IntegrityError, match="by a redaction alone")
    with refused, story.stored.store.write() as tx:
        tx.run("update entry set note = 'otra' where ticket = 1")


def test_ledger_lets_nobody_change_minutes_even_while_a_redaction_is_under_way(story: Story):
    _redact(story)
    refused = pytest.raises(sqlite3.IntegrityError, match="never changed")
    with refused, story.stored.store.write() as tx:
        tx.run("update entry set minutes = 0 where ticket = 1")


@pytest.mark.parametrize("extra", ["", "from another.example by mx.example; Tue, 3 Nov 2026 10:00:00 +0000"])
def test_same_mail_again_is_a_repeat_and_does_not_bring_it_back(story: Story, extra: str):
    _redact(story)
    assert story.stored.take(_from_ana(extra), LATER).outcome is Outcome.REPEAT
    assert settle(story.stored.store, LATER)
    assert _gone(story) == []


def test_mail_that_came_by_two_roads_loses_it_in_both(story: Story):
    assert story.stored.take(_from_ana("from here by there; Tue, 3 Nov 2026 10:00:00 +0000")).outcome is Outcome.REPEAT
    _redact(story)
    assert settle(story.stored.store, LATER)
    assert _gone(story) == []


def test_twice_redacted_it_is_known_again_still_and_its_digest_tells_nobody(story: Story):
    _redact(story)
    _redact(story, "Hola")
    assert story.stored.take(_from_ana(), LATER).outcome is Outcome.REPEAT
    with story.stored.store.read() as tx:
        digests = [message.digest for message in messages.of_ticket(tx, 1)]
    assert mime.parse(_from_ana(), Envelope("imap")).digest not in digests


def test_mail_that_asks_for_it_again_keeps_nothing_either(story: Story):
    asking = {"message_id": "<redact@example.es>"}
    story.says("marta", f"#redact {CANARY}", 1, LATER, **asking)
    assert story.says("marta", f"#redact {CANARY}", 1, LATER, **asking).outcome is Outcome.REPEAT
    assert settle(story.stored.store, LATER)
    assert _gone(story) == []


def test_mail_that_was_handed_back_loses_it_too(story: Story):
    assert story.says("marta", f"Es {CANARY}.\n#tiem 5m", 1).outcome is Outcome.REJECT
    _redact(story)
    assert settle(story.stored.store, LATER)
    assert _gone(story) == []


def test_tickets_that_share_the_conversation_lose_it_too(story: Story):
    story.says("ana", f"Otra vez: {CANARY}", message_id="<otra@acme.example>", subject="Otra cosa")
    story.says("marta", "#merge SOP-1", 2)
    _redact(story)
    assert settle(story.stored.store, LATER)
    assert _gone(story) == []


def test_another_ticket_keeps_what_it_has(story: Story):
    story.says("ana", f"Otra vez: {CANARY}", message_id="<otra@acme.example>", subject="Otra cosa")
    _redact(story)
    with story.stored.store.read() as tx:
        assert CANARY in messages.of_ticket(tx, 2)[0].text


def test_ticket_may_be_named_and_the_mail_that_names_it_keeps_nothing(story: Story):
    story.says("elena", f"#redact SOP-1 {CANARY}", to=reply_address(0, ELENA), subject="Re: Resumen")
    assert settle(story.stored.store, LATER)
    assert _gone(story) == []


def test_one_wrong_line_takes_nothing_out(story: Story):
    assert story.says("marta", f"#redact {CANARY}\n#tiem 5m", 1, LATER).outcome is Outcome.REJECT
    assert CANARY in story.ticket().subject


def test_a_rehearsal_takes_nothing_out(story: Story):
    story.says("marta", f"#redact {CANARY}\n#test", 1, LATER)
    assert CANARY in story.ticket().subject


def test_a_client_takes_nothing_out(story: Story):
    story.says("ana", f"#redact {CANARY}", 1, LATER)
    assert CANARY in story.ticket().subject


def test_mail_in_which_it_cannot_be_found_for_sure_goes_whole(story: Story):
    with story.stored.store.write() as tx:
        big = blobs.put(tx, b"X: y\r\n" * 3000 + f"\r\n{CANARY}".encode())
        for table in ("message", "outbox"):
            before = tx.value(f"select blob from {table} where id = 1")
            tx.run(f"update {table} set blob = :big where id = 1", big=big)
            blobs.remove_unneeded(tx, before)
    _redact(story)
    assert settle(story.stored.store, LATER)
    assert _gone(story) == []
    first = story.stored.mails()[0]
    assert (first.state, first.last_error) == ("failed", "redacted")


def test_file_is_settled_later_where_somebody_reads_what_was(story: Story):
    other = sqlite3.connect(story.stored.store.path)
    other.execute("begin")
    other.execute("select count(*) from message").fetchone()
    _redact(story)
    with story.stored.store.read() as tx:
        tx.run("pragma busy_timeout = 50")  # whoever reads goes on reading, however long it is waited for
    assert not settle(story.stored.store, LATER)
    other.close()
    assert settle(story.stored.store, LATER)
    assert _gone(story) == []


def test_daemon_that_stops_settles_the_rest_at_its_next_start(story: Story):
    _redact(story)
    assert not settle(story.stored.store, LATER, going=lambda: False)
    assert settle(story.stored.store, LATER)
    assert _gone(story) == []


def test_mails_whose_key_is_missing_stop_it_until_the_key_is_given_up(story: Story):
    data = story.stored.store.path.parent
    (data / keys.NAME).unlink()
    again = keys.opened(data, LATER)
    by = By(story.stored.office.desk, LATER)
    with pytest.raises(KeyLostError), again.write() as tx:
        redact(tx, 1, Secret(CANARY), by)
    assert CANARY in story.ticket().subject
    keys.rotate(data, again, LATER, lost=True)
    with again.write() as tx:
        assert redact(tx, 1, Secret(CANARY), by).places
    again.close()
    assert story.ticket().subject == f"Cuenta {MARK}"


def test_message_of_no_ticket_is_redacted_alone(story: Story):
    story.says("ana", f"saldo\n\n{CANARY}", subject="saldo", message_id="<saldo@acme.example>")
    with story.stored.store.write() as tx:
        number = tx.value("select max(id) from message where ticket is null")
        done = redact_message(tx, number, Secret(CANARY), By(story.stored.office.desk, LATER))
        assert done.found["message"] == 1
        kept = journal.of_message(tx, number)
        assert kept is not None
        assert CANARY.encode() not in kept.raw
        assert CANARY in str(tickets.get(tx, 1))
