"""The way of one message: a list of decisions that can be read aloud.

Each stage takes a plan and gives a new one, makes one decision and does no I/O. What the sender
did is never an exception: quarantine and refusal are final plans with a reason, and there the
way ends.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from mailgate.core.desk import Desk
from mailgate.core.facts import Facts
from mailgate.core.mail import Mail
from mailgate.core.plan import Plan
from mailgate.core.stages.absences import note_absences
from mailgate.core.stages.claims import read_claims, settle_claims
from mailgate.core.stages.contract import keep_contract
from mailgate.core.stages.covering import cover_access_data
from mailgate.core.stages.effects import (
    apply_rules,
    book_minutes,
    change_ticket,
    decide_on_quarantined,
    release_held,
    run_clocks,
)
from mailgate.core.stages.guards import hold_back
from mailgate.core.stages.guests import admit_guests
from mailgate.core.stages.mails import plan_mails
from mailgate.core.stages.merging import merge_tickets
from mailgate.core.stages.orders import read_commands
from mailgate.core.stages.planning import plan_work
from mailgate.core.stages.proof import demand_proof, refuse_forged, weigh_proof
from mailgate.core.stages.redaction import take_out_secrets
from mailgate.core.stages.rehearsal import rehearsed
from mailgate.core.stages.rulings import rule_on_matters
from mailgate.core.stages.silence import fall_silent
from mailgate.core.stages.technician import choose_technician
from mailgate.core.stages.what import answer_question, read_text
from mailgate.core.stages.where import choose_ticket, open_or_reopen
from mailgate.core.stages.who import know_sender, note_automatic, recognise_repeat, refuse_strangers

Stage = Callable[[Plan, Facts, Desk, datetime], Plan]

STAGES: tuple[Stage, ...] = (
    cover_access_data,  # passwords and keys stand apart from here on
    know_sender,  # client, technician, director, stranger             RFC 5322 3.6.2
    recognise_repeat,  # same Message-ID and content: already done     RFC 5322 3.6.4
    refuse_forged,  # what the author's domain disowns                 RFC 9989
    note_automatic,  # kept, never answered                            RFC 3834 2
    refuse_strangers,  # quarantine, or what desk.strangers says
    choose_ticket,  # reply address, In-Reply-To, References, tag      RFC 5322 3.6.4
    weigh_proof,  # [trust]: is it proven who wrote?
    read_text,  # fresh text against quoted text
    answer_question,  # "saldo", "informe": an answer, no ticket
    demand_proof,  # staff act only with proof, clients where [trust] says so
    read_commands,  # fresh text only; one wrong line and none applies
    hold_back,  # what crossed another answer, or an unlikely time, waits for "#send"
    read_claims,  # a client's limit, dispute, refund, or "ok"
    open_or_reopen,  # whose ball it is now
    apply_rules,  # rules.toml, first match of each kind
    choose_technician,  # who knows it best and is there; or it waits
    settle_claims,  # what the client said is kept, told, carried out
    book_minutes,  # commands become ledger entries
    rule_on_matters,  # estimates, and rulings on what waits
    change_ticket,  # commands change status, priority, technician
    plan_work,  # start and delivery, and the client is told
    merge_tickets,  # "#merge SOP-9": goes on in another
    note_absences,  # "#away": the writer is away
    release_held,  # "#send": what waited for the technician's word
    admit_guests,  # "#allow 17": a third person, in this ticket
    take_out_secrets,  # "#redact": out of the ticket for good
    decide_on_quarantined,  # "#release 17", "#drop 17"
    keep_contract,  # low balance, end of service, estimate passed
    run_clocks,  # until when the next answer is owed
    plan_mails,  # acknowledgement, answer, notices: outbox rows
)


def decide(
    mail: Mail, facts: Facts, desk: Desk, now: datetime, *, vouched: bool = False, confirmed: bool = False
) -> Plan:
    """Say what this mail shall change. Pure: the same arguments give the same plan.

    vouched: the message comes from this machine's own user, or a person released it.
    confirmed: its writer was asked once and said yes: it is not held back again. A mail with `#test` is decided
    on as any other, and then only told of.
    """
    plan = Plan(mail, vouched=vouched, confirmed=confirmed)
    for stage in STAGES:
        plan = stage(plan, facts, desk, now)
        if plan.final:
            break
    plan = fall_silent(plan, facts, desk, now)
    return rehearsed(plan, facts, desk, now) if plan.has("test") else plan
