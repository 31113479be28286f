"""When technicians are away, as they wrote themselves; what rules.toml says besides stands there alone."""

from __future__ import annotations

from datetime import date, timedelta

from mailgate.core.model import Absence
from mailgate.store.connection import Connection


def note(tx: Connection, absence: Absence, message: int | None) -> None:
    """Keep an absence. message: in which it was written."""
    tx.run(
        "insert into absence (technician, since, until, message) values (:technician, :since, :until, :message)",
        technician=absence.technician,
        since=absence.since.isoformat(),
        until=absence.until.isoformat(),
        message=message,
    )


def withdraw(tx: Connection, technician: str, today: date) -> None:
    """Somebody is there from today on: what lies ahead goes, what has begun ended yesterday."""
    who = {"technician": technician, "today": today.isoformat()}
    tx.run("delete from absence where until >= :today and since >= :today and technician = :technician", **who)
    tx.run(
        "update absence set until = :yesterday where until >= :today and technician = :technician",
        yesterday=(today - timedelta(days=1)).isoformat(),
        **who,
    )


def since(tx: Connection, day: date) -> dict[str, tuple[Absence, ...]]:
    """All that are not over on a day, by technician."""
    found: dict[str, tuple[Absence, ...]] = {}
    for row in tx.rows("select * from absence where until >= :day order by since, until, id", day=day.isoformat()):
        one = Absence(row["technician"], date.fromisoformat(row["since"]), date.fromisoformat(row["until"]))
        found[one.technician] = (*found.get(one.technician, ()), one)
    return found
