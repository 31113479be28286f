"""`sell`, `refund` and `audit` as people and programs see them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.support import written

pytestmark = pytest.mark.slow


def change(sql: str) -> None:
    with closing(sqlite3.connect("data/mailgate.db")) as db, db:
        db.execute(sql)


def test_sale_is_told_in_one_line(run: Run) -> None:
    assert run("sell", "acme", "4h") == (0, "entry 1: acme bought 4h; 240 minutes left\n", "")


def test_sale_is_told_to_programs_with_what_goes_on(run: Run) -> None:
    run("sell", "acme", "4h")
    change("insert into entry (client, kind, minutes, worked, at, day, note, phone)"
           " values ('acme', 'refund', -240, 0, '2026-11-03T10:00:00.000000Z', '2026-11-03', '', 0)")  # fmt: skip
    change(
        "insert into ticket (id, client, subject, requester, opened_at, status, priority, held_for)"
        " values (7, 'acme', 'x', 'ana@acme.example', '2026-11-03T10:00:00.000000Z', 'held', 'normal', 'balance')"
    )
    code, out, _ = run("sell", "acme", "12h", "--paid-by", "paypal", "--json")
    assert code == 0
    assert json.loads(out) == {
        "entry": 3,
        "client": "acme",
        "package": "12h",
        "minutes": 720,
        "balance": 720,
        "resumed": ["SOP-7"],
    }


def test_first_purchase_that_may_not_be_one_is_refused_unless_forced(run: Run) -> None:
    code, out, err = run("sell", "acme", "12h")
    assert (code, out) == (1, "")
    assert "can only be: 4h" in err
    assert err.count("\n") == 1
    assert run("sell", "acme", "12h", "--force")[:2] == (0, "entry 1: acme bought 12h; 720 minutes left\n")
    code, out, _ = run("report", "acme", "--json")
    assert json.loads(out)["entries"][0]["note"] == "first purchase, forced"


def test_client_that_left_the_rules_is_known_by_the_books(run: Run) -> None:
    run("sell", "acme", "4h")
    run("inject", "-", stdin=written())
    rules = Path("rules.toml")
    rules.write_text(rules.read_text().replace("[clients.acme]", "[clients.other]"))
    assert json.loads(run("balance", "acme", "--json")[1])["minutes"] == 240
    assert json.loads(run("report", "acme", "--json")[1])["closing"] == 240
    assert [one["id"] for one in json.loads(run("tickets", "--client", "acme", "--json")[1])] == ["SOP-1"]
    assert json.loads(run("refund", "acme", "--json")[1])["amount"] == "160.00 EUR"
    assert json.loads(run("refund", "acme", "--accept", "--json")[1])["balance"] == 0
    told = json.loads(run("outbox", "--sent", "--json")[1])
    assert {mail["to"] for mail in told if mail["template"].startswith("refund")} == {"elena@example.es"}
    code, _, err = run("sell", "acme", "4h")
    assert (code, "the rules have: other" in err) == (1, True)
    for verb in (("balance",), ("report",), ("refund",), ("tickets", "--client")):
        code, _, err = run(*verb, "nobody")
        assert (code, "nobody: no such client" in err) == (1, True)


def test_refund_is_asked_for_accepted_and_shown(run: Run) -> None:
    run("sell", "acme", "4h")
    code, out, _ = run("refund", "acme", "--reason", "No nos sirve.", "--json")
    assert code == 0
    assert json.loads(out) == {
        "matter": 1,
        "client": "acme",
        "state": "open",
        "amount": "160.00 EUR",
        "balance": 240,
        "entries": [],
    }
    assert run("refund", "acme", "--accept")[1] == "refund of 160.00 EUR to acme: granted; 0 minutes left\n"
    code, out, _ = run("outbox", "--json")
    assert [mail["template"] for mail in json.loads(out)] == [
        "receipt",
        "refund_asked",
        "refund_request",
        "refund_decided",
        "refund_decided",
    ]
    assert run("audit")[0] == 0


@pytest.mark.parametrize("arguments", [["--accept"], ["--decline"]])
def test_refund_that_nobody_asked_for_is_refused(run: Run, arguments: list[str]) -> None:
    run("sell", "acme", "4h")
    assert run("refund", "acme", *arguments) == (1, "", "mailgate: acme: no refund is asked for\n")


def test_refund_of_an_unknown_client_is_refused(run: Run) -> None:
    run("sell", "acme", "4h")
    code, _, err = run("refund", "nobody")
    assert code == 1
    assert "nobody: no such client" in err


def test_good_audit_by_hand_ends_a_halt(run: Run) -> None:
    run("sell", "acme", "4h")
    change("insert into event (kind, client, key, at)"
           " values ('halt', '', '2026-11-03T10:00:00+00:00', '2026-11-03T10:00:00.000000Z')")  # fmt: skip
    code, out, _ = run("audit")
    assert code == 0
    assert out.endswith("minutes are booked again\n")
    assert "booked again" not in run("audit")[1]


def test_bad_audit_by_hand_ends_no_halt(run: Run) -> None:
    run("sell", "acme", "4h")
    change("insert into event (kind, client, key, at) values ('halt', '', 'k', '2026-11-03T10:00:00.000000Z')")
    change("insert into event (kind, client, key, at) values ('expiry', 'acme', 'k', '2026-11-03T10:00:00.000000Z')")
    code, out, _ = run("audit")
    assert code == 1
    assert "event 2: an expiry that booked no entry" in out
    with closing(sqlite3.connect("data/mailgate.db")) as db:
        assert db.execute("select count(*) from event where kind = 'resume'").fetchone() == (0,)
