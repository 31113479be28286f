"""A client is forgotten to the last byte, the books add up as before, and nobody else is touched."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from mailgate.core.desk import Desk
from mailgate.core.erasure import Obstacle, mark
from mailgate.core.mail import Notice, file_name
from mailgate.core.model import MatterState, Outcome, Role, Status
from mailgate.service import backup, erase, export, refunds
from mailgate.service.audit import audited
from mailgate.service.daily import run_daily
from mailgate.service.erase import Erased, Standing
from mailgate.service.secret import desk_key
from mailgate.store import (
    Connection,
    Store,
    blobs,
    entries,
    erasure,
    events,
    looks,
    matters,
    messages,
    outbox,
    rules_taken,
    search,
    sessions,
    tickets,
)
from mailgate.store.tickets import EVERY, Only
from mailgate.store.writer import Writer
from tests.service.jobs.test_retention import DAY, _with_file
from tests.stored import stored_desk
from tests.story import Story
from tests.support import NOW, RULES, desk, written

# None of these may stand in any file afterwards: words of theirs, names, addresses, and how mail writes them.
CANARIES = (
    *(b"CANARY-7431", b"Q0FOQVJZ", b"acme.example", b"tienda.example", b"Acme S.L.", b"canary", b"arrito"),
    *(b"funciona", b"transfer of acme", b"Tomas", b"IBAN-ES91"),
)


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """Acme and Beta ask, are answered and billed; of Acme there is something in every corner of the store."""
    with stored_desk(tmp_path, desk()) as stored:
        story = Story(stored)
        with stored.store.write() as tx:
            rules_taken.note(tx, json.dumps({**RULES, "rules": [_RULE]}, ensure_ascii=False), NOW)
        for client in ("acme", "beta"):
            stored.book(240, client=client, package="4h", price="160.00 EUR", reference=f"transfer of {client}")
        stored.take(_with_file())
        story.says("hello@beta.example", "Our shop is down.", subject="Shop")
        story.says("marta", "Hecho, CANARY-7431.\n\n#time 12m IBAN-ES91\n#time SOP-2 30m", 1)
        story.says("marta", "#note\nOjo con Acme S.L.: CANARY-7431.", 1)
        story.says("ana", "#reclamar 3 fue CANARY-7431", 1)
        story.says("ana", "saldo", subject="saldo")
        story.says("tomas@tienda.example", "CANARY-7431 en otra cosa.", subject="Otra CANARY-7431")
        stored.take(b"X-Trace: 1\n" + _with_file(), NOW + timedelta(minutes=1))
        stored.take(written("CANARY", sender="Ana <ana@acme.example>, x@y.example", message_id="<q@acme.example>"))
        with stored.store.write() as tx:
            _corners(tx)
        yield story


_RULE = {"name": "r", "match": {"client": "acme", "from": ["ana@acme.example"]}, "set": {"priority": "high"}}


def _corners(tx: Connection) -> None:
    looks.note(tx, 1, "ana@acme.example", NOW)
    sessions.make_link(tx, "d1", "ana@acme.example", NOW, NOW + DAY)
    sessions.begin(tx, "d2", "tomas@tienda.example", "Firefox", NOW, NOW + DAY)
    events.record_loop(tx, "ana@acme.example", NOW)
    tx.run("insert into signer (domain, at) values ('acme.example', '2026-11-03')")
    tx.run("insert into guest (ticket, address) values (1, 'eva@acme.example')")
    tx.run("update quarantine set sender = 'ana@acme.example'")
    tx.run("insert into carried_forward select client, max(id), sum(minutes) from entry group by client")


def forget(story: Story, *, keep_books: bool = False) -> Erased:
    steps: list[int] = []
    office = story.stored.office
    done = erase.erase(
        story.stored.store, office, "acme", NOW + DAY, "root", lambda done, _: steps.append(done), keep_books=keep_books
    )
    assert steps[-1] == done.tickets == 2
    return done


def standing(story: Story, at: timedelta = DAY) -> Standing:
    with story.stored.store.read() as tx:
        return erase.standing(tx, story.stored.office.desk, "acme", NOW + at)


def ledger(story: Story, client: str) -> list[tuple[object, ...]]:
    with story.stored.store.read() as tx:
        booked = entries.of_client(tx, client)
    return [(one.id, one.kind, one.minutes, one.worked, one.at, one.day, one.ticket, one.technician) for one in booked]


def canaries(story: Story, folder: Path) -> list[tuple[str, bytes]]:
    """Which of them stand in which file, or in what is sealed in the store."""
    left = [(path.name, path.read_bytes()) for path in folder.rglob("*") if path.is_file()]
    with story.stored.store.read() as tx:
        left += [(f"blob {row['id']}", blobs.get(tx, row["id"])) for row in tx.rows("select id from blob")]
    return [(name, word) for name, content in left for word in CANARIES if word.lower() in content.lower()]


def test_nothing_of_them_is_left_in_any_file(story: Story, tmp_path: Path) -> None:
    (tmp_path / "outbox").mkdir()
    for mail, raw in zip(story.stored.mails(), story.stored.raws(), strict=True):
        (tmp_path / "outbox" / file_name(NOW, mail.id)).write_bytes(raw)
    story.stored.store.empty_log()
    assert {word for _, word in canaries(story, tmp_path)} == set(CANARIES), "else the test shows nothing"
    assert forget(story).folded
    assert canaries(story, tmp_path) == []


def test_the_books_add_up_under_the_pseudonym(story: Story) -> None:
    before, others = ledger(story, "acme"), ledger(story, "beta")
    done = forget(story)
    assert (done.pseudonym, done.entries) == ("erased-1", len(before) > 0 and len(before))
    assert ledger(story, "erased-1") == before
    assert (ledger(story, "acme"), ledger(story, "beta")) == ([], others)
    with story.stored.store.read() as tx:
        assert {row["client"] for row in tx.rows("select client from carried_forward")} == {"erased-1", "beta"}
        assert audited(tx).problems == []
    with story.stored.store.read() as tx:
        found = audited(tx)
        assert tx.rows("pragma foreign_key_check") == []
    assert (found.problems, found.balances) == ([], {"beta": 210, "erased-1": 228})


def test_everybody_else_is_as_before(story: Story) -> None:
    def of_beta() -> dict[str, bytes]:
        with story.stored.store.read() as tx:
            return dict(export.files(tx, story.stored.office, "beta", NOW, lambda *_: None))

    before = of_beta()
    forget(story)
    assert of_beta() == before


def test_their_tickets_are_closed_and_found_by_nobody_and_nobody_is_told(story: Story) -> None:
    mails = len(story.stored.mails())
    forget(story)
    assert len(story.stored.mails()) == mails
    assert [mail.state for mail in story.stored.mails() if mail.ticket != 2 and mail.to == ""] != []
    with story.stored.store.read() as tx:
        assert [one.status for one in tickets.listed(tx, Only(client="erased-1"))] == [Status.CLOSED] * 2
        assert search.find(tx, "CANARY", EVERY) == []
        assert {one.author for one in messages.of_ticket(tx, 1)} == {"", "marta@example.es"}
        assert tx.value("select count(*) from session") == tx.value("select count(*) from sign_in_link") == 0
        assert not tx.value("select count(*) from outbox where state = 'queued' and ticket in (1, 3)")


def test_a_mail_to_staff_that_names_them_and_waits_is_never_sent(story: Story) -> None:
    values = {"what": "ana@acme.example", "is_ticket": False, "count": 20, "minutes": 10, "subject": "CANARY"}
    story.stored.post(Notice("loop_stopped", "elena@example.es", "es", values=values), "t1")
    forget(story)
    with story.stored.store.read() as tx:
        waiting = [mail for mail in outbox.listed(tx) if mail.state == "queued"]
    assert waiting
    assert all(mail.kept for mail in waiting)


def test_access_data_that_they_told_are_destroyed(story: Story) -> None:
    told = "Usuario: ana\nContraseña: Zk7#pq-LL2\n"
    story.says("ana", f"Los datos:\n{told}", 1)
    story.says("ana", f"saldo\n\n{told}", subject="saldo")
    with story.stored.store.read() as tx:
        assert tx.value("select count(*) from vault") >= 2
    forget(story)
    with story.stored.store.read() as tx:
        assert tx.value("select count(*) from vault") == 0


def test_who_did_it_and_when_is_kept(story: Story) -> None:
    forget(story)
    with story.stored.store.read() as tx:
        assert events.happened(tx, "erase", "erased-1") == {f"{(NOW + DAY).isoformat()} root"}


def test_an_answer_of_theirs_is_a_strangers_once_the_rules_have_forgotten_them_too(tmp_path: Path) -> None:
    with stored_desk(tmp_path, desk()) as stored:
        story = Story(stored)
        stored.take(_with_file())
        erase.erase(stored.store, stored.office, "acme", NOW + DAY, "root", lambda *_: None, keep_books=False)
    clients = {"acme": {"name": "Other", "addresses": ["other@x.example"]}}
    with stored_desk(tmp_path, desk(clients=clients)) as stored:
        story = Story(stored)
        plan = story.says("ana", "¿Y lo mío?", 1, at=NOW + 2 * DAY)
        assert (plan.role, plan.outcome) == (Role.STRANGER, Outcome.QUARANTINE)
        assert "carrito" not in str(plan.notices)


def test_rules_of_before_can_still_be_tried(story: Story) -> None:
    forget(story)
    with story.stored.store.read() as tx:
        data = json.loads(rules_taken.get(tx, 1))
    assert sorted(data["clients"]) == ["beta", "erased-1"]
    assert data["rules"][0]["match"] == {"client": ["erased-1"], "from": ["erased-1@erased.invalid"]}


def test_what_stands_against_it_is_told(story: Story) -> None:
    found = standing(story)
    assert found.obstacles == [
        Obstacle("tickets", 2),
        Obstacle("matters", 1),
        Obstacle("balance", 228),
        Obstacle("books", until=date(2032, 11, 3)),
    ]
    assert (found.in_rules, found.backups_until) == (True, None)


@pytest.mark.parametrize(("days", "stands"), [(2192, True), (2193, False)])
def test_the_books_name_them_to_the_last_day_that_the_law_wants(story: Story, days: int, stands: bool) -> None:
    found = standing(story, days * DAY)
    assert any(one.kind == "books" for one in found.obstacles) is stands


def test_the_last_backup_is_named(story: Story) -> None:
    with story.stored.store.write() as tx:
        events.record(tx, "backup", "", NOW.isoformat(), NOW)
    assert standing(story).backups_until == date(2026, 11, 17)


def test_the_books_may_keep_the_name_while_all_else_goes(story: Story, tmp_path: Path) -> None:
    before = ledger(story, "acme")
    assert forget(story, keep_books=True).pseudonym == ""
    assert ledger(story, "acme") == before
    with story.stored.store.read() as tx:
        assert audited(tx).problems == []
        assert {one.text for one in messages.of_ticket(tx, 1)} == {""}
        assert tx.value("select count(*) from erasure") == 0
    left = {word for _, word in canaries(story, tmp_path)}
    assert left <= {b"IBAN-ES91", b"transfer of acme", b"arrito"}, "what the books say of what was sold"
    assert forget(story).pseudonym == "erased-1", "and later the name goes, too"
    assert canaries(story, tmp_path) == []


def test_what_they_asked_outside_of_any_ticket_goes_though_the_books_keep_the_name(story: Story) -> None:
    with story.stored.store.write() as tx:
        refunds.ask(tx, story.stored.office, "acme", "CANARY-7431 lo quiero de vuelta", NOW)
    forget(story, keep_books=True)
    with story.stored.store.read() as tx:
        asked = [one for one in matters.everything(tx) if one.client == "acme"]
    assert asked
    assert not any("CANARY" in f"{one.reason} {one.note}" for one in asked)
    assert all(one.state is not MatterState.OPEN for one in asked)


def test_a_run_that_is_killed_is_taken_up_by_the_next(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = erasure.forget_ticket, []

    def killed(tx: Connection, ticket: int, *rest: object) -> object:
        calls.append(ticket)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(tx, ticket, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(erase, "_MOST_TICKETS", 1)
    monkeypatch.setattr(erasure, "forget_ticket", killed)
    with pytest.raises(KeyboardInterrupt):
        forget(story)
    assert forget(story).pseudonym == "erased-1"
    with story.stored.store.read() as tx:
        assert audited(tx).problems == []
        assert tx.rows("select pseudonym, client from erasure") == [{"pseudonym": "erased-1", "client": None}]


def test_what_comes_while_they_are_forgotten_goes_with_the_rest(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    real = erase._late

    def late(tx: Connection, case: object) -> object:
        if not tx.value("select 1 from message where subject = 'tarde'"):
            tx.run("update message set text = 'CANARY-7431', subject = 'tarde' where id = 1")
        return real(tx, case)  # type: ignore[arg-type]

    monkeypatch.setattr(erase, "_late", late)
    forget(story)
    with story.stored.store.read() as tx:
        assert {one.text for one in messages.of_ticket(tx, 1)} == {""}


def test_nothing_is_done_by_the_clock_for_whom_is_forgotten(story: Story) -> None:
    forget(story)
    mails = len(story.stored.mails())
    writer = Writer(story.stored.store)
    run_daily(story.stored.store, writer, story.stored.office, NOW + 400 * DAY)
    writer.close()
    new = story.stored.mails()[mails:]
    assert {mail.to for mail in new} <= {"hello@beta.example", "elena@example.es"}
    assert ledger(story, "erased-1")[-1][2] != -228


@pytest.mark.parametrize(
    "change",
    [
        "client = 'erased-1'",
        "client = 'other', note = '', reference = null",
        "client = 'erased-1', note = '', reference = null, minutes = 5",
        "client = 'erased-1', note = '', reference = null, ticket = null",
    ],
)
def test_an_entry_changes_in_nothing_else_and_for_nobody_else(story: Story, change: str) -> None:
    with story.stored.store.write() as tx:
        erasure.begin(tx, "acme", "m", ())
    for client in ("acme", "beta"):
        with pytest.raises(sqlite3.IntegrityError, match="of the ledger"), story.stored.store.write() as tx:
            tx.run(f"update entry set {change} where client = :client and note <> 'x' and id <> 1", client=client)


def test_a_pseudonym_is_no_name_of_the_rules(tmp_path: Path) -> None:
    store = Store(tmp_path / "mailgate.db")
    with store.write() as tx:
        assert erasure.begin(tx, "acme", "m", {"erased-1"}) == "erased-2"
        assert erasure.begin(tx, "acme", "m", {"erased-1"}) == "erased-2", "the same where it had begun"
        assert erasure.begin(tx, "beta", "m", ()) == "erased-3"
    store.close()


def test_a_backup_from_before_says_whom_to_forget_again(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with stored_desk(data, Desk(desk().rules, desk_key(data))) as stored:
        story = Story(stored)
        for client in ("acme", "beta"):
            stored.book(240, client=client)
        backup.back_up(stored.store, tmp_path / "copy.db", NOW, lambda *_: None, force=False)
        erase.erase(stored.store, stored.office, "acme", NOW, "root", lambda *_: None, keep_books=False)
        assert ledger(story, "acme") == []
    assert backup.restore(data, tmp_path / "copy.db", NOW, force=False).back == ["acme"]
    with stored_desk(data, Desk(desk().rules, desk_key(data))) as stored:
        assert ledger(Story(stored), "acme") != []
        done = erase.erase(stored.store, stored.office, "acme", NOW, "root", lambda *_: None, keep_books=False)
        assert done.pseudonym == "erased-2", "the first is taken"
    assert backup.restore(data, tmp_path / "copy.db", NOW + DAY, force=False).back == ["acme"]


def test_who_is_forgotten_is_known_again_by_the_desk_alone() -> None:
    assert mark(b"k" * 32, "acme") == mark(b"k" * 32, "acme")
    assert len({mark(key, client) for key in (b"k" * 32, b"l" * 32) for client in ("acme", "beta")}) == 4
