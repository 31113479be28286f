"""Mails that go round between programs: the desk falls silent by itself, tells it once, and still hears people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from email import message_from_bytes
from pathlib import Path

import pytest

from mailgate.core.mail import Envelope
from mailgate.core.model import Outcome
from mailgate.core.plan import Plan
from mailgate.service.process import process_alone
from mailgate.store import journal, messages, outbox, tickets
from tests.stored import StoredDesk, stored_desk
from tests.support import NOW, desk, reply_address, templates, written

A, B = "soporte@a.example", "soporte@b.example"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def at(tmp_path: Path) -> Iterator[StoredDesk]:
    with stored_desk(tmp_path) as it:
        yield it


def deliver_all(at: StoredDesk, when: datetime) -> list[tuple[str, str, bytes]]:
    """Send what is due; envelope sender, recipient and bytes of each."""
    with at.store.write() as tx:
        due = outbox.claim_due(tx, when, when + MINUTE, 1000)
        for mail in due:
            outbox.mark_sent(tx, mail.id, when)
    return [(mail.sender, mail.to, mail.raw) for mail in due]


def take(at: StoredDesk, raw: bytes, sender: str, to: str, when: datetime) -> Plan:
    with at.store.write() as tx:
        number = journal.take(tx, raw, Envelope("smtp", sender, (to,)), when)
    plan = process_alone(at.store, at.office, number, when)
    assert plan is not None
    return plan


# ---- two desks ------------------------------------------------------------------------------------


def a_desk(folder: Path, address: str, other: str) -> StoredDesk:
    folder.mkdir()
    rules = desk(
        desk={"address": address, "name": f"Desk of {address}"},
        clients={"other": {"name": "The other desk", "addresses": [other], "technician": "marta"}},
    )
    return stack.enter_context(stored_desk(folder, rules))


stack = ExitStack()


@pytest.fixture
def two(tmp_path: Path) -> Iterator[dict[str, StoredDesk]]:
    """Two desks, each of which has the other as a client."""
    with stack:
        yield {A: a_desk(tmp_path / "a", A, B), B: a_desk(tmp_path / "b", B, A)}


def play(two: dict[str, StoredDesk], strip: str, most: int = 500) -> int:
    """Carry mails between the desks until both are silent; how many went between them.

    strip: fields that the road takes out, as a pattern.
    """
    when, carried = NOW, 0
    under_way = [(B, A, written("Hola", sender=B, to=A, subject="Prueba", message_id="<first@b.example>"))]
    while under_way and carried < most:
        sender, to, raw = under_way.pop(0)
        home = A if to.endswith("@a.example") else B
        take(two[home], raw, sender, to, when)
        when += timedelta(seconds=1)
        for back, recipient, mail in deliver_all(two[home], when):
            if recipient.endswith(("@a.example", "@b.example")):
                under_way.append((back, recipient, stripped(mail, strip)))
                carried += 1
    return carried


def stripped(raw: bytes, names: str) -> bytes:
    mail = message_from_bytes(raw)
    for name in [name for name in mail if re.fullmatch(names, name, re.IGNORECASE)]:
        del mail[name]
    return mail.as_bytes()


def told(at: StoredDesk) -> list[str]:
    return [mail.to for mail in at.mails() if mail.template == "loop_stopped"]


def test_two_desks_fall_silent_at_once(two: dict[str, StoredDesk]) -> None:
    assert play(two, "nothing") == 1
    assert told(two[A]) == told(two[B]) == []


MARKS = "auto-submitted|x-auto-response-suppress|precedence|x-mailgate-.*"
THREAD = "in-reply-to|references"


@pytest.mark.slow
@pytest.mark.parametrize("strip", [MARKS, f"{MARKS}|{THREAD}", f"{MARKS}|{THREAD}|reply-to"])
def test_two_desks_fall_silent_where_the_road_takes_their_marks_away(two: dict[str, StoredDesk], strip: str) -> None:
    carried = play(two, strip)
    assert carried < 50
    assert all(len(told(one)) <= 1 for one in two.values())


def test_loop_that_only_counting_ends_is_told_once(two: dict[str, StoredDesk]) -> None:
    play(two, f"{MARKS}|{THREAD}")
    assert [address for one in two.values() for address in told(one)][:1] == ["elena@example.es"]
    with two[A].store.read() as tx:
        received = int(tx.value("select count(*) from journal"))
        kept = sum(len(messages.of_ticket(tx, number)) for number in range(1, tickets.next_id(tx)))
    assert received == kept > 15


# ---- a robot that gives no sign ------------------------------------------------------------------


def robot(
    at: StoredDesk, rounds: int, *, subject: str = "Re: {}", seconds: int = 5, start: datetime = NOW
) -> list[Plan]:
    """A program at the client's that answers each acknowledgement, without any header to tell."""
    plans, line = [], "El carrito"
    for number in range(rounds):
        when = start + number * timedelta(seconds=seconds)
        raw = written("Estoy fuera hasta el lunes.", subject=line, message_id=f"<r{start:%H%M}{number}@acme.example>")
        plans.append(take(at, raw, "ana@acme.example", "soporte@example.es", when))
        deliver_all(at, when)
        line = subject.format(line)
    return plans


