"""What becomes of the mails in the outbox: over real roads, on a real store."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailgate.core.mail import Delivery, Due, Failed, Notice, Sent
from mailgate.core.settings.servers import Outgoing as OutgoingRules
from mailgate.edges.outbound import FileTransport, SmtpTransport
from mailgate.service.deliver import drain
from mailgate.store import outbox
from mailgate.store.writer import Writer
from tests.running import read, text_of
from tests.sink import Sink, sink
from tests.stored import StoredDesk, damage, stored_desk
from tests.support import NOW, written
from tests.support import desk as desk_with

GONE = "550 5.1.1 no such user"
MINUTE = timedelta(minutes=1)
ALARM = Notice("rules_refused", "admin@example.es", "es", values={"problems": ["x"], "since": NOW})


@dataclass
class Road:
    """A road out that fails as a test wants, and the clock beside it."""

    fate: Delivery = field(default_factory=Sent)
    now: datetime = NOW
    tried: list[Due] = field(default_factory=list)

    async def send(self, mail: Due) -> Delivery:
        self.tried.append(mail)
        return self.fate


@pytest.fixture
def writer(desk: StoredDesk) -> Iterator[Writer]:
    writer = Writer(desk.store)
    yield writer
    writer.close()


@pytest.fixture
def deliver(desk: StoredDesk, writer: Writer) -> Callable[[Road], int]:
    def run(road: Road) -> int:
        return asyncio.run(drain(writer, road.send, lambda: desk.office, lambda: road.now))

    return run


async def over_smtp(desk: StoredDesk, writer: Writer, server: Sink) -> None:
    settings = OutgoingRules(via="smtp", port=server.port)
    transport = SmtpTransport(settings)
    await drain(writer, transport.send, lambda: desk.office, lambda: NOW)
    await transport.close()


def told(desk: StoredDesk) -> list[tuple[str, int | None, str]]:
    return [(mail.to, mail.ticket, mail.state) for mail in desk.mails() if mail.template == "delivery_failed"]


def for_nobody(to: str, template: str = "help", ticket: int | None = None) -> Notice:
    return Notice(template, to, "es", ticket=ticket, values={"client": "acme"})


# ---- what arrives --------------------------------------------------------------------------------


def test_each_mail_becomes_a_file_of_its_own_byte_for_byte(desk: StoredDesk, writer: Writer, tmp_path: Path):
    desk.take()
    transport = FileTransport(tmp_path / "outbox")
    assert asyncio.run(drain(writer, transport.send, lambda: desk.office, lambda: NOW)) == 2
    assert [path.read_bytes() for path in sorted((tmp_path / "outbox").iterdir())] == desk.raws()
    assert [(mail.state, mail.tries, mail.next_try_at) for mail in desk.mails()] == [("sent", 1, None)] * 2


def test_what_was_sent_is_not_sent_again(desk: StoredDesk, deliver: Callable[[Road], int]):
    desk.take()
    assert (deliver(Road()), deliver(Road())) == (2, 0)


def test_more_mails_than_one_batch_go_out_in_one_go(desk: StoredDesk, deliver: Callable[[Road], int]):
    for number in range(120):
        desk.post(for_nobody("ana@acme.example"), f"t{number}")
    road = Road()
    assert deliver(road) == 120
    assert len({mail.message_id for mail in road.tried}) == 120


def test_alarms_can_be_sent_past_all_that_waits(desk: StoredDesk, writer: Writer):
    for number in range(60):
        desk.post(for_nobody("ana@acme.example"), f"t{number}")
    desk.post(ALARM, "x1", NOW + MINUTE)
    road = Road(now=NOW + MINUTE)
    assert asyncio.run(drain(writer, road.send, lambda: desk.office, lambda: road.now, alarms=True)) == 1
    assert [(mail.to, mail.template) for mail in road.tried] == [("admin@example.es", "rules_refused")]


def test_an_alarm_that_went_out_says_nothing_of_the_server_that_others_wait_for(desk: StoredDesk, writer: Writer):
    def overtaken() -> bool:
        with desk.store.read() as tx:
            return outbox.waiting(tx).overtaken

    desk.post(for_nobody("ana@acme.example"), "t1")
    desk.post(ALARM, "x1")
    asyncio.run(drain(writer, Road().send, lambda: desk.office, lambda: NOW, alarms=True))
    assert not overtaken()
    desk.post(for_nobody("bob@tienda.example"), "t2")
    newest = desk.mails()[-1].id
    with desk.store.write() as tx:
        outbox.mark_sent(tx, newest, NOW)
    assert overtaken()


def test_envelope_sender_names_the_mail(desk: StoredDesk, writer: Writer):
    async def play() -> list[tuple[str, list[str], bytes]]:
        async with sink() as server:
            await over_smtp(desk, writer, server)
            return server.taken

    desk.take()
    desk.post(for_nobody("ana@acme.example"), "t1")
    taken = asyncio.run(play())
    assert len(taken) == 3
    assert {sender.partition(".")[0] for sender, _, _ in taken} == {"soporte+b1", "soporte+b2", "soporte+b3"}


# ---- what is tried again -------------------------------------------------------------------------


def test_a_mail_that_is_not_taken_now_is_tried_again_at_growing_intervals(
    desk: StoredDesk, deliver: Callable[[Road], int]
):
    desk.post(for_nobody("ana@acme.example"), "t1")
    road = Road(Failed("451 4.3.0 later"))
    waits = []
    for _ in range(4):
        assert deliver(road) == 1
        (mail,) = desk.mails()
        assert mail.state == "queued" and mail.next_try_at
        waits.append(round((mail.next_try_at - road.now) / MINUTE))
        road.now = mail.next_try_at - timedelta(seconds=1)
        assert deliver(road) == 0
        road.now = mail.next_try_at
    assert waits == sorted(waits)
    assert waits[0] <= 2 and waits[-1] >= 60
    assert (mail.tries, mail.last_error) == (4, "451 4.3.0 later")


def test_a_mail_that_goes_through_at_last_bears_the_same_message_id(desk: StoredDesk, deliver: Callable[[Road], int]):
    desk.post(for_nobody("ana@acme.example"), "t1")
    road = Road(Failed("421 busy"))
    deliver(road)
    road.now, road.fate = NOW + 2 * MINUTE, Sent()
    deliver(road)
    assert len(road.tried) == 2
    assert len({(mail.message_id, mail.raw) for mail in road.tried}) == 1
    assert [(mail.state, mail.tries, mail.last_error) for mail in desk.mails()] == [("sent", 2, None)]


def tickets_without_mail(desk: StoredDesk, count: int) -> None:
    """Tickets 1, 2, …, whose first mails are out."""
    for number in range(count):
        desk.take(written(f"Asunto {number}", message_id=f"<t{number}@acme.example>"))
    mails = desk.mails()
    with desk.store.write() as tx:
        for mail in mails:
            outbox.mark_sent(tx, mail.id, NOW)


def queue_to(desk: StoredDesk, name: str, ticket: int, at: datetime = NOW) -> int:
    """One more mail of a ticket; gives its number."""
    desk.post(replace(for_nobody(f"{name}@acme.example"), ticket=ticket), f"t{len(desk.mails())}", at)
    return desk.mails()[-1].id


def test_what_one_person_reads_of_a_ticket_goes_out_in_its_order(desk: StoredDesk, deliver: Callable[[Road], int]):
    tickets_without_mail(desk, 2)
    first, second, third = (queue_to(desk, "ana", 1) for _ in range(3))
    others = [queue_to(desk, "bea", 1), queue_to(desk, "ana", 2)]
    road = Road(Failed("451 4.7.1 greylisted"))
    deliver(road)
    assert [mail.id for mail in road.tried] == [first, *others]
    road.now, road.fate = NOW + 2 * MINUTE, Sent()
    road.tried.clear()
    deliver(road)
    assert [mail.id for mail in road.tried if mail.id not in others] == [first, second, third]
    assert {mail.state for mail in desk.mails()} == {"sent"}


def test_a_mail_that_is_given_up_or_cancelled_holds_up_no_other(desk: StoredDesk, deliver: Callable[[Road], int]):
    tickets_without_mail(desk, 1)
    first, second, third = (queue_to(desk, "ana", 1) for _ in range(3))
    with desk.store.write() as tx:
        outbox.mark_failed(tx, first, GONE, None)
        outbox.cancel(tx, second)
    road = Road()
    deliver(road)
    assert [mail.id for mail in road.tried] == [third]


@pytest.mark.slow
def test_smarthost_that_is_down_for_two_days_loses_nothing_and_is_caught_up_with_soon(
    desk: StoredDesk, deliver: Callable[[Road], int]
):
    tickets_without_mail(desk, 3)
    road = Road(Failed("connection refused", hop=True))
    ticket_of: dict[int, int] = {}
    while road.now < NOW + timedelta(days=2):
        if len(ticket_of) < 20:
            ticket = len(ticket_of) % 3 + 1
            ticket_of[queue_to(desk, "ana", ticket, road.now)] = ticket
        deliver(road)
        road.now += 10 * MINUTE
    road.fate = Sent()
    road.tried.clear()
    for _ in range(3):
        deliver(road)
        road.now += 10 * MINUTE
    assert {mail.state for mail in desk.mails()} == {"sent"}
    assert sorted(mail.id for mail in road.tried) == sorted(ticket_of)
    for ticket in range(1, 4):
        of_ticket = [mail.id for mail in road.tried if ticket_of[mail.id] == ticket]
        assert of_ticket == sorted(of_ticket)


def test_a_folder_that_cannot_be_written_to_is_tried_again(desk: StoredDesk, writer: Writer, tmp_path: Path):
    desk.take()
    (tmp_path / "outbox").write_text("a file in its place")
    transport = FileTransport(tmp_path / "outbox")
    asyncio.run(drain(writer, transport.send, lambda: desk.office, lambda: NOW))
    assert [mail.state for mail in desk.mails()] == ["queued"] * 2
    (tmp_path / "outbox").unlink()
    asyncio.run(drain(writer, transport.send, lambda: desk.office, lambda: NOW + 2 * MINUTE))
    assert [mail.state for mail in desk.mails()] == ["sent"] * 2


@pytest.mark.parametrize(("age", "state"), [(timedelta(days=5) - MINUTE, "queued"), (timedelta(days=5), "failed")])
def test_a_mail_is_given_up_when_it_is_as_old_as_the_rules_say(
    desk: StoredDesk, deliver: Callable[[Road], int], age: timedelta, state: str
):
    desk.post(for_nobody("ana@acme.example"), "t1")
    deliver(Road(Failed("451 4.4.1 no answer"), NOW + age))
    assert desk.mails()[0].state == state
    assert len(told(desk)) == (state == "failed")


def test_a_mail_that_is_cancelled_while_it_is_under_way_is_told_to_nobody(desk: StoredDesk, writer: Writer):
    async def cancelled_meanwhile(mail: Due) -> Delivery:
        await asyncio.wrap_future(writer.submit(lambda tx: outbox.cancel(tx, mail.id)))
        return Failed(GONE, permanent=True)

    desk.post(for_nobody("ana@acme.example"), "t1")
    asyncio.run(drain(writer, cancelled_meanwhile, lambda: desk.office, lambda: NOW))
    assert [(mail.state, mail.last_error) for mail in desk.mails()] == [("failed", "cancelled")]


# ---- what never arrives --------------------------------------------------------------------------


def test_technician_of_the_ticket_is_told_when_the_client_did_not_get_a_mail(desk: StoredDesk, writer: Writer):
    async def play() -> list[tuple[str, list[str], bytes]]:
        async with sink() as server:
            server.replies["RCPT"] = [GONE]
            desk.post(Notice("ack", "ana@acme.example", "es", ticket=1, values=_ACK), "t1")
            await over_smtp(desk, writer, server)
            return server.taken

    desk.take()
    with desk.store.write() as tx:
        tx.run("update outbox set state = 'sent', next_try_at = null")
    ((sender, recipients, raw),) = asyncio.run(play())
    mail = read(raw)
    assert recipients == ["marta@example.es"]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert str(mail["Subject"]).startswith("[SOP-1] ")
    assert sender == "<>"  # nothing comes back of a mail that tells of one that did
    for words in ("ana@acme.example", GONE, "SOP-1"):
        assert words in text_of(mail) + str(mail["Subject"])


_ACK: dict[str, Any] = {
    "covered": False,
    "ticket_tag": "SOP-1",
    "subject": "El carrito",
    "client_name": "Acme S.L.",
    "person_name": "Ana",
    "open_now": True,
    "back_at": None,
    "closed_for": "",
    "due_at": None,
    "balance": 0,
    "follows_tag": "",
    "held": "",
    "refund_until": None,
    "packages": (),
    "payment": "",
}


def test_director_is_told_of_a_mail_that_belongs_to_no_ticket(desk: StoredDesk, deliver: Callable[[Road], int]):
    desk.post(for_nobody("ana@acme.example"), "t1")
    deliver(Road(Failed(GONE, permanent=True)))
    assert [(to, ticket) for to, ticket, _ in told(desk)] == [("elena@example.es", None)]


def test_nobody_is_told_at_the_very_address_that_was_not_reached(desk: StoredDesk, deliver: Callable[[Road], int]):
    desk.take()
    desk.post(for_nobody("elena@example.es"), "t1")
    deliver(Road(Failed(GONE, permanent=True)))
    failed = {(mail.to, mail.template): mail.id for mail in desk.mails()}
    assert ("marta@example.es", "notice") in failed
    # The acknowledgement to Ana is told to Marta, the notice to Marta to Elena, what Elena missed to the admin.
    assert [to for to, _, _ in told(desk)] == ["marta@example.es", "elena@example.es", "admin@example.es"]


def test_a_failed_mail_about_a_failure_is_told_to_nobody(desk: StoredDesk, deliver: Callable[[Road], int]):
    desk.take()
    assert deliver(Road(Failed(GONE, permanent=True))) == 4
    assert [state for _, _, state in told(desk)] == ["failed"] * 2
    assert len(desk.mails()) == 4


def test_one_person_who_is_everybody_and_cannot_be_reached_is_written_to_once(tmp_path: Path):
    alone = desk_with(desk={"admin": "elena@example.es"})
    with stored_desk(tmp_path, alone) as desk:
        writer = Writer(desk.store)
        desk.post(for_nobody("elena@example.es"), "t1")
        road = Road(Failed(GONE, permanent=True))
        assert asyncio.run(drain(writer, road.send, lambda: desk.office, lambda: NOW)) == 1
        writer.close()


def test_a_mail_that_a_person_has_tried_again_is_told_of_again(desk: StoredDesk, deliver: Callable[[Road], int]):
    desk.post(for_nobody("ana@acme.example"), "t1")
    road = Road(Failed(GONE, permanent=True))
    deliver(road)
    with desk.store.write() as tx:
        outbox.retry(tx, 1, NOW)
    deliver(road)
    assert len(told(desk)) == 2


def test_failure_and_telling_of_it_are_one_transaction(
    desk: StoredDesk, writer: Writer, deliver: Callable[[Road], int]
):
    desk.take(written())
    with desk.store.write() as tx:
        tx.run("create trigger full before insert on outbox begin select raise(abort, 'no room'); end")
    with pytest.raises(Exception, match="no room"):
        deliver(Road(Failed(GONE, permanent=True)))
    assert {mail.state for mail in desk.mails()} == {"queued"}


def test_a_store_that_cannot_be_used_cuts_off_no_mail_under_way(desk: StoredDesk, writer: Writer):
    """Cut off, it would stay claimed until the claim lapses, or go out twice."""
    desk.take()
    writer.submit(lambda tx: tx.run("pragma busy_timeout = 50")).result()
    foreign = sqlite3.connect(desk.store.path, isolation_level=None)
    asked = itertools.count()

    async def drained() -> None:
        free = asyncio.Event()

        async def send(mail: Due) -> Delivery:
            if mail.id == 1:
                await free.wait()
            return Sent()

        def going() -> bool:
            if next(asked) == 1:  # the other mail is done, and the first one is still under way
                foreign.execute("begin immediate")
                asyncio.get_running_loop().call_later(0.3, lambda: (foreign.execute("rollback"), free.set()))
            return True

        await drain(writer, send, lambda: desk.office, lambda: NOW, going)

    with closing(foreign):
        asyncio.run(drained())
    assert {mail.state for mail in desk.mails()} == {"sent"}


def test_a_mail_on_which_the_program_fails_cuts_off_no_mail_under_way(desk: StoredDesk, writer: Writer):
    for number in range(3):
        desk.post(ALARM, f"x{number}")

    async def send(mail: Due) -> Delivery:
        if mail.id == 2:
            raise LookupError("a fault of ours")
        await asyncio.sleep(0.1)
        return Sent()

    assert asyncio.run(drain(writer, send, lambda: desk.office, lambda: NOW)) == 3
    assert [(mail.state, mail.tries) for mail in desk.mails()] == [("sent", 1), ("queued", 1), ("sent", 1)]


def test_a_mail_whose_bytes_are_damaged_holds_up_no_other_and_its_technician_is_told(
    desk: StoredDesk, deliver: Callable[[Road], int]
):
    desk.take()
    ack, notice = desk.mails()
    with desk.store.write() as tx:
        damage(tx, tx.value("select blob from outbox where id = :id", id=ack.id))
    road = Road()
    deliver(road)
    assert [(mail.to, mail.template) for mail in road.tried] == [
        (notice.to, notice.template),
        ("marta@example.es", "delivery_failed"),
    ]
    assert b"the store is damaged" in road.tried[1].raw
    assert desk.mails()[0].state == "failed"


@pytest.mark.parametrize("together", [False, True])
def test_a_clock_that_is_set_ahead_sends_no_mail_twice_that_is_under_way(
    desk: StoredDesk, writer: Writer, together: bool
):
    """together: the alarms are sent at the same time by a drain of their own, as in the daemon."""
    for number in range(3):
        desk.post(ALARM, f"x{number}")
    road = Road()

    async def drained() -> None:
        free, sending = asyncio.Event(), set[int]()

        async def send(mail: Due) -> Delivery:
            fate = await road.send(mail)
            if len(road.tried) < 3:
                await free.wait()
                return fate
            road.now += timedelta(hours=1)
            asyncio.get_running_loop().call_later(0.3, free.set)
            if together:
                await drain(writer, road.send, lambda: desk.office, lambda: road.now, alarms=True, sending=sending)
            return fate

        await drain(writer, send, lambda: desk.office, lambda: road.now, sending=sending)

    asyncio.run(drained())
    assert sorted(mail.id for mail in road.tried) == [mail.id for mail in desk.mails()]
    assert {mail.state for mail in desk.mails()} == {"sent"}


def test_while_no_mark_reaches_the_disk_four_mails_go_out_and_no_more(desk: StoredDesk, writer: Writer):
    """As many as a crash may repeat, however fast the next hop takes them."""
    for number in range(10):
        desk.take(written(message_id=f"<{number}@example.org>"))
    road = Road()
    unmarked = []

    async def send(mail: Due) -> Delivery:
        if not road.tried:
            writer.submit(lambda tx: time.sleep(0.3))  # the writer is busy with mail that comes in
            asyncio.get_running_loop().call_later(0.2, lambda: unmarked.append(len(road.tried)))
        return await road.send(mail)

    asyncio.run(drain(writer, send, lambda: desk.office, lambda: NOW))
    assert unmarked == [4]
    assert len(road.tried) >= 10
    assert {mail.state for mail in desk.mails()} == {"sent"}
