"""Process what was taken: decide, and do all of it in one transaction, or nothing."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime
from functools import partial

from mailgate.core.address import DESK_ITSELF
from mailgate.core.facts import Facts, Held, wanted
from mailgate.core.intake import decide
from mailgate.core.mail import Mail, Notice
from mailgate.core.message import mime
from mailgate.core.model import Outcome
from mailgate.core.plan import Plan
from mailgate.errors import StoreUnavailable
from mailgate.service.letters import post
from mailgate.service.office import Office
from mailgate.service.take import Clock, utc_now
from mailgate.store import (
    Connection,
    Store,
    absences,
    entries,
    events,
    guests,
    holds,
    journal,
    matters,
    messages,
    quarantine,
    tickets,
)
from mailgate.store.connection import naming_errors
from mailgate.store.facts import facts_for
from mailgate.store.journal import Kept
from mailgate.store.messages import Message
from mailgate.store.quarantine import Quarantined
from mailgate.store.writer import Writer

log = logging.getLogger("mailgate.process")

# As many as share a commit without keeping peers waiting for theirs.
_BATCH = 20
# The reason that a person reads of a message on which our own code raised.
FAILED = "the program failed on this message"
# A message that ended the process this often while it was processed alone is not tried again.
_MOST_TRIES = 5
_POLL_SECONDS = 1.0
_PAUSE_SECONDS = 1.0


def process(tx: Connection, kept: Kept, mail: Mail, office: Office, now: datetime, *, released: int = 0) -> Plan | None:
    """Decide on a message and carry the decision out, inside the caller's transaction.

    released: number in the quarantine from which a person lets it go, who stands for it. None where somebody
    else processed it in the meantime.
    """
    if not journal.is_waiting(tx, kept.id):
        return None
    facts = facts_for(tx, wanted(mail, office.desk, now), now)
    plan = decide(mail, facts, office.desk, now, vouched=released > 0 or kept.envelope.source == "inject")
    if plan.releases is not None and plan.releases.whole:
        plan = _after_held(tx, kept, plan, plan.releases, facts, office, now)
    # What was told when it went into quarantine has the plain name already.
    _carry_out(tx, kept, plan, office, now, f"j{kept.id}q{released}" if released else f"j{kept.id}")
    return plan


class _Refused(Exception):
    """What released a held mail cannot be done once that is done: neither is."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan


def _after_held(
    tx: Connection, kept: Kept, plan: Plan, held: Held, facts: Facts, office: Office, now: datetime
) -> Plan:
    """Do what was held, as if it had just come; then decide anew on what released it, for the ground has changed."""
    try:
        with tx.savepoint():
            _do_held(tx, kept, held, office, now)
            ground = replace(facts_for(tx, wanted(plan.mail, office.desk, now), now), held=facts.held)
            again = decide(plan.mail, ground, office.desk, now, vouched=plan.vouched)
            if again.releases is None:
                raise _Refused(again)
            return again
    except _Refused as refused:
        return refused.plan


def _do_held(tx: Connection, kept: Kept, held: Held, office: Office, now: datetime) -> None:
    """Decide on a message that waited whole, without the guard that held it, and carry that out."""
    source = journal.of_message(tx, held.message)
    if source is None:
        raise LookupError(f"message {held.message}: no journal row holds it")
    mail = mime.parse(source.raw, source.envelope)
    facts = replace(facts_for(tx, wanted(mail, office.desk, now), now), repeat_of="", held={})
    plan = decide(mail, facts, office.desk, now, vouched=True, confirmed=True)
    if plan.outcome is Outcome.APPEND:
        _keep_tickets(tx, plan)
        messages.decided_again(tx, held.message, "\n".join(plan.why), internal=plan.internal)
        _keep_effects(tx, plan, held.message, office, now)
    post(tx, office, plan.notices, now, f"j{kept.id}s", (source.blob, mail.attachments))
    _merge(tx, plan)
    _decide_on_quarantined(tx, plan, office, now, f"j{kept.id}s")


