"""Who is signed in to the client area, and the links that sign in. Of a secret only its digest is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailgate.store.connection import Connection, Row
from mailgate.store.times import moment, stamp


@dataclass(frozen=True, slots=True)
class Session:
    """A browser in which somebody signed in. program: what it calls itself, cleaned. seen_at: to the hour."""

    id: int
    address: str
    program: str
    opened_at: datetime
    seen_at: datetime
    expires_at: datetime


def make_link(tx: Connection, digest: str, address: str, now: datetime, until: datetime) -> int:
    """Keep a link that signs somebody in; links of theirs that were not used are void, and what has passed goes."""
    tx.run("delete from sign_in_link where expires_at < :now", now=stamp(now))
    tx.run("delete from session where expires_at < :now", now=stamp(now))
    revoke_links(tx, address, now)
    return int(
        tx.value(
            "insert into sign_in_link (digest, address, made_at, expires_at)"
            " values (:digest, :address, :now, :until) returning id",
            digest=digest,
            address=address,
            now=stamp(now),
            until=stamp(until),
        )
    )


def revoke_links(tx: Connection, address: str, now: datetime) -> None:
    """Make every link of somebody void that was not used."""
    void = "update sign_in_link set used_at = :now where address = :address and used_at is null"
    tx.run(void, now=stamp(now), address=address)


def address_of_link(tx: Connection, digest: str, now: datetime) -> str | None:
    """Whom a link signs in, None where it was used, is void or has passed."""
    found: str | None = tx.value(
        "select address from sign_in_link where digest = :digest and used_at is null and expires_at >= :now",
        digest=digest,
        now=stamp(now),
    )
    return found


def use_link(tx: Connection, digest: str, now: datetime) -> str | None:
    """Use a link up, once; whom it signs in, None as above."""
    address = address_of_link(tx, digest, now)
    if address:
        tx.run("update sign_in_link set used_at = :now where digest = :digest", now=stamp(now), digest=digest)
    return address


def begin(tx: Connection, digest: str, address: str, program: str, now: datetime, until: datetime) -> None:
    """Sign somebody in."""
    tx.run(
        "insert into session (digest, address, program, opened_at, seen_at, expires_at)"
        " values (:digest, :address, :program, :now, :now, :until)",
        digest=digest,
        address=address,
        program=program,
        now=stamp(now),
        until=stamp(until),
    )


def get(tx: Connection, digest: str, now: datetime) -> Session | None:
    """The session of a secret, None where there is none or it has passed."""
    known = "select * from session where digest = :digest and expires_at >= :now"
    row = tx.row(known, digest=digest, now=stamp(now))
    return _session(row) if row else None


def seen(tx: Connection, session: int, now: datetime) -> None:
    """Note that somebody is there."""
    tx.run("update session set seen_at = :now where id = :session", now=stamp(now), session=session)


def listed(tx: Connection, address: str, now: datetime, most: int) -> list[Session]:
    """Where somebody is signed in, the newest first."""
    rows = tx.rows(
        "select * from session where address = :address and expires_at >= :now order by id desc limit :most",
        address=address,
        now=stamp(now),
        most=most,
    )
    return [_session(row) for row in rows]


def end(tx: Connection, address: str, session: int) -> None:
    """Sign somebody out in one browser of theirs."""
    tx.run("delete from session where id = :session and address = :address", session=session, address=address)


def everyone(tx: Connection, now: datetime) -> list[Session]:
    """Who is signed in, by address, the newest first."""
    rows = tx.rows("select * from session where expires_at >= :now order by address, id desc", now=stamp(now))
    return [_session(row) for row in rows]


def addresses(tx: Connection) -> list[str]:
    """Everybody who has a session, or a link to begin one."""
    rows = tx.rows("select address from session union select address from sign_in_link")
    return [row["address"] for row in rows]


def end_all(tx: Connection, address: str, but: int, now: datetime) -> int:
    """Sign somebody out everywhere but in one browser; links that were not used are void. How many were ended."""
    ended = tx.rows(
        "delete from session where address = :address and id <> :but returning id", address=address, but=but
    )
    revoke_links(tx, address, now)
    return len(ended)


def _session(row: Row) -> Session:
    return Session(
        id=row["id"],
        address=row["address"],
        program=row["program"],
        opened_at=moment(row["opened_at"]),
        seen_at=moment(row["seen_at"]),
        expires_at=moment(row["expires_at"]),
    )
