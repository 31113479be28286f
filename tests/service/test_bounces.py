"""What comes back of the mails that the desk sent: it lands on its ticket and is told, and nobody is answered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from mailgate.core.mail import Envelope, Notice
from mailgate.core.model import Outcome, Role, Status
from mailgate.core.plan import Plan
from mailgate.samples import VALUES
from mailgate.service.process import process_alone
from mailgate.store import journal, messages, outbox, tickets
from mailgate.store.outbox import Queued
from tests.stored import StoredDesk, stored_desk
from tests.support import NOW, desk, reply_address, templates, written

DEAD = "550 5.1.1 No such user"


@pytest.fixture
def at(tmp_path: Path) -> Iterator[StoredDesk]:
    """A desk where Ana opened SOP-1, and Marta answered."""
    with stored_desk(
        tmp_path, desk(clients={"acme": {**_ACME, "addresses": ["ana@acme.example", "*@tienda.example"]}})
    ) as it:
        it.take()
        it.take(
            written(
                "Ya funciona.\n\n#time 12m",
                sender="Marta Gil <marta@example.es>",
                to=reply_address(1, "marta@example.es"),
                subject="Re: [SOP-1 Acme S.L.] El carrito",
                message_id="<a1@example.es>",
            )
        )
        yield it


_ACME = {
    "name": "Acme S.L.",
    "addresses": ["ana@acme.example", "*@tienda.example"],
    "contact": "ana@acme.example",
    "technician": "marta",
}


def mail_to(at: StoredDesk, template: str) -> Queued:
    return next(mail for mail in reversed(at.mails()) if mail.template == template)


def sender_of(at: StoredDesk, mail: Queued) -> str:
    with at.store.read() as tx:
        return str(tx.value("select sender from outbox where id = :id", id=mail.id))


def came_back(
    at: StoredDesk,
    mail: Queued,
    error: str = DEAD,
    *,
    action: str = "failed",
    to: str | None = None,
    original: bool = False,
    number: int = 1,
    author: str = "MAILER-DAEMON@mx.acme.example",
    when: timedelta = timedelta(minutes=5),
) -> Plan:
    """A report of RFC 3464 about a mail of ours arrives."""
    headers = f"Message-ID: <{mail.message_id}>\r\nSubject: x" if original else "Subject: x"
    raw = (
        f"From: Mail System <{author}>\r\nTo: {to or sender_of(at, mail)}\r\nSubject: Undelivered Mail\r\n"
        f"Message-ID: <bounce{number}@mx.acme.example>\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n"
        "--x\r\n\r\nIt could not be delivered.\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; mx\r\n\r\nAction: {action}\r\nStatus: {error.split()[1]}\r\n"
        f"Diagnostic-Code: smtp; {error}\r\n"
        f"--x\r\nContent-Type: text/rfc822-headers\r\n\r\n{headers}\r\n--x--\r\n"
    )
    return take(at, raw.encode(), to or sender_of(at, mail), when)


def take(at: StoredDesk, raw: bytes, to: str, when: timedelta = timedelta(minutes=5)) -> Plan:
    with at.store.write() as tx:
        number = journal.take(tx, raw, Envelope("smtp", "", (to,)), NOW + when)
    plan = process_alone(at.store, at.office, number, NOW + when)
    assert plan is not None
    return plan


def test_bounce_lands_on_its_ticket_and_its_technician_is_told(at: StoredDesk) -> None:
    answer = mail_to(at, "answer")
    plan = came_back(at, answer)
    assert (plan.outcome, plan.role, plan.internal) == (Outcome.APPEND, Role.ROBOT, True)
    assert plan.ticket is not None
    assert plan.ticket.id == 1
    told = mail_to(at, "delivery_failed")
    assert (told.to, told.ticket) == ("marta@example.es", 1)
    text = at.raws()[-1].decode()
    assert "no ha recibido la respuesta" in text
    assert DEAD in text
    with at.store.read() as tx:
        assert tickets.get(tx, 1).status is Status.WAITING  # type: ignore[union-attr]
        assert messages.of_ticket(tx, 1)[-1].role is Role.ROBOT


def test_outbox_shows_what_came_back_and_sends_it_no_more(at: StoredDesk) -> None:
    answer = mail_to(at, "answer")
    came_back(at, answer)
    with at.store.write() as tx:
        (listed,) = [row for row in outbox.listed(tx) if row.id == answer.id]
        assert (listed.state, listed.last_error, listed.bounced) == ("failed", DEAD, "hard")
        assert answer.id not in [due.id for due in outbox.claim_due(tx, NOW + timedelta(days=1), NOW, 99)]


@pytest.mark.parametrize("road", ["original", "reply address"])
def test_bounce_that_does_not_keep_to_the_envelope_sender_is_recognised(at: StoredDesk, road: str) -> None:
    answer = mail_to(at, "answer")
    home = "soporte@example.es" if road == "original" else reply_address(1, "ana@acme.example")
    plan = came_back(at, answer, to=home, original=road == "original")
    assert plan.bounced is not None
    assert plan.bounced.mail == answer.id
    assert templates(plan) == ["delivery_failed"]


@pytest.mark.parametrize("times", [2, 5])
def test_mail_that_comes_back_again_is_told_once(at: StoredDesk, times: int) -> None:
    answer = mail_to(at, "answer")
    told = [templates(came_back(at, answer, number=number)) for number in range(times)]
    assert told == [["delivery_failed"], *[[]] * (times - 1)]


@pytest.mark.parametrize(
    ("change", "to"),
    [("token", None), ("number", None), ("desk", "soporte@example.es")],
)
def test_bounce_without_proof_is_kept_and_changes_nothing(at: StoredDesk, change: str, to: str | None) -> None:
    answer = mail_to(at, "answer")
    sender = sender_of(at, answer)
    forged = {
        "token": sender.replace(sender.split(".")[1][:4], "aaaa"),
        "number": sender.replace(f"+b{answer.id}.", f"+b{answer.id - 1}."),
        "desk": "",
    }[change]
    plan = came_back(at, answer, to=to or forged)
    assert (plan.outcome, plan.ticket, plan.bounced, plan.notices) == (Outcome.KEEP, None, None, ())


def test_bounce_in_the_name_of_a_client_is_a_robots(at: StoredDesk) -> None:
    """Whoever may write from any address of a domain has mail servers there."""
    plan = came_back(at, mail_to(at, "answer"), author="mailer-daemon@tienda.example")
    assert (plan.role, plan.internal) == (Role.ROBOT, True)


def test_delay_is_kept_and_told_to_nobody(at: StoredDesk) -> None:
    answer = mail_to(at, "answer")
    plan = came_back(at, answer, "451 4.4.1 later", action="delayed")
    assert (plan.outcome, plan.bounced, plan.notices) == (Outcome.APPEND, None, ())


def test_notice_that_comes_back_is_told_to_the_director(at: StoredDesk) -> None:
    plan = came_back(at, mail_to(at, "notice"))
    assert [(notice.template, notice.to) for notice in plan.notices] == [("delivery_failed", "elena@example.es")]


def test_mail_that_tells_of_a_bounce_cannot_come_back(at: StoredDesk) -> None:
    came_back(at, mail_to(at, "answer"))
    assert sender_of(at, mail_to(at, "delivery_failed")) == ""


def test_vacation_answer_to_the_envelope_sender_lands_on_the_ticket_and_is_no_bounce(at: StoredDesk) -> None:
    answer = mail_to(at, "answer")
    raw = written(
        "Estoy fuera.",
        to=sender_of(at, answer),
        subject="Ausente",
        message_id="<v1@acme.example>",
        headers="Auto-Submitted: auto-replied\n",
    )
    plan = take(at, raw, sender_of(at, answer))
    assert (plan.outcome, plan.bounced, plan.notices) == (Outcome.APPEND, None, ())
    with at.store.read() as tx:
        assert outbox.get(tx, answer.id).bounced == ""  # type: ignore[union-attr]


def lose(at: StoredDesk, count: int, error: str = DEAD) -> list[Plan]:
    """So many mails to Ana come back."""
    plans = []
    for number in range(count):
        at.take(written("Otra cosa.", message_id=f"<m{number + 10}@acme.example>", subject=f"Cosa {number}"))
        plans.append((mail_to(at, "ack"), number))
    return [came_back(at, mail, error, number=number) for mail, number in plans]


def acks(at: StoredDesk) -> int:
    return sum(mail.template == "ack" for mail in at.mails())


def an_automatic_mail_is_written(at: StoredDesk, when: timedelta = timedelta(minutes=6)) -> bool:
    before = len(at.mails())
    at.post(Notice("low_balance", "ana@acme.example", "es", values=VALUES["low_balance"][0]), f"t{before}", NOW + when)
    return len(at.mails()) > before


def test_third_mail_that_a_dead_address_sends_back_ends_its_automatic_mails(at: StoredDesk) -> None:
    plans = lose(at, 3)
    assert [plan.notices[0].values["dead"] for plan in plans] == [False, False, True]
    assert not an_automatic_mail_is_written(at)


@pytest.mark.parametrize(("count", "error"), [(2, DEAD), (5, "552 5.2.2 Mailbox full")])
def test_address_that_may_live_goes_on_getting_mail(at: StoredDesk, count: int, error: str) -> None:
    lose(at, count, error)
    assert an_automatic_mail_is_written(at)


def test_who_writes_from_an_address_that_was_dead_is_answered_again(at: StoredDesk) -> None:
    lose(at, 3)
    before = acks(at)
    at.take(written("Ya leo el correo.", message_id="<back@acme.example>", subject="Hola"), NOW + timedelta(hours=1))
    assert acks(at) == before + 1


def test_dead_address_is_tried_again_after_a_week(at: StoredDesk) -> None:
    lose(at, 3)
    assert an_automatic_mail_is_written(at, timedelta(days=8))


def test_answer_of_a_technician_is_sent_to_a_dead_address_all_the_same(at: StoredDesk) -> None:
    lose(at, 3)
    before = len(at.mails())
    at.take(
        written(
            "Mira ahora.",
            sender="Marta Gil <marta@example.es>",
            to=reply_address(1, "marta@example.es"),
            subject="Re: [SOP-1 Acme S.L.] El carrito",
            message_id="<a2@example.es>",
        ),
        NOW + timedelta(hours=1),
    )
    assert [mail.template for mail in at.mails()[before:]] == ["answer"]
