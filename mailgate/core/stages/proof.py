"""Whether it is believed who wrote, and what is not done for somebody who may be another."""

from __future__ import annotations

from datetime import datetime

from mailgate.core import own, trust
from mailgate.core.address import DESK_ITSELF
from mailgate.core.desk import Desk
from mailgate.core.facts import Facts
from mailgate.core.mail import Notice
from mailgate.core.model import Role
from mailgate.core.plan import Plan
from mailgate.core.reading import fresh
from mailgate.core.stages.warning import warned

LACKS = {
    "no_token": "did not come to their own reply address",
    "no_signature": "is not signed by their own domain",
    "dns": "could not be checked: the DNS gave no answer",
    "stale": "was not written in these days",
    "used": "bears the Message-ID of another mail",
}


def refuse_forged(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """What the author's own domain disowns has no effect; a reply address is no help, for it stands in every quote."""
    verdicts = plan.mail.verdicts
    plan = plan.but(f"checked: {verdicts.words}" if verdicts.words else "")
    if plan.vouched or not verdicts.forged:
        return plan
    refused = plan.quarantined(f"{verdicts.domain} asks that it be not believed (DMARC fail, p={verdicts.policy})")
    if not plan.role.staff:
        return refused
    return warned(refused, _unproven(plan, desk, now, "forged"), facts)


def weigh_proof(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """What proves who wrote: each role as [trust] says, or the word of our own user."""
    if plan.vouched:
        area = plan.mail.envelope.source == "web"
        words = "signed in to the client area" if area else "vouched for at this machine"
        return plan.but(words, authenticated=True, proof=words)
    standing = _standing(plan, facts, desk, now)
    if standing.proof:
        return plan.but(f"proof: {standing.proof}", authenticated=True, proof=standing.proof)
    if plan.role.staff or desk.rules.trust.clients == "off":
        return plan.but("nothing proves who wrote")
    if _can_be_proven(plan, facts, desk):
        return plan.but("nothing proves who wrote, though their domain could", doubt="wary")
    return plan.but("nothing proves who wrote", doubt="unproven")


def demand_proof(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """Staff act only with proof, clients where `trust.clients` requires it; the registered address is told."""
    if plan.authenticated:
        return plan
    if plan.role.staff:
        lack = _standing(plan, facts, desk, now).lack
        refused = plan.quarantined(f"a technician's mail that {LACKS[lack]}")
        return warned(refused, _unproven(plan, desk, now, lack), facts)
    if plan.role is Role.CLIENT and desk.rules.trust.clients == "require":
        asking = ask_to_confirm(plan, facts, desk, now)
        return asking.quarantined("nothing proves who wrote (trust.clients)")
    return plan


def ask_to_confirm(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """Write to the registered address, once a day: who answers that has proven that the mail was theirs."""
    if plan.person is None or any(notice.template == "unverified" for notice in plan.notices):
        return plan
    to = desk.registered(plan.person, proven=False)
    if to in facts.repute.asked:
        return plan.but(f"{to} was asked today already whether such a mail was theirs")
    notice = Notice(
        "unverified",
        to=to,
        language=plan.person.language,
        ticket=plan.ticket.id if plan.ticket else DESK_ITSELF,
        values={"at": now},
    )
    return plan.but(f"{to} is asked whether it was theirs", notices=(*plan.notices, notice))


def _standing(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> trust.Standing:
    own_token = plan.own_token or own.answers_desk_itself(plan.mail, desk)
    if plan.role.staff and plan.person is not None:
        return trust.of_staff(plan.person, plan.mail, desk, now, own_token=own_token, id_used=facts.repute.id_used)
    return trust.of_others(plan.mail, own_token=own_token)


def _can_be_proven(plan: Plan, facts: Facts, desk: Desk) -> bool:
    """Whether the writer's domain has ways to prove its mail: it says so, did so before, or could not be asked."""
    verdicts = plan.mail.verdicts
    required = desk.rules.trust.clients == "require"
    return required or bool(verdicts.policy or facts.repute.signs or verdicts.undecided)


def _unproven(plan: Plan, desk: Desk, now: datetime, reason: str) -> Notice:
    """Tell the registered address, so that a forgery is noticed and an honest mistake costs one resend."""
    text = plan.text or fresh.read(plan.mail, (), first=True).whole
    return Notice(
        "unproven",
        to=plan.mail.sender or "",
        language=desk.rules.desk.language,
        values={"subject": plan.mail.subject, "text": text, "at": now, "reason": reason},
        opens=("text",),
    )