def acknowledged(plans: list[Plan]) -> int:
    return sum("ack" in templates(plan) for plan in plans)


@pytest.mark.slow
@pytest.mark.parametrize("subject", ["Re: {}", "{}", "Respuesta de Ana: {}", "RE: RE: {}"])
def test_robot_without_a_sign_is_acknowledged_up_to_the_cap(at: StoredDesk, subject: str) -> None:
    plans = robot(at, 40, subject=subject)
    assert acknowledged(plans) == 21  # the first is no answer to anything
    assert all(plan.outcome is Outcome.OPEN for plan in plans)
    assert told(at) == ["elena@example.es"]
    text = at.raws()[[mail.template for mail in at.mails()].index("loop_stopped")].decode()
    assert "ana@acme.example" in text


def test_what_people_write_is_heard_beside_a_loop(at: StoredDesk) -> None:
    robot(at, 40)
    when = NOW + 4 * MINUTE
    theirs = take(at, written("Una pregunta nueva", subject="Facturas"), "ana@acme.example", "soporte@example.es", when)
    other = written("Hi, our shop is down", sender="hello@beta.example", subject="Shop", message_id="<b@beta.example>")
    others = take(at, other, "hello@beta.example", "soporte@example.es", when)
    assert "ack" in templates(theirs)
    assert "ack" in templates(others)


def test_address_is_answered_again_when_the_window_is_over(at: StoredDesk) -> None:
    robot(at, 30)
    assert acknowledged(robot(at, 1, start=NOW + 30 * MINUTE)) == 1


@pytest.mark.slow
def test_slow_loop_is_caught_too(at: StoredDesk) -> None:
    """One answer a minute passes no cap of ten minutes, but one of an hour."""
    plans = robot(at, 100, seconds=60)
    assert 60 <= acknowledged(plans) <= 61 + 40


@pytest.mark.slow
@pytest.mark.parametrize("apart", [0, 5])
def test_client_may_write_as_much_as_they_like(at: StoredDesk, apart: int) -> None:
    """Dozens a minute, about as many things, each acknowledged."""
    plans = []
    for number in range(90):
        when = NOW + number * timedelta(milliseconds=600)
        raw = written(f"Consulta {number}.", subject=f"Consulta {number}", message_id=f"<c{number}@acme.example>")
        plans.append(take(at, raw, "ana@acme.example", "soporte@example.es", when))
        deliver_all(at, when + timedelta(seconds=apart))
    assert acknowledged(plans) == 90
    assert told(at) == []


def test_same_mail_sent_many_times_before_any_answer_left_is_no_loop(at: StoredDesk) -> None:
    plans = [
        take(at, written(message_id=f"<s{number}@acme.example>"), "ana@acme.example", "soporte@example.es", NOW)
        for number in range(60)
    ]
    assert acknowledged(plans) == 60


# ---- in a ticket ---------------------------------------------------------------------------------


def exchange(at: StoredDesk, rounds: int, seconds: int) -> list[Plan]:
    """Programs of the client and of the technician answer each other in SOP-1."""
    plans = [take(at, written(), "ana@acme.example", "soporte@example.es", NOW)]
    for number in range(rounds):
        when = NOW + (number + 1) * timedelta(seconds=seconds)
        for person, address in (("marta", "marta@example.es"), ("ana", "ana@acme.example")):
            raw = written(
                f"Estoy fuera ({person}, {number}).",
                sender=address,
                to=reply_address(1, address),
                subject="Re: El carrito",
                message_id=f"<{person}{number}@x.example>",
            )
            plans.append(take(at, raw, address, reply_address(1, address), when))
        deliver_all(at, when)
    return plans


def test_ticket_in_which_both_sides_answer_faster_than_people_falls_silent(at: StoredDesk) -> None:
    plans = exchange(at, 40, seconds=4)
    silent = [plan for plan in plans if any("is silent" in why for why in plan.why)]
    assert len(silent) == len(plans) - 41
    assert all(set(templates(plan)) <= {"loop_stopped"} for plan in silent)
    assert told(at) == ["elena@example.es"]
    with at.store.read() as tx:
        assert len(messages.of_ticket(tx, 1)) == len(plans)


@pytest.mark.slow
def test_other_tickets_go_on_beside_a_silent_one(at: StoredDesk) -> None:
    exchange(at, 40, seconds=4)
    raw = written("Otra cosa", subject="Facturas", message_id="<o@acme.example>")
    plan = take(at, raw, "ana@acme.example", "soporte@example.es", NOW + 3 * MINUTE)
    assert templates(plan) == ["ack", "notice"]


@pytest.mark.slow
def test_people_who_answer_each_other_all_day_pass_no_cap(at: StoredDesk) -> None:
    plans = exchange(at, 35, seconds=120)
    assert not any("is silent" in why for plan in plans for why in plan.why)