def process_alone(store: Store, office: Office, number: int, now: datetime) -> Plan | None:
    """Process one message of the journal now, in a transaction of its own; None if it is done already.

    One that makes the program fail is quarantined, as the processor does it.
    """
    with store.read() as tx:
        kept = journal.get(tx, number)
    if kept is None:
        return None
    try:
        mail = mime.parse(kept.raw, kept.envelope)
        with store.write() as tx:
            return process(tx, kept, mail, office, now)
    except StoreUnavailable:
        raise
    except Exception:  # noqa: BLE001 - one message must not stop the rest
        detail = traceback.format_exc()
        with store.write() as tx:
            _quarantine_failed(tx, kept, now, FAILED, detail)
        return None


def process_released(tx: Connection, office: Office, held: Quarantined, now: datetime) -> Plan:
    """Process a message of the quarantine for which a person stands, in the caller's transaction.

    Both in one, so that no daemon takes it up in between as what it was before.
    """
    quarantine.decide(tx, held.id, "released")
    journal.reopen(tx, held.journal)
    kept = journal.get(tx, held.journal)
    plan = process(tx, kept, mime.parse(kept.raw, kept.envelope), office, now, released=held.id) if kept else None
    if plan is None:
        raise LookupError(f"journal {held.journal}: gone")
    return plan


def _quarantine_failed(tx: Connection, kept: Kept, now: datetime, reason: str, detail: str) -> None:
    if not journal.is_waiting(tx, kept.id):
        return  # somebody else could process it
    sender = kept.envelope.sender or ""
    quarantine.add(tx, kept.id, now, sender=sender, subject="", reason=reason, detail=detail)
    journal.finish(tx, kept.id, Outcome.QUARANTINE, None)


def _carry_out(tx: Connection, kept: Kept, plan: Plan, office: Office, now: datetime, cause: str) -> None:
    if plan.outcome is None:
        raise AssertionError("a plan without an outcome")
    message = None
    if plan.outcome is Outcome.QUARANTINE:
        _put_in_quarantine(tx, kept, plan, now)
    elif plan.outcome is not Outcome.REPEAT:
        message = _keep(tx, kept, plan, office, now)
    post(tx, office, plan.notices, now, cause, (kept.blob, plan.mail.attachments))
    journal.finish(tx, kept.id, plan.outcome, message)
    _merge(tx, plan)
    _decide_on_quarantined(tx, plan, office, now, cause)


def _merge(tx: Connection, plan: Plan) -> None:
    """After the mails are written, so that what they say is handed over with the rest."""
    for merge in plan.merges:
        tickets.merge(tx, merge.source, merge.target)


def _decide_on_quarantined(tx: Connection, plan: Plan, office: Office, now: datetime, cause: str) -> None:
    for number in plan.dropped:
        quarantine.decide(tx, number, "dropped")
    told = [notice for number in plan.released if (notice := _released(tx, number, plan, office, now))]
    post(tx, office, told, now, f"{cause}r")


def _released(tx: Connection, number: int, plan: Plan, office: Office, now: datetime) -> Notice | None:
    """Process a message as the director says; the mail that tells them where it could not be done, else None."""
    held = quarantine.get(tx, number)
    if held is None or plan.person is None:
        raise LookupError(f"quarantine {number}: gone")
    reason = ""
    try:
        with naming_errors(), tx.savepoint():
            done = process_released(tx, office, held, now)
    except StoreUnavailable:
        raise
    except Exception:
        log.exception("quarantine %d made the program fail again", number)
    else:
        if done.outcome is not Outcome.QUARANTINE:
            return None
        number, reason = quarantine.newest(tx), done.reason
    return Notice(
        "still_quarantined",
        to=plan.person.address,
        language=plan.person.language,
        ticket=DESK_ITSELF,
        values={"number": number, "sender": held.sender, "subject": held.subject, "reason": reason},
    )


