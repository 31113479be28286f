"""What staff write to their own reply address of the desk itself: answers to the digest, commands for any ticket."""

from __future__ import annotations

import pytest

from mailgate.core.address import DESK_ITSELF
from mailgate.core.mail import Mail
from mailgate.core.model import Category, Outcome, Priority, Status, Ticket
from mailgate.core.plan import Plan
from tests.support import debit, from_marta, known, plan, reply_address, templates, ticket


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


# ---- commands for any ticket ---------------------------------------------------------------------


def other(decided: Plan, number: int = 12) -> Ticket:
    """How a ticket stands afterwards that is not the mail's own."""
    (found,) = [one for one in decided.others if one.id == number]
    return found


def test_each_command_changes_the_ticket_that_it_names():
    lines = "#status SOP-12 waiting\n#priority SOP-12 urgent\n#category SOP-12 bug\n#estimate SOP-12 90m\n#close SOP-9"
    decided = plan(to_desk(lines), known(ticket(), ticket(9)))
    changed = other(decided)
    assert (changed.status, changed.priority, changed.category, changed.estimate) == (
        Status.WAITING,
        Priority.URGENT,
        Category.BUG,
        90,
    )
    assert other(decided, 9).status is Status.CLOSED
    assert templates(decided) == ["estimate"]


def test_a_ticket_may_be_changed_from_the_mail_of_another():
    decided = plan(from_marta("Listo.\n\n#close SOP-9"), known(ticket(), ticket(9)))
    assert decided.changed is not None
    assert (decided.changed.status, other(decided, 9).status) == (Status.WAITING, Status.CLOSED)


def test_naming_the_ticket_of_the_mail_is_the_same_as_not_naming_it():
    decided = plan(from_marta("#close SOP-12"), known(ticket()))
    assert decided.changed is not None
    assert (decided.changed.status, decided.others) == (Status.CLOSED, ())


def test_a_ticket_that_is_handed_over_by_name_goes_with_its_whole_conversation():
    decided = plan(to_desk("#assign SOP-12 elena"), known(ticket()))
    assert other(decided).technician == "elena"
    (notice,) = decided.notices
    assert (notice.template, notice.to, notice.ticket) == ("handed_over", "elena@example.es", 12)
    assert not notice.carry, "what hangs on the mail that orders it is not of the ticket"


def test_minutes_see_what_the_same_mail_changes():
    decided = plan(to_desk("#estimate SOP-12 10m\n#time SOP-12 30m"), known(ticket()))
    assert "estimate_passed" in templates(decided)


def test_tickets_that_go_on_keep_what_the_same_mail_orders():
    paused = ticket(9, status=Status.HELD, held_for="balance"), ticket(10, status=Status.HELD, held_for="balance")
    facts = known(ticket(), *paused, balances={"acme": -3}, paused={"acme": paused}, entries={5: debit(5)})
    decided = plan(to_desk("#void 5\n#close SOP-9\n#priority SOP-10 low"), facts)
    assert other(decided, 9).status is Status.CLOSED
    assert (other(decided, 10).status, other(decided, 10).priority) == (Status.OPEN, Priority.LOW)


@pytest.mark.parametrize("line", ["#close", "#priority urgent", "#assign elena", "#send", "#note", ""])
def test_a_command_that_names_nothing_needs_the_mail_of_a_ticket(line: str):
    decided = plan(to_desk(f"#time SOP-12 10m\n{line}" if line else "Hola."), known(ticket()))
    assert (decided.outcome, decided.others, decided.entries) == (Outcome.REJECT, (), ())


def test_a_text_that_would_be_for_nobody_is_handed_back():
    decided = plan(to_desk("Ya está arreglado.\n\n#close SOP-12"), known(ticket()))
    assert (templates(decided), decided.others) == (["no_ticket"], ())
    assert decided.notices[0].values["only_text"]


@pytest.mark.parametrize("line", ["#close SOP-99", "#assign SOP-99 elena"])
def test_a_ticket_that_does_not_exist_stops_all(line: str):
    decided = plan(to_desk(f"#close SOP-12\n{line}"), known(ticket()))
    assert (templates(decided), decided.others) == (["problems"], ())


def test_tickets_of_one_mail_may_each_have_an_estimate_but_only_one():
    facts = known(ticket(), ticket(9))
    assert templates(plan(to_desk("#estimate SOP-12 90m\n#estimate SOP-9 60m"), facts)) == ["estimate"] * 2
    assert templates(plan(from_marta("#estimate SOP-12 90m\n#estimate 60m"), facts)) == ["problems"]


# ---- the director's word -------------------------------------------------------------------------


def from_elena(text: str) -> Mail:
    return to_desk(text, "elena@example.es", sender="elena@example.es")


def test_rulings_on_two_clients_each_need_a_reason_of_their_own():
    entries = {5: debit(5, 30), 6: debit(6, 30, client="beta", ticket=9)}
    facts = known(ticket(), ticket(9, client="beta"), entries=entries)
    assert templates(plan(from_elena("#adjust 5 10m\n#adjust 6 10m\n\nFue un error."), facts)) == ["problems"]
    ruled = plan(from_elena("#adjust 5 10m fue un error\n#adjust 6 10m era cortesía"), facts)
    assert [(entry.client, entry.note) for entry in ruled.entries] == [
        ("acme", "fue un error"),
        ("beta", "era cortesía"),
    ]


def test_messages_in_quarantine_are_decided_on_by_number():
    decided = plan(from_elena("#release 17\n#drop 18"), known(quarantined=frozenset({17, 18})))
    assert (decided.released, decided.dropped) == ((17,), (18,))


@pytest.mark.parametrize("lines", ["#release 19", "#release 17\n#drop 17", "#release 17\n#release 17"])
def test_a_number_that_does_not_wait_or_is_decided_on_twice_stops_all(lines: str):
    decided = plan(from_elena(f"#drop 18\n{lines}"), known(quarantined=frozenset({17, 18})))
    assert (templates(decided), decided.dropped) == (["problems"], ())


def test_the_quarantine_is_the_directors():
    decided = plan(to_desk("#release 17"), known(quarantined=frozenset({17})))
    assert (decided.outcome, decided.released) == (Outcome.REJECT, ())
