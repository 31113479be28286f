"""What a message says: its fresh text, or a question."""

from __future__ import annotations

from datetime import date, datetime

from mailgate.core.commands import claims, questions
from mailgate.core.desk import Desk
from mailgate.core.facts import Facts
from mailgate.core.mail import Notice
from mailgate.core.message import subject
from mailgate.core.model import Outcome, Problem, Role
from mailgate.core.plan import Plan
from mailgate.core.reading import fresh
from mailgate.core.stages.proof import ask_to_confirm
from mailgate.core.stages.reply import answering

# More words than a greeting and a signature have: then the mail is a request as well.
_WORDS_OF_A_REQUEST = 12


def read_text(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """Tell what was written now from what is quoted."""
    ticket = plan.ticket.id if plan.ticket else plan.follows or 0
    reading = fresh.read(plan.mail, facts.history.get(ticket, ()), first=plan.ticket is None)
    text = reading.fresh if plan.role.staff else reading.shown
    return plan.but(f"text: {reading.why}", reading=reading, text=text)


def answer_question(plan: Plan, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """A word alone ("saldo", "informe 2026-10", "ayuda") is answered and opens no ticket.

    A mail that says more besides is answered and goes on as a request: nothing of a client's is lost.
    """
    written = plan.reading.fresh.strip() if plan.reading else ""
    first_line = written.partition("\n")[0]
    question = questions.question(plan.mail.subject, first_line)
    if question is None or plan.person is None:
        return plan
    if plan.role is not Role.CLIENT and not (plan.role.staff and question.name == "help"):
        return plan
    reveals = plan.role is Role.CLIENT and question.name != "help"
    to = desk.registered(plan.person, proven=plan.authenticated) if reveals else plan.person.address
    why = f"asks for: {question.name}"
    more = _says_more(plan, written, desk)
    if reveals and (plan.wary or facts.repute.reports.get((to, question.name), 0) >= desk.rules.trust.reports_per_day):
        return _unanswered(plan, why, to, more, facts, desk, now)
    template = "help_staff" if plan.role.staff else question.name
    notice = Notice(
        template,
        to=to,
        language=plan.person.language,
        values={"client": plan.person.client, **_span(question.period, desk.local_day(now)), "pdf": question.pdf},
        subject=f"Re: {subject.bare(plan.mail.subject)}" if plan.mail.subject else "",
    )
    notice = answering(notice, plan.mail)
    if more:
        return plan.but(f"{why}, and says more besides", notices=(notice,))
    return plan.ends(Outcome.ANSWER, why, ticket=None, notices=(notice,))


def _unanswered(plan: Plan, why: str, to: str, more: bool, facts: Facts, desk: Desk, now: datetime) -> Plan:
    """A question that somebody else may have asked, or that was asked too often; a request besides it goes on."""
    if plan.wary:
        plan = ask_to_confirm(plan.but(f"{why}; not answered, for it may be another who asks"), facts, desk, now)
    else:
        plan = plan.but(f"{why}; not answered: {to} was sent enough of this today (trust.reports_per_day)")
    return plan if more else plan.ends(Outcome.KEEP, "kept; belongs to no ticket", ticket=None)


def _says_more(plan: Plan, written: str, desk: Desk) -> bool:
    """Whether somebody must read the mail: it has a text of some length, files, or asks for what is owed."""
    if plan.role.staff:
        return False
    files = any(not file.inline for file in plan.mail.attachments)
    claimed = claims.read(written, desk.rules.desk.tag) or claims.wants_money_back(written) or claims.disagrees(written)
    return bool(files or claimed) or len(written.split()) > _WORDS_OF_A_REQUEST


def _span(period: str, today: date) -> dict[str, date | Problem | None]:
    """First and last day of a report; None where the period was left out, with the problem if it is wrong."""
    found = questions.period(period, today) if period else None
    since, until = found if isinstance(found, tuple) else (None, None)
    return {"since": since, "until": until, "problem": found if isinstance(found, Problem) else None}