def _put_in_quarantine(tx: Connection, kept: Kept, plan: Plan, now: datetime) -> None:
    quarantine.add(
        tx,
        kept.id,
        now,
        sender=plan.mail.sender or plan.mail.header("from"),
        subject=plan.mail.subject,
        reason=plan.reason,
        ticket=plan.ticket.id if plan.ticket else None,
        message_id=plan.mail.message_id,
        digest=plan.mail.digest,
    )


def _keep(tx: Connection, kept: Kept, plan: Plan, office: Office, now: datetime) -> int:
    """Tickets, message, entries and matters; gives the message's number."""
    _keep_tickets(tx, plan)
    message = messages.add(tx, _message(kept, plan))
    _keep_effects(tx, plan, message, office, now)
    return message


def _keep_tickets(tx: Connection, plan: Plan) -> None:
    if plan.changed is not None:
        (tickets.open_ticket if plan.opens else tickets.update)(tx, plan.changed)
    for other in plan.others:
        tickets.update(tx, other)


def _keep_effects(tx: Connection, plan: Plan, message: int, office: Office, now: datetime) -> None:
    """What follows from a message that is kept."""
    for entry in plan.entries:
        # Work that waited for the client's word keeps the message that it came from.
        entries.append(tx, entry if entry.message else replace(entry, message=message))
    for decision in plan.decisions:
        matters.decide(tx, decision.matter, decision.state, now, message)
    for matter in plan.matters:
        matters.open_matter(tx, replace(matter, message=message))
    for guest in plan.admits:
        guests.admit(tx, guest.ticket, guest.address, message)
    _keep_absences(tx, plan, message, office, now)
    _keep_holds(tx, plan, message)
    # What waits whole has not come yet: sent again, corrected, its text is fresh.
    if plan.filed_in is not None and not plan.waits_whole:
        messages.remember_text(tx, plan.filed_in, plan.reading.whole if plan.reading else plan.text)


def _keep_absences(tx: Connection, plan: Plan, message: int, office: Office, now: datetime) -> None:
    if plan.there and plan.author:
        absences.withdraw(tx, plan.author, office.desk.local_day(now))
    for absence in plan.absences:
        absences.note(tx, absence, message)
    if plan.robot_of:
        events.record_maybe_away(tx, plan.robot_of, now)


def _keep_holds(tx: Connection, plan: Plan, message: int) -> None:
    """What waits for the writer's word from now on, and what does no longer."""
    if plan.releases is not None:
        holds.release(tx, plan.releases.hold, message)
        if not plan.releases.whole:
            messages.show(tx, plan.releases.message)
    if plan.filed_in is None or plan.author is None:
        return
    if plan.supersedes:
        holds.forget_whole(tx, plan.filed_in, plan.author)
    if plan.hold:
        holds.hold(tx, message, plan.filed_in, plan.author, plan.hold)


def _message(kept: Kept, plan: Plan) -> Message:
    mail = plan.mail
    return Message(
        id=0,
        ticket=plan.filed_in,
        at=kept.taken_at,
        author=mail.sender or "",
        author_name=mail.sender_name,
        role=plan.role,
        internal=plan.internal,
        automatic=plan.automatic.kind if plan.automatic else "",
        authenticated=plan.authenticated,
        message_id=mail.message_id,
        digest=mail.digest,
        refs=(*mail.in_reply_to, *mail.references)[-20:],
        subject=mail.subject,
        text=plan.text,
        outcome=plan.outcome or Outcome.KEEP,
        why="\n".join(plan.why),
        blob=kept.blob,
        attachments=mail.attachments,
    )


