"""Process what was taken: decide, and do all of it in one transaction, or nothing."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from mailgate.core.access_data.covering import Covering, unnumbered
from mailgate.core.access_data.opening import without_numbers
from mailgate.core.address import DESK_ITSELF
from mailgate.core.facts import Facts, Held, wanted
from mailgate.core.intake import decide
from mailgate.core.mail import Mail, Notice
from mailgate.core.model import Matter, Outcome, Role
from mailgate.core.plan import Plan
from mailgate.errors import StoreUnavailable
from mailgate.service import parsing
from mailgate.service.letters import Source, post
from mailgate.service.office import Office
from mailgate.service.redact import By, redacted_notice
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
    outbox,
    quarantine,
    redactions,
    repute,
    tickets,
    vault,
)
from mailgate.store.connection import naming_errors
from mailgate.store.facts import facts_for
from mailgate.store.journal import Kept
from mailgate.store.messages import Message
from mailgate.store.quarantine import Quarantined

log = logging.getLogger("mailgate.process")

# The reason that a person reads of a message on which our own code raised.
FAILED = "the program failed on this message"


def process(
    tx: Connection, kept: Kept, mail: Mail, office: Office, now: datetime, *, released: Quarantined | None = None
) -> Plan | None:
    """Decide on a message and carry the decision out, inside the caller's transaction.

    released: what a person lets go from the quarantine, who stands for it; the doubt stays on the message. None
    where somebody else processed it in the meantime.
    """
    if not journal.is_waiting(tx, kept.id):
        return None
    facts = facts_for(tx, wanted(mail, office.desk, now), now)
    plan = decide(mail, facts, office.desk, now, vouched=released is not None or kept.envelope.vouched)
    if plan.releases is not None and plan.releases.whole:
        plan = _after_held(tx, kept, mail, plan, facts, office, now)
    cause = f"j{kept.id}"
    if released is not None:
        plan = _with_doubt(plan, released)
        cause += f"q{released.id}"  # what was told when it went into quarantine has the plain name already
    _carry_out(tx, kept, plan, office, now, cause)
    return plan


def _with_doubt(plan: Plan, released: Quarantined) -> Plan:
    """The plan of a message that was released, with why it had waited: what follows rests on a person's word."""
    why = f"released from quarantine, where it was number {released.id}: {released.reason}"
    return plan.but(why, proof=why) if plan.proof else plan.but(why)


