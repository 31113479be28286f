"""What the store knows of who writes: domains that sign their mail, and what was sent to an address today."""

from __future__ import annotations

from datetime import datetime, timedelta

from mailgate.core.facts import Author, Repute
from mailgate.store.connection import Connection
from mailgate.store.times import stamp

_DAY = timedelta(days=1)
# As it stands in the partial index `outbox_answers`.
_ANSWERS = "template in ('balance', 'report', 'history', 'unverified')"
# As it stands in the partial index `outbox_warnings`.
_WARNINGS = "template in ('unproven', 'guest_waits')"


def of(tx: Connection, message_id: str, author: Author | None, now: datetime) -> Repute:
    """The repute of a message's author, who is a client's person; of others whether the ID is used, and of what staff
    was warned.
    """
    used = bool(tx.value("select 1 from message where message_id = :id limit 1", id=message_id))
    if author is None:
        return Repute(id_used=used, warned=_warned(tx, now))
    signs = bool(tx.value("select 1 from signer where domain = :domain", domain=author.domain))
    sent = {address: _sent(tx, address, now) for address in author.addresses}
    reports = {(address, name): count for address, by_name in sent.items() for name, count in by_name.items()}
    return Repute(used, signs, reports, frozenset(address for address in sent if "unverified" in sent[address]))


def remember_signer(tx: Connection, domain: str, now: datetime) -> None:
    """A signature proved mail of this domain."""
    tx.run("insert into signer (domain, at) values (:domain, :at) on conflict do nothing", domain=domain, at=stamp(now))


def _warned(tx: Connection, now: datetime) -> dict[tuple[str, str], int]:
    """How many there are is bounded by `warning.MOST`."""
    rows = tx.rows(
        f"select recipient, template, count(*) as mails from outbox where {_WARNINGS} and created_at > :since"
        " group by recipient, template",
        since=stamp(now - _DAY),
    )
    return {(row["recipient"], row["template"]): row["mails"] for row in rows}


def _sent(tx: Connection, address: str, now: datetime) -> dict[str, int]:
    """How many mails of some templates went to an address in the last day."""
    rows = tx.rows(
        f"select template, count(*) as mails from outbox where {_ANSWERS}"
        " and recipient = :address and created_at > :since group by template",
        address=address,
        since=stamp(now - _DAY),
    )
    return {row["template"]: row["mails"] for row in rows}
