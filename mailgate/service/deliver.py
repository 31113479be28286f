"""Drain the outbox: claim what is due, hand it to the next hop, record what became of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from mailgate.core import retry, undelivered
from mailgate.core.facts import Returned
from mailgate.core.mail import Delivery, Due, Failed, Sent
from mailgate.core.message import bounce
from mailgate.errors import StoreUnavailable
from mailgate.service.letters import post
from mailgate.service.office import Office
from mailgate.service.take import Clock, utc_now
from mailgate.store import Connection, outbox, tickets
from mailgate.store.facts import returned
from mailgate.store.writer import Writer

log = logging.getLogger("mailgate.deliver")

Send = Callable[[Due], Awaitable[Delivery]]
Result = TypeVar("Result")

_BATCH = 50
# As many mails as may go out twice after a crash: those whose fate is not on disk yet. Each further one
# waits for it, though the next hop would take it: marks stand in line behind mail that comes in.
_AT_ONCE = 4
# Longer than the longest delivery; a claim that lapses was held by a process that is gone.
_CLAIM = timedelta(minutes=30)
_PAUSE_SECONDS = 1.0


async def drain(
    writer: Writer,
    send: Send,
    office: Callable[[], Office],
    clock: Clock = utc_now,
    going: Callable[[], bool] = lambda: True,
    *,
    alarms: bool = False,
    sending: set[int] | None = None,
) -> int:
    """Try every mail that is due, once; gives how many there were.

    Each mail's fate is on disk as soon as it is known. A crash in between repeats the mail with
    the same Message-ID, and `_AT_ONCE` mails at most. office: gives the rules in force. going: asked
    before each batch, so that a daemon can stop between two. alarms: these alone, for whom no other
    mail is to be in the way. sending: the mails under way, of all drains that run at the same time: when the
    clock is set ahead their claims lapse.
    """
    sending = set() if sending is None else sending
    tried = 0
    slots = asyncio.Semaphore(_AT_ONCE)
    under_way: set[asyncio.Task[None]] = set()
    try:
        while True:
            # Half a batch of slow peers must not keep the others waiting; claiming for each one that is
            # done would cost a commit a mail.
            room = _BATCH - len(under_way) if len(under_way) <= _BATCH // 2 and going() else 0
            due = await _claimed(writer, clock(), room, alone=not under_way, alarms=alarms) if room else []
            fresh = [mail for mail in due if mail.id not in sending]
            tried += len(fresh)
            under_way |= {
                _begun(_deliver(writer, send, mail, office(), clock, slots), mail.id, sending) for mail in fresh
            }
            if not under_way:
                return tried
            done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            for delivery in done:
                delivery.result()
    finally:
        for delivery in under_way:
            delivery.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


def _begun(delivery: Coroutine[object, object, None], mail: int, sending: set[int]) -> asyncio.Task[None]:
    """A delivery that counts as under way until it ends, cut off or not."""
    sending.add(mail)
    task = asyncio.create_task(delivery)
    task.add_done_callback(lambda _: sending.discard(mail))
    return task


async def _claimed(writer: Writer, now: datetime, most: int, *, alone: bool, alarms: bool) -> list[Due]:
    """What is due. A store that cannot be used is told only where that cuts off no mail under way.

    alone: no mail is under way. One that is cut off would stay claimed, though nobody sends it.
    """
    try:
        return await _in_store(writer, partial(_claim, now=now, most=most, alarms=alarms))
    except StoreUnavailable:
        if alone:
            raise
        return []


def _claim(tx: Connection, now: datetime, most: int, *, alarms: bool) -> list[Due]:
    return outbox.claim_due(tx, now, now + _CLAIM, most, alarms=alarms)


async def _deliver(
    writer: Writer, send: Send, mail: Due, office: Office, clock: Clock, slots: asyncio.Semaphore
) -> None:
    async with slots:
        await _record(writer, await _fate(send, mail), mail, office, clock)


async def _fate(send: Send, mail: Due) -> Delivery:
    """What becomes of a mail. A fault of our own is that mail's alone: raised, it would cut off those under way."""
    if mail.fault:
        return Failed(mail.fault, permanent=True)
    try:
        return await send(mail)
    except Exception as error:
        log.exception("mail %d made the program fail", mail.id)
        return Failed(f"the program failed on this mail: {type(error).__name__}")


async def _record(writer: Writer, fate: Delivery, mail: Due, office: Office, clock: Clock) -> None:
    now = clock()
    match fate:
        case Sent():
            await _surely_in_store(writer, lambda tx: outbox.mark_sent(tx, mail.id, now))
            log.info("sent %d", mail.id, extra={"outbox": mail.id})
        case Failed(error, permanent, hop):
            give_up = office.desk.rules.outgoing.give_up
            tries = mail.tries + 1
            again = None if permanent else retry.next_try(now, mail.created_at, tries, give_up, mail.id, hop=hop)
            await _surely_in_store(writer, lambda tx: _failed(tx, mail, error, again, office, now))
            log.warning("not sent %d: %s", mail.id, error, extra={"outbox": mail.id, "given_up": again is None})


def _failed(tx: Connection, mail: Due, error: str, again: datetime | None, office: Office, now: datetime) -> None:
    """Note when the mail is tried again; one that is given up is told to a person, all or nothing."""
    if not outbox.mark_failed(tx, mail.id, error, again) or again:
        return
    if lost := returned(tx, mail.id, now):
        dead = _count(tx, lost, error, now)
        ticket = tickets.get(tx, lost.ticket) if lost.ticket else None
        told = undelivered.told(office.desk, ticket, lost, error, came_back=False, dead=dead)
        # The number of the try: a person may have it tried again, and it may fail again.
        post(tx, office, told, now, f"o{mail.id}t{mail.tries + 1}")


def _count(tx: Connection, lost: Returned, error: str, now: datetime) -> bool:
    """Count a refusal that says that the address is dead; whether it is the one that was missing."""
    if bounce.grade(error) != "hard":
        return False
    outbox.mark_bounced(tx, lost.mail, "hard", error, now)
    return lost.failures + 1 == undelivered.MOST


async def _surely_in_store(writer: Writer, job: Callable[[Connection], None]) -> None:
    """The same, however long the store cannot be used: a mail whose fate is forgotten goes out again."""
    while True:
        try:
            return await _in_store(writer, job)
        except StoreUnavailable as error:
            log.warning("%s", error)
            await asyncio.sleep(_PAUSE_SECONDS)


async def _in_store(writer: Writer, job: Callable[[Connection], Result]) -> Result:
    return await asyncio.wrap_future(writer.submit(job))
