"""Who speaks."""

from __future__ import annotations

from datetime import datetime

from mailgate.core import thread, undelivered
from mailgate.core.desk import Desk
from mailgate.core.facts import Facts, Returned
from mailgate.core.mail import Mail
from mailgate.core.message import automatic, bounce
from mailgate.core.model import Outcome, Person, Role, Ticket
from mailgate.core.plan import Bounced, Plan
from mailgate.core.reading import fresh
from mailgate.core.stages.absences import suspect_absence
from mailgate.core.stages.guests import at_the_door


def know_sender(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """Client, technician, director or stranger: by From alone, never by Reply-To."""
    person = desk.rules.who(plan.mail.sender) if plan.mail.sender else None
    if person is None:
        return plan.but(f"sender: {plan.mail.sender or 'no single plain address in From'}, a stranger")
    return plan.but(f"sender: {person.address}, {person.role} {person.id}", role=person.role, person=person)


def recognise_repeat(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """The same Message-ID and content were taken before: already done."""
    if facts.repeat_of:
        return plan.ends(Outcome.REPEAT, f"the same as {facts.repeat_of}, already done")
    return plan


def note_automatic(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """Automatic mail is kept, shown where it belongs, and never answered."""
    found = automatic.automatic(plan.mail, desk.rules.desks)
    if found is None:
        return plan
    # A mail server speaks for nobody, in whosever name it writes.
    role = plan.role if plan.person and found.kind != "bounce" else Role.ROBOT
    plan = plan.but(
        f"automatic ({found.kind}): {found.why}",
        automatic=found,
        role=role,
        text=_whole(plan.mail),
        internal=role is not Role.CLIENT,
    )
    plan = suspect_absence(plan, facts, desk, now)
    lost = undelivered.returned(plan.mail, facts, desk)
    match = _where_robots_speak(plan, lost, facts, desk)
    if lost and found.kind == "bounce":
        plan = _note_bounce(plan, lost, match.ticket if match else None, desk)
    if match is None:
        return plan.ends(Outcome.KEEP, "kept; belongs to no ticket")
    tag = desk.tag(match.ticket.id)
    return plan.ends(Outcome.APPEND, f"kept with ticket {tag}: {match.why}", ticket=match.ticket)


def _where_robots_speak(plan: Plan, lost: Returned | None, facts: Facts, desk: Desk) -> thread.Match | None:
    """A robot knows no ticket, but answers the envelope sender, or the reply address, of a mail of ours."""
    if lost and lost.ticket and lost.ticket in facts.tickets:
        return thread.Match(facts.tickets[lost.ticket], f"about mail {lost.mail} of ours, to {lost.to}")
    found = thread.find(plan.mail, plan.person, facts, desk)
    return found or next(thread.by_reply_address(plan.mail, facts, desk), None)


def _note_bounce(plan: Plan, lost: Returned, ticket: Ticket | None, desk: Desk) -> Plan:
    """What did not arrive is told to a person, once; what is only late, to nobody."""
    said = bounce.read(plan.mail)
    if said.grade is None:
        return plan.but(f"mail {lost.mail} to {lost.to} is late, or arrived: {said.error}")
    if lost.told:
        return plan.but(f"mail {lost.mail} to {lost.to} did not arrive, which was told before")
    dead = said.grade == "hard" and lost.failures + 1 == undelivered.MOST
    return plan.but(
        f"mail {lost.mail} to {lost.to} did not arrive ({said.grade}): {said.error}",
        bounced=Bounced(lost.mail, said.grade, said.error),
        notices=undelivered.told(desk, ticket, lost, said.error, came_back=True, dead=dead),
    )


def refuse_strangers(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """Who is not known waits in quarantine, or is turned away where the rules say so."""
    if plan.mail.unreadable:
        return plan.quarantined(f"cannot be read safely: {plan.mail.unreadable}")
    if plan.mail.doubt:
        return plan.quarantined(f"cannot be read in one way only: {plan.mail.doubt}")
    if plan.mail.sender is None:
        return plan.quarantined("From does not name exactly one plain address")
    if plan.person is not None:
        return plan
    person = _unknown(plan.mail, desk)
    match = thread.find(plan.mail, person, facts, desk)
    if match and match.ticket.id in facts.guest_in:
        return plan.but(f"a guest in {desk.tag(match.ticket.id)}", person=person, guest=True)
    # Who asked to become a client speaks in their own ticket, whatever else they point at.
    if match is None and facts.prospect is None and (pointed := next(thread.pointers(plan.mail, facts, desk), None)):
        return at_the_door(plan, pointed, facts, desk)
    if desk.rules.desk.strangers == "prospect":
        return _prospect(plan, person, facts, desk)
    if desk.rules.desk.strangers == "reject":
        return plan.ends(Outcome.REJECT, "strangers are rejected (desk.strangers)", text=_whole(plan.mail))
    return plan.quarantined(f"{plan.mail.sender} is nobody that the rules know")


def _unknown(mail: Mail, desk: Desk) -> Person:
    return Person(Role.STRANGER, "", mail.sender_name, mail.sender or "", desk.rules.desk.language, client="")


def _prospect(plan: Plan, person: Person, facts: Facts, desk: Desk) -> Plan:
    """Somebody unknown who may become a client: their thread is a ticket of its own."""
    most = desk.rules.desk.prospects_per_day
    if facts.prospect is None and facts.prospects >= most:
        return plan.quarantined(f"more than {most} unknown people in a day (desk.prospects_per_day)")
    return plan.but("may become a client (desk.strangers)", person=person)


def _whole(mail: Mail) -> str:
    return fresh.read(mail, (), first=True).whole