class Processor:
    """The thread that processes what is taken, oldest first, until it is stopped.

    It asks the store what waits, so that nothing is forgotten whoever took it, and whatever ended
    the process before. office: gives the rules in force; processed: called after each batch,
    with the number of its last message.
    """

    def __init__(
        self,
        store: Store,
        writer: Writer,
        office: Callable[[], Office],
        processed: Callable[[int], None],
        clock: Clock = utc_now,
    ) -> None:
        self._store = store
        self._writer = writer
        self._office = office
        self._processed = processed
        self._clock = clock
        self._wake = threading.Event()
        self._stopping = False
        self._moved = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="processor", daemon=True)

    def start(self) -> None:
        """First what an earlier process left behind, one by one, then what comes."""
        self._thread.start()

    def wake(self) -> None:
        """Something was taken."""
        self._wake.set()

    def stands_still(self, seconds: float) -> bool:
        """Whether nothing has moved for so long: idle it looks every second."""
        return not self._thread.is_alive() or time.monotonic() - self._moved > seconds

    def stop(self) -> None:
        """Finish the batch under way, then end."""
        self._stopping = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        self._surely(self._process_left_behind)
        while not self._stopping:
            if not self._surely(self._process_waiting):
                self._wake.wait(_POLL_SECONDS)
                self._wake.clear()

    def _surely(self, step: Callable[[], bool]) -> bool:
        """A step; a store that cannot be used now is waited for, and nothing ends the thread."""
        try:
            return step()
        except StoreUnavailable as error:
            log.warning("%s", error)
        except Exception:
            log.exception("processing stopped short; trying again")
        self._wake.wait(_PAUSE_SECONDS)
        return False

    def _process_left_behind(self) -> bool:
        """What was taken and not processed may be what ended the process: one at a time, counted."""
        with self._store.read() as tx:
            last = journal.newest(tx)
        while not self._stopping:
            left = self._waiting(1)
            if not left or left[0].id > last:
                return False
            kept = left[0]
            self._writer.submit(partial(journal.begin_alone, journal=kept.id)).result()
            if kept.tries >= _MOST_TRIES:
                self._quarantine(kept, f"processing ended the program {kept.tries} times", "")
            else:
                self._settle(kept, self._submit(kept, self._parsed(kept)))
            self._processed(kept.id)
        return False

    def _process_waiting(self) -> bool:
        """Whether there was anything to process."""
        # All are read before any is handed over, so that they share a commit, and the two threads take turns.
        ready = [(kept.emptied(), self._parsed(kept)) for kept in self._waiting(_BATCH)]
        under_way = [(kept, self._submit(kept, mail)) for kept, mail in ready]
        for kept, future in under_way:
            self._settle(kept, future)
        if ready:
            self._processed(ready[-1][0].id)
        return bool(ready)

    def _waiting(self, most: int) -> list[Kept]:
        self._moved = time.monotonic()
        with self._store.read() as tx:
            return journal.waiting(tx, most)

    def _parsed(self, kept: Kept) -> Mail | Exception:
        try:
            return mime.parse(kept.raw, kept.envelope)
        except Exception as error:  # noqa: BLE001 - one mail must not stop the rest
            return error

    def _submit(self, kept: Kept, mail: Mail | Exception) -> Future[Plan | None]:
        if isinstance(mail, Exception):
            broken: Future[Plan | None] = Future()
            broken.set_exception(mail)
            return broken
        office, now = self._office(), self._clock()
        return self._writer.submit(lambda tx: process(tx, kept, mail, office, now))

    def _settle(self, kept: Kept, future: Future[Plan | None]) -> None:
        try:
            plan = future.result()
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("message %d made the program fail", kept.id)
            self._quarantine(kept, FAILED, traceback.format_exc())
            return
        if plan is not None:
            log.info(
                "message %d: %s",
                kept.id,
                plan.outcome,
                extra={"journal": kept.id, "ticket": plan.ticket.id if plan.ticket else None},
            )

    def _quarantine(self, kept: Kept, reason: str, detail: str) -> None:
        now = self._clock()
        self._writer.submit(lambda tx: _quarantine_failed(tx, kept, now, reason, detail)).result()
