"""The decision on a message as `mailgate explain` shows it: made by the very function that decides."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from mailgate.core.commands import command
from mailgate.core.facts import wanted
from mailgate.core.intake import decide
from mailgate.core.mail import Mail
from mailgate.core.model import Command, Outcome
from mailgate.core.plan import Plan
from mailgate.core.reading import fresh
from mailgate.service.office import Office
from mailgate.store import Connection
from mailgate.store.facts import facts_for


def explained(tx: Connection, mail: Mail, office: Office, now: datetime) -> dict[str, Any]:
    """What would be done with a message, and why. Keys as in the interface; changes nothing."""
    facts = facts_for(tx, wanted(mail, office.desk, now), now)
    plan = decide(mail, facts, office.desk, now, vouched=mail.envelope.vouched)
    reading = plan.reading or fresh.read(plan.mail, (), first=True)
    return {
        "from": mail.sender,
        "role": plan.role.value,
        "authenticated": plan.authenticated,
        "proof": plan.proof or None,
        "evidence": mail.verdicts.words or None,
        "automatic": plan.automatic.why if plan.automatic else None,
        "ticket": office.desk.tag(plan.ticket.id) if plan.ticket else None,
        "fresh_text": reading.fresh,
        "commands": [_shown(found, office) for found in _commands(plan, reading.fresh, office, now)],
        "rules": list(plan.rules),
        # A repeat is kept and changes nothing; the trail says what it repeats.
        "outcome": Outcome.KEEP.value if plan.outcome is Outcome.REPEAT else plan.outcome and plan.outcome.value,
        "why": list(plan.why),
    }


def _commands(plan: Plan, text: str, office: Office, now: datetime) -> tuple[Command, ...]:
    """The commands that were read, or that would have been, had the sender been believed; of a repeat none are."""
    if plan.outcome is Outcome.REPEAT or plan.script.commands or not plan.role.staff or plan.automatic:
        return plan.script.commands
    return command.parse(text, office.desk.context(plan.role, now, form=plan.answers_desk_itself)).commands


def _shown(found: Command, office: Office) -> dict[str, Any]:
    return {
        "line": found.line,
        "name": found.name,
        "minutes": found.minutes,
        "day": found.day.isoformat() if found.day else None,
        "ticket": office.desk.tag(found.ticket) if found.ticket else None,
        "note": found.note or None,
        "value": found.value or None,
        "problem": office.renderer.problem(found.problem, "en") if found.problem else None,
    }
