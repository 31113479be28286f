"""Forgetting a client: what they wrote and who they are goes, the sums of the ledger stay under a pseudonym.

Each step may be done again, so that one that was broken off is taken up where it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from mailgate.core.erasure import pseudonym
from mailgate.store import retention, vault
from mailgate.store.connection import Connection
from mailgate.store.outbox import CANCELLED
from mailgate.store.records import Theirs
from mailgate.store.times import stamp


def begin(tx: Connection, client: str, mark: str, taken: Iterable[str]) -> str:
    """Note that a client is being forgotten, and give the pseudonym; the same one where that had begun before.

    taken: names that it may not be.
    """
    if under_way := tx.value("select pseudonym from erasure where client = :client", client=client):
        return str(under_way)
    number = int(tx.value("select coalesce(max(id), 0) + 1 from erasure"))
    while (name := pseudonym(number)) in taken:
        number += 1
    tx.run(
        "insert into erasure (id, pseudonym, mark, client) values (:id, :name, :mark, :client)",
        id=number,
        name=name,
        mark=mark,
        client=client,
    )
    return name


def tickets(tx: Connection, client: str, after: int, most: int) -> list[int]:
    """The next tickets of a client after one of this number."""
    following = "select id from ticket where client = :client and id > :after order by id limit :most"
    return [row["id"] for row in tx.rows(following, client=client, after=after, most=most)]


def with_words(tx: Connection, client: str) -> list[int]:
    """Tickets of a client in which something was said that is not forgotten."""
    rows = tx.rows(
        "select t.id from ticket t where t.client = :client and (t.gone_at is null or exists"
        " (select 1 from message m where m.ticket = t.id and (m.text <> '' or m.blob is not null))) order by t.id",
        client=client,
    )
    return [row["id"] for row in rows]


def close(tx: Connection, ticket: int, now: datetime) -> None:
    """Let a ticket be closed, without a word to anybody; mails of it that wait are never sent."""
    tx.run(
        "update ticket set status = 'closed', closed_at = coalesce(closed_at, :now), answer_due_at = null,"
        " quick_due_at = null, answer_left = null, quick_left = null, asked_at = null, held_for = ''"
        " where id = :ticket and status <> 'closed'",
        ticket=ticket,
        now=stamp(now),
    )
    tx.run(f"{_CANCEL} and ticket = :ticket", ticket=ticket, error=CANCELLED)
    tx.run(
        "update matter set state = 'withdrawn', decided_at = :now where ticket = :ticket and state = 'open'",
        ticket=ticket,
        now=stamp(now),
    )


_CANCEL = "update outbox set state = 'failed', next_try_at = null, last_error = :error where state = 'queued'"


def forget_ticket(tx: Connection, ticket: int, name: str, now: datetime) -> list[tuple[datetime, int]]:
    """Forget a ticket: raw mails, what was said, by whom, and by which Message-IDs."""
    close(tx, ticket, now)
    said = [row["id"] for row in tx.rows("select id from message where ticket = :ticket", ticket=ticket)]
    sent = tx.rows("select blob from outbox where ticket = :ticket and blob is not null", ticket=ticket)
    gone = _remove(tx, {row["blob"] for row in sent})
    retention.forget_said(tx, ticket, now)
    for number in said:
        gone += forget_message(tx, number, name)
    return gone


def forget_message(tx: Connection, message: int, name: str) -> list[tuple[datetime, int]]:
    """Forget a message to the last: its bytes, its envelope, its text where it stood in no ticket, its Message-ID.

    That of the desk's own people stays: their mail counts once, and says nothing of the client.
    """
    rows = tx.rows(
        "select blob from message where id = :id and blob is not null union"
        " select blob from journal where message = :id and blob is not null",
        id=message,
    )
    gone = _remove(tx, {row["blob"] for row in rows})
    tx.run(
        "update message set subject = '', text = '', why = '', refs = '', proof = '', author_name = '',"
        " author = case when role in ('technician', 'director') then author else '' end,"
        " message_id = case when role in ('technician', 'director') then message_id else :message_id end"
        " where id = :id",
        id=message,
        message_id=f"{name}.{message}@erased.invalid",
    )
    vault.forget_of_message(tx, message)
    tx.run("update attachment set name = '', content_id = null where message = :id", id=message)
    _forget_envelopes(tx, "message = :id", id=message)
    return gone


def forget_bare(tx: Connection, journal: int) -> list[tuple[datetime, int]]:
    """Forget a message that came once more, of which nothing stands but its bytes and its envelope."""
    blob = tx.value("select blob from journal where id = :id", id=journal)
    gone = _remove(tx, {blob} - {None})
    _forget_envelopes(tx, "id = :id", id=journal)
    return gone


def forget_posted(tx: Connection, outbox: int) -> list[tuple[datetime, int]]:
    """Forget a mail of ours that belongs to no ticket; one that waits is never sent."""
    tx.run(f"{_CANCEL} and id = :id", id=outbox, error=CANCELLED)
    blob = tx.value("select blob from outbox where id = :id", id=outbox)
    tx.run("update outbox set subject = '', recipient = '', last_error = null where id = :id", id=outbox)
    return _remove(tx, {blob} - {None})


def forget_raw_of_posted(tx: Connection, outbox: int) -> list[tuple[datetime, int]]:
    """Forget the bytes of a mail of ours to somebody else, which names them; one that waits is never sent."""
    tx.run(f"{_CANCEL} and id = :id", id=outbox, error=CANCELLED)
    return _remove(tx, {tx.value("select blob from outbox where id = :id", id=outbox)} - {None})


def forget_quarantined(tx: Connection, number: int, now: datetime) -> None:
    """Forget what names them as its sender and was held."""
    retention.forget_quarantined(tx, number, now)
    tx.run("update quarantine set message_id = '' where id = :id", id=number)


def forget_traces(tx: Connection, theirs: Theirs, name: str, domains: Iterable[str]) -> None:
    """Forget where they signed in, what they looked at as whom, and what else is known of their addresses."""
    for table, column in (("session", "address"), ("sign_in_link", "address")):
        for row in _where(tx, table, column, theirs):
            tx.run(f"delete from {table} where id = :id", id=row["id"])
    for row in _where(tx, "look", "address", theirs):
        tx.run("update look set address = :name where id = :id", id=row["id"], name=name)
    for row in _where(tx, "left_mail", "sender", theirs):
        tx.run("update left_mail set sender = '', subject = '' where id = :id", id=row["id"])
    for row in tx.rows("select id, key from event where kind = 'loop' and client = ''"):
        if theirs(row["key"].partition(" ")[0]):
            tx.run("delete from event where id = :id", id=row["id"])
    for domain in domains:
        tx.run("delete from signer where domain = :domain", domain=domain)


def _where(tx: Connection, table: str, column: str, theirs: Theirs) -> list[dict[str, Any]]:
    return [row for row in tx.rows(f"select id, {column} as address from {table}") if theirs(row["address"])]


def forget_rules(tx: Connection, client: str, name: str) -> None:
    """Take name and addresses out of the rules that were in force; they can be tried anew as ever. name: the new id."""
    for row in tx.rows("select id, data from rules_taken"):
        data = json.loads(row["data"])
        if client in data.get("clients", {}):
            tx.run(
                "update rules_taken set data = :data where id = :id", id=row["id"], data=_renamed(data, client, name)
            )


def _renamed(data: dict[str, Any], client: str, name: str) -> str:
    nobody = f"{name}@erased.invalid"
    addresses = set(data["clients"][client].get("addresses", ()))
    data["clients"] = {key: value for key, value in data["clients"].items() if key != client}
    data["clients"][name] = {"name": name, "addresses": [nobody]}
    for rule in data.get("rules", ()):
        match = rule.get("match", {})
        for key, gone, instead in (("client", {client}, name), ("from", addresses, nobody)):
            if key in match:
                listed = [match[key]] if isinstance(match[key], str) else match[key]
                match[key] = [instead if one in gone else one for one in listed]
    return json.dumps(data, ensure_ascii=False)


def rename(tx: Connection, client: str, name: str) -> int:
    """Have the books call them by the pseudonym; gives how many entries. The trigger of the ledger allows no more."""
    both = {"client": client, "name": name}
    tx.run("update ticket set client = :name where client = :client", **both)
    entries = tx.run("update entry set client = :name, note = '', reference = null where client = :client", **both)
    _forget_asked(tx, client, name)
    tx.run("update carried_forward set client = :name where client = :client", **both)
    tx.run("update event set client = :name where client = :client", **both)
    tx.run("update experience set name = :name where scope = 'client' and name = :client", **both)
    tx.run("update erasure set client = null where client = :client", client=client)
    return entries


def give_up_name(tx: Connection, client: str) -> None:
    """What was begun is done, and the books keep the name; what was asked for outside of any ticket goes as well."""
    _forget_asked(tx, client, client)
    tx.run("delete from erasure where client = :client", client=client)


def _forget_asked(tx: Connection, client: str, name: str) -> None:
    """Forget the words of what waited for somebody's word; nothing of it waits any more."""
    tx.run(
        "update matter set client = :name, reason = '', note = '', state = case state when 'open' then 'withdrawn'"
        " else state end, decided_at = coalesce(decided_at, at) where client = :client",
        client=client,
        name=name,
    )


