"""Mails to be sent: claimed by one, sent at least once, always under the same Message-ID."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from mailgate.core.mail import Delivery, Due, Failed, Sent
from mailgate.errors import LoginNeeded, StoreUnavailable
from mailgate.service import deliver
from mailgate.service.office import Office
from mailgate.store import Connection, Store, outbox
from mailgate.store.writer import Writer
from tests.store.makes import NOW, queued

LATER = NOW + timedelta(minutes=30)


def _states(store: Store) -> list[str]:
    with store.read() as tx:
        return [row["state"] for row in tx.rows("select state from outbox order by id")]


def test_mail_is_due_at_once_and_claimed_only_once(store: Store) -> None:
    with store.write() as tx:
        number = queued(tx)
        assert [due.id for due in outbox.claim_due(tx, NOW, LATER, 10)] == [number]
        assert outbox.claim_due(tx, NOW, LATER, 10) == []


def test_claim_lapses_so_that_a_mail_of_a_dead_process_goes_out(store: Store) -> None:
    with store.write() as tx:
        first = outbox.claim_due(tx, NOW, LATER, 10) or [queued(tx)]
        outbox.claim_due(tx, NOW, LATER, 10)
        assert outbox.claim_due(tx, LATER - timedelta(seconds=1), LATER, 10) == []
        assert [due.id for due in outbox.claim_due(tx, LATER, LATER, 10)] == first


def test_released_claims_are_due_at_once(store: Store) -> None:
    with store.write() as tx:
        queued(tx)
        outbox.claim_due(tx, NOW, LATER, 10)
        outbox.release_claims(tx)
        assert len(outbox.claim_due(tx, NOW, LATER, 10)) == 1


def test_claims_take_the_oldest_first_and_no_more_than_asked_for(store: Store) -> None:
    with store.write() as tx:
        numbers = [queued(tx, n) for n in range(5)]
        assert [due.id for due in outbox.claim_due(tx, NOW, LATER, 3)] == numbers[:3]


def test_sent_mail_is_never_claimed_retried_or_failed_again(store: Store) -> None:
    with store.write() as tx:
        number = queued(tx)
        outbox.mark_sent(tx, number, NOW)
        outbox.retry(tx, number, NOW)
        outbox.cancel(tx, number)
        outbox.mark_failed(tx, number, "450", NOW)
        assert outbox.claim_due(tx, LATER, LATER, 10) == []
        found = outbox.get(tx, number)
        assert found is not None
        assert (found.state, found.tries, found.last_error) == ("sent", 1, None)


def test_failed_mail_comes_back_at_its_time(store: Store) -> None:
    with store.write() as tx:
        number = queued(tx)
        outbox.claim_due(tx, NOW, LATER, 10)
        outbox.mark_failed(tx, number, "450 greylisted", NOW + timedelta(minutes=1))
        assert outbox.claim_due(tx, NOW, LATER, 10) == []
        due = outbox.claim_due(tx, NOW + timedelta(minutes=1), LATER, 10)
        assert [(mail.id, mail.tries) for mail in due] == [(number, 1)]


def test_mail_that_is_given_up_or_cancelled_is_listed_until_it_is_retried(store: Store) -> None:
    with store.write() as tx:
        given_up, cancelled = queued(tx, 1), queued(tx, 2)
        outbox.mark_failed(tx, given_up, "550 nobody", None)
        outbox.cancel(tx, cancelled)
        assert [mail.last_error for mail in outbox.listed(tx)] == ["550 nobody", "cancelled"]
        outbox.retry(tx, given_up, NOW)
        assert [due.id for due in outbox.claim_due(tx, NOW, LATER, 10)] == [given_up]


def test_what_failed_for_want_of_a_login_is_due_once_there_is_one_and_nothing_else(store: Store) -> None:
    later = NOW + timedelta(minutes=15)
    errors = {
        str(LoginNeeded("revoked", "google a@b.es")): True,
        str(LoginNeeded("words " * 200, "google a@b.es"))[:300]: True,
        "535 5.7.8 BadCredentials": True,
        str(LoginNeeded("revoked", "google other@b.es")): False,
        "450 greylisted": False,
    }
    with store.write() as tx:
        numbers = {error: queued(tx, n) for n, error in enumerate(errors)}
        for error, number in numbers.items():
            outbox.mark_failed(tx, number, error, later)
        given_up = queued(tx, 9)
        outbox.mark_failed(tx, given_up, str(LoginNeeded("revoked", "google a@b.es")), None)
        assert outbox.retry_for_want_of(tx, "google a@b.es", NOW) == 3
        due = {mail.id for mail in outbox.claim_due(tx, NOW, LATER, 10)}
    assert due == {numbers[error] for error, goes in errors.items() if goes}


class Hop:
    """A next hop that remembers what it got."""

    def __init__(self, answer: Delivery | None = None) -> None:
        self.got: list[Due] = []
        self._answer = answer or Sent()

    async def send(self, mail: Due) -> Delivery:
        self.got.append(mail)
        return self._answer


def _clock() -> datetime:
    return NOW


async def test_drain_sends_each_mail_once(store: Store, writer: Writer, office: Office) -> None:
    with store.write() as tx:
        for number in range(120):
            queued(tx, number)
    hop = Hop()
    assert await deliver.drain(writer, hop.send, lambda: office, _clock) == 120
    assert await deliver.drain(writer, hop.send, lambda: office, _clock) == 0
    assert len({mail.message_id for mail in hop.got}) == len(hop.got) == 120
    assert set(_states(store)) == {"sent"}


async def test_kill_between_send_and_settle_repeats_with_the_same_message_id(
    store: Store, writer: Writer, office: Office
) -> None:
    with store.write() as tx:
        queued(tx)
    hop = Hop()

    async def send_and_die(mail: Due) -> Delivery:
        await hop.send(mail)
        raise asyncio.CancelledError("the process is gone here")

    with pytest.raises(asyncio.CancelledError):
        await deliver.drain(writer, send_and_die, lambda: office, _clock)
    writer.submit(outbox.release_claims).result()  # what a new process does first
    await deliver.drain(writer, hop.send, lambda: office, _clock)
    first, second = hop.got
    assert (first.message_id, first.raw, first.id) == (second.message_id, second.raw, second.id)
    assert _states(store) == ["sent"]


@pytest.mark.parametrize(("permanent", "state"), [(True, "failed"), (False, "queued")])
async def test_refused_mail_is_given_up_only_where_trying_again_is_no_use(
    store: Store, writer: Writer, office: Office, permanent: bool, state: str
) -> None:
    with store.write() as tx:
        queued(tx)
    hop = Hop(Failed("no", permanent))
    await deliver.drain(writer, hop.send, lambda: office, _clock)
    assert _states(store)[0] == state
    assert [mail.id for mail in hop.got].count(1) == 1


async def test_mail_that_was_sent_while_the_store_is_locked_is_marked_and_not_sent_again(
    store: Store, writer: Writer, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store comes back; forgetting the mail's fate would send it twice without any crash."""
    monkeypatch.setattr(deliver, "_PAUSE_SECONDS", 0.01)
    with store.write() as tx:
        queued(tx)
    hop, refusals = Hop(), [StoreUnavailable("locked"), StoreUnavailable("locked")]
    mark_sent = outbox.mark_sent

    def sometimes(tx: Connection, number: int, now: datetime) -> None:
        if refusals:
            raise refusals.pop()
        mark_sent(tx, number, now)

    monkeypatch.setattr(outbox, "mark_sent", sometimes)
    await deliver.drain(writer, hop.send, lambda: office, _clock)
    assert (len(hop.got), _states(store)) == (1, ["sent"])


async def test_drain_that_is_to_stop_begins_no_more_mails(store: Store, writer: Writer, office: Office) -> None:
    with store.write() as tx:
        for number in range(60):
            queued(tx, number)
    hop = Hop()
    tried = await deliver.drain(writer, hop.send, lambda: office, _clock, going=lambda: not hop.got)
    assert tried == len(hop.got) == _states(store).count("sent") < 60


async def test_cancelled_sender_does_not_end_the_writer(store: Store, writer: Writer, office: Office) -> None:
    with store.write() as tx:
        queued(tx)
    hop = Hop()
    with store.write():  # the writer has to wait for this
        draining = asyncio.create_task(deliver.drain(writer, hop.send, lambda: office, _clock))
        await asyncio.sleep(0.1)
        draining.cancel()
        await asyncio.gather(draining, return_exceptions=True)
    assert writer.submit(lambda tx: tx.value("select 1")).result(timeout=10) == 1
