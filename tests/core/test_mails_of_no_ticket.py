"""What staff write to their own reply address of the desk itself: answers to the digest, commands for any ticket."""

from __future__ import annotations

from mailgate.core.address import DESK_ITSELF
from mailgate.core.mail import Mail
from mailgate.core.model import Outcome
from tests.support import from_marta, known, plan, reply_address, templates, ticket


def to_desk(text: str, person: str = "marta@example.es", **parts: str) -> Mail:
    """Marta's answer to a mail of the desk that belongs to no ticket."""
    return from_marta(text, **{"to": reply_address(DESK_ITSELF, person), "subject": "Re: Hoy", **parts})


def test_ones_own_address_of_the_desk_itself_is_proof_and_names_no_ticket():
    decided = plan(to_desk("#time SOP-12 10m"), known(ticket()))
    assert (decided.authenticated, decided.ticket) == (True, None)
    assert [(entry.ticket, entry.minutes) for entry in decided.entries] == [(12, -10)]


def test_it_names_no_ticket_whatever_else_the_mail_points_at():
    message = to_desk("#time SOP-9 10m", subject="Re: [SOP-12 Acme] Hoy", headers="In-Reply-To: <m1@acme.example>\n")
    decided = plan(message, known(ticket(), ticket(9)))
    assert (decided.authenticated, decided.ticket) == (True, None)


def test_ones_own_address_of_a_ticket_goes_before_it():
    both = f"{reply_address(DESK_ITSELF, 'marta@example.es')}, {reply_address(12, 'marta@example.es')}"
    decided = plan(to_desk("Listo.", to=both), known(ticket()))
    assert decided.ticket is not None
    assert decided.authenticated


def test_that_of_somebody_else_is_no_proof():
    decided = plan(to_desk("#time SOP-12 10m", "elena@example.es"), known(ticket()))
    assert decided.outcome is Outcome.QUARANTINE


def test_a_client_who_writes_to_theirs_opens_a_ticket():
    message = to_desk("Una pregunta.", "ana@acme.example", sender="ana@acme.example", message_id="<m2@acme.example>")
    assert plan(message, known(ticket())).outcome is Outcome.OPEN


def test_what_is_handed_back_can_be_corrected_by_answering_it():
    decided = plan(to_desk("#time SOP-12 0m"), known(ticket()))
    assert templates(decided) == ["problems"]
    assert decided.notices[0].ticket == DESK_ITSELF
