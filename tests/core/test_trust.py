"""What each role's proof is worth, and what is not done without it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from mailgate.core import trust
from mailgate.core.facts import Repute
from mailgate.core.mail import Envelope, Mail
from mailgate.core.model import Outcome, Person, Role
from mailgate.core.proof import Result, Signature, Verdicts
from tests.support import NOW, desk, from_marta, known, mail, plan, reply_address, templates, ticket

COVERED = frozenset({"from", "to", "subject", "date", "message-id"})
SIGNED = Signature("example.es", "s1", Result.PASS, COVERED)
GOOD = Verdicts("example.es", (SIGNED,), dmarc=Result.PASS, policy="reject")
KIN = replace(GOOD, signatures=(replace(SIGNED, exact=False),))
DATELESS = replace(GOOD, signatures=(replace(SIGNED, covers=COVERED - {"date"}),))
REPORTED = replace(GOOD, signatures=(replace(SIGNED, why="as mx says"),))
SERVED = Verdicts("a.example", dmarc=Result.PASS, authserv="mx.example.es")
FORGED = Verdicts("example.es", dmarc=Result.FAIL, policy="quarantine")
WAITS = Verdicts("example.es", dmarc=Result.TEMPERROR)
STRICT = {"technicians": "strict"}
MARTA = Person(Role.TECHNICIAN, "marta", "Marta Gil", "marta@example.es", "es")


def checked(message: Mail, verdicts: Verdicts, at: datetime | None = NOW, **envelope: Any) -> Mail:
    return replace(message, verdicts=verdicts, date=at, envelope=replace(message.envelope, **envelope))


@pytest.mark.parametrize(
    ("mode", "verdicts", "token", "used", "date", "user", "lack"),
    [
        ("off", Verdicts(), False, False, None, "", ""),
        ("token", Verdicts(), True, False, None, "", ""),
        ("token", GOOD, False, False, NOW, "", ""),
        ("token", Verdicts(), False, False, NOW, "", "no_token"),
        ("token", GOOD, False, True, NOW, "", "no_token"),
        ("token", Verdicts(), False, False, NOW, "marta", ""),
        ("strict", GOOD, True, False, NOW, "", ""),
        ("strict", Verdicts(), False, False, NOW, "marta", ""),
        ("strict", Verdicts(), True, False, NOW, "elena", "no_signature"),
        ("strict", Verdicts(), True, False, NOW, "", "no_signature"),
        ("strict", GOOD, False, False, NOW, "", "no_token"),
        ("strict", WAITS, True, False, NOW, "", "dns"),
        ("strict", GOOD, True, True, NOW, "", "used"),
        ("strict", GOOD, True, False, None, "", "stale"),
        ("strict", GOOD, True, False, NOW - timedelta(days=7, seconds=1), "", "stale"),
        ("strict", GOOD, True, False, NOW - timedelta(days=7), "", ""),
        ("strict", GOOD, True, False, NOW + timedelta(days=8), "", "stale"),
        ("strict", KIN, True, False, NOW, "", "no_signature"),
        ("strict", DATELESS, True, False, NOW, "", "no_signature"),
        ("strict", replace(GOOD, signatures=()), True, False, NOW, "", "no_signature"),
    ],
)  # fmt: skip
def test_staff_are_believed_with(
    mode: str, verdicts: Verdicts, token: bool, used: bool, date: datetime | None, user: str, lack: str
) -> None:
    message = checked(from_marta("#time 1m"), verdicts, date, user=user)
    at = desk(trust={"technicians": mode})
    found = trust.of_staff(MARTA, message, at, NOW, own_token=token, id_used=used)
    assert (found.lack, bool(found.proof)) == (lack, not lack)


@pytest.mark.parametrize(
    ("verdicts", "token", "proof", "lack"),
    [
        (Verdicts(), True, "their own reply token", ""),
        (GOOD, False, "DKIM signature of example.es (s1)", ""),
        (REPORTED, False, "DKIM signature of example.es (s1, as mx says)", ""),
        (SERVED, False, "dmarc=pass, as mx.example.es says", ""),
        (Verdicts("a.example", dmarc=Result.PASS, sealer="list.example"), False, "ARC seal of list.example", ""),
        (Verdicts("a.example", spf=Result.PASS, dmarc=Result.PASS, policy="reject"), False, "", "no_signature"),
        (WAITS, False, "", "dns"),
    ],
)  # fmt: skip
def test_others_are_believed_with(verdicts: Verdicts, token: bool, proof: str, lack: str) -> None:
    assert trust.of_others(checked(mail(), verdicts), own_token=token) == trust.Standing(proof, lack)  # type: ignore[arg-type]


def test_only_what_something_depends_on_is_looked_up() -> None:
    marta = from_marta("#time 1m")
    assert not trust.needs_proof(marta, desk())
    assert trust.needs_proof(replace(marta, recipients=("soporte@example.es",)), desk())
    assert trust.needs_proof(marta, desk(trust=STRICT))
    assert not trust.needs_proof(checked(marta, Verdicts(), user="marta"), desk(trust=STRICT))
    assert not trust.needs_proof(marta, desk(trust={"technicians": "off"}))
    assert trust.needs_proof(mail(), desk())
    assert not trust.needs_proof(mail(), desk(trust={"clients": "off"}))
    assert not trust.needs_proof(replace(mail(), envelope=Envelope("inject")), desk())
    assert not trust.needs_proof(replace(mail(), unreadable="too long"), desk())
    luis = mail(sender="luis@stranger.example")
    assert not trust.needs_proof(luis, desk())
    assert trust.needs_proof(luis, desk(desk={"strangers": "prospect"}))
    assert trust.needs_proof(replace(luis, subject="Re: [SOP-12] El carrito"), desk())


def test_who_waits_for_the_dns_is_tried_again_ever_later_and_not_for_ever() -> None:
    pauses = [trust.next_try(None, NOW, tries, NOW) for tries in (1, 2, 6, 60)]
    assert pauses == [NOW + timedelta(seconds=seconds) for seconds in (15, 30, 600, 600)]
    assert trust.next_try(None, NOW, 9, NOW + timedelta(hours=1)) is None
    assert trust.next_try(MARTA, NOW, 9, NOW + timedelta(hours=1)) is not None
    assert trust.next_try(MARTA, NOW, 9, NOW + timedelta(hours=4)) is None


def test_words_of_the_evidence() -> None:
    assert Verdicts().words == ""
    bad = replace(SIGNED, result=Result.POLICY, why="expired (x=)")
    found = Verdicts("example.es", (bad,), Result.SOFTFAIL, Result.PASS, "none", sealer="list.example")
    assert found.words == (
        "dkim=policy (example.es, s1: expired (x=)); spf=softfail; dmarc=pass (p=none); arc=pass (list.example)"
    )
    assert replace(GOOD, authserv="mx").words == "dkim=pass (example.es, s1); dmarc=pass (p=reject), as mx says"


# ---- what follows --------------------------------------------------------------------------------


def test_forged_mail_of_a_technician_is_told_to_them_whatever_token_it_bears() -> None:
    found = plan(checked(from_marta("Hola"), FORGED), known(ticket()), desk(trust=STRICT))
    assert found.outcome is Outcome.QUARANTINE
    assert [(notice.to, notice.values["reason"]) for notice in found.notices] == [("marta@example.es", "forged")]


def test_forged_mail_of_a_client_is_silent_even_from_a_robot() -> None:
    for message in (mail(), mail(headers="Auto-Submitted: auto-replied\n")):
        found = plan(checked(message, FORGED), known(ticket()))
        assert (found.outcome, found.notices) == (Outcome.QUARANTINE, ())


def test_person_who_stands_for_a_forged_mail_lets_it_in() -> None:
    found = plan(checked(mail(), FORGED), known(), vouched=True)
    assert (found.outcome, found.doubt) == (Outcome.OPEN, "")
    assert "checked: dkim=none; dmarc=fail (p=quarantine)" in found.why


@pytest.mark.parametrize("signs", [True, False])
def test_question_that_another_may_ask_is_answered_by_asking(signs: bool) -> None:
    facts = known(repute=Repute(signs=signs))
    found = plan(checked(mail(subject="saldo", text=""), Verdicts("acme.example")), facts)
    assert templates(found) == (["unverified"] if signs else ["balance"])
    assert found.outcome is (Outcome.KEEP if signs else Outcome.ANSWER)
    asked = plan(
        mail(subject="saldo", text=""), known(repute=Repute(signs=True, asked=frozenset({"ana@acme.example"})))
    )
    assert (asked.outcome, templates(asked)) == (Outcome.KEEP, [])


def test_request_besides_a_question_goes_on_and_says_its_doubt() -> None:
    words = "saldo\n\nAdemás no funciona nada en la web desde ayer por la tarde y los clientes se nos quejan mucho."
    found = plan(mail(words, subject="saldo"), known(repute=Repute(signs=True)))
    assert (found.outcome, templates(found)) == (Outcome.OPEN, ["unverified", "ack", "notice"])
    assert found.notices[-1].values["doubt"] == "wary"


def test_ok_of_who_may_be_another_agrees_to_nothing() -> None:
    found = plan(
        mail("Hola.\n#tope 30m", subject="Re: [SOP-12] El carrito"), known(ticket(), repute=Repute(signs=True))
    )
    assert found.script.commands == ()
    assert templates(found)[0] == "unverified"
    assert found.notices[0].ticket == 12


def test_reports_of_a_day_have_an_end_and_go_to_who_is_registered() -> None:
    full = known(repute=Repute(reports={("ana@acme.example", "balance"): 10}))
    assert plan(mail(subject="saldo", text=""), full).outcome is Outcome.KEEP
    assert [templates(plan(mail(subject=word, text=""), full)) for word in ("ayuda", "informe")] == [
        ["help"],
        ["report"],
    ]
    found = plan(mail(subject="saldo", text="", sender="eva@tienda.example"), known())
    assert [notice.to for notice in found.notices] == ["ana@acme.example"]
    proven = checked(mail(subject="saldo", text="", sender="eva@tienda.example"), GOOD)
    assert [notice.to for notice in plan(proven, known()).notices] == ["eva@tienda.example"]


def test_required_proof_of_a_client() -> None:
    at = desk(trust={"clients": "require"})
    found = plan(mail(), known(), at)
    assert (found.outcome, templates(found)) == (Outcome.QUARANTINE, ["unverified"])
    assert plan(checked(mail(), GOOD), known(), at).outcome is Outcome.OPEN
    assert plan(mail(to=reply_address(12, "ana@acme.example")), known(ticket()), at).outcome is Outcome.APPEND


def test_nothing_is_marked_where_nobody_looks() -> None:
    assert plan(mail(), known(), desk(trust={"clients": "off"})).doubt == ""
    assert plan(mail(), known()).doubt == "unproven"
    assert plan(mail(), known()).notices[-1].values["doubt"] == "unproven"