def bare(tx: Connection) -> list[tuple[int, int]]:
    """Messages of the journal that came once more, each with its blob: nothing else of them tells who wrote them."""
    rows = tx.rows("select id, blob from journal where message is null and state = 'done' and blob is not null")
    return [(row["id"], row["blob"]) for row in rows]


def posted_to_others(tx: Connection, theirs: Theirs) -> list[tuple[int, int]]:
    """Our mails of no ticket to somebody else: number and blob of those whose bytes are there."""
    rows = tx.rows("select id, recipient, blob from outbox where ticket is null and blob is not null")
    return [(row["id"], row["blob"]) for row in rows if not theirs(row["recipient"])]


def said_in_no_ticket_by_staff(tx: Connection) -> list[int]:
    """What the desk's own people wrote to the desk itself."""
    rows = tx.rows("select id from message where ticket is null and role in ('technician', 'director', 'robot')")
    return [row["id"] for row in rows]


def marks(tx: Connection) -> dict[str, str]:
    """By what those who were forgotten are known again, by pseudonym; also of a store of an earlier version."""
    if not tx.value("select 1 from sqlite_master where type = 'table' and name = 'erasure'"):
        return {}
    rows = tx.rows("select pseudonym, mark from erasure where client is null order by id")
    return {row["pseudonym"]: row["mark"] for row in rows}


def remember(tx: Connection, marks: Mapping[str, str]) -> None:
    """Keep what another store knows of those who were forgotten."""
    for name, one in marks.items():
        tx.run(
            "insert into erasure (pseudonym, mark) values (:name, :mark) on conflict (pseudonym) do nothing",
            name=name,
            mark=one,
        )


def clients(tx: Connection) -> list[str]:
    """Every client that tickets or entries name."""
    rows = tx.rows("select distinct client from ticket union select distinct client from entry order by client")
    return [row["client"] for row in rows if row["client"]]


def _remove(tx: Connection, blobs: set[int]) -> list[tuple[datetime, int]]:
    return [file for blob in sorted(blobs) for file in retention.remove_raw(tx, blob)]


def _forget_envelopes(tx: Connection, which: str, **values: object) -> None:
    tx.run(
        "update journal set mail_from = null, rcpt_to = '[]', peer = '', helo = '', auth_user = '', evidence = null,"
        f" proof_sender = null where {which}",
        **values,
    )