class _Refused(Exception):
    """What released a held mail cannot be done once that is done: neither is."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan


def _after_held(
    tx: Connection, kept: Kept, mail: Mail, plan: Plan, facts: Facts, office: Office, now: datetime
) -> Plan:
    """Do what was held, as if it had just come; then decide anew on what released it, for the ground has changed.

    The word is about what its writer knew: what the held mail itself asks of the client waits for the client.
    """
    try:
        with tx.savepoint():
            _do_held(tx, kept, plan.releases, office, now)
            ground = facts_for(tx, wanted(mail, office.desk, now), now)
            ground = replace(ground, held=facts.held, matters=_known(ground.matters, facts.matters))
            again = decide(mail, ground, office.desk, now, vouched=plan.vouched)
            if again.releases is None:
                raise _Refused(again)
            return again
    except _Refused as refused:
        return refused.plan


def _known(now: Sequence[Matter], before: Sequence[Matter]) -> tuple[Matter, ...]:
    """What waits now of what waited before."""
    numbers = {matter.id for matter in before}
    return tuple(matter for matter in now if matter.id in numbers)


def _do_held(tx: Connection, kept: Kept, held: Held | None, office: Office, now: datetime) -> None:
    """Decide on a message that waited whole, without the guard that held it, and carry that out."""
    if held is None:
        raise AssertionError("nothing was held")
    source = journal.of_message(tx, held.message)
    if source is None:
        raise LookupError(f"message {held.message}: no journal row holds it")
    mail = parsing.parse(source.raw, source.envelope)
    facts = replace(facts_for(tx, wanted(mail, office.desk, now), now), repeat_of="", held={})
    facts = replace(facts, own_secrets=vault.of_message(tx, held.message))
    plan = decide(mail, facts, office.desk, now, vouched=True, confirmed=True)
    if plan.outcome is Outcome.APPEND:
        _keep_tickets(tx, plan)
        internal = plan.internal or plan.filed_in is None  # of a mail to no ticket nothing is for the client
        messages.decided_again(tx, held.message, "\n".join(plan.why), internal=internal)
        vault.keep(tx, held.message, plan.filed_in, plan.secrets)
        _keep_effects(tx, plan, held.message, office, now)
    post(tx, office, plan.notices, now, f"j{kept.id}s", _source(source, plan))
    _merge(tx, plan)
    _decide_on_quarantined(tx, plan, office, now, f"j{kept.id}s")
    _take_out(tx, plan, held.message, office, now, f"j{kept.id}s")


def process_alone(store: Store, office: Office, number: int, now: datetime) -> Plan | None:
    """Process one message of the journal now, in a transaction of its own; None if it is done already.

    One that makes the program fail is quarantined, as the processor does it.
    """
    with store.read() as tx:
        kept = journal.get(tx, number)
    if kept is None:
        return None
    try:
        mail = parsing.parse(kept.raw, kept.envelope)
        with store.write() as tx:
            return process(tx, kept, mail, office, now)
    except StoreUnavailable:
        raise
    except Exception:  # noqa: BLE001 - one message must not stop the rest
        detail = traceback.format_exc()
        with store.write() as tx:
            quarantine_failed(tx, kept, now, FAILED, detail)
        return None


def process_released(tx: Connection, office: Office, held: Quarantined, now: datetime) -> Plan:
    """Process a message of the quarantine for which a person stands, in the caller's transaction.

    Both in one, so that no daemon takes it up in between as what it was before.
    """
    quarantine.decide(tx, held.id, "released")
    journal.reopen(tx, held.journal)
    kept = journal.get(tx, held.journal)
    if kept is None:
        raise LookupError(f"journal {held.journal}: gone")
    mail = replace(parsing.parse(kept.raw, kept.envelope), verdicts=kept.verdicts)
    plan = process(tx, kept, mail, office, now, released=held)
    if plan is None:
        raise LookupError(f"journal {held.journal}: gone")
    return plan


def quarantine_failed(tx: Connection, kept: Kept, now: datetime, reason: str, detail: str) -> None:
    """Keep a message that our own code could not process, for a person to look at."""
    if not journal.is_waiting(tx, kept.id):
        return  # somebody else could process it
    sender = kept.envelope.sender or ""
    detail = unnumbered(Covering().covered(detail))  # what an exception says may hold words of the message
    quarantine.add(tx, kept.id, now, sender=sender, subject="", reason=reason, detail=detail)
    journal.finish(tx, kept.id, Outcome.QUARANTINE, None)


def _carry_out(tx: Connection, kept: Kept, plan: Plan, office: Office, now: datetime, cause: str) -> None:
    if plan.outcome is Outcome.QUARANTINE:
        plan = without_numbers(plan)
    if plan.outcome is None:
        raise AssertionError("a plan without an outcome")
    message = None
    if plan.outcome is Outcome.QUARANTINE:
        _put_in_quarantine(tx, kept, plan, now)
    elif plan.outcome is Outcome.REPEAT:
        message = messages.same_as(tx, plan.mail.message_id, plan.mail.digest, office.desk.blurred(plan.mail.digest))
    else:
        message = _keep(tx, kept, plan, office, now)
    post(tx, office, plan.notices, now, cause, _source(kept, plan))
    journal.finish(tx, kept.id, plan.outcome, message, plan.mail.verdicts)
    if plan.outcome is Outcome.REPEAT and message:
        redactions.take_place(tx, kept.id, message)
    _merge(tx, plan)
    _decide_on_quarantined(tx, plan, office, now, cause)
    _take_out(tx, plan, message, office, now, cause)


def _take_out(tx: Connection, plan: Plan, message: int | None, office: Office, now: datetime, cause: str) -> None:
    """At the very end, when all that this mail caused is written; then its writer is told what was done."""
    if not plan.redactions:
        return
    by = By(office.desk, now, plan.author or "", message)
    told = [redacted_notice(tx, plan, one, by) for one in plan.redactions]
    post(tx, office, told, now, f"{cause}t")


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
    vault.keep(tx, message, plan.filed_in, plan.secrets)
    signed = plan.mail.verdicts.signed
    if signed is not None and plan.role is Role.CLIENT:
        repute.remember_signer(tx, plan.mail.verdicts.domain, now)
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
    for what in plan.loops:
        events.record_loop(tx, what, now)
    if plan.bounced is not None:
        outbox.mark_bounced(tx, plan.bounced.mail, plan.bounced.grade, plan.bounced.error, now)
    if plan.automatic is None and plan.mail.sender:
        outbox.forgive(tx, plan.mail.sender)
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


def _source(kept: Kept, plan: Plan) -> Source:
    return Source(kept.blob, plan.mail.attachments, plan.secrets)


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
        proof=plan.proof,
        message_id=mail.message_id,
        digest=mail.digest,
        refs=(*mail.in_reply_to, *mail.references)[-20:],
        subject=mail.subject,
        text=plan.text,
        outcome=plan.outcome or Outcome.KEEP,
        why="\n".join(plan.why),
        blob=kept.blob,
        attachments=mail.attachments,
        echo=plan.echo,
    )
