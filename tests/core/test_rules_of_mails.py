"""What [[rules]] make of a client's mail on its way: all of it of a new ticket, the priority of one that goes on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from mailgate.core.desk import Desk
from mailgate.core.intake import decide
from mailgate.core.model import Category, Outcome, Priority, Status
from tests.support import NOW, desk, from_marta, known, mail, plan, reply_address, templates, ticket


def ruled(*rules: dict[str, Any]) -> Desk:
    return desk(rules=[{"name": f"rule {number}", **rule} for number, rule in enumerate(rules, 1)])


DOWN = {"match": {"any": ["error 500"]}, "set": {"priority": "urgent", "category": "bug"}}


def test_a_new_ticket_takes_all_that_the_first_rules_set():
    second = {"set": {"priority": "low", "notify": ["elena"]}}
    decided = plan(mail("Error 500 en todas."), at=ruled(DOWN, second))
    assert decided.changed is not None
    assert (decided.changed.priority, decided.changed.category) == (Priority.URGENT, Category.BUG)
    assert decided.rules == ("rule 1", "rule 2")
    told = [notice.to for notice in decided.notices if notice.template == "notice"]
    assert told == ["marta@example.es", "elena@example.es"]


def test_quoted_words_and_the_words_of_staff_meet_no_rule():
    quoted = "Gracias, ya va.\n\nEl 2 nov 2026 a las 9:00, Marta escribió:\n> ¿Sale error 500?"
    answer = mail(quoted, to=reply_address(12, "ana@acme.example"), subject="Re: El carrito")
    assert plan(answer, known(ticket()), ruled(DOWN)).rules == ()
    assert plan(from_marta("Es un error 500."), known(ticket()), ruled(DOWN)).rules == ()


def test_what_a_rule_drops_is_kept_without_a_ticket():
    decided = plan(mail("promo"), at=ruled({"match": {"any": "promo"}, "set": {"drop": True}}))
    assert (decided.outcome, decided.changed, templates(decided)) == (Outcome.KEEP, None, [])


def test_what_a_rule_holds_waits_and_both_sides_read_so():
    decided = plan(mail(), at=ruled({"match": {"client": "acme"}, "set": {"hold": True}}))
    assert decided.changed is not None
    assert (decided.changed.status, decided.changed.held_for) == (Status.HELD, "rule")
    assert [notice.values["held"] for notice in decided.notices] == ["rule", "rule"]


def test_a_rule_may_ask_whether_the_desk_is_closed_and_what_is_attached():
    late = {"match": {"outside_hours": True}, "set": {"priority": "low"}}
    files = {"match": {"attachment": True}, "set": {"priority": "high"}}
    assert plan(mail(), at=ruled(late, files)).rules == ()
    evening = NOW + timedelta(hours=12)
    assert decide(mail(), known(), ruled(late, files), evening).rules == ("rule 1",)


REPLY = {"to": reply_address(12, "ana@acme.example"), "subject": "Re: El carrito"}


def test_a_pressing_answer_raises_the_priority_of_its_ticket_and_says_so():
    decided = plan(mail("Ahora sale error 500.", **REPLY), known(ticket(status=Status.WAITING)), ruled(DOWN))
    assert decided.changed is not None
    assert (decided.changed.priority, decided.changed.category) == (Priority.URGENT, None)
    assert decided.rules == ("rule 1",)
    assert [notice.values["raised"] for notice in decided.notices] == [True]


@pytest.mark.parametrize(("before", "sets"), [("high", "low"), ("high", "high"), ("urgent", "high")])
def test_an_answer_never_lowers_the_priority(before: str, sets: str):
    rule = {"match": {"any": "carrito"}, "set": {"priority": sets}}
    facts = known(ticket(priority=Priority(before), status=Status.WAITING))
    decided = plan(mail("El carrito otra vez.", **REPLY), facts, ruled(rule))
    assert decided.changed is not None
    assert (decided.changed.priority, decided.rules) == (Priority(before), ())
    assert [notice.values["raised"] for notice in decided.notices] == [False]


def test_the_tickets_own_subject_counts_once_and_a_new_one_again():
    rule = {"match": {"subject": ["carrito", "error 500"]}, "set": {"priority": "urgent"}}
    facts = known(ticket(status=Status.WAITING))
    assert plan(mail("Gracias.", **REPLY), facts, ruled(rule)).rules == ()
    other = {**REPLY, "subject": "Re: [SOP-12] Ahora error 500"}
    assert plan(mail("Miren, por favor.", **other), facts, ruled(rule)).rules == ("rule 1",)
