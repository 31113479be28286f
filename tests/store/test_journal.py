"""What was taken stays, in order, until it is processed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mailgate.core.mail import Envelope
from mailgate.core.mailbox import Left, Uid
from mailgate.core.model import Outcome
from mailgate.store import Store, journal, mailboxes
from tests.store.makes import ENVELOPE, NOW, message, taken, ticket


def test_message_is_kept_byte_for_byte_with_its_envelope(store: Store) -> None:
    raw = bytes(range(256)) + b"\r\n.\r\n\0"
    envelope = Envelope("lmtp", None, ("a@b.example", "ñ@b.example"), "local")
    with store.write() as tx:
        number = journal.take(tx, raw, envelope, NOW)
    with store.read() as tx:
        kept = journal.get(tx, number)
    assert kept is not None
    assert (kept.raw, kept.envelope, kept.taken_at, kept.tries) == (raw, envelope, NOW, 0)


def test_null_sender_and_no_envelope_are_told_apart(store: Store) -> None:
    with store.write() as tx:
        bounce = taken(tx, sender="")
        fetched = taken(tx, sender=None)
        assert [journal.get(tx, number).envelope.sender for number in (bounce, fetched)] == ["", None]  # type: ignore[union-attr]


def test_same_bytes_twice_are_two_rows_and_one_blob(store: Store) -> None:
    with store.write() as tx:
        first, second = taken(tx), taken(tx)
        assert first != second
        assert tx.value("select count(*) from blob") == 1


def test_waiting_gives_the_oldest_first_and_no_more_than_asked_for(store: Store) -> None:
    with store.write() as tx:
        numbers = [taken(tx, f"{n}".encode()) for n in range(5)]
        journal.finish(tx, numbers[0], Outcome.REPEAT, None)
        assert [kept.id for kept in journal.waiting(tx, 3, NOW)] == numbers[1:4]


def test_message_of_a_mailbox_that_comes_again_keeps_its_number(store: Store) -> None:
    uid = Uid("imap.desk.example/INBOX", 7, 42)
    with store.write() as tx:
        first = journal.take(tx, b"hola", ENVELOPE, NOW, uid)
        assert journal.take(tx, b"hola", ENVELOPE, NOW + timedelta(hours=1), uid) == first
        assert mailboxes.last_uid(tx, uid.mailbox, 7) == 42
        assert mailboxes.unsettled(tx, uid.mailbox, 7) == [42]
        mailboxes.settle(tx, uid.mailbox, 7, [42])
        assert mailboxes.unsettled(tx, uid.mailbox, 7) == []
        assert tx.value("select count(*) from journal") == 1


def test_uids_of_another_uidvalidity_are_other_messages(store: Store) -> None:
    with store.write() as tx:
        first = journal.take(tx, b"hola", ENVELOPE, NOW, Uid("box", 7, 42))
        assert journal.take(tx, b"hola", ENVELOPE, NOW, Uid("box", 8, 42)) != first
        assert mailboxes.last_uid(tx, "box", 9) == 0


def test_skipped_message_counts_as_seen_and_is_nobodys_business(store: Store) -> None:
    with store.write() as tx:
        mailboxes.skip(tx, Uid("box", 7, 43), Left("big", "box"), NOW)
        assert mailboxes.last_uid(tx, "box", 7) == 43
        assert mailboxes.unsettled(tx, "box", 7) == []


@pytest.mark.parametrize(
    ("outcome", "state"), [(Outcome.OPEN, "done"), (Outcome.REPEAT, "done"), (Outcome.QUARANTINE, "quarantined")]
)
def test_finished_message_waits_no_more(store: Store, outcome: Outcome, state: str) -> None:
    with store.write() as tx:
        number = taken(tx)
        assert journal.is_waiting(tx, number)
        assert journal.became(tx, number) == (None, None)
        journal.finish(tx, number, outcome, None)
        assert not journal.is_waiting(tx, number)
        assert journal.became(tx, number) == (outcome, None)
        assert tx.value("select state from journal where id = :id", id=number) == state


def test_what_a_message_became_names_its_ticket(store: Store) -> None:
    with store.write() as tx:
        ticket(tx)
        message(tx, of=1)
        assert journal.became(tx, journal.newest(tx)) == (Outcome.APPEND, 1)


def test_released_message_waits_again_with_its_tries_forgotten(store: Store) -> None:
    with store.write() as tx:
        number = taken(tx)
        journal.begin_alone(tx, number)
        journal.finish(tx, number, Outcome.QUARANTINE, None)
        journal.reopen(tx, number)
        assert [(kept.id, kept.tries) for kept in journal.waiting(tx, 10, NOW)] == [(number, 0)]


def test_tries_outlive_the_process(store: Store) -> None:
    with store.write() as tx:
        number = taken(tx)
    for _ in range(3):
        with store.write() as tx:
            journal.begin_alone(tx, number)
    with Store(store.path, store.keyring).read() as tx:
        assert journal.waiting(tx, 1, NOW)[0].tries == 3


def test_newest_is_zero_before_the_first(store: Store) -> None:
    with store.write() as tx:
        assert journal.newest(tx) == 0
        assert journal.newest(tx) != taken(tx)
