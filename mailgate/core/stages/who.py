"""Who speaks."""

from __future__ import annotations

from datetime import datetime

from mailgate.core import thread
from mailgate.core.desk import Desk
from mailgate.core.facts import Facts
from mailgate.core.mail import Mail
from mailgate.core.message import automatic
from mailgate.core.model import Outcome, Person, Role
from mailgate.core.plan import Plan
from mailgate.core.reading import fresh
from mailgate.core.stages.absences import suspect_absence
from mailgate.core.stages.guests import at_the_door


def recognise_repeat(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """The same Message-ID and content were taken before: already done."""
    if facts.repeat_of:
        return plan.ends(Outcome.REPEAT, f"the same as {facts.repeat_of}, already done")
    return plan


def know_sender(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """Client, technician, director or stranger: by From alone, never by Reply-To."""
    person = desk.rules.who(plan.mail.sender) if plan.mail.sender else None
    if person is None:
        return plan.but(f"sender: {plan.mail.sender or 'no single plain address in From'}, a stranger")
    return plan.but(f"sender: {person.address}, {person.role} {person.id}", role=person.role, person=person)


def note_automatic(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """Automatic mail is kept, shown where it belongs, and never answered."""
    found = automatic.automatic(plan.mail, desk.rules.desks)
    if found is None:
        return plan
    role = plan.role if plan.person else Role.ROBOT
    plan = plan.but(
        f"automatic ({found.kind}): {found.why}",
        automatic=found,
        role=role,
        text=_whole(plan.mail),
        internal=role is not Role.CLIENT,
    )
    plan = suspect_absence(plan, facts, desk, now)
    # A robot knows no ticket, but a bounce comes back to the reply address that its mail was sent from.
    match = thread.find(plan.mail, plan.person, facts, desk) or next(
        thread.by_reply_address(plan.mail, facts, desk), None
    )
    if match is None:
        return plan.ends(Outcome.KEEP, "kept; belongs to no ticket")
    tag = desk.tag(match.ticket.id)
    return plan.ends(Outcome.APPEND, f"kept with ticket {tag}: {match.why}", ticket=match.ticket)


def refuse_strangers(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """Who is not known waits in quarantine, or is turned away where the rules say so."""
    if plan.mail.unreadable:
        return plan.quarantined(f"cannot be read safely: {plan.mail.unreadable}")
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
