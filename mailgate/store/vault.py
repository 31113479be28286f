"""Access data that were taken out of messages, sealed; in the messages stand places with their numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from mailgate.store.connection import Connection, Row
from mailgate.store.keyring import DamagedError, Key

_PURPOSE = "access data"
# Of a ticket the newest, which are quoted; more are recognised by what stands around them alone.
_MOST_KNOWN = 100


def next_id(tx: Connection) -> int:
    """The number of the next one; none is given twice."""
    return int(tx.value("select highest from vault_number")) + 1


def keep(tx: Connection, message: int, ticket: int | None, values: Mapping[int, str]) -> None:
    """Keep what was taken out of a message, under the numbers that stand in it; what is kept already stays."""
    for number, value in values.items():
        key = tx.keyring.newest
        tx.run(
            "insert into vault (id, message, ticket, key, sealed) values (:id, :message, :ticket, :key, :sealed)"
            " on conflict (id) do nothing",
            id=number,
            message=message,
            ticket=ticket,
            key=key.name,
            sealed=_sealed(key, value),
        )
        tx.run("update vault_number set highest = :number where highest < :number", number=number)


def of_message(tx: Connection, message: int) -> dict[int, str]:
    """What was taken out of a message, by number, and can be opened still."""
    rows = tx.rows("select id, key, sealed from vault where message = :message order by id", message=message)
    return {row["id"]: told for row in rows if (told := _value(tx, row)) is not None}


def value(tx: Connection, number: int, tickets: Collection[int]) -> str | None:
    """One that was told in these tickets; None for another, or one that cannot be opened any more."""
    row = tx.row("select ticket, key, sealed from vault where id = :id", id=number)
    return _value(tx, row) if row and row["ticket"] in tickets else None


def destroy(tx: Connection, number: int) -> None:
    """Keep one no longer; its place stays in the texts."""
    tx.run("delete from vault where id = :id", id=number)


def of_tickets(tx: Connection, tickets: Iterable[int]) -> frozenset[str]:
    """What was told in tickets, the newest of each, and can be opened still."""
    rows = (row for ticket in tickets for row in _rows_of(tx, ticket, _MOST_KNOWN))
    return frozenset(told for row in rows if (told := _value(tx, row)) is not None)


def of_ticket(tx: Connection, ticket: int) -> list[tuple[int, int]]:
    """Number and message of what was told in a ticket, oldest first."""
    rows = tx.rows("select id, message from vault where ticket = :ticket order by id", ticket=ticket)
    return [(row["id"], row["message"]) for row in rows]


def hand_over(tx: Connection, source: int, target: int) -> None:
    """What was told in a ticket that goes on in another."""
    tx.run("update vault set ticket = :target where ticket = :source", source=source, target=target)


def forget(tx: Connection, ticket: int) -> None:
    """Destroy what was told in a ticket."""
    tx.run("delete from vault where ticket = :ticket", ticket=ticket)


def forget_of_message(tx: Connection, message: int) -> None:
    """Destroy what was taken out of a message."""
    tx.run("delete from vault where message = :message", message=message)


def under(tx: Connection, key: str) -> int:
    """How many a key has sealed."""
    return int(tx.value("select count(*) from vault where key = :key", key=key))


def seal_anew(tx: Connection, key: str, most: int) -> int:
    """Put some of what a key has sealed under the newest one; how many. 0: nothing is left that can be opened."""
    following = "select id, key, sealed from vault where key = :key and id > :after order by id limit :most"
    done = after = 0
    while not done and (rows := tx.rows(following, key=key, after=after, most=most)):
        done, after = sum(_sealed_anew(tx, row) for row in rows), rows[-1]["id"]
    return done


def _sealed_anew(tx: Connection, row: Row) -> bool:
    """False for one that is damaged, which stays as it is."""
    told, newest = _value(tx, row), tx.keyring.newest
    if told is None:
        return False
    tx.run(
        "update vault set key = :key, sealed = :sealed where id = :id",
        id=row["id"],
        key=newest.name,
        sealed=_sealed(newest, told),
    )
    return True


def _sealed(key: Key, value: str) -> bytes:
    return key.seal(value.encode("utf-8", "surrogatepass"), _PURPOSE)


def _rows_of(tx: Connection, ticket: int, most: int) -> list[Row]:
    newest = "select key, sealed from vault where ticket = :ticket order by id desc limit :most"
    return tx.rows(newest, ticket=ticket, most=most)


def _value(tx: Connection, row: Row) -> str | None:
    """What is sealed, None where it cannot be opened: its key is not there, or it is damaged."""
    if row["key"] not in tx.keyring.names:
        return None
    try:
        return tx.keyring.open(row["key"], row["sealed"], _PURPOSE).decode("utf-8", "surrogatepass")
    except DamagedError:
        return None
