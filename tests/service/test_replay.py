"""Changed rules tried on the mail that came: what would differ, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailgate.core.differences import Difference
from mailgate.errors import Refused
from mailgate.service.replay import Replay, Replayed
from mailgate.store import retention, rules_taken
from tests.stored import StoredDesk, stored_desk
from tests.support import NOW, RULES, desk, reply_address, written

HOUR = timedelta(hours=1)
DOWN = {"name": "site down", "match": {"any": ["no funciona"]}, "set": {"priority": "urgent", "assign": "elena"}}


def take_up(at: StoredDesk, now: datetime, **changes: Any) -> None:
    """Let these rules be in force from now on."""
    tables = {table: {**RULES.get(table, {}), **keys} for table, keys in changes.items() if isinstance(keys, dict)}
    at.office = type(at.office)(desk(**changes), at.office.renderer)
    with at.store.write() as tx:
        rules_taken.note(tx, json.dumps({**RULES, **changes, **tables}), now)


@pytest.fixture
def story(tmp_path: Path) -> Iterator[StoredDesk]:
    """Ana asks, Marta answers and closes, Ana comes back; Beta asks for something else."""
    with stored_desk(tmp_path) as opened:
        take_up(opened, NOW - HOUR)
        opened.book(240, at=NOW - HOUR)
        opened.take()
        opened.take(marta("Arreglado.\n\n#time 12m\n#close"), NOW + HOUR)
        opened.take(ana("Pues no funciona todavía el botón.", "<m2@acme.example>"), NOW + 2 * HOUR)
        opened.take(
            written("Nothing urgent.", sender="hello@beta.example", subject="Hi", message_id="<b1@beta.example>"),
            NOW + 3 * HOUR,
        )
        yield opened


def marta(text: str, message_id: str = "<a1@example.es>") -> bytes:
    return written(
        text, sender="marta@example.es", to=reply_address(1, "marta@example.es"), subject="Re: x", message_id=message_id
    )


def ana(text: str, message_id: str) -> bytes:
    to = reply_address(1, "ana@acme.example")
    return written(text, sender="ana@acme.example", to=to, subject="Re: El carrito", message_id=message_id)


def replay(at: StoredDesk, since: datetime = NOW - 24 * HOUR, **changes: Any) -> list[Replayed]:
    return list(Replay(at.store, desk(**changes), since).run(lambda done: None))


def told(found: list[Replayed]) -> dict[int, dict[str, tuple[str, str]]]:
    """Number of the message to what differs."""
    return {one.journal: {what.what: (what.was, what.would_be) for what in one.differences} for one in found}


def test_same_rules_differ_in_nothing(story: StoredDesk) -> None:
    assert replay(story) == []


def test_rules_that_change_nothing_for_these_mails_differ_in_nothing(story: StoredDesk) -> None:
    other = {"name": "invoice", "match": {"any": ["factura"]}, "set": {"priority": "low"}}
    assert replay(story, rules=[other]) == []
    assert replay(story, packages={"8h": {"minutes": 480, "price": "300.00 EUR"}}) == []


def test_new_rule_is_told_where_it_would_have_set_something(story: StoredDesk) -> None:
    found = replay(story, rules=[DOWN])
    assert [(one.journal, one.ticket, one.sender) for one in found] == [
        (1, 1, "ana@acme.example"),
        (3, 1, "ana@acme.example"),
    ]
    assert Difference("priority", "normal", "urgent", "site down") in found[0].differences
    assert Difference("technician", "marta", "elena", "site down") in found[0].differences
    assert told(found)[1]["mails"] == (
        "ack to ana@acme.example, notice to marta@example.es",
        "ack to ana@acme.example, notice to elena@example.es",
    )
    # In a ticket that goes on a rule raises the priority and hands nothing over.
    assert told(found)[3].keys() == {"rules", "priority"}


def test_of_several_rules_the_new_one_is_named(story: StoredDesk) -> None:
    first = {"name": "shop", "match": {"any": ["carrito"]}, "set": {"category": "bug"}}
    take_up(story, NOW + 4 * HOUR, rules=[first])
    story.take(written("No funciona el carrito.", message_id="<m9@acme.example>"), NOW + 5 * HOUR)
    (only,) = replay(story, NOW + 4 * HOUR, rules=[first, DOWN])
    assert Difference("priority", "normal", "urgent", "site down") in only.differences


def test_rule_that_drops_shows_what_would_not_have_come(story: StoredDesk) -> None:
    found = told(replay(story, rules=[{"name": "out", "match": {"client": "beta"}, "set": {"drop": True}}]))
    assert found[4]["outcome"] == ("open", "keep")
    assert found[4]["mails"][1] == "none"
    assert found.keys() == {4}


def test_mail_is_held_against_the_rules_of_its_time(story: StoredDesk) -> None:
    take_up(story, NOW + 4 * HOUR, rules=[DOWN])
    story.take(written("No funciona nada.", subject="Otra cosa", message_id="<m3@acme.example>"), NOW + 5 * HOUR)
    assert replay(story, rules=[DOWN]) != []
    assert {one.journal for one in replay(story, rules=[DOWN])} == {1, 3}
    assert {one.journal for one in replay(story)} == {5}


def test_only_the_period_is_looked_at(story: StoredDesk) -> None:
    run = Replay(story.store, desk(rules=[DOWN]), NOW + HOUR)
    assert [one.journal for one in run.run(lambda done: None)] == [3]
    assert run.done == 3


def test_person_who_would_be_nobody_is_told(story: StoredDesk) -> None:
    clients = {"acme": RULES["clients"]["acme"], "beta": {**RULES["clients"]["beta"], "addresses": ["x@beta.example"]}}
    found = told(replay(story, clients=clients))
    assert found.keys() == {4}
    assert found[4]["sender"] == ("client beta", "stranger")
    assert found[4]["outcome"][0] == "open"
    assert found[4]["outcome"][1].startswith("quarantine")


def test_promise_is_reckoned_from_when_the_mail_came(story: StoredDesk) -> None:
    found = told(replay(story, promise={"first_answer": "8h"}))
    assert found[1]["answer due"] == ("2026-11-03 15:00", "2026-11-03 19:00")
    # The answer was no promise; what came after it began one.
    assert found.keys() == {1, 3, 4}


def test_what_came_later_is_not_known_yet(story: StoredDesk) -> None:
    """The ticket that is closed now was new then: under other rules for reopening the first answers stay the same."""
    story.take(marta("Ya está.\n\n#close", "<a2@example.es>"), NOW + 6 * HOUR)
    assert replay(story, time={"reopen_within": "1d"}) == []
    assert {one.journal for one in replay(story, rules=[DOWN])} == {1, 3}


def test_balance_is_the_one_of_then(story: StoredDesk) -> None:
    story.book(1000, at=NOW + 9 * HOUR)
    found = told(replay(story, time={"warn_at": ["230m"]}))
    assert found.keys() == {2}
    assert "low_balance to ana@acme.example" in found[2]["mails"][1]


def test_without_rules_noted_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    with stored_desk(tmp_path) as opened:
        assert replay(opened) == []
        opened.take()
        with pytest.raises(Refused, match="no rules were noted"):
            replay(opened)


def test_nothing_is_changed(story: StoredDesk) -> None:
    with story.store.read() as tx:
        before = list(tx.db.conn.iterdump())
    replay(story, rules=[DOWN])
    with story.store.read() as tx:
        assert list(tx.db.conn.iterdump()) == before


def test_rules_are_noted_when_they_change_alone(story: StoredDesk) -> None:
    with story.store.write() as tx:
        assert rules_taken.note(tx, '{"a": 1}', NOW)
        assert not rules_taken.note(tx, '{"a": 1}', NOW + HOUR)
        assert rules_taken.note(tx, '{"a": 2}', NOW + HOUR)
        assert rules_taken.note(tx, '{"a": 1}', NOW + 2 * HOUR)
        asked = [NOW - 100 * HOUR, NOW, NOW + HOUR, NOW + 3 * HOUR]
        numbers = [rules_taken.in_force(tx, at) for at in asked]
    assert numbers == [1, 2, 3, 4]


def test_what_is_kept_no_longer_is_counted_and_not_tried(story: StoredDesk) -> None:
    with story.store.write() as tx:
        retention.remove_raw(tx, tx.value("select blob from journal where id = 1"))
    run = Replay(story.store, desk(rules=[DOWN]), NOW - 24 * HOUR)
    assert 1 not in [one.journal for one in run.run(lambda done: None)]
    assert (run.done, run.gone) == (3, 1)
